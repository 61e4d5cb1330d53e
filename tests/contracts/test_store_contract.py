"""What every store promises: on the real one and on the fake alike."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import builders as make
from fakes.memory_store import MemoryStore
from logmedic.adapters.store.duck import DuckStore
from logmedic.model.alert import Alert, AlertStatus, ReceiverState
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Changeset
from logmedic.model.circuit import BreakerStatus
from logmedic.model.diagnosis import Diagnosis
from logmedic.model.errors import NotFound, QueryRefused, StoreBusy, TransientError
from logmedic.model.fix import AttemptKind, AttemptStatus, Breaker, FixAttempt, Verdict
from logmedic.model.gap import SourceEvent, SourceEventKind
from logmedic.model.issue import (
    HoldReason,
    Incident,
    IncidentEvent,
    IncidentStatus,
    IssueSource,
    KnownIssue,
    Learning,
    PatternType,
    Resolution,
    Tally,
    Template,
    Window,
)
from logmedic.model.learned import OrdinaryLine, Release
from logmedic.model.notice import SEPARATOR, AlertGroup, Notice, Silence
from logmedic.model.query import Limits
from logmedic.model.rule import Mode
from logmedic.model.severity import Severity
from logmedic.model.state import EngineState
from logmedic.model.trust import Earned, Pause, PauseOrigin, Trust, TrustChange, TrustChangeKind
from logmedic.ports import Store

NOW = datetime.now(UTC).replace(microsecond=123456)
NASTY = "a\x00b\x1b[31m \u202e \U0001f600 ' \" \\ {x} ]} \n--; DROP"
MINUTE = NOW.replace(second=0, microsecond=0)
ISSUE = KnownIssue(
    "s1", IssueSource.RULE, "rule:web-down", "web-down", NASTY, Severity.HIGH, NOW, NOW, tags=("a", NASTY)
)
INCIDENT = Incident(
    "0193-i1",
    "s1",
    "web-down",
    NASTY,
    NASTY,
    Severity.CRITICAL,
    NOW,
    NOW,
    captures={"upstream": "10.0.0.1:80", "x": NASTY},
    evidence=NASTY,
    status=IncidentStatus.FIXING,
    hold=HoldReason.COOLDOWN,
    attempt_id="a1",
    due_at=NOW + timedelta(seconds=1.5),
    told=("opened",),
)
ATTEMPT = FixAttempt("a1", "0193-i1", "web-down", NASTY, "web", 0, "restart", 1, ("/bin/x", NASTY), NOW, output=NASTY)
ALERT = Alert("m1", "0193-i1", AlertEvent.OPENED, Severity.HIGH, "oncall", "chat", NASTY, NASTY, NOW, NOW)
EVERYTHING = Changeset(
    issues=(ISSUE,),
    incidents=(INCIDENT,),
    events=(IncidentEvent("e1", "0193-i1", NOW, "opened", NASTY),),
    learnings=(Learning("l1", PatternType.ERROR_PATTERN, NASTY, 0.7, NOW, {"component": NASTY}),),
    templates=(
        Template("f" * 16, NASTY, "shop", NASTY, 3, NOW, NOW, trace=True, samples=(NASTY,), shape=(NASTY, "<n>")),
    ),
    windows=(
        Window("web-down", NASTY, (1.5, 2.25), "threshold"),
        Window(
            "backup-missing",
            NASTY,
            (1.5,),
            "absence",
            marks=(NASTY,),
            due_at=NOW + timedelta(hours=26),
            captures={"job": NASTY},
            source="backup",
            evidence=NASTY,
            answered=1.5,
            counts=(3, 0, 7),
            since=120.0,
            usual=0.75,
            learned=12,
            touched=7.5,
        ),
    ),
    releases=(Release("app", NASTY, NOW), Release("app", "2.0", NOW + timedelta(hours=1), NOW + timedelta(hours=2))),
    ordinary=(OrdinaryLine("app", 63, NASTY),),
    diagnoses=(Diagnosis("0193-s1", True, "m", NOW, likely_cause=NASTY, checks=(NASTY, "df"), retry_after_s=1.5),),
    attempts=(ATTEMPT,),
    trust=(
        Trust("web-down", Mode.APPROVE, Mode.OBSERVE, NOW, "ops", NASTY, 7, 1, Mode.AUTO, "f1", 5, (False, True)),
        Trust("disk-full", Mode.OBSERVE, Mode.AUTO, NOW),
    ),
    trust_changes=(
        TrustChange("t1", "web-down", NOW, TrustChangeKind.RAISED, Mode.OBSERVE, Mode.APPROVE, "ops", NASTY),
    ),
    earned=(Earned("web-down", "", 3.5, 1.25, NOW), Earned("web-down", NASTY, 7.0, 6.5, NOW)),
    pauses=(Pause(PauseOrigin.OPERATOR, True, NOW, "ops", NASTY, NOW + timedelta(hours=2)),),
    breakers=(
        Breaker(
            "web-down",
            "f1",
            "web",
            status=BreakerStatus.OPEN,
            failures=3,
            opened_at=NOW,
            open_until=NOW + timedelta(minutes=30),
            opens=1,
        ),
    ),
    alerts=(ALERT,),
    tallies=(Tally(MINUTE, "matched", 2), Tally(MINUTE, "unknown", 1)),
    checkpoints=(replace(make.checkpoint(10), at=NOW),),
    source_events=(
        SourceEvent("g1", NOW, "app", "/var/log/app", SourceEventKind.TRUNCATED, 17, NASTY),
        SourceEvent("g2", NOW, "app", "", SourceEventKind.QUIET),
    ),
)

SOON = NOW + timedelta(minutes=5)
NOTICE = Notice(
    subject=f"incident:{INCIDENT.id}",
    event=AlertEvent.HELD,
    severity=Severity.HIGH,
    title=NASTY,
    at=NOW,
    since=NOW,
    tags=("db", NASTY),
    labels={"rule": "web-down", "host": NASTY},
    story=NASTY,
    version=3,
    groups=(f"oncall{SEPARATOR}{NASTY}",),
    told={"chat": 2, NASTY: 3},
    repeat_s=1800.5,
    suppressed=NASTY,
    suppressed_by="incident:other",
    acked_by=NASTY,
    acked_at=NOW,
    acked_until=SOON,
)
NEWS = Changeset(
    notices=(
        NOTICE,
        Notice("rules", AlertEvent.RULES_REFUSED, Severity.LOW, NASTY, NOW, NOW, lasting=False, over=True),
    ),
    groups=(
        AlertGroup(f"oncall{SEPARATOR}{NASTY}", "g1", "oncall", NASTY, NOW, SOON, NOW, NOW, level=2, reminders=4),
        AlertGroup(f"oncall{SEPARATOR}", "g2", "oncall", "", NOW),
    ),
    silences=(
        Silence("n1", NOW, NOW + timedelta(days=1), NASTY, NASTY, NOW, ("high",), ("db", NASTY), {"rule": NASTY}),
        Silence("n2", SOON, NOW + timedelta(days=1), "ann", "", NOW, ended_by=NASTY),
    ),
    receivers=(
        ReceiverState("chat", 3, 2, SOON, True, NASTY, NASTY, NOW, NOW, (NOW.timestamp(), 1.5), SOON),
        ReceiverState("mail"),
    ),
    alerts=(
        replace(
            ALERT,
            id="m2",
            status=AlertStatus.DEFERRED,
            next_at=SOON,
            group_id="g1",
            content=NASTY,
            tells=(f"incident:{INCIDENT.id}", NASTY),
            passed_on=True,
            give_up_at=SOON,
        ),
        replace(ALERT, id="m3", status=AlertStatus.DEAD, last_error=NASTY, fallback_of="m2"),
    ),
)

Opener = Callable[[], Store]
Scenario = Callable[[Opener], Awaitable[None]]


class Shelf:
    """Opens one store again and again, as restarts do."""

    def __init__(self, kind: str, path: Path) -> None:
        self._kind = kind
        self._path = path / "state" / "logmedic.duckdb"
        self._memory: MemoryStore | None = None

    def __call__(self) -> Store:
        if self._kind == "duckdb":
            return DuckStore(self._path)
        self._memory = self._memory.reopen() if self._memory else MemoryStore()
        return self._memory


@pytest.fixture(params=["memory", "duckdb"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    return Shelf(request.param, tmp_path)


async def reopened(shelf: Shelf, store: Store) -> tuple[Store, EngineState]:
    await store.close()
    again = shelf()
    return again, await again.open()


def run(shelf: Shelf, scenario: Callable[[Store], Awaitable[Any]]) -> Any:
    async def whole() -> Any:
        store = shelf()
        await store.open()
        try:
            return await scenario(store)
        finally:
            await store.close()

    return asyncio.run(whole())


def test_a_new_store_is_empty(shelf: Shelf) -> None:
    async def scenario(store: Store) -> None:
        assert await store.ask("incidents", everything=True) == []
        assert await store.ask("counts") == {}
        stats = await store.ask("stats")
        assert stats["total_errors"] == 0
        assert stats["auto_fix_success_rate"] is None
        assert stats["avg_recovery_time_s"] is None

    run(shelf, scenario)


def test_every_kind_of_entity_comes_back_as_it_was(shelf: Shelf) -> None:
    async def scenario() -> None:
        store = shelf()
        await store.open()
        await store.commit(EVERYTHING)
        store, state = await reopened(shelf, store)
        expected = EngineState()
        expected.apply(EVERYTHING)
        assert state == expected
        await store.close()

    asyncio.run(scenario())


def test_news_and_all_that_is_known_of_telling_it_come_back_as_they_were(shelf: Shelf) -> None:
    async def scenario() -> None:
        store = shelf()
        await store.open()
        await store.commit(NEWS)
        store, state = await reopened(shelf, store)
        expected = EngineState()
        expected.apply(NEWS)
        assert state == expected
        assert (len(state.notices), len(state.groups), len(state.silences), len(state.receivers)) == (2, 2, 2, 2)
        await store.close()

    asyncio.run(scenario())


def test_what_nothing_more_comes_of_is_not_there_after_a_start(shelf: Shelf) -> None:
    async def scenario() -> None:
        store = shelf()
        await store.open()
        await store.commit(NEWS)
        group = NEWS.groups[0]
        await store.commit(Changeset(notices=(replace(NOTICE, done=True),), groups=(replace(group, done=True),)))
        await store.commit(Changeset(alerts=(replace(NEWS.alerts[0], status=AlertStatus.FOLDED, folded_into="m9"),)))
        store, state = await reopened(shelf, store)
        assert (list(state.notices), [each.id for each in state.groups.values()]) == (["rules"], ["g2"])
        assert (state.alerts, list(state.dead)) == ({}, ["m3"])
        await store.close()

    asyncio.run(scenario())


def test_a_new_version_replaces_the_old_one(shelf: Shelf) -> None:
    async def scenario() -> None:
        store = shelf()
        await store.open()
        await store.commit(EVERYTHING)
        over = replace(
            INCIDENT,
            status=IncidentStatus.RESOLVED,
            resolution=Resolution.FIXED,
            resolved_at=NOW,
            hold=None,
            due_at=None,
        )
        sent = replace(ALERT, status=AlertStatus.SENT, sent_at=NOW)
        done = replace(ATTEMPT, status=AttemptStatus.FINISHED, exit_code=0, duration_s=0.25, verdict=Verdict.FIXED)
        await store.commit(Changeset(incidents=(over,), alerts=(sent,), attempts=(done,)))
        store, state = await reopened(shelf, store)
        assert state.incidents == {}
        assert state.alerts == {}
        assert state.attempts == {"a1": done}
        (row,) = await store.ask("incidents", everything=True)
        assert row["resolution"] == "fixed"
        assert row["hold"] is None
        assert await store.ask("incidents") == []
        await store.close()

    asyncio.run(scenario())


def test_a_changeset_that_fails_leaves_nothing_and_can_be_committed_again(shelf: Shelf) -> None:
    too_big = replace(EVERYTHING, checkpoints=(replace(make.checkpoint(2**70), at=NOW),))  # written last

    async def scenario(store: Store) -> None:
        await store.commit(Changeset(tallies=(Tally(MINUTE, "matched", 1),)))
        if isinstance(store, MemoryStore):
            store.fail_next(StoreBusy("not now"))
        with pytest.raises(TransientError):
            await store.commit(too_big)
        for question in ("issues", "learnings", "breakers", "alerts", "incidents"):
            assert await store.ask(question) == []
        assert await store.ask("counts") == {"matched": 1}
        await store.commit(EVERYTHING)
        assert await store.ask("counts") == {"matched": 3, "unknown": 1}

    run(shelf, scenario)


def test_additions_that_come_twice_are_there_once(shelf: Shelf) -> None:
    async def scenario(store: Store) -> None:
        for _ in range(2):
            await store.commit(replace(EVERYTHING, tallies=()))
        assert len((await store.ask("incident", incident_id=INCIDENT.id))["events"]) == 1
        assert len(await store.ask("learnings")) == 1

    run(shelf, scenario)


def test_tallies_add_up(shelf: Shelf) -> None:
    async def scenario(store: Store) -> None:
        for _ in range(3):
            await store.commit(Changeset(tallies=(Tally(MINUTE, "lines", 2), Tally(MINUTE, "lines", 5))))
        await store.commit(Changeset(tallies=(Tally(MINUTE + timedelta(minutes=1), "lines", 1),)))
        assert await store.ask("counts") == {"lines": 22}

    run(shelf, scenario)


def test_a_window_that_is_forgotten_and_written_again_is_there(shelf: Shelf) -> None:
    async def scenario() -> None:
        store = shelf()
        await store.open()
        window = Window("web-down", "a", (1.0,))
        await store.commit(Changeset(windows=(window,)))
        await store.commit(Changeset(forgotten_windows=(("web-down", "a"),)))
        await store.commit(Changeset(windows=(replace(window, times=(2.0,)),)))
        store, state = await reopened(shelf, store)
        assert state.windows == {("web-down", "a"): replace(window, times=(2.0,))}
        await store.close()

    asyncio.run(scenario())


def test_an_incident_is_found_by_the_end_of_its_id(shelf: Shelf) -> None:
    async def scenario(store: Store) -> None:
        await store.commit(EVERYTHING)
        await store.commit(Changeset(incidents=(replace(INCIDENT, id="0193-i2"),)))
        story = await store.ask("incident", incident_id="3-i1")
        assert story["id"] == "0193-i1"
        assert [each["text"] for each in story["events"]] == [NASTY]
        assert [each["argv"] for each in story["attempts"]] == [["/bin/x", NASTY]]
        assert [each["receiver"] for each in story["alerts"]] == ["chat"]
        assert story["issue"]["occurrences"] == 0
        assert story["captures"]["upstream"] == "10.0.0.1:80"

    run(shelf, scenario)


@pytest.mark.parametrize("wanted", ["", "i1", "nowhere", "0193", "%", "_-i1", "' OR 1=1 --"])
def test_what_is_no_incident_is_not_found(shelf: Shelf, wanted: str) -> None:
    async def scenario(store: Store) -> None:
        await store.commit(EVERYTHING)
        with pytest.raises(NotFound):
            await store.ask("incident", incident_id=wanted)

    run(shelf, scenario)


def test_times_are_told_in_utc_with_a_z(shelf: Shelf) -> None:
    async def scenario(store: Store) -> None:
        await store.commit(EVERYTHING)
        (row,) = await store.ask("incidents")
        assert row["opened_at"] == NOW.isoformat().replace("+00:00", "Z")

    run(shelf, scenario)


def test_the_six_metrics_come_from_what_happened(shelf: Shelf) -> None:
    def lesson(number: int, kind: PatternType, at: datetime = NOW) -> Learning:
        return Learning(f"l{number}", kind, "x", 1.0, at)

    def fixed(number: int, took_s: float, at: datetime = NOW) -> Incident:
        opened = at - timedelta(seconds=took_s)
        resolution = {"status": IncidentStatus.RESOLVED, "resolution": Resolution.FIXED, "resolved_at": at}
        return replace(INCIDENT, id=f"i{number}", opened_at=opened, hold=None, due_at=None, **resolution)  # type: ignore[arg-type]

    long_ago = NOW - timedelta(days=3)

    async def scenario(store: Store) -> None:
        await store.commit(
            Changeset(
                incidents=(fixed(1, 10), fixed(2, 30), fixed(3, 500, long_ago)),
                learnings=(
                    lesson(1, PatternType.AUTO_FIX_SUCCESS),
                    lesson(2, PatternType.AUTO_FIX_SUCCESS),
                    lesson(3, PatternType.AUTO_FIX_SUCCESS, long_ago),
                    lesson(4, PatternType.AUTO_FIX_FAILURE),
                    lesson(5, PatternType.CIRCUIT_BREAKER_OPEN),
                    lesson(6, PatternType.ISSUE_ESCALATION),
                    lesson(7, PatternType.ISSUE_ESCALATION, long_ago),
                ),
                tallies=(Tally(MINUTE, "matched", 7), Tally(MINUTE, "unknown", 2), Tally(MINUTE, "lines", 99)),
            )
        )
        day = await store.ask("stats", since=NOW - timedelta(hours=24))
        assert day == {
            "total_errors": 9,
            "auto_fixed": 2,
            "auto_fix_success_rate": pytest.approx(2 / 3),
            "circuit_breaker_opens": 1,
            "escalations": 1,
            "avg_recovery_time_s": pytest.approx(20),
        }
        ever = await store.ask("stats")
        assert ever["auto_fixed"] == 3
        assert ever["escalations"] == 2

    run(shelf, scenario)


def test_lists_are_newest_first_and_limited(shelf: Shelf) -> None:
    async def scenario(store: Store) -> None:
        await store.commit(
            Changeset(
                incidents=tuple(replace(INCIDENT, id=f"i{n}", group_key=str(n)) for n in range(5)),
                issues=tuple(
                    replace(ISSUE, id=f"s{n}", fingerprint=str(n), last_seen=NOW + timedelta(seconds=n))
                    for n in range(5)
                ),
                alerts=tuple(replace(ALERT, id=f"m{n}") for n in range(5)),
                learnings=tuple(Learning(f"l{n}", PatternType.REGRESSION, "x", 1.0, NOW) for n in range(5)),
            )
        )
        for question in ("incidents", "issues", "alerts", "learnings"):
            rows = await store.ask(question, limit=2)
            assert [each["id"][1:] for each in rows] == ["4", "3"]

    run(shelf, scenario)


def test_attempts_are_listed_newest_first_with_the_title_of_their_incident_and_without_their_output(
    shelf: Shelf,
) -> None:
    later = replace(
        ATTEMPT,
        id="a2",
        rule_id="db-slow",
        incident_id="gone",
        started_at=NOW + timedelta(minutes=1),
        verdict=Verdict.FIXED,
        kind=AttemptKind.ROLLBACK,
        first=True,
        chain=("web-down",),
    )

    async def scenario(store: Store) -> None:
        await store.commit(EVERYTHING)
        await store.commit(Changeset(attempts=(later,)))
        newest, oldest = await store.ask("fixes")
        assert (newest["id"], newest["verdict"], newest["kind"], newest["title"]) == ("a2", "fixed", "rollback", "")
        assert (newest["first"], newest["chain"]) == (True, ["web-down"])
        assert (oldest["id"], oldest["title"], oldest["argv"]) == ("a1", NASTY, ["/bin/x", NASTY])
        assert "output" not in oldest
        assert [row["id"] for row in await store.ask("fixes", since=NOW + timedelta(seconds=1))] == ["a2"]
        assert [row["id"] for row in await store.ask("fixes", rule="web-down")] == ["a1"]
        assert [row["id"] for row in await store.ask("fixes", rule="' OR 1=1")] == []
        assert [row["id"] for row in await store.ask("fixes", limit=1)] == ["a2"]

    run(shelf, scenario)


def test_breakers_trust_and_what_was_earned_are_told_by_their_keys(shelf: Shelf) -> None:
    def breaker(rule: str, fix: str, target: str) -> Breaker:
        return Breaker(rule, fix, target, failures=1)

    changes = tuple(
        TrustChange(f"t{n}", rule, NOW, TrustChangeKind.LOWERED, Mode.AUTO, Mode.APPROVE, "logmedic", "it fails")
        for n, rule in enumerate(("web-down", "db-slow", "web-down"), start=2)
    )

    async def scenario(store: Store) -> None:
        await store.commit(EVERYTHING)
        await store.commit(Changeset(breakers=(breaker("web-down", "f1", "api"), breaker("web-down", "f0", "web"))))
        await store.commit(Changeset(breakers=(replace(breaker("web-down", "f1", "web"), opens=9),)))
        await store.commit(Changeset(trust_changes=changes))
        keys = [(row["fix"], row["target"], row["opens"]) for row in await store.ask("breakers")]
        assert keys == [("f0", "web", 0), ("f1", "api", 0), ("f1", "web", 9)]
        trust = await store.ask("trust")
        assert [(row["rule_id"], row["level"], row["given"], row["proposed"]) for row in trust] == [
            ("disk-full", "observe", "auto", None),
            ("web-down", "approve", "observe", "auto"),
        ]
        assert trust[1]["recent"] == [False, True]
        assert [row["id"] for row in await store.ask("trust_changes")] == ["t4", "t3", "t2", "t1"]
        assert [row["id"] for row in await store.ask("trust_changes", rule="web-down", limit=2)] == ["t4", "t2"]
        assert [(row["step"], row["tried"]) for row in await store.ask("earned")] == [("", 3.5), (NASTY, 7.0)]
        (pause,) = await store.ask("pauses")
        assert (pause["origin"], pause["on"], pause["why"]) == ("operator", True, NASTY)

    run(shelf, scenario)


def test_a_query_answers_columns_types_and_rows(shelf: Shelf) -> None:
    async def scenario(store: Store) -> None:
        await store.commit(EVERYTHING)
        sql = "SELECT rule_id, title, step FROM v_fixes JOIN v_incidents USING (rule_id)"
        told = json.loads(await store.query(sql, Limits()))
        assert told == {
            "columns": ["rule_id", "title", "step"],
            "types": ["VARCHAR", "VARCHAR", "BIGINT"],
            "rows": [["web-down", NASTY, 0]],
            "cut": "",
        }
        with pytest.raises(QueryRefused):
            await store.query("DROP TABLE incidents", Limits())

    run(shelf, scenario)


def test_trends_are_told_by_day_and_beside_the_time_before(shelf: Shelf) -> None:
    def lesson(number: int, days_ago: int) -> Learning:
        return Learning(f"l{number}", PatternType.ISSUE_ESCALATION, "x", 1.0, NOW - timedelta(days=days_ago))

    async def scenario(store: Store) -> None:
        await store.commit(Changeset(learnings=tuple(map(lesson, range(4), (0, 0, 2, 5)))))
        until = NOW + timedelta(seconds=1)
        told = await store.ask("trends", since=until - timedelta(days=3), until=until)
        assert told["metrics"]["escalations"] == 3
        assert told["before"]["escalations"] == 1
        days = [(NOW - timedelta(days=ago)).date().isoformat() for ago in range(3, -1, -1)]
        assert [(day["day"], day["escalations"]) for day in told["days"]] == list(zip(days, (0, 1, 0, 2), strict=True))
        assert {day["total_errors"] for day in told["days"]} == {0}
        assert told["known_since"][:10] == (NOW - timedelta(days=5)).date().isoformat()

    run(shelf, scenario)


def test_a_store_of_which_nothing_is_known_has_trends_too(shelf: Shelf) -> None:
    async def scenario(store: Store) -> None:
        told = await store.ask("trends", since=NOW - timedelta(days=2), until=NOW)
        assert told["known_since"] is None
        assert [day["total_errors"] for day in told["days"]] == [0, 0, 0]
        assert [day["auto_fix_success_rate"] for day in told["days"]] == [None] * 3

    run(shelf, scenario)
