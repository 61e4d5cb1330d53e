"""Live events on the command line: over restarts of the daemon each is read once, and people are told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from fakes.live_daemon import id_of
from fakes.live_served import Served, live_served
from logmedic.cli.client import Client
from logmedic.cli.following import AWAY, BACK, RESET, follow
from logmedic.model.errors import DaemonUnreachable, PermanentError
from logmedic.runtime.feed import BEGINNING


class Told:
    """What a follower reads, and says. `pauses`: before each new connection; `while_away` is done in them."""

    def __init__(self, path: Path, after: str = BEGINNING, wanted: Mapping[str, str] | None = None) -> None:
        self.said: list[str] = []
        self.pauses: list[float] = []
        self.while_away: Callable[[], None] = lambda: None
        self._rows = follow(Client(path), after, wanted or {}, tell=self.said.append, pause=self._pause)

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.while_away()

    def next(self, count: int) -> list[int]:
        return [int(next(self._rows)["text"]) for _ in range(count)]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with live_served(tmp_path / "live.sock") as served:
        yield served


def test_what_happened_since_and_what_happens_now(served: Served) -> None:
    served.run(lambda: served.daemon.commit(5))
    told = Told(served.path, id_of(2))
    assert told.next(3) == [3, 4, 5]
    served.run(lambda: served.daemon.commit(2))
    assert told.next(2) == [6, 7]
    assert (told.said, told.pauses) == ([], [])


def test_over_restarts_each_is_read_once_and_in_order(served: Served) -> None:
    told = Told(served.path)
    numbers: list[int] = []

    def starts_again() -> None:
        if len(told.pauses) % 3 == 0:
            served.start()

    told.while_away = starts_again
    for _ in range(3):
        served.run(lambda: served.daemon.commit(2))
        numbers += told.next(2)
        served.stop()
        served.daemon.commit(3)  # by the next one, before anybody listens
        numbers += told.next(3)
    assert numbers == list(range(1, 16))
    assert told.said == [AWAY, BACK] * 3


def test_it_waits_longer_and_longer_but_not_for_ever_and_starts_anew(served: Served) -> None:
    told = Told(served.path)
    served.run(served.daemon.commit)
    assert told.next(1) == [1]
    served.stop()

    def starts_late() -> None:
        if len(told.pauses) == 9:
            served.daemon.commit()
            served.start()

    told.while_away = starts_late
    assert told.next(1) == [2]
    assert told.pauses == sorted(told.pauses)
    assert (told.pauses[0], told.pauses[-1]) == (0.2, 5.0)
    assert len(told.said) == 2


def test_a_daemon_that_lost_its_store_is_told_of(served: Served) -> None:
    told = Told(served.path, id_of(99))
    thread = threading.Timer(0.2, lambda: served.run(served.daemon.commit))
    thread.start()
    assert told.next(1) == [1]
    thread.join()
    assert told.said == [RESET]


def test_without_a_daemon_there_is_nothing_to_follow(tmp_path: Path) -> None:
    told = Told(tmp_path / "nobody.sock")
    with pytest.raises(DaemonUnreachable):
        told.next(1)
    assert told.pauses == []


def test_what_is_asked_wrong_is_not_asked_again(served: Served) -> None:
    told = Told(served.path, wanted={"topic": "nonsense"})
    with pytest.raises(PermanentError, match="`topic`"):
        told.next(1)


def test_only_what_is_wanted_is_read(served: Served) -> None:
    served.run(lambda: served.daemon.commit(3))
    told = Told(served.path, wanted={"kind": "note", "incident": "dent:i1"})
    assert told.next(3) == [1, 2, 3]
