"""Live events of the daemon as a process: killed and started again, followed all the time, told once each."""

from __future__ import annotations

import threading
import time
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
        self._thread = threading.Thread(target=self._read, args=(Client(socket),))
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


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_over_kills_each_event_is_told_once_and_none_is_missing(world: World) -> None:
    followed: Followed | None = None
    for turn in range(KILLS):
        with daemon(world):
            followed = followed or Followed(world.home / "state" / "logmedic.sock")
            world.drop_rule(f"rule-{turn}", f"word{turn}")
            world.write(f"smoke {turn}")
            world.write(*(f"word{turn} {n}" for n in range(50)))
            until(lambda: len(world.titles()) > turn + 1, "the incidents are there")  # noqa: B023  called at once
    assert followed is not None
    with daemon(world):
        world.drop_rule("last", "last")
        world.write("last 1")
        until(lambda: "last was seen" in world.titles(), "the last incident is there")
        stored = world.ask("events?limit=1000")
        until(lambda: followed.rows[-1:] == stored[-1:], "all was told")
        assert followed.rows == world.ask("events?limit=1000")
        assert len(followed.rows) == len({row["id"] for row in followed.rows})
        assert followed.said.count(BACK) == KILLS
    followed.stop()


def test_what_happens_is_told_in_well_under_a_second(world: World) -> None:
    with daemon(world):
        followed = Followed(world.home / "state" / "logmedic.sock")
        took = []
        for turn in range(5):
            world.drop_rule(f"rule-{turn}", f"word{turn}")
            until(lambda: world.ask("status")["rules"]["loaded"] == turn + 2, "the rule is there")  # noqa: B023
            seen, began = len(followed.rows), time.monotonic()
            world.write(f"word{turn} 1")
            until(lambda: len(followed.rows) > seen, "it is told")  # noqa: B023
            took.append(time.monotonic() - began)
    followed.stop()
    assert sorted(took)[2] < 1, took


def test_a_stop_does_not_wait_for_who_listens(world: World) -> None:
    with daemon(world) as process:
        followed = Followed(world.home / "state" / "logmedic.sock")
        world.write("smoke 1")
        until(lambda: followed.rows, "it is told")
        began = time.monotonic()
        process.terminate()
        assert process.wait(timeout=30) == 0, world.said()
        assert time.monotonic() - began < 3
    followed.stop()
