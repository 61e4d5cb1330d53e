"""What every store answers about the past as a whole: the real one and the fake alike, and both the same."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts.test_store_contract import EVERYTHING, NASTY, NOW, Shelf, run, shelf
from fakes.memory_store import MemoryStore
from logmedic.adapters.store.duck import DuckStore
from logmedic.core.paging import ORDERS, cursor_of
from logmedic.model.alert import Alert
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Changeset
from logmedic.model.errors import BadCursor, NotFound
from logmedic.model.fix import AttemptKind, AttemptStatus, FixAttempt, Verdict
from logmedic.model.issue import HoldReason, Incident, IncidentEvent, IncidentStatus, Resolution, Tally
from logmedic.model.severity import Severity
from logmedic.ports import Store
from store.history import RULES, history

__all__ = ["shelf"]

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
HOLDING = Incident(
    "0000h1", "issue-web-down", "web-down", "host1", "web-down on host1", Severity.HIGH, NOW - HOUR, NOW - HOUR,
    source="web", evidence="connect() FAILED", hold=HoldReason.OBSERVE, hold_detail="observe",
    requests=("req-2", "req-3"),
)  # fmt: skip
WOULD = IncidentEvent("0000h2", HOLDING.id, HOLDING.opened_at, "would_run", "restart web-down.service")
REQUEST = IncidentEvent(
    "0000ha", HOLDING.id, HOLDING.opened_at, "request", "request req-1 of checkout, reported by shop"
)
RUNG = FixAttempt(
    "0000h3", "0000h9", "db-slow", "host1", "db", 0, "restart it", 1, ("/bin/x",), NOW - 2 * HOUR,
    status=AttemptStatus.FINISHED, finished_at=NOW - 2 * HOUR + MINUTE, verdict=Verdict.NOT_FIXED, first=True,
)  # fmt: skip
LADDER = (
    RUNG,
    replace(RUNG, id="0000h4", step=1, step_name="undo it", first=False, kind=AttemptKind.ROLLBACK, verdict=None),
    replace(RUNG, id="0000h5", step=2, step_name="fail over", first=False, verdict=Verdict.FIXED, duration_s=2.5),
)
LADDERED = replace(
    HOLDING, id="0000h9", issue_id="issue-db-slow", rule_id="db-slow", hold=None, acted=True, escalated=True,
    status=IncidentStatus.RESOLVED, resolution=Resolution.FIXED, opened_at=NOW - 2 * HOUR,
    resolved_at=NOW - 2 * HOUR + timedelta(seconds=90.5), requests=(),
)  # fmt: skip
TELLING = Alert(
    "0000h6", "", AlertEvent.ESCALATED, Severity.HIGH, "oncall", "chat", "t", "b", NOW, NOW,
    tells=("issue:issue-boom", f"incident:{HOLDING.id}"),
)  # fmt: skip
MORE = Changeset(
    incidents=(HOLDING, LADDERED),
    events=(
        WOULD,
        REQUEST,
        replace(WOULD, id="0000h7", text="again"),
        replace(WOULD, id="0000h8", incident_id=LADDERED.id),
    ),
    attempts=LADDER,
    alerts=(TELLING,),
    tallies=(
        Tally(NOW.replace(second=0, microsecond=0) - HOUR, "held_observe", 2),
        Tally(NOW.replace(second=0, microsecond=0) - HOUR, "held_busy", 1),
        Tally(NOW.replace(second=0, microsecond=0) - HOUR, "resolved_fixed", 1),
        Tally(NOW.replace(second=0, microsecond=0) - HOUR, "acks_ignored", 1),
    ),
)
"""Beside history: what is held and watched, a ladder of three rungs, a message that tells of several."""
LATE = [each.id for changeset in history(NOW) for each in changeset.incidents][-4][-4:]
WEEK = {"since": NOW - timedelta(days=7), "until": NOW}
ASKED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("incidents", {"status": "resolved", "limit": 7}),
    ("incidents", {"everything": True, "rule": "web-down", "severity": "high", **WEEK}),
    ("incidents", {"everything": True, "group": "host1", "source": "web", "text": "on HOST1"}),
    ("incidents", {"hold": "observe", "text": "failed"}),
    ("incidents", {"everything": True, "issue": "issue-db-slow", "text": "%"}),
    ("incidents", {"everything": True, "text": NASTY}),
    ("incidents", {"request": "req-1"}),
    ("incidents", {"request": "req-3", "rule": "web-down"}),
    ("incidents", {"request": "req"}),
    ("issues", {"severity": "high", "text": "WEB"}),
    ("fixes", {"verdict": "fixed", "target": "host1"}),
    ("fixes", {"incident": LADDERED.id}),
    ("alerts", {"event": "escalated"}),
    ("alerts", {"incident": HOLDING.id}),
    ("events", {}),
    ("events", {"newest": True, "limit": 30}),
    ("events", {"after": "00000100", "limit": 40}),
    ("events", {"kinds": ("opened", "alert", "quiet"), **WEEK}),
    ("events", {"kinds": ("opened",), "newest": True, "limit": 3}),
    ("events", {"incident": HOLDING.id}),
    ("events", {"incident": "00000001"}),
    ("events", {"limit": 0, "newest": True}),
    ("activity", WEEK),
    ("activity", {**WEEK, "slots": 7}),
    ("activity", {"since": NOW - 20 * MINUTE, "until": NOW, "slots": 60}),
    ("activity", {"since": NOW, "until": NOW}),
    ("sparks", {"rules": [*RULES, "nobody"], **WEEK}),
    ("sparks", {"rules": [], **WEEK}),
    ("sparks", {"rules": list(RULES), "since": NOW, "until": NOW, "slots": 3}),
    ("similar", {"incident_id": HOLDING.id}),
    ("similar", {"incident_id": LATE, "limit": 50}),
    ("rule_stats", {}),
    ("rule_stats", {"since": NOW - timedelta(days=3)}),
    ("lanes", WEEK),
    ("lanes", {**WEEK, "limit": 4}),
)


async def filled(store: Store) -> Store:
    for changeset in (EVERYTHING, *history(NOW), MORE):
        await store.commit(changeset)
    return store


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, dict[str, Any]], tuple[Any, Any]]]:
    """Both stores' answers to one question."""
    loop = asyncio.new_event_loop()
    real, memory = DuckStore(tmp_path_factory.mktemp("past") / "logmedic.duckdb"), MemoryStore()

    async def both(question: str, asked: dict[str, Any]) -> tuple[Any, Any]:
        return await real.ask(question, **asked), await memory.ask(question, **asked)

    loop.run_until_complete(real.open())
    for store in (real, memory):
        loop.run_until_complete(filled(store))
    yield lambda question, asked: loop.run_until_complete(both(question, asked))
    loop.run_until_complete(real.close())
    loop.close()


