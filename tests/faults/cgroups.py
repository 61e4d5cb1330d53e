"""A control group of one's own, of either version, in which the kernel keeps a real daemon small."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from crash.process import until

MOUNT = Path("/sys/fs/cgroup")
LEAVES_S = 30.0


class Group:
    """`limit`: the file of the limit."""

    def __init__(self, path: Path, limit: Path) -> None:
        self.path = path
        self._limit = limit

    def take(self, pid: int) -> None:
        """The process, and whatever it starts from now on."""
        (self.path / "cgroup.procs").write_text(str(pid))

    def hold(self, most: int | None) -> None:
        """None: no limit."""
        unlimited = "max" if self._limit.name.endswith(".max") else "-1"
        self._limit.write_text(unlimited if most is None else str(most))

    def tasks(self) -> int:
        """Processes and threads in it (of a pids group)."""
        return int((self.path / "pids.current").read_text())


def _removed(group: Path) -> bool:
    """The last of its processes may still be about to leave: a child of one that was killed ends after it."""
    try:
        group.rmdir()
    except OSError:
        return False
    return True


@contextmanager
def group(controller: str) -> Iterator[Group]:
    """`controller`: memory or pids. Skips where the kernel, or who runs this, has none to give."""
    names = {"memory": ("memory.limit_in_bytes", "memory.max"), "pids": ("pids.max", "pids.max")}[controller]
    name = f"logmedic-test-{os.getpid()}"
    for parent, limit in ((MOUNT / controller, names[0]), (MOUNT, names[1])):
        made = parent / name
        try:
            made.mkdir()
        except OSError:
            continue
        try:
            if (made / limit).exists() and os.access(made / limit, os.W_OK):
                yield Group(made, made / limit)
                return
        finally:
            until(partial(_removed, made), LEAVES_S, lambda: f"still in {made}: {(made / 'cgroup.procs').read_text()}")  # noqa: B023
    pytest.skip(f"there is no control group of {controller} to be had")
