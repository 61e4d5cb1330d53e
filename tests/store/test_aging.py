"""What is old does not leave by a clock that was set far ahead; over restarts (F33)."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from stores import NOW, over, use

from logmedic.adapters.store import backups
from logmedic.adapters.store.aging import Aging
from logmedic.adapters.store.connection import calendar_of
from logmedic.adapters.store.duck import DuckStore
from logmedic.adapters.store.keeper import DuckKeeper
from logmedic.model.retention import Retention
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


async def known(store: DuckStore) -> list[str]:
    return [str(row["id"]) for row in await store.ask("incidents", everything=True, limit=100)]


@pytest.mark.parametrize("archive", [True, False])
def test_f33_what_is_over_stays_while_the_clock_is_far_ahead_and_leaves_once_it_has_said_so_for_a_day(
    path: Path, archive: bool
) -> None:
    host = Host()

    async def scenario(store: DuckStore, _: EngineState) -> None:
        keeper = DuckKeeper(store, Retention(archive=archive), host.steady)
        await store.commit(over(1, NOW - timedelta(days=1)))
        await keeper.tidy(host.now)
        assert (await keeper.storage(host.now))["clock"] is None
        host.wrong = FAR
        for _ in range(23):
            host.passed += HOUR
            await keeper.tidy(host.now)
        assert await known(store) == ["o000001"]
        told = await keeper.storage(host.now)
        assert told["clock"] == {
            "says": "2027-12-30T11:00:00Z",
            "expected": "2026-11-25T11:00:00Z",
            "believed_in_s": 3600.0,
        }
        assert {row["days"] for row in told["next"]} == {0}, "what leaves next is told by the same time"
        host.passed += HOUR
        await keeper.tidy(host.now)
        assert await known(store) == []
        assert (await keeper.storage(host.now))["clock"] is None

    use(path, scenario)


def test_f33_a_restart_does_not_make_a_wrong_clock_right(path: Path) -> None:
    host = Host()

    def life(before: Callable[[], None]) -> list[str]:
        async def scenario(store: DuckStore, _: EngineState) -> list[str]:
            before()
            await DuckKeeper(store, Retention(), host.steady).tidy(host.now)
            return await known(store)

        return use(path, scenario)

    async def fill(store: DuckStore, _: EngineState) -> None:
        await store.commit(over(1, NOW - timedelta(days=1)))

    def boots_wrongly() -> None:
        host.wrong, host.passed = 20 * FAR, timedelta()

    def boots_well() -> None:
        host.wrong, host.passed = timedelta(), HOUR

    use(path, fill)
    for before in (boots_well, boots_wrongly, boots_well, boots_wrongly, boots_well):
        assert life(before) == ["o000001"]


def test_f33_snapshots_are_made_under_a_clock_that_is_ahead_and_after_it(path: Path) -> None:
    host = Host()

    async def scenario(store: DuckStore, _: EngineState) -> None:
        keeper = DuckKeeper(store, Retention(), host.steady)
        await keeper.tidy(host.now)
        host.wrong = FAR
        await keeper.tidy(host.now)
        host.wrong, host.passed = timedelta(), timedelta(days=1)
        await keeper.tidy(host.now)
        assert [each.made_at for each in backups.listed(path)][-2:] == [NOW + timedelta(days=1), NOW]

    use(path, scenario)


def test_what_time_it_was_is_for_the_owner_alone(path: Path) -> None:
    path.parent.mkdir()
    Aging(path, lambda: 0.0).look(NOW)
    assert stat.S_IMODE(calendar_of(path).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "damaged",
    [
        "",
        "{",
        "[]",
        "null",
        "7",
        '{"at": 7, "doubted_for_s": 0}',
        '{"at": "2026-13-01", "doubted_for_s": 0}',
        '{"at": "2026-11-24T12:00:00+00:00"}',
        '{"at": "2026-11-24T12:00:00+00:00", "doubted_for_s": 1e300}',
        '{"at": "2026-11-24T12:00:00+00:00", "doubted_for_s": NaN}',
        '{"at": "0001-01-01T00:00:00+14:00", "doubted_for_s": 0}',
        "[" * 4000,
        "\0" * 9000,
    ],
)
def test_f33_a_damaged_note_of_the_time_is_as_none_and_is_written_anew(path: Path, damaged: str) -> None:
    path.parent.mkdir()
    calendar_of(path).write_text(damaged)
    assert Aging(path, lambda: 0.0).look(NOW) == NOW
    written: dict[str, Any] = json.loads(calendar_of(path).read_text())
    assert written == {"at": "2026-11-24T12:00:00+00:00", "doubted_for_s": 0.0}


def test_f48_where_the_time_cannot_be_written_down_it_is_known_until_the_next_start(path: Path) -> None:
    path.parent.mkdir()
    calendar_of(path).mkdir()
    host = Host()
    aging = Aging(path, host.steady)
    assert aging.look(host.now) == NOW
    host.wrong = FAR
    assert aging.look(host.now) == NOW