@pytest.mark.parametrize(
    ("question", "asked"), ASKED, ids=[f"{number} {question}" for number, (question, _) in enumerate(ASKED)]
)
def test_both_stores_answer_the_same(
    answers: Callable[[str, dict[str, Any]], tuple[Any, Any]], question: str, asked: dict[str, Any]
) -> None:
    real, memory = answers(question, asked)
    assert real == memory


def asking(scenario: Callable[[Store], Awaitable[None]], shelf: Shelf) -> None:
    async def whole(store: Store) -> None:
        await scenario(await filled(store))

    run(shelf, whole)


def test_a_filter_leaves_out_what_it_does_not_name(shelf: Shelf) -> None:
    async def scenario(store: Store) -> None:
        every = {row["id"]: row for row in await store.ask("incidents", everything=True, limit=10_000)}

        async def ids(**asked: Any) -> set[str]:
            return {row["id"] for row in await store.ask("incidents", limit=10_000, **asked)}

        for name, key in (("rule", "rule_id"), ("group", "group_key"), ("source", "source"), ("severity", "severity")):
            for value in sorted({row[key] for row in every.values()} - {""}):
                wanted = {each for each, row in every.items() if row[key] == value}
                assert await ids(everything=True, **{name: value}) == wanted, (name, value)
        assert await ids(status="resolved") == {each for each, row in every.items() if row["status"] == "resolved"}
        assert await ids(hold="observe") == {HOLDING.id}
        assert await ids(text="FAILED") == {HOLDING.id}
        assert await ids(text="%") == set()
        assert await ids(everything=True, since=LADDERED.opened_at, until=HOLDING.opened_at) >= {LADDERED.id}
        assert HOLDING.id not in await ids(everything=True, until=HOLDING.opened_at)
        assert HOLDING.id in await ids(everything=True, since=HOLDING.opened_at)

    asking(scenario, shelf)


@pytest.mark.parametrize("question", sorted(set(ORDERS) - {"silences", "gaps"}))
def test_pages_in_sequence_give_every_row_once(shelf: Shelf, question: str) -> None:
    more = {"everything": True} if question == "incidents" else {}

    async def scenario(store: Store) -> None:
        whole = await store.ask(question, limit=10_000, **more)
        paged: list[Any] = []
        cursor = ""
        while page := await store.ask(question, limit=7, cursor=cursor, **more):
            paged += page
            cursor = cursor_of(question, page[-1])
        assert paged == whole
        assert whole

    asking(scenario, shelf)


@pytest.mark.parametrize("cursor", ["x", "W10", cursor_of("alerts", {"id": "m1"}), "\x00", "é", "a" * 9000])
def test_a_cursor_of_something_else_is_refused(shelf: Shelf, cursor: str) -> None:
    async def scenario(store: Store) -> None:
        with pytest.raises(BadCursor, match="no page begins at"):
            await store.ask("incidents", cursor=cursor)

    run(shelf, scenario)


