"""The wall clock jumps while the daemon runs (F33): by libfaketime, for the daemon alone; the host's clock stays."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crash.process import until
from faults.scene import Scene

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
pytestmark = pytest.mark.skipif(LIBRARY is None and not os.environ.get("CI"), reason="faketime is not installed")


class Clock:
    """How far the daemon's wall clock is from the host's."""

    def __init__(self, home: Path) -> None:
        self._file = home / "clock"
        self.set("+0")

    def set(self, offset: str) -> None:
        """As libfaketime reads it: +1d, -3h, +0. At once: it is renamed into place."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{offset}\n")
        new.rename(self._file)

    def start(self, scene: Scene) -> None:
        seen = (f"LD_PRELOAD={LIBRARY}", f"FAKETIME_TIMESTAMP_FILE={self._file}", "FAKETIME_NO_CACHE=1")
        own = ("FAKETIME_DONT_FAKE_MONOTONIC=1", "NO_FAKE_STAT=1")
        daemon = (sys.executable, "-m", "logmedic", "-c", str(scene.daemon.config), "run")
        scene.daemon.start("/usr/bin/env", *seen, *own, *daemon)
        scene.daemon.answers()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.close()


def negative(row: Any, name: str = "") -> list[str]:
    """The numbers of a status that are below zero, by name."""
    if isinstance(row, dict):
        return [each for key, value in row.items() for each in negative(value, f"{name}.{key}")]
    if isinstance(row, list):
        return [each for value in row for each in negative(value, name)]
    return [f"{name}={row}"] if isinstance(row, int | float) and row < 0 else []


@pytest.mark.parametrize(
    "jump", ["-1d", "+1d", *(pytest.param(each, marks=pytest.mark.slow) for each in ("-90m", "+400d"))]
)
def test_f33_after_a_jump_of_the_clock_lines_are_counted_and_fixes_run_once(scene: Scene, jump: str) -> None:
    clock = Clock(scene.home)
    clock.start(scene)
    scene.write()
    scene.until_mended()
    clock.set(jump)
    scene.write(2)
    scene.until_mended(30)
    assert negative(scene.ask("status")) == []
    clock.set("+0")
    scene.write()
    scene.until_mended(30)
    assert negative(scene.ask("status")) == []
    scene.daemon.stop()
    assert scene.differences() == []


@pytest.mark.slow
def test_f33_a_host_that_boots_with_a_clock_far_ahead_keeps_what_is_stored(scene: Scene) -> None:
    clock = Clock(scene.home)
    clock.start(scene)
    scene.write(3)
    scene.until_mended()
    scene.daemon.stop()
    clock.set("+4000d")
    clock.start(scene)
    until(lambda: scene.daemon.spoke_of("clock_doubted") > 0, 30, scene.daemon.said)
    scene.write()
    scene.until_mended()
    that_year, snapshots = datetime.now(UTC) + timedelta(days=4000), scene.home / "state" / "backups"
    until(lambda: any(snapshots.glob(f"snapshot-{that_year:%Y}*")), 60, scene.daemon.said)  # it follows retention
    scene.daemon.stop()
    assert scene.differences() == []


def test_f33_what_waits_to_be_stored_when_the_clock_is_set_back_does_not_wait_for_the_day_to_come_again(
    scene: Scene,
) -> None:
    clock = Clock(scene.home)
    clock.start(scene)
    with chatter(scene):
        until(lambda: scene.counts().get("lines", 0) > 0, 20, scene.daemon.said)
        clock.set("-1d")
        until(lambda: scene.wrote.lines > 60, 20, scene.daemon.said)
    scene.until_counted(15)


@contextmanager
def chatter(scene: Scene) -> Iterator[None]:
    """Lines without a finding, all the time."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.05):
            scene.wrote.lines += 1
            with scene.log.open("a") as log:
                log.write(f"INFO shop: all is well {scene.wrote.lines}\n")

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
