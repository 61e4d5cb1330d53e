"""The Nth system call of a kind is refused in a daemon that runs (F22, F40, F48, F49): once that is over, every line is
counted once, no fix ran twice, the next order is mended, and it is the same process that does it. A refused start is
over with the next one.

To repeat a failure: `pytest tests/faults/test_refused_calls.py -k "CALLS and ERROR" -m ""`."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from crash.process import until
from faults.children import running
from faults.scene import Scene
from faults.strace import STRACE, Refusal, refusing, under

pytestmark = pytest.mark.skipif(not STRACE and not os.environ.get("CI"), reason="strace is not installed")

CALLS = (
    ("pread64", "EIO"),
    ("read", "EIO"),
    ("write", "ENOSPC"),
    ("write", "EIO"),
    ("fsync,fdatasync", "EIO"),
    ("openat", "EMFILE"),
    ("openat", "EIO"),
    ("fstat,newfstatat,statx", "EIO"),
    ("inotify_add_watch,inotify_init1", "EMFILE"),
    ("mmap", "ENOMEM"),
    ("rename,renameat,renameat2", "EIO"),
    ("ftruncate,lseek", "EIO"),
    ("clone,clone3,vfork", "EAGAIN"),
    ("pipe2,socketpair", "EMFILE"),
    ("accept4", "EMFILE"),
    ("unlink,unlinkat", "EIO"),
)
FEW, MANY = 1, 4
UNDER_WAY_S = 2.0
names = [f"{calls} {error}" for calls, error in CALLS]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.close()


def refused_one_by_one(scene: Scene, calls: str, error: str, most: int) -> list[str]:
    """Up to the `most`th call of a kind; the refused ones."""
    refused = []
    for number in range(1, most + 1):
        refusal = Refusal(calls, error, str(number))
        with refusing(scene.pid(), refusal, scene.home / "notes") as tracing:
            scene.write()
            until_quiet(scene)
            refused += tracing.refused()
        if not tracing.refused():
            break
        is_well(scene, refusal)
    return refused


def until_quiet(scene: Scene) -> None:
    """All is counted, or it seems not to come to that while calls are refused."""
    ends = time.monotonic() + UNDER_WAY_S
    until(lambda: scene.counts().get("lines") == scene.wrote.lines or time.monotonic() > ends, 30, lambda: "")


def is_well(scene: Scene, refusal: Refusal) -> None:
    pid = scene.pid()
    scene.write()
    until(
        lambda: scene.ran()[str(scene.orders)] == 1,
        40,
        lambda: f"after {refusal}: {scene.counts()}\n{scene.daemon.said()}",
    )
    scene.until_counted()
    assert scene.pid() == pid
    assert scene.daemon.is_alive(), f"after {refusal}\n{scene.daemon.said()}"


def swept(scene: Scene, calls: str, error: str, most: int) -> None:
    scene.daemon.start()
    scene.daemon.answers()
    scene.write(3)  # an error that came thrice is learned
    scene.until_mended()
    refused_one_by_one(scene, calls, error, most)
    scene.daemon.stop()
    assert scene.damaged() == []
    assert scene.differences() == []


def test_f40_f48_f49_a_call_that_is_refused_once_costs_no_line_and_no_second_fix(scene: Scene) -> None:
    """The first call of each kind, all in one life."""
    scene.daemon.start()
    scene.daemon.answers()
    scene.write(3)  # an error that came thrice is learned
    scene.until_mended()
    refused = [kind for kind in CALLS if refused_one_by_one(scene, *kind, FEW)]
    scene.daemon.stop()
    assert scene.damaged() == []
    assert scene.differences() == []
    assert len(refused) > len(CALLS) / 2, f"of the others none was made: {refused}"


@pytest.mark.slow
@pytest.mark.parametrize(("calls", "error"), CALLS, ids=names)
def test_f40_f48_f49_whichever_call_is_refused_no_line_is_lost_and_no_fix_runs_twice(
    scene: Scene, calls: str, error: str
) -> None:
    swept(scene, calls, error, MANY)


def test_f49_a_store_whose_disk_does_not_let_it_be_read_is_waited_for_and_is_no_damaged_one(scene: Scene) -> None:
    """What a kill left is looked at by a child; each read of the file fails, in the child and in the daemon."""
    scene.daemon.start()
    scene.daemon.answers()
    scene.write(3)
    scene.until_mended()
    scene.daemon.kill()
    scene.write()
    refusal = Refusal("pread64", "EIO", path=scene.daemon.store)
    daemon = (sys.executable, "-m", "logmedic", "-c", str(scene.daemon.config), "run")
    scene.daemon.start(*under(refusal, scene.home / "notes", daemon))
    until(lambda: "store_not_open" in scene.daemon.said(), 30, scene.daemon.said)
    assert "the store's disk fails" in scene.daemon.said()
    (traced,) = running(scene.pid(), "logmedic.yaml run")
    os.kill(traced, signal.SIGTERM)
    scene.daemon.ended(0, 30)
    scene.daemon.start()
    scene.daemon.answers()
    scene.write()
    scene.until_mended()
    scene.daemon.stop()
    assert scene.damaged() == []
    assert scene.differences() == []
