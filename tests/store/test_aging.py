"""What is old does not leave by a clock that was set far ahead; over restarts (F33)."""

from __future__ import annotations

import json
import stat
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from stores import NOW, over, use

from logmedic.adapters.store import backups
from logmedic.adapters.store.aging import Aging
from logmedic.adapters.store.backups import half_made
from logmedic.adapters.store.connection import calendar_of
from logmedic.adapters.store.duck import DuckStore
from logmedic.adapters.store.keeper import DuckKeeper
from logmedic.core.calendar import WEEK
from logmedic.model.retention import Calendar, Retention
from logmedic.model.state import EngineState

HOUR = timedelta(hours=1)
FAR = timedelta(days=400)


class Host:
    """Its clock is `wrong`; the one that nobody sets is not."""

    def __init__(self) -> None:
        self.wrong = timedelta()
        self.passed = timedelta()

    @property
    def now(self) -> datetime:
        return NOW + self.passed + self.wrong

    def steady(self) -> float:
        return self.passed.total_seconds()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "logmedic.duckdb"


def made(path: Path) -> Aging:
    return Aging(path, lambda: 0.0, WEEK)


def keeper_of(store: DuckStore, host: Host, *, archive: bool = True) -> DuckKeeper:
    return DuckKeeper(store, Retention(archive=archive), Aging(store.path, host.steady, WEEK))


async def set_ahead(store: DuckStore, host: Host) -> DuckKeeper:
    """It has looked before that, and since."""
    keeper = keeper_of(store, host)
    await keeper.tidy(host.now)
    host.wrong = FAR
    await keeper.tidy(host.now)
    return keeper


def note(**changes: object) -> str:
    """One that makes sense but for `changes`."""
    at = "2020-11-24T12:00:00+00:00"
    return json.dumps({"at": at, "says": at, "claim": None, "said_for_s": 0, "behind_for_s": 0, **changes})


async def known(store: DuckStore) -> list[str]:
    return [str(row["id"]) for row in await store.ask("incidents", everything=True, limit=100)]


@pytest.mark.parametrize("archive", [True, False])
def test_f33_what_is_over_stays_while_the_clock_is_far_ahead_and_leaves_once_it_has_said_so_for_a_day(
    path: Path, archive: bool
) -> None:
    host = Host()

    async def scenario(store: DuckStore, _: EngineState) -> None:
        keeper = keeper_of(store, host, archive=archive)
        await store.commit(over(1, NOW - timedelta(days=1)))
        await keeper.tidy(host.now)
        assert (await keeper.storage(host.now))["clock"] is None
        host.wrong = FAR
        for _ in range(24):
            host.passed += HOUR
            await keeper.tidy(host.now)
            assert keeper.old_by(host.now) == host.now - FAR
        assert await known(store) == ["o000001"]
        told = await keeper.storage(host.now)
        assert told["clock"] == {
            "says": "2027-12-30T12:00:00Z",
            "expected": "2026-11-25T12:00:00Z",
            "believed_in_s": 3600.0,
        }
        assert {row["days"] for row in told["next"]} == {0}, "what leaves next is told by the same time"
        host.passed += HOUR
        await keeper.tidy(host.now)
        assert await known(store) == []
        assert (await keeper.storage(host.now))["clock"] is None

    use(path, scenario)


