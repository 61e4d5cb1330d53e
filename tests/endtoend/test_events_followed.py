"""Live events of the daemon as a process: killed and started again, followed all the time, told once each."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from endtoend.test_daemon import World, daemon, until
from logmedic.cli.client import Client
from logmedic.cli.following import BACK, follow
from logmedic.runtime.feed import BEGINNING

KILLS = 3


class Over(Exception):
    """Nobody follows any more."""


class Followed:
    """Follows in a thread of its own. `rows`: what was read; `said`: to people."""

    def __init__(self, socket: Path) -> None:
        self.rows: list[dict[str, Any]] = []
        self.said: list[str] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read, args=(Client(socket),), daemon=True)
        self._thread.start()

    def _read(self, client: Client) -> None:
        try:
            for row in follow(client, BEGINNING, {}, tell=self.said.append, pause=self._pause):
                self.rows.append(row)
        except Over:
            return

    def _pause(self, seconds: float) -> None:
        if self._over.wait(seconds):
            raise Over

    def stop(self) -> None:
        self._over.set()
        self._thread.join(30)
        assert not self._thread.is_alive()


@contextmanager
def following(world: World) -> Iterator[Followed]:
    """To be left after the daemon ended: until then it reads."""
    followed = Followed(world.home / "state" / "logmedic.sock")
    try:
        yield followed
    finally:
        followed.stop()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def know(world: World, word: str, rules: int) -> None:
    """A rule for it is in force, beside so many others."""
    world.drop_rule(f"rule-{word}", word)
    until(lambda: world.ask("status")["rules"]["loaded"] == rules + 1, f"the rule for {word} is there")


@pytest.mark.slow
def test_over_kills_each_event_is_told_once_and_none_is_missing(world: World) -> None:
    with ExitStack() as stack:
        for turn in range(KILLS + 1):
            with daemon(world):
                if turn == 0:
                    followed = stack.enter_context(following(world))
                know(world, f"word{turn}", turn + 1)
                world.write(f"smoke {turn}", *(f"word{turn} {n}" for n in range(50)))
                until(lambda: f"word{turn} was seen" in world.titles(), "the incident is there")  # noqa: B023
                until(lambda: followed.rows == world.ask("events?limit=1000"), "all was told")  # noqa: B023
        assert len(followed.rows) == len({row["id"] for row in followed.rows}) > KILLS
        assert followed.said.count(BACK) == KILLS


@pytest.mark.slow
def test_what_happens_can_be_told_in_under_a_second(world: World) -> None:
    took = []
    with ExitStack() as stack, daemon(world):
        followed = stack.enter_context(following(world))
        for turn in range(5):
            know(world, f"word{turn}", turn + 1)
            seen, began = len(followed.rows), time.monotonic()
            world.write(f"word{turn} 1")
            until(lambda: len(followed.rows) > seen, "it is told")  # noqa: B023
            took.append(time.monotonic() - began)
    assert min(took) < 1, took


@pytest.mark.slow
def test_a_stop_does_not_wait_for_who_listens(world: World) -> None:
    with daemon(world) as process, following(world) as followed:
        world.write("smoke 1")
        until(lambda: followed.rows, "it is told")
        process.terminate()
        assert process.wait(timeout=30) == 0, world.said()
        assert "graceful shutdown exceeded" not in world.said()
