"""What is over leaves the tables, by kind, and through the archive."""

from __future__ import annotations

import os
import stat
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import NOW, archived, child, fill, over, sql, use, was_killed

from logmedic.adapters.store.archive import Archive
from logmedic.adapters.store.connection import archive_of
from logmedic.adapters.store.duck import DuckStore
from logmedic.adapters.store.retention import Retirement
from logmedic.model.changeset import Changeset
from logmedic.model.circuit import BreakerStatus
from logmedic.model.diagnosis import Diagnosis
from logmedic.model.errors import NotFound
from logmedic.model.fix import Breaker
from logmedic.model.gap import SourceEvent, SourceEventKind
from logmedic.model.issue import Tally, Template
from logmedic.model.learned import Onset, OrdinaryLine, Release
from logmedic.model.retention import KEEP, Kind
from logmedic.model.rule import Mode
from logmedic.model.state import EngineState
from logmedic.model.trust import Earned, Trust, TrustChange, TrustChangeKind

OLD = NOW - timedelta(days=120)
PLACES = int(os.environ.get("SWEEP", "20"))
"""Of a file that are damaged, each in two ways; SWEEP=50 damages more."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "logmedic.duckdb"


async def retire(
    store: DuckStore, *, archive: bool = True, keep: Mapping[Kind, timedelta] = KEEP, now: datetime = NOW
) -> int:
    return await Retirement(store, Archive(archive_of(store.path)) if archive else None).retire(keep, now)


def everywhere(path: Path, table: str, what: str = "id") -> Counter[object]:
    """What is in the table and in the archive, together."""
    there = list((path.with_name("archive") / table).glob("*.parquet"))
    rows = sql(path, f"SELECT {what} FROM {table}") + (archived(path, table, what) if there else [])
    return Counter(row[0] for row in rows)


def test_what_is_over_and_old_is_in_the_archive_and_no_more_in_its_tables(path: Path) -> None:
    async def scenario(store: DuckStore, _: EngineState) -> None:
        await fill(store, 3)
        await store.commit(over(1, OLD))
        await store.commit(over(2, NOW - timedelta(days=1)))
        assert await retire(store) == 5, "incident, event, attempt, alert, count; not the lesson"
        assert await retire(store) == 0
        with pytest.raises(NotFound):
            await store.ask("incident", incident_id="o000001")
        assert (await store.ask("incident", incident_id="o000002"))["attempts"]

    use(path, scenario)
    day = f"{OLD:%Y-%m-%d}"
    for table, key in (("incidents", "o000001"), ("incident_events", "x000001"), ("fix_attempts", "a000001")):
        assert [row[0] for row in archived(path, table, "id")] == [key]
        assert (path.with_name("archive") / table / f"{day}.parquet").exists()
    assert archived(path, "fix_attempts", "argv") == [('["true"]',)], "JSON stays text"
    assert archived(path, "incidents", "typeof(resolved_at), resolved_at") == [("TIMESTAMP", OLD.replace(tzinfo=None))]


def test_the_archive_is_for_the_owner_alone(path: Path) -> None:
    async def scenario(store: DuckStore, _: EngineState) -> None:
        await store.commit(over(1, OLD))
        await retire(store)

    use(path, scenario)
    for each in path.with_name("archive").rglob("*"):
        assert stat.S_IMODE(each.stat().st_mode) == (0o700 if each.is_dir() else 0o600)
    assert stat.S_IMODE(path.with_name("archive").stat().st_mode) == 0o700


@pytest.mark.parametrize("kind", [Kind.INCIDENTS, Kind.ALERTS, Kind.LEARNINGS])
def test_each_kind_stays_as_long_as_is_said_of_it(path: Path, kind: Kind) -> None:
    tables = {Kind.INCIDENTS: "incidents", Kind.ALERTS: "alerts", Kind.LEARNINGS: "learning_patterns"}

    async def scenario(store: DuckStore, _: EngineState) -> None:
        await store.commit(over(1, NOW - timedelta(days=10)))
        await retire(store, keep=dict.fromkeys(Kind, timedelta(days=50)) | {kind: timedelta(days=5)})

    use(path, scenario)
    assert {each for each, table in tables.items() if not sql(path, f"SELECT id FROM {table}")} == {kind}


@pytest.mark.parametrize("archive", [True, False])
def test_the_six_metrics_are_answered_from_sums_once_their_rows_are_gone(path: Path, archive: bool) -> None:
    async def scenario(store: DuckStore, _: EngineState) -> None:
        for n in range(1, 8):
            await store.commit(over(n, OLD + timedelta(days=n // 3)))
        before = {since: await store.ask("stats", since=since) for since in (None, OLD - timedelta(days=1))}
        counts = await store.ask("counts")
        for _ in range(2):
            await retire(store, archive=archive, keep=dict.fromkeys(Kind, timedelta(days=5)))
            assert {since: await store.ask("stats", since=since) for since in before} == before
            assert {kind: n for kind, n in (await store.ask("counts")).items() if kind in counts} == counts
        assert before[None]["auto_fixed"] == 7
        assert before[None]["avg_recovery_time_s"] == pytest.approx(10)

    use(path, scenario)
    assert sql(path, "SELECT count(*) FROM learning_patterns") == [(0,)]


def test_counts_of_old_minutes_become_one_row_a_day(path: Path) -> None:
    midnight = OLD.replace(hour=0)

    async def scenario(store: DuckStore, _: EngineState) -> None:
        minutes = [midnight + timedelta(minutes=n) for n in range(6)]
        await store.commit(Changeset(tallies=tuple(Tally(each, "lines", 2) for each in minutes)))
        for _ in range(2):
            await retire(store)

    use(path, scenario)
    assert sql(path, "FROM tallies") == [(midnight.replace(tzinfo=None), "lines", 12)]
    assert sorted(archived(path, "tallies", "n")) == [(2,)] * 6


def test_minutes_that_come_late_are_added_to_their_day(path: Path) -> None:
    midnight = OLD.replace(hour=0)

    async def scenario(store: DuckStore, _: EngineState) -> None:
        for minute in (0, 1, 2):
            await store.commit(Changeset(tallies=(Tally(midnight + timedelta(minutes=minute), "lines", 1),)))
            await retire(store)

    use(path, scenario)
    assert sql(path, "FROM tallies") == [(midnight.replace(tzinfo=None), "lines", 3)]
    assert sorted(archived(path, "tallies", "n")) == [(1,)] * 3


def test_an_incident_that_is_open_never_leaves(path: Path) -> None:
    async def scenario(store: DuckStore, _: EngineState) -> None:
        await fill(store, 3)
        await retire(store, now=NOW + timedelta(days=3650))
        assert len(await store.ask("incidents")) == 3

    use(path, scenario)


def test_a_source_that_is_quiet_for_longer_than_its_events_are_kept_stays_known_as_quiet(path: Path) -> None:
    async def scenario(store: DuckStore, _: EngineState) -> None:
        quiet = SourceEvent("e1", OLD, "web", "", SourceEventKind.QUIET)
        await store.commit(Changeset(source_events=(quiet, replace(quiet, id="e0", kind=SourceEventKind.SPEAKING))))
        await retire(store)

    async def still(_: DuckStore, state: EngineState) -> None:
        assert "web" in state.quiet_sources

    use(path, scenario)
    use(path, still)
    assert everywhere(path, "source_events") == {"e0": 1, "e1": 1}


def test_a_damaged_file_of_the_archive_is_set_aside(path: Path) -> None:
    async def scenario(store: DuckStore, _: EngineState) -> None:
        await store.commit(over(1, OLD))
        await retire(store)
        (file,) = (path.with_name("archive") / "alerts").iterdir()
        file.write_bytes(b"garbage")
        await store.commit(over(2, OLD))
        await retire(store)
        (aside,) = file.parent.glob(f"{file.name}.damaged-*")
        assert aside.read_bytes() == b"garbage"
        assert archived(path, "alerts", "id") == [("m000002",)]
        archive = Archive(archive_of(path))
        assert aside in {each.path for each in archive.days()}, "it counts, and goes with its day"
        archive.forget(NOW.date())
        assert not aside.exists()

    use(path, scenario)


@pytest.mark.slow
def test_f47_wherever_a_file_of_the_archive_is_damaged_what_is_over_still_leaves_and_is_kept(path: Path) -> None:
    """A flipped value that still reads as one cannot be told; the file that is no more read stays, set aside."""

    def damaged(whole: bytes) -> Iterator[bytes]:
        for place in range(0, len(whole), max(1, len(whole) // PLACES)):
            yield whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]
            yield whole[:place]

    async def scenario(store: DuckStore, _: EngineState) -> None:
        await store.commit(over(1, OLD))
        await retire(store)
        (file,) = (path.with_name("archive") / "incidents").iterdir()
        whole = file.read_bytes()
        for n, bad in enumerate(damaged(whole), 2):
            file.write_bytes(bad)
            await store.commit(over(n, OLD))
            await retire(store)
            there = {row[0] for row in archived(path, "incidents", "id")}
            assert f"o{n:06}" in there, (n, bad == whole[: len(bad)])
            aside = list(file.parent.glob("*.damaged-*"))
            assert len(there) == 2 or [each.read_bytes() for each in aside] == [bad]
            for each in aside:
                each.unlink()

    use(path, scenario)


KILLED = """
import asyncio, os, signal
from pathlib import Path
from logmedic.adapters.store.archive import Archive
from logmedic.adapters.store.connection import archive_of
from logmedic.adapters.store.duck import DuckStore
from logmedic.adapters.store.retention import Retirement
from logmedic.model.retention import Kind
from stores import NOW, timedelta

