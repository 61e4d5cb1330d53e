"""What a link does is done once, for the request that it is of, and whoever comes late hears what happened."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import builders as make
from fakes.served_links import RULE, Host, host, waiting
from logmedic.core.links import ALLOWED, Purpose
from logmedic.model.changeset import Approve, Reject, Reloaded
from logmedic.model.errors import OrderRefused
from logmedic.model.issue import HoldReason, Incident, IncidentStatus
from logmedic.model.notice import Silence
from logmedic.model.rule import Rule
from logmedic.model.step import Command, Step

BY = "Ann (link sent to chat, from 203.0.113.7)"
Scene = Callable[[Host], Awaitable[Any]]


def played(scene: Scene, *incidents: Incident) -> Any:
    async def run() -> Any:
        async with host(*incidents) as made:
            return await scene(made)

    return asyncio.run(run())


def other_fix() -> Rule:
    assert RULE.fix is not None
    return replace(RULE, fix=replace(RULE.fix, steps=(Step("erase", Command(("/bin/rm", "-r", "/srv"))),)))


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("asked", [each for each in Purpose if each is not Purpose.VIEW])
def test_a_link_does_what_it_is_for_and_nothing_else(purpose: Purpose, asked: Purpose) -> None:
    async def scene(made: Host) -> None:
        before = len(made.store.changesets)
        claims, lasts = made.claims(purpose), timedelta(hours=4)
        if asked in ALLOWED[purpose]:
            row = await made.desk.act(claims, asked, BY, lasts=lasts, why="x")
            assert row["outcome"]["done"]
            return
        with pytest.raises(OrderRefused, match="this link is for"):
            await made.desk.act(claims, asked, BY, lasts=lasts, why="x")
        assert (len(made.store.changesets), made.alerts.did) == (before, [])

    played(scene)


@pytest.mark.parametrize("first", [Approve, Reject])
def test_who_comes_late_hears_who_answered_and_when(first: type[Approve | Reject]) -> None:
    async def scene(made: Host) -> Any:
        claims = made.claims(Purpose.APPROVE)
        await made.engine.settled(first(made.incident.id, "bob"))
        return await made.desk.act(claims, Purpose.APPROVE, BY)

    row = played(scene)
    done = "approved" if first is Approve else "rejected"
    assert row["outcome"]["done"] is False
    assert row["outcome"]["text"] == f"already {done} by bob, 2026-11-24 03:00:00 UTC"
    assert row["outcome"]["hint"]


def test_a_link_of_an_older_request_is_refused_with_what_to_do() -> None:
    async def scene(made: Host) -> Any:
        claims = made.claims(Purpose.APPROVE)
        await made.engine.settled(Reject(made.incident.id, "bob"))
        await made.clock.advance(1)
        await made.engine.settled(make.observed(make.match(RULE, make.START, host="db1")))
        assert made.incident.hold is HoldReason.AWAITING_APPROVAL
        row = await made.desk.act(claims, Purpose.APPROVE, BY)
        assert made.incident.approved_by == ""
        anew = await made.desk.act(made.claims(Purpose.APPROVE), Purpose.APPROVE, BY)
        return row, anew

    row, anew = played(scene)
    assert "it was asked anew since" in row["outcome"]["text"]
    assert "logmedic approve 456789ab" in row["outcome"]["hint"]
    assert anew["outcome"]["done"]


@pytest.mark.parametrize("looked_at", [False, True], ids=["not asked anew yet", "asked anew"])
def test_a_link_approves_the_fix_that_was_shown_and_no_other(looked_at: bool) -> None:
    async def scene(made: Host) -> Any:
        claims = made.claims(Purpose.APPROVE)
        made.policy = make.policy(other_fix())
        if looked_at:
            await made.engine.settled(Reloaded())
        row = await made.desk.act(claims, Purpose.APPROVE, BY)
        assert made.incident.approved_by == ""
        return row

    assert "fix" in played(scene)["outcome"]["text"]


def test_an_answer_that_comes_between_the_look_and_the_decision_is_the_one_that_counts() -> None:
    async def scene(made: Host) -> Any:
        claims, fixes = made.claims(Purpose.APPROVE), made.fixes

        class Slow:
            async def approve(self, incident_id: str, by: str, ask: str) -> Any:
                await made.engine.settled(Reject(incident_id, "bob"))
                await made.clock.advance(1)
                await made.engine.settled(make.observed(make.match(RULE, make.START, host="db1")))
                return await fixes.approve(incident_id, by, ask)

            reject = approve

        made.desk._fixes = Slow()
        row = await made.desk.act(claims, Purpose.APPROVE, BY)
        return row, made.incident

    row, incident = played(scene)
    assert row["outcome"]["done"] is False
    assert "it was asked anew since" in row["outcome"]["text"]
    assert incident.approved_by == ""
    assert incident.hold is HoldReason.AWAITING_APPROVAL


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"status": IncidentStatus.FIXING, "hold": None}, "nobody waits for it any more"),
        ({"hold": HoldReason.COOLDOWN, "hold_detail": "cooldown until 03:05:00 UTC"}, "nobody waits for it any more"),
        ({"status": IncidentStatus.FAILED, "hold": None}, "nobody waits for it any more"),
        ({"rule_id": "gone"}, "rule gone is not in force any more"),
    ],
    ids=["under way", "held by something else", "failed", "rule gone"],
)
def test_what_nobody_waits_for_is_refused_and_changes_nothing(changes: dict[str, Any], says: str) -> None:
    async def scene(made: Host) -> Any:
        before = made.incident
        row = await made.desk.act(made.claims(Purpose.APPROVE, ask="0" * 15 + "1"), Purpose.APPROVE, BY)
        assert made.incident == before
        return row

    row = played(scene, waiting(**changes))
    assert says in row["outcome"]["text"]
    assert row["allowed"] == []


def test_what_somebody_takes_care_of_is_not_acknowledged_twice() -> None:
    async def scene(made: Host) -> Any:
        row = {**await made.store.ask("incident", incident_id=made.incident.id)}
        row["notice"] = {
            "acked_by": "bob",
            "acked_at": "2026-11-24T03:00:00Z",
            "acked_until": "2026-11-24T07:00:00Z",
            "suppressed": "",
        }

        async def ask(*_: object, **__: object) -> Any:
            return row

        made.store.ask = ask  # type: ignore[method-assign]
        first = await made.desk.act(made.claims(Purpose.ACK), Purpose.ACK, BY)
        await made.clock.advance(4 * 3600)
        return first, await made.desk.act(made.claims(Purpose.ACK), Purpose.ACK, BY)

    first, later = played(scene)
    assert first["outcome"]["done"] is False
    assert first["outcome"]["text"].startswith("already acknowledged by bob, 2026-11-24 03:00:00 UTC, until 2026-11-24")
    assert later["outcome"]["done"]


def test_the_same_silence_is_not_made_twice() -> None:
    async def scene(made: Host) -> Any:
        until = make.START + timedelta(hours=1)
        made.engine.state.silences["s1"] = Silence("s1", make.START, until, BY, "vendor", make.START)
        again = await made.desk.act(
            made.claims(Purpose.SILENCE), Purpose.SILENCE, BY, lasts=timedelta(hours=1), why="vendor"
        )
        other = await made.desk.act(
            made.claims(Purpose.SILENCE), Purpose.SILENCE, BY, lasts=timedelta(hours=1), why="deploy"
        )
        return again["outcome"], other["outcome"], made.alerts.did

    again, other, did = played(scene)
    assert again["text"].startswith("already silenced by Ann")
    assert other["done"]
    assert len(did) == 1


def test_what_the_page_says_has_no_secret_in_it() -> None:
    secret = "password=hunter2hunter2"

    async def scene(made: Host) -> Any:
        return await made.desk.view(made.claims(Purpose.VIEW))

    row = played(scene, waiting(title=f"boom {secret}", evidence=f"boom {secret}"))
    assert "hunter2" not in str(row)