class Lives:
    """Of a daemon whose first one has stored what is over, on a host that was right."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.host = Host()
        use(path, self._fill)
        self.life(1)

    @staticmethod
    async def _fill(store: DuckStore, _: EngineState) -> None:
        await store.commit(over(1, NOW - timedelta(days=1)))

    def life(self, hours: int, wrong: timedelta = timedelta()) -> list[str]:
        """What is known at its end. The clock that nobody sets begins anew with each: the host boots."""
        host = self.host

        async def scenario(store: DuckStore, _: EngineState) -> list[str]:
            keeper = keeper_of(store, host)
            await keeper.tidy(host.now)
            for _ in range(hours):
                host.passed += HOUR
                await keeper.tidy(host.now)
            return await known(store)

        host.wrong = wrong
        return use(self._path, scenario)


def test_f33_a_host_that_boots_with_a_wrong_clock_again_and_again_keeps_what_is_stored(path: Path) -> None:
    lives = Lives(path)
    for wrong in (20 * FAR, timedelta(), 20 * FAR, timedelta(), -20 * FAR, 20 * FAR):
        assert lives.life(2, wrong) == ["o000001"]


def test_a_note_that_makes_sense_is_read(path: Path) -> None:
    path.parent.mkdir()
    calendar_of(path).write_text(note())
    assert not made(path).is_unknown


def test_f33_what_time_it_is_at_a_stop_is_known_to_the_next_life(path: Path) -> None:
    """None of these lives is as long as the time between two looks."""
    host = Host()

    async def scenario(store: DuckStore, _: EngineState) -> bool:
        keeper = keeper_of(store, host)
        await keeper.tidy(host.now)
        host.passed += timedelta(minutes=50)
        await keeper.looked(host.now)
        return keeper.old_by(host.now) < host.now

    use(path, scenario)
    host.wrong = FAR
    assert [use(path, scenario) for _ in range(31)] == [True] * 28 + [False] * 3


def test_f33_a_stop_before_the_first_look_makes_no_wrong_clock_the_measure(path: Path) -> None:
    lives, host = Lives(path), Host()
    calendar_of(path).unlink()
    host.wrong = FAR

    async def scenario(store: DuckStore, _: EngineState) -> None:
        await keeper_of(store, host).looked(host.now)

    use(path, scenario)
    assert lives.life(1, FAR) == ["o000001"]


def test_f33_for_how_long_a_clock_has_said_so_is_known_over_restarts(path: Path) -> None:
    lives = Lives(path)
    assert [len(lives.life(10, FAR)) for _ in range(4)] == [1, 1, 0, 0]


@pytest.mark.parametrize("note", [True, False])
def test_f33_without_a_note_of_the_time_what_is_stored_tells_it(path: Path, note: bool) -> None:
    """A version before wrote none; a copy that was restored elsewhere has none."""
    lives = Lives(path)
    if not note:
        calendar_of(path).unlink()
    assert lives.life(2, 20 * FAR) == ["o000001"]
    assert lives.life(2) == ["o000001"]


def test_f33_a_clock_that_is_right_again_is_no_longer_told_of(path: Path) -> None:
    host = Host()

    async def scenario(store: DuckStore, _: EngineState) -> None:
        keeper = await set_ahead(store, host)
        assert keeper.old_by(host.now) == host.now - FAR
        host.wrong, host.passed = timedelta(), timedelta(minutes=10)
        assert (await keeper.storage(host.now))["clock"] is None
        assert keeper.old_by(host.now) == host.now, "an hour before the next look"

    use(path, scenario)


def test_f33_snapshots_are_made_under_a_clock_that_is_ahead_and_after_it(path: Path) -> None:
    host = Host()

    async def scenario(store: DuckStore, _: EngineState) -> None:
        keeper = await set_ahead(store, host)
        host.wrong, host.passed = timedelta(), timedelta(days=1)
        await keeper.tidy(host.now)
        assert [each.made_at for each in backups.listed(path)][-2:] == [NOW + timedelta(days=1), NOW]

    use(path, scenario)


def test_what_time_it_was_is_for_the_owner_alone(path: Path) -> None:
    path.parent.mkdir()
    made(path).look(NOW)
    assert stat.S_IMODE(calendar_of(path).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "damaged",
    [
        "",
        "{",
        "[]",
        "null",
        "7",
        "{}",
        note(at=7),
        note(at="2026-13-01"),
        note(at=None),
        note(claim="tomorrow"),
        note(says="0001-01-01T00:00:00+14:00"),
        note(at="9999-12-31T23:59:59+00:00"),
        note(said_for_s=1e300),
        note(said_for_s=86400),
        note(said_for_s=-1),
        note(behind_for_s=None),
        note(behind_for_s=float("nan")),
        "[" * 4000,
        "\0" * 9000,
    ],
)
def test_f33_a_damaged_note_of_the_time_is_as_none_and_is_written_anew(path: Path, damaged: str) -> None:
    path.parent.mkdir()
    calendar_of(path).write_text(damaged)
    aging = made(path)
    assert aging.is_unknown
    assert aging.look(NOW) == Calendar(NOW, NOW)
    assert not made(path).is_unknown


def test_a_link_in_the_way_of_the_note_is_not_followed(path: Path) -> None:
    path.parent.mkdir()
    other = path.with_name("other")
    other.write_text("mine")
    for each in (calendar_of(path), half_made(calendar_of(path))):
        each.symlink_to(other)
    assert made(path).is_unknown
    made(path).look(NOW)
    assert (other.read_text(), calendar_of(path).is_symlink()) == ("mine", False)


def test_f48_where_the_time_cannot_be_written_down_it_is_known_until_the_next_start(path: Path) -> None:
    path.parent.mkdir()
    calendar_of(path).mkdir()
    aging = made(path)
    assert aging.look(NOW).old_by == NOW
    assert aging.look(NOW + FAR).old_by == NOW
