"""Control groups for one container alone. Two that are started from the same group would be one to their service
managers: each would make, fill and remove /system.slice/logmedic.service of the other."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

MOUNT = Path("/sys/fs/cgroup")
_ENTER = 'while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs" || exit 1; shift; done; shift; exec "$@"'


def is_unified() -> bool:
    """The kernel's controllers are in the one hierarchy of version 2."""
    return (MOUNT / "cgroup.controllers").exists()


@contextmanager
def groups_of_its_own(name: str, controllers: Sequence[str] = ()) -> Iterator[tuple[str, ...]]:
    """A command that runs the one behind it in groups called `name`: of version 2, of the service manager's own, and of
    `controllers` of version 1. They are removed afterwards."""
    mounts = [MOUNT] if is_unified() else [MOUNT / each for each in ("unified", "systemd", *controllers)]
    with ExitStack() as stack:
        made = [str(stack.enter_context(_group(each / name))) for each in mounts if (each / "cgroup.procs").exists()]
        yield ("sh", "-c", _ENTER, "sh", *made, "--")


@contextmanager
def _group(path: Path) -> Iterator[Path]:
    path.mkdir(exist_ok=True)  # the same container boots again
    try:
        yield path
    finally:
        for room, _, _ in os.walk(path, topdown=False):
            _leave(Path(room))


def _leave(group: Path) -> None:
    """Its last processes may still be about to leave."""
    end = time.monotonic() + 5
    while group.exists() and time.monotonic() < end:
        with suppress(OSError):
            group.rmdir()
        time.sleep(0.05)
