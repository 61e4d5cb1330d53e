"""A container in which the limits of units hold, also where the kernel of the host has its controllers in the older
hierarchies: those are given to it, in a group of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from booted.groups import is_unified
from booted.host import Host, booted

CONTROLLERS = ("memory", "pids")


@contextmanager
def limited(root: Path) -> Iterator[Host]:
    """Booted at `root`. `needs` says what it has."""
    if is_unified():
        with booted(root) as host:
            yield host
        return
    with booted(root, controllers=CONTROLLERS, hierarchy="0") as host:
        _open(host)
        yield host


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
