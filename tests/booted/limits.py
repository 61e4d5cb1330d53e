"""A container in which the limits of units hold, also where the kernel of the host has its controllers in the older
hierarchies: those are given to it, in a group of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from booted.host import Host, booted

GROUPS = Path("/sys/fs/cgroup")
CONTROLLERS = ("memory", "pids")
_ENTER = 'for group in $GROUPS_OF_ITS_OWN; do echo $$ > "$group/cgroup.procs" || exit 1; done; exec "$@"'


@contextmanager
def limited(root: Path) -> Iterator[Host]:
    """Booted at `root`. `needs` says what it has."""
    if (GROUPS / "cgroup.controllers").exists():
        with booted(root) as host:
            yield host
        return
    own = [GROUPS / name / f"logmedic-booted-{os.getpid()}" for name in CONTROLLERS if (GROUPS / name).is_dir()]
    for group in own:
        group.mkdir()
    enter = f"GROUPS_OF_ITS_OWN='{' '.join(map(str, own))}'; {_ENTER}"
    try:
        with booted(root, before=("sh", "-c", enter, "sh"), hierarchy="0") as host:
            _open(host)
            yield host
    finally:
        for group in own:
            _remove(group)


def needs(host: Host, controller: str) -> None:
    """Skips, and says why, where it has none."""
    group = f"/sys/fs/cgroup/{controller}"
    there = f"grep -qw {controller} /sys/fs/cgroup/cgroup.controllers 2>/dev/null || [ -d {group} -a -w {group} ]"
    if host.ran("sh", "-c", there).returncode != 0:
        pytest.skip(f"NOT SHOWN HERE: this host gives no {controller} controller of control groups to a container")


def _open(host: Host) -> None:
    """nspawn mounts them read-only; its systemd looks at them when it begins."""
    for name in CONTROLLERS:
        host.run("mount", "-o", "remount,rw,bind", f"/sys/fs/cgroup/{name}", check=False)
    host.run("systemctl", "daemon-reexec")
    host.until("running", "systemctl", "is-system-running")


def _remove(group: Path) -> None:
    """And what the container made in it. Its last processes may still be about to leave."""
    for found in sorted((each for each in group.rglob("*") if each.is_dir()), key=lambda at: -len(at.parts)):
        _leave(found)
    _leave(group)


def _leave(group: Path) -> None:
    end = time.monotonic() + 5
    while group.exists() and time.monotonic() < end:
        with suppress(OSError):
            group.rmdir()
        time.sleep(0.05)
