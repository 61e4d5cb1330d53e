"""What the kernel has no more of: memory (F39), descriptors, processes and threads (F40). The limits are the kernel's
own, set on a running daemon while lines come."""

from __future__ import annotations

import os
import resource
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from crash.process import until
from faults.cgroups import group
from faults.scene import Scene

ROUNDS = 6
ROUND_S = 0.5
OUT_OF_DESCRIPTORS = "socket.accept() out of system resource"
MEGABYTE = 1 << 20


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    try:
        made.daemon.start()
        made.daemon.answers()
        made.write(2)
        made.until_mended()
        yield made
    finally:
        made.close()


@contextmanager
def descriptors_left(pid: int, left: int) -> Iterator[None]:
    """So many can still be opened."""
    usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    used = {int(name) for name in os.listdir(f"/proc/{pid}/fd")}
    free = (number for number in range(usual[0]) if number not in used)
    limit = next(number for at, number in enumerate(free) if at == left)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, usual[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)


def lines_come(scene: Scene) -> None:
    """A while, and the log is rotated in the middle of it."""
    pause = threading.Event()
    for round_number in range(ROUNDS):
        scene.write(2)
        if round_number == ROUNDS // 2:
            scene.log.rename(scene.log.with_suffix(".log.1"))
            scene.log.touch()
        pause.wait(ROUND_S)


def all_is_well_again(scene: Scene, pid: int) -> None:
    """The same process counts every line; no fix is under way for ever. (One that could not be started has failed, and
    may have lost its rule the trust to go on by itself.)"""
    scene.write()
    scene.until_counted()
    until(lambda: _idle(scene), 60, scene.daemon.said)
    assert scene.daemon.pid == pid
    scene.daemon.stop()
    assert scene.differences() == []
    assert scene.damaged() == []


def _idle(scene: Scene) -> bool:
    return all(each["status"] in ("open", "failed") for each in scene.ask("status")["open_incidents"])


@pytest.mark.parametrize("left", [0, 1, 2, 4])
def test_f40_without_descriptors_no_line_is_skipped(scene: Scene, left: int) -> None:
    pid = scene.daemon.pid
    with descriptors_left(pid, left):
        lines_come(scene)
    all_is_well_again(scene, pid)


def test_f40_whoever_wants_to_connect_meanwhile_floods_no_log(scene: Scene) -> None:
    """asyncio tells of each connection that it cannot take, a thousand times a second."""
    pid = scene.daemon.pid
    with descriptors_left(pid, 0), socket.socket(socket.AF_UNIX) as waits:
        waits.connect(str(scene.home / "state" / "logmedic.sock"))
        lines_come(scene)
        said = (scene.home / "daemon.log").read_text()
        assert "Too many open files" in said, "it says so"
        assert said.count(OUT_OF_DESCRIPTORS) == 1
    all_is_well_again(scene, pid)


@pytest.mark.parametrize("left", [0, 1, 3])
def test_f40_without_processes_and_threads_no_line_is_skipped(scene: Scene, left: int) -> None:
    pid = scene.daemon.pid
    with group("pids") as tasks:
        tasks.take(pid)
        tasks.hold(tasks.tasks() + left)
        lines_come(scene)
        tasks.hold(None)
        all_is_well_again(scene, pid)
    assert '"unexpected_error"' not in (scene.home / "daemon.log").read_text()


def test_f39_killed_at_its_memory_limit_it_goes_on_where_it_was(scene: Scene) -> None:
    """The kernel's own killer ends it, each time a little later in its work."""
    for limit in (MEGABYTE, 4 * MEGABYTE, 8 * MEGABYTE):
        with group("memory") as memory:
            memory.take(scene.daemon.pid)
            memory.hold(limit)
            grow_until_it_is_killed(scene)
            scene.log.rename(scene.log.with_suffix(f".log.{limit // MEGABYTE}"))
            scene.log.touch()
        scene.write(3)
        scene.daemon.start()
        scene.daemon.answers()
    scene.until_counted()
    scene.daemon.stop()
    assert scene.differences() == []
    assert scene.damaged() == []


def grow_until_it_is_killed(scene: Scene) -> None:
    """Each order is an incident, which takes memory."""
    pause, process = threading.Event(), os.pidfd_open(scene.daemon.pid)
    try:
        for _ in range(600):
            if _ended(process):
                break
            scene.write(20)
            pause.wait(0.05)
    finally:
        os.close(process)
    scene.daemon.ended(-signal.SIGKILL, 30)


def _ended(process: int) -> bool:
    return os.waitid(os.P_PIDFD, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
