"""tests/fixes/battery.py, which bubblewrap holds, through the unit tier."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from booted.conftest import Asking
from booted.host import Host
from fixes import battery

PROGRAM = "/usr/lib/battery/battery.py"


@pytest.fixture(scope="module")
def words(host: Host) -> str:
    """The bait that lies in the container."""
    host.put(PROGRAM, Path(battery.__file__).read_text())
    lay = f"mkdir -p /root/bait; sleep 1000 | /usr/bin/python3 -I {PROGRAM} bait /root/bait > /run/bait"
    host.run("systemd-run", "--quiet", "--unit=bait", "/bin/sh", "-c", lay)
    return host.until("battery-", "cat", "/run/bait").strip()


def asked(name: str, words: str) -> str:
    return f"/usr/bin/python3 -I {PROGRAM} {shlex.quote(name)} {words}"


@pytest.mark.parametrize("name", battery.TRIES)
def test_the_battery_is_blocked(host: Host, asking: Asking, words: str, name: str) -> None:
    host.put("/usr/lib/battery/same", f"#!/bin/sh\nexec {asked(name, words)}\n", 0o755)
    result = asking.one("try", name="same")
    assert result["output"].startswith("blocked: "), result


@pytest.mark.parametrize("name", battery.SHOWN)
def test_what_is_tried_would_get_out_without_a_sandbox(host: Host, words: str, name: str) -> None:
    assert host.run("/bin/sh", "-c", asked(name, words)) == f"escaped: {name}\n"