def test_what_happened_is_told_in_order_with_what_it_is_about(shelf: Shelf) -> None:
    async def scenario(store: Store) -> None:
        rows = await store.ask("events", limit=10_000)
        assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
        assert {row["topic"] for row in rows} == {"incidents", "fixes", "alerts", "issues", "rules", "sources"}
        told = {row["id"]: row for row in rows}[WOULD.id]
        assert told == {
            "id": WOULD.id,
            "at": HOLDING.opened_at.isoformat().replace("+00:00", "Z"),
            "kind": "would_run",
            "topic": "fixes",
            "subject": f"incident:{HOLDING.id}",
            "title": HOLDING.title,
            "severity": "high",
            "text": WOULD.text,
        }
        behind = await store.ask("events", after=WOULD.id, limit=10_000)
        assert behind == [row for row in rows if row["id"] > WOULD.id]
        assert await store.ask("events", newest=True, limit=5) == rows[-5:]

    asking(scenario, shelf)


def test_a_message_is_an_event_of_what_it_tells_of(shelf: Shelf) -> None:
    async def scenario(store: Store) -> None:
        (row,) = await store.ask("events", kinds=("alert",), incident=HOLDING.id)
        assert (row["id"], row["subject"], row["text"]) == (TELLING.id, "issue:issue-boom", "escalated, for chat")

    asking(scenario, shelf)


def test_slots_are_of_whole_minutes_and_hold_all_there_is(shelf: Shelf) -> None:
    async def scenario(store: Store) -> None:
        answer = await store.ask("activity", since=NOW - 90 * MINUTE, until=NOW + MINUTE, slots=30)
        assert answer["step_s"] % 60 == 0
        since, until = (datetime.fromisoformat(answer[name]) for name in ("since", "until"))
        (slots,) = {len(series) for series in answer["series"].values()}
        assert slots <= 30
        assert until - since == slots * timedelta(seconds=answer["step_s"])
        assert until >= NOW + MINUTE
        assert sum(answer["series"]["held"]) == 3
        held = answer["series"]["held"].index(3)
        assert since + held * timedelta(seconds=answer["step_s"]) <= NOW - HOUR
        assert "acks_ignored" not in answer["series"]

    asking(scenario, shelf)


def test_like_it_before_names_what_fixed_it(shelf: Shelf) -> None:
    async def scenario(store: Store) -> None:
        again = replace(LADDERED, id="0000i1", status=IncidentStatus.OPEN, resolution=Resolution.NONE, resolved_at=None)
        await store.commit(Changeset(incidents=(again,)))
        first, *rest = await store.ask("similar", incident_id=again.id, limit=200)
        assert (first["id"], first["took_s"]) == (LADDERED.id, 90.5)
        wanted = {"rule_id": "db-slow", "step_name": "fail over", "argv": ["/bin/x"], "duration_s": 2.5}
        assert first["fixed_by"] == wanted
        groups = [row["group_key"] for row in rest]
        assert groups == sorted(groups, key=lambda group: group != again.group_key)
        assert {row["rule_id"] for row in rest} == {"db-slow"}
        with pytest.raises(NotFound):
            await store.ask("similar", incident_id="nobody")

    asking(scenario, shelf)


def test_an_incident_is_found_by_a_request_that_failed_of_it_over_or_not(shelf: Shelf) -> None:
    async def scenario(store: Store) -> None:
        over = replace(HOLDING, id="0000i2", status=IncidentStatus.RESOLVED, requests=("req-9",))
        await store.commit(Changeset(incidents=(over,)))
        for request, found in (
            ("req-1", HOLDING.id),  # one of the first: it is in the timeline alone by now
            ("req-3", HOLDING.id),
            ("req-9", over.id),
        ):
            assert [row["id"] for row in await store.ask("incidents", request=request)] == [found], request
        for nothing in ("req", "eq-3", "REQ-3", '"', "%", "req-1 of checkout", 'req-2", "req-3'):
            assert await store.ask("incidents", request=nothing) == [], nothing

    asking(scenario, shelf)


def test_an_execution_counts_once_whatever_its_rungs(shelf: Shelf) -> None:
    async def scenario(store: Store) -> None:
        await store.commit(replace(MORE, incidents=(LADDERED,)))
        (db,) = await store.ask("rule_stats")
        assert (db["rule_id"], db["incidents"]) == ("db-slow", 1)
        assert (db["fixed"], db["not_fixed"], db["verified"]) == (1, 0, 1.0)
        assert (db["noise"], db["needed_people"], db["mean_recovery_s"]) == (0.0, 1, 90.5)

    run(shelf, scenario)


def test_what_would_have_run_has_a_lane_until_something_does(shelf: Shelf) -> None:
    async def scenario(store: Store) -> None:
        rows = await store.ask("lanes", since=NOW - 3 * HOUR, until=NOW)
        (would,) = [row for row in rows if row["kind"] == "would"]
        assert (would["incident_id"], would["target"], would["hold"]) == (HOLDING.id, "web-down", "observe")
        assert would["step_name"] == WOULD.text
        ran = [row["step_name"] for row in rows if row["incident_id"] == LADDERED.id]
        assert sorted(ran) == ["fail over", "restart it", "undo it"]
        await store.commit(Changeset(incidents=(replace(HOLDING, acted=True),)))
        later = await store.ask("lanes", since=NOW - 3 * HOUR, until=NOW)
        assert not [row for row in later if row["kind"] == "would"]

    asking(scenario, shelf)
