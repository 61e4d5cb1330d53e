"""A real message bus of a test's own, on a socket in its directory."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = shutil.which("dbus-daemon")

_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>{address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
  </policy>
</busconfig>
"""


@dataclass(frozen=True)
class PrivateBus:
    address: str
    end: Callable[[], None]


@contextmanager
def private_bus(room: Path) -> Iterator[PrivateBus]:
    """For as long as it runs."""
    assert HERE, "dbus-daemon is missing: apt-get install dbus"
    address = f"unix:path={room}/bus"
    (room / "bus.conf").write_text(_CONFIG.format(address=address))
    (room / "bus").unlink(missing_ok=True)
    with subprocess.Popen(
        [HERE, f"--config-file={room}/bus.conf", "--nofork", "--print-address=1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as bus:
        try:
            assert bus.stdout is not None
            assert bus.stdout.readline(), "the bus does not start"
            yield PrivateBus(address, bus.terminate)
        finally:
            bus.terminate()