path, at = Path(sys.argv[1]), int(sys.argv[2])
seen = 0

def reached(_):
    global seen
    seen += 1
    if seen == at:
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    store = DuckStore(path)
    await store.open()
    retirement = Retirement(store, Archive(archive_of(path)), reached)
    await retirement.retire(dict.fromkeys(Kind, timedelta(days=5)), NOW)
    await store.close()

asyncio.run(main())
"""


@pytest.mark.slow
def test_f51_a_kill_at_any_moment_of_retention_loses_no_row_and_doubles_none(path: Path) -> None:
    async def fill_up(store: DuckStore, _: EngineState) -> None:
        await fill(store, 2)
        for n in range(1, 7):
            await store.commit(over(n, OLD + timedelta(days=n % 2)))

    use(path, fill_up)
    tables = {"incidents": "o", "incident_events": "x", "fix_attempts": "a", "alerts": "m", "learning_patterns": "l"}
    killed = 0
    for at in range(1, 40):  # each goes on where the one before was killed
        if not was_killed(child(KILLED, path, at % 3 + 1)):
            break
        killed += 1
        use(path, fill_nothing)
        for table, letter in tables.items():
            found = {key for key in everywhere(path, table) if str(key).startswith(letter)}
            assert found == {f"{letter}{n:06d}" for n in range(1, 7)}, "nothing is lost"
    assert killed > 5
    for table, letter in tables.items():
        mine = {key: n for key, n in everywhere(path, table).items() if str(key).startswith(letter)}
        assert mine == {f"{letter}{n:06d}": 1 for n in range(1, 7)}, "nothing is there twice"
    assert dict(sql(path, "SELECT kind, sum(n)::INT FROM tallies GROUP BY kind")) == {
        "lines": 2,
        "matched": 18,
        "past_fixed": 6,
        "past_recovery_ms": 60_000,
        "past_auto_fix_success": 6,
    }
    assert sum(row[0] for row in archived(path, "tallies", "n")) == 18


async def fill_nothing(_: DuckStore, __: EngineState) -> None:
    """Opened and closed, so that its log is in the file."""


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 200), st.integers(1, 40)), max_size=12), st.lists(st.integers(0, 120)))
def test_sums_never_change_whatever_leaves_when(made: list[tuple[int, int]], looks: list[int]) -> None:
    async def scenario(store: DuckStore, _: EngineState) -> None:
        for n, (days, minute) in enumerate(made):
            await store.commit(over(n, NOW - timedelta(days=days, minutes=minute)))
        before = await store.ask("stats")
        for days in looks[:3]:
            await retire(store, keep=dict.fromkeys(Kind, timedelta(days=days + 1)))
            assert await store.ask("stats") == pytest.approx(before)

    with tempfile.TemporaryDirectory() as room:
        path = Path(room) / "state" / "logmedic.duckdb"
        use(path, scenario)
        assert everywhere(path, "incidents") == {f"o{n:06d}": 1 for n in range(len(made))}


ANCIENT = NOW - timedelta(days=400)


def test_onsets_leave_by_age_through_the_archive(path: Path) -> None:
    """Of one issue as well: its episodes of half a year are what precursors are looked for in."""

    async def scenario(store: DuckStore, _: EngineState) -> None:
        old, kept = NOW - KEEP[Kind.ONSETS] - timedelta(days=2), NOW - KEEP[Kind.ONSETS] + timedelta(days=2)
        await store.commit(Changeset(onsets=(Onset("s1", old), Onset("s2", old), Onset("s1", kept))))
        assert await retire(store) == 2
        assert await retire(store) == 0

    use(path, scenario)
    assert sql(path, "SELECT issue_id FROM onsets") == [("s1",)]
    assert sorted(archived(path, "onsets", "issue_id")) == [("s1",), ("s2",)]


def test_diagnoses_that_later_ones_followed_leave_by_age_and_the_last_of_an_issue_stays(path: Path) -> None:
    hour = timedelta(hours=1)

    def said(issue_id: str, at: datetime) -> Diagnosis:
        return Diagnosis(issue_id, True, "m", at, likely_cause=f"{issue_id} {at:%Y-%m-%d %H}", checks=("df",))

    all_of_them = (
        said("s1", ANCIENT - hour),
        said("s1", ANCIENT),  # the last of its issue
        said("s2", ANCIENT),
        said("s2", NOW - 2 * hour),  # followed, and young
        said("s2", NOW - hour),
    )

    async def scenario(store: DuckStore, _: EngineState) -> None:
        await store.commit(Changeset(diagnoses=all_of_them))
        assert await retire(store) == 2
        assert await retire(store) == 0

    async def stays(_: DuckStore, state: EngineState) -> None:
        assert state.diagnoses == {"s1": all_of_them[1], "s2": all_of_them[4]}

    use(path, scenario)
    use(path, stays)
    kept, gone = (all_of_them[1], *all_of_them[3:]), (all_of_them[0], all_of_them[2])
    assert Counter(sql(path, "SELECT likely_cause FROM diagnoses")) == Counter((each.likely_cause,) for each in kept)
    assert Counter(archived(path, "diagnoses", "likely_cause")) == Counter((each.likely_cause,) for each in gone)


def test_templates_of_known_issues_never_leave_nor_do_releases_and_ordinary_lines(path: Path) -> None:
    never = Template("a" * 16, "<n> boom", "shop", "1 boom", 2, ANCIENT, ANCIENT, shape=("<n>", "boom"))
    known = replace(never, fingerprint="b" * 16, issue_id="s1")
    release, line = Release("shop", "1.0", ANCIENT), OrdinaryLine("shop", 7, "all is well")

    async def scenario(store: DuckStore, _: EngineState) -> None:
        await store.commit(Changeset(templates=(never, known), releases=(release,), ordinary=(line,)))
        assert await retire(store) == 1

    async def stays(_: DuckStore, state: EngineState) -> None:
        assert list(state.templates) == [known.fingerprint]
        assert state.releases == {"shop": {"1.0": release}}
        assert state.ordinary == {"shop": {line.slot: line.text}}

    use(path, scenario)
    use(path, stays)


def test_changes_of_trust_leave_as_lessons_do_and_breakers_once_they_have_long_been_closed(path: Path) -> None:
    def change(change_id: str, at: datetime) -> TrustChange:
        return TrustChange(change_id, "web", at, TrustChangeKind.RAISED, Mode.OBSERVE, Mode.APPROVE, "ops", "it held")

    long_ago = NOW - KEEP[Kind.INCIDENTS] - timedelta(days=2)
    closed = Breaker("web", "f1", "a", closed_at=long_ago, failed_at=long_ago - timedelta(days=1), opens=1)
    stay = (
        replace(closed, target="b", failed_at=NOW),
        replace(closed, target="c", status=BreakerStatus.OPEN, closed_at=None, opened_at=long_ago),
    )
    trust, earned = Trust("web", Mode.APPROVE, Mode.OBSERVE, ANCIENT, "ops"), Earned("web", "", 1.0, 1.0, ANCIENT)

    async def scenario(store: DuckStore, _: EngineState) -> None:
        await store.commit(Changeset(trust_changes=(change("t1", ANCIENT), change("t2", long_ago))))
        await store.commit(Changeset(breakers=(closed, *stay), trust=(trust,), earned=(earned,)))
        assert await retire(store) == 2
        assert await retire(store) == 0

    async def stays(_: DuckStore, state: EngineState) -> None:
        assert state.breakers == {each.key: each for each in stay}
        assert state.trust == {"web": trust}
        assert state.earned == {("web", ""): earned}

    use(path, scenario)
    use(path, stays)
    assert sql(path, "SELECT id FROM trust_changes") == [("t2",)]
    assert archived(path, "trust_changes", "id") == [("t1",)]


def test_a_day_leaves_once_all_of_it_is_old(path: Path) -> None:
    keep = dict.fromkeys(Kind, timedelta(days=5))
    noon = datetime(2026, 11, 19, 12, tzinfo=UTC)

    async def scenario(store: DuckStore, _: EngineState) -> None:
        await store.commit(over(1, noon))
        assert await retire(store, keep=keep, now=noon + timedelta(days=5, hours=11)) == 0
        assert await retire(store, keep=keep, now=noon + timedelta(days=5, hours=12)) > 0

    use(path, scenario)
