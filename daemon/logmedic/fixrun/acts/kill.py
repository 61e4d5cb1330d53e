"""`kill`: ends the processes of one unit that have one name (model.step.KillProcess)."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from logmedic.fixrun.acts.words import Unreached

LONGEST_NAME = 15
"""Bytes that the kernel keeps of the name of a process (TASK_COMM_LEN, without its end)."""
LAST_S = 5.0
"""After SIGKILL. What hangs in the kernel is left, and told."""
PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Held:
    """A process that cannot become another one while `descriptor` (a pidfd) is open."""

    pid: int
    descriptor: int


def kill(asked: Mapping[str, Any], *, dry: bool, proc: Path = PROC) -> None:
    """`asked`: the fields of KillProcess; `proc`: where cgroups and names of processes are read. Raises Unreached."""
    unit, name = asked["unit"], asked["process"]
    if not unit or not name:
        raise Unreached("no unit or no process is named: nothing is killed")
    held = list(_held(unit, name, proc))
    try:
        if not held:
            raise Unreached(f"no process of {unit} is called {name}")
        for each in held:
            print(f"{'would end' if dry else 'ending'} {each.pid} ({name} of {unit})")
        if not dry:
            _end(held, asked["grace"])
    finally:
        for each in held:
            os.close(each.descriptor)


def _held(unit: str, name: str, proc: Path) -> Iterator[Held]:
    """Each is looked at again once it is held: its number may have been another's before."""
    for pid in _processes(proc):
        if pid in (1, os.getpid()) or not is_meant(proc / str(pid), unit, name):
            continue
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        if is_meant(proc / str(pid), unit, name) and not _ended([Held(pid, descriptor)], 0):
            yield Held(pid, descriptor)
        else:
            os.close(descriptor)


def _processes(proc: Path) -> list[int]:
    return sorted(int(entry) for entry in os.listdir(proc) if entry.isdigit())


def is_meant(process: Path, unit: str, name: str) -> bool:
    try:
        comm = (process / "comm").read_bytes().removesuffix(b"\n")
        groups = (process / "cgroup").read_text(errors="surrogateescape")
    except OSError:
        return False
    return comm == os.fsencode(name)[:LONGEST_NAME] and any(belongs(path, unit) for path in paths_of(groups))


def paths_of(groups: str) -> Iterator[str]:
    """Of the text of /proc/PID/cgroup: those that the service manager gave (cgroup v2, or its own tree in v1)."""
    for line in groups.splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers in ("", "name=systemd"):
            yield path


def belongs(path: str, unit: str) -> bool:
    """Slices lead to one service or scope; what is below that is its own to name, and says nothing: somebody's
    user@1000.service may have an app.service of its own."""
    for part in path.split("/"):
        if part and part == unit:
            return True
        if part and not part.endswith(".slice"):
            return False
    return False


def _end(held: Iterable[Held], grace_s: float) -> None:
    """Raises Unreached."""
    left = _signal(held, signal.SIGTERM)
    left = _waited(left, grace_s)
    if left:
        print(f"{len(left)} did not end within {grace_s:g} s: SIGKILL")
        left = _waited(_signal(left, signal.SIGKILL), LAST_S)
    if left:
        raise Unreached(f"still there: {', '.join(str(each.pid) for each in left)}")


def _signal(held: Iterable[Held], number: signal.Signals) -> list[Held]:
    """Those that were there to get it. Raises Unreached."""
    found = []
    for each in held:
        with suppress(ProcessLookupError):
            try:
                signal.pidfd_send_signal(each.descriptor, number)
            except PermissionError:
                raise Unreached(f"{each.pid} may not be signalled by this user; see sandbox.user") from None
            found.append(each)
    return found


def _waited(held: list[Held], limit_s: float) -> list[Held]:
    """Those that are left after that time."""
    end = time.monotonic() + limit_s
    while held and (left_s := end - time.monotonic()) > 0:
        gone = _ended(held, left_s)
        held = [each for each in held if each not in gone]
    return held


def _ended(held: list[Held], limit_s: float) -> list[Held]:
    """Those that have ended, as soon as one has."""
    poll = select.poll()
    for each in held:
        poll.register(each.descriptor, select.POLLIN)
    ready = {descriptor for descriptor, _ in poll.poll(limit_s * 1000)}
    return [each for each in held if each.descriptor in ready]
