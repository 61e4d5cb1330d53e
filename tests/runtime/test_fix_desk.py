"""What people ask about fixes and decide about them: it is done, or they hear why not and what to type."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, time, timedelta
from typing import Any

import pytest

import builders as make
from fakes.memory_store import MemoryStore
from fakes.scripted_fixes import ScriptedRunner
from logmedic.core.targets import fingerprint, step_fingerprint
from logmedic.model.changeset import Changeset, PauseFixes, StopSteps
from logmedic.model.circuit import BreakerStatus
from logmedic.model.errors import NotFound, OrderRefused
from logmedic.model.fix import Breaker
from logmedic.model.issue import HoldReason, Incident, IncidentStatus, Resolution
from logmedic.model.match import Capture, CaptureType, MatchSpec
from logmedic.model.policy import MaintenanceWindow, Policy
from logmedic.model.rule import Mode, Rule
from logmedic.model.severity import Severity
from logmedic.model.step import Command, Step
from logmedic.model.trust import Earned, PauseOrigin, Trust
from logmedic.runtime.engine import Engine
from logmedic.runtime.fixdesk import FixDesk
from runtime.test_engine import Bench, running

STEPS = (
    Step("restart", Command(("/bin/restart", "{host}"))),
    Step("call", Command(("/bin/call", "token=abc")), rung=1),
    Step("replace", Command(("/bin/replace",)), rung=1),
)
RULE = replace(
    make.RULE,
    match=MatchSpec((r"down (?P<host>\S+)",), captures={"host": Capture(CaptureType.WORD)}),
    fix=replace(
        make.FIX,
        mode=Mode.APPROVE,
        graduate_after=3,
        steps=STEPS,
    ),
)
FIXLESS = replace(make.RULE, id="no-fix", fix=None)
STRICT = replace(make.RULE, id="strict", fix=replace(make.FIX, mode=Mode.OBSERVE))
assert RULE.fix is not None
PRINT = fingerprint(RULE.fix)
OPEN = Breaker(
    "web-down",
    PRINT,
    "db1",
    status=BreakerStatus.OPEN,
    failures=3,
    open_until=make.START + timedelta(hours=1),
    opens=1,
    streak=1,
)
WORN = replace(OPEN, target="db2", status=BreakerStatus.CLOSED, failures=1, open_until=None)
TRUST = Trust(
    *("web-down", Mode.APPROVE, Mode.APPROVE, make.START),
    *("", "", 4, 0, Mode.AUTO, PRINT, 4, (True,) * 4),
)

Scene = Callable[[FixDesk, Bench], Awaitable[Any]]


def asked(scene: Scene, *, policy: Policy | None = None, before: Changeset | None = None) -> Any:
    in_force = policy or make.policy(RULE, FIXLESS, STRICT)

    async def run() -> Any:
        store = MemoryStore([before] if before is not None else [])
        async with running(in_force, store) as bench:
            await bench.engine.settled()
            engine: Engine = bench.engine
            desk = FixDesk(
                engine=engine, store=store, policy=lambda: in_force, runner=ScriptedRunner(), clock=bench.clock
            )
            return await scene(desk, bench)

    return asyncio.run(run())


def refusal(scene: Scene, kind: type[NotFound | OrderRefused], **given: Any) -> str:
    with pytest.raises(kind) as refused:
        asked(scene, **given)
    assert refused.value.hint, "it does not say what to type"
    return f"{refused.value.text}; {refused.value.hint}"


# -- breakers ----------------------------------------------------------------------------------------------------------


def test_the_breaker_of_one_target_is_reset_and_the_other_stays() -> None:
    async def scene(desk: FixDesk, bench: Bench) -> Any:
        rows = await desk.reset_breaker("web-down", "ann", "db1")
        return rows, bench.engine.state.breakers[WORN.key]

    rows, other = asked(scene, before=Changeset(breakers=(OPEN, WORN)))
    assert [(row["target"], row["status"], row["failures"], row["opens"]) for row in rows] == [("db1", "closed", 0, 1)]
    assert other == WORN


def test_without_a_target_every_breaker_of_the_rule_is_reset() -> None:
    before = Changeset(breakers=(OPEN, WORN))
    rows = asked(lambda desk, _: desk.reset_breaker("web-down", "ann"), before=before)
    assert [(row["target"], row["failures"]) for row in rows] == [("db1", 0), ("db2", 0)]


@pytest.mark.parametrize(
    ("rule", "target", "kind", "says"),
    [
        ("nobody", "", NotFound, "rule nobody has no breaker"),
        ("web-down", "db9", NotFound, "no breaker of db9; it has: db1"),
        ("strict", "", OrderRefused, "are closed and count no failure"),
    ],
)
def test_a_breaker_that_is_not_there_or_closed_is_not_reset(
    rule: str, target: str, kind: type[NotFound | OrderRefused], says: str
) -> None:
    before = Changeset(breakers=(OPEN, Breaker("strict", "f", "t", closed_at=make.START)))
    assert says in refusal(lambda desk, _: desk.reset_breaker(rule, "ann", target), kind, before=before)


# -- trust -------------------------------------------------------------------------------------------------------------


def test_every_rule_with_a_fix_has_a_row_of_its_trust() -> None:
    gone = replace(TRUST, rule_id="gone")

    async def scene(desk: FixDesk, _: Bench) -> Any:
        return desk.trust()

    rows = asked(scene, before=Changeset(trust=(TRUST, gone)))
    assert [(row["rule_id"], row["level"], row["mode"], row["in_force"]) for row in rows] == [
        ("gone", "approve", None, False),
        ("strict", "observe", "observe", True),
        ("web-down", "approve", "approve", True),
    ]
    assert rows[1]["since"] is None
    assert (rows[2]["wins"], rows[2]["proposed"], rows[2]["graduate_after"]) == (4, "auto", 3)


def test_what_was_counted_for_another_fix_counts_for_nothing() -> None:
    async def scene(desk: FixDesk, _: Bench) -> Any:
        return await desk.trust_of("web-down")

    row = asked(scene, before=Changeset(trust=(replace(TRUST, fix="another"),)))
    assert (row["wins"], row["streak"], row["proposed"]) == (0, 0, None)


def test_the_level_is_told_beside_what_the_daemons_mode_leaves_of_it() -> None:
    async def scene(desk: FixDesk, _: Bench) -> Any:
        return await desk.trust_of("web-down")

    row = asked(scene, policy=make.policy(RULE, mode=Mode.OBSERVE))
    assert (row["level"], row["given"], row["mode"], row["whose"]) == (
        "approve",
        "approve",
        "observe",
        "the daemon's mode",
    )


def test_a_person_raises_trust_and_it_is_recorded_with_who_and_why() -> None:
    async def scene(desk: FixDesk, _: Bench) -> Any:
        return await desk.set_trust("web-down", Mode.AUTO, "ann", "it held all week")

    row = asked(scene, before=Changeset(trust=(TRUST,)))
    assert (row["level"], row["mode"], row["by"], row["proposed"]) == ("auto", "auto", "ann", None)
    change = row["changes"][0]
    assert (change["kind"], change["before"], change["after"], change["by"], change["why"]) == (
        *("raised", "approve", "auto", "ann", "it held all week"),
    )


def test_a_proposal_is_turned_down_by_the_present_level() -> None:
    async def scene(desk: FixDesk, _: Bench) -> Any:
        return await desk.set_trust("web-down", Mode.APPROVE, "ann", "not yet")

    row = asked(scene, before=Changeset(trust=(TRUST,)))
    assert (row["level"], row["proposed"], row["changes"][0]["kind"]) == ("approve", None, "withdrawn")


@pytest.mark.parametrize(
    ("rule", "level", "kind", "says"),
    [
        ("nobody", Mode.AUTO, NotFound, "no rule that is in force is called nobody"),
        ("no-fix", Mode.AUTO, OrderRefused, "rule no-fix has no fix"),
        ("web-down", Mode.APPROVE, OrderRefused, "is trusted with approve already"),
        ("strict", Mode.AUTO, OrderRefused, "its file says mode: observe, and not graduate_after"),
    ],
)
def test_trust_that_cannot_be_set_is_told_why(
    rule: str, level: Mode, kind: type[NotFound | OrderRefused], says: str
) -> None:
    assert says in refusal(lambda desk, _: desk.set_trust(rule, level, "ann", "because"), kind)


def test_steps_are_told_in_the_order_in_which_they_are_tried_with_what_they_earned() -> None:
    call, swap = (step_fingerprint(each) for each in STEPS[1:])
    earned = (
        Earned("web-down", "", 20.0, 2.0, make.START),
        Earned("web-down", "call", 20.0, 4.0, make.START, call),
        Earned("web-down", "replace", 20.0, 19.0, make.START, swap),
    )

    async def scene(desk: FixDesk, _: Bench) -> Any:
        return (await desk.trust_of("web-down"))["steps"]

    steps = asked(scene, before=Changeset(earned=earned))
    assert [(each["name"], each["rung"], each["choice"], each["known"]) for each in steps] == [
        ("restart", 0, False, False),
        ("replace", 1, True, True),
        ("call", 1, True, True),
    ]
    assert (steps[1]["tried"], steps[1]["fixed"], steps[1]["baseline"]) == (20.0, 19.0, 0.1)


# -- the kill switch ---------------------------------------------------------------------------------------------------


def test_a_pause_holds_until_it_is_taken_back() -> None:
    until = make.START + timedelta(hours=2)

    async def scene(desk: FixDesk, bench: Bench) -> Any:
        paused = await desk.pause("ann", why="release", until=until, stop=True)
        status = desk.row()
        resumed = await desk.resume("bob")
        return paused, status, resumed, [intent for intent, _ in bench.acts]

    paused, status, resumed, intents = asked(scene)
    (row,) = paused["pauses"]
    assert (row["origin"], row["by"], row["why"], row["until"]) == (
        *("operator", "ann", "release", "2026-11-24T05:00:00Z"),
    )
    assert status["pauses"] == paused["pauses"]
    assert resumed == {"paused": False, "pauses": []}
    assert intents == [StopSteps()]


def test_a_pause_that_is_over_by_the_clock_is_none() -> None:
    async def scene(desk: FixDesk, bench: Bench) -> Any:
        await desk.pause("ann", until=make.START + timedelta(minutes=1))
        await bench.clock.advance(61)
        return desk.row()["pauses"]

    assert asked(scene) == []


def test_what_the_file_pauses_the_command_does_not_resume() -> None:
    by_file = PauseFixes(PauseOrigin.FILE, "file /etc/logmedic/paused", "deploy")

    async def scene(desk: FixDesk, bench: Bench) -> Any:
        await bench.engine.settled(by_file)
        await desk.pause("ann")
        return await desk.resume("ann")

    left = asked(scene)
    assert [each["origin"] for each in left["pauses"]] == ["file"]

    async def by_file_alone(desk: FixDesk, bench: Bench) -> Any:
        await bench.engine.settled(by_file)
        await desk.resume("ann")

    said = refusal(by_file_alone, OrderRefused)
    assert "fixes are paused by the file /etc/logmedic/paused; rm /etc/logmedic/paused" in said
    assert "fixes are not paused" in refusal(lambda desk, _: desk.resume("ann"), OrderRefused)


def test_an_open_maintenance_window_and_proposals_are_told() -> None:
    night = MaintenanceWindow("backup", frozenset(range(7)), time(2), time(4), UTC, rules=("db-*",))
    noon = replace(night, name="noon", start=time(12), end=time(13))
    policy = make.policy(RULE, maintenance=(night, noon))

    async def scene(desk: FixDesk, _: Bench) -> Any:
        return desk.row()

    row = asked(scene, policy=policy, before=Changeset(trust=(TRUST,)))
    assert row["maintenance"] == [{"name": "backup", "until": "2026-11-24T04:00:00Z", "rules": ["db-*"], "tags": []}]
    assert [(each["rule_id"], each["proposed"]) for each in row["proposals"]] == [("web-down", "auto")]


def incident(**changes: Any) -> Incident:
    made = Incident(
        "0193-inc1", "s1", "web-down", "", "web is down", Severity.HIGH, make.START, make.START, {"host": "db1"}
    )
    return replace(made, **changes)


# -- approvals ---------------------------------------------------------------------------------------------------------

WAITS = {"hold": HoldReason.AWAITING_APPROVAL, "hold_detail": "waits", "due_at": make.START + timedelta(minutes=30)}


def test_an_answer_reaches_the_fix_that_waits_for_it() -> None:
    before = Changeset(incidents=(incident(**WAITS),))
    approved = asked(lambda desk, _: desk.approve("inc1", "ann"), before=before)
    rejected = asked(lambda desk, _: desk.reject("inc1", "ann"), before=before)
    assert approved["approved_by"] == "ann"
    assert (rejected["hold"], rejected["hold_detail"]) == ("rejected", "rejected by ann")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"status": IncidentStatus.RESOLVED, "resolution_notes": "silent"}, "it is over (silent)"),
        ({"status": IncidentStatus.FIXING}, "it is under way"),
        ({"rule_id": "gone", **WAITS}, "rule gone is not in force any more"),
        ({"hold": HoldReason.REJECTED, "hold_detail": "rejected by bob"}, "rejected by bob; the next match asks again"),
        ({"hold": HoldReason.COOLDOWN, "hold_detail": "until 03:00:05 UTC"}, "until 03:00:05 UTC"),
        ({"status": IncidentStatus.FAILED}, "its fix did not hold"),
        ({**WAITS, "due_at": make.START}, "the approval expired"),
    ],
    ids=["over", "under way", "rule gone", "rejected", "held by something else", "failed", "late"],
)
def test_an_answer_that_nobody_waits_for_is_refused(changes: dict[str, Any], says: str) -> None:
    before = Changeset(incidents=(incident(**changes),))
    for answer in (FixDesk.approve, FixDesk.reject):

        async def scene(desk: FixDesk, bench: Bench, answer: Any = answer) -> Any:
            known = len(bench.store.changesets)
            try:
                await answer(desk, "inc1", "ann")
            finally:
                assert len(bench.store.changesets) == known, "a refusal changes nothing"

        assert says in refusal(scene, OrderRefused, before=before)


# -- why ---------------------------------------------------------------------------------------------------------------


def test_every_hold_is_told_and_not_only_the_first() -> None:
    async def scene(desk: FixDesk, bench: Bench) -> Any:
        await desk.pause("ann", why="release")
        before = len(bench.store.changesets)
        told = await desk.why("inc1")
        assert len(bench.store.changesets) == before, "a question changes nothing"
        return told

    breaker = replace(OPEN, target="web-down host=db1")
    told = asked(scene, before=Changeset(incidents=(incident(),), breakers=(breaker,)))
    assert told["note"] == ""
    held = {each["name"]: each["reason"] for each in told["checks"] if not each["ok"]}
    assert held == {"pause": "paused", "breaker": "breaker_open", "approval": "awaiting_approval"}
    assert all(each["detail"] for each in told["checks"])
    assert len(told["checks"]) > len(held)


@pytest.mark.parametrize(
    ("hold", "reason", "detail"),
    [
        (HoldReason.REJECTED, "rejected", "rejected by bob"),
        (HoldReason.COOLDOWN, "awaiting_approval", "nobody was asked yet"),
    ],
)
def test_what_nobody_is_asked_has_no_time_to_answer(hold: HoldReason, reason: str, detail: str) -> None:
    before = Changeset(incidents=(incident(hold=hold, hold_detail="rejected by bob"),))
    told = asked(lambda desk, _: desk.why("inc1"), before=before)
    (row,) = (each for each in told["checks"] if each["name"] == "approval")
    assert (row["reason"], row["detail"], row["until"]) == (reason, detail, None)


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"status": IncidentStatus.FIXING}, "its fix is under way (fixing)"),
        ({"status": IncidentStatus.FAILED}, "its fix did not hold"),
        ({"status": IncidentStatus.RESOLVED, "resolution": Resolution.QUIET}, "it is over"),
        ({"rule_id": "gone"}, "rule gone is not in force any more"),
        ({"hold": HoldReason.REJECTED, "hold_detail": "rejected by bob"}, "rejected by bob; the next match asks again"),
    ],
)
def test_what_is_to_be_said_first_is_said(changes: dict[str, Any], note: str) -> None:
    before = Changeset(incidents=(incident(**changes),))
    told = asked(lambda desk, _: desk.why("inc1"), before=before)
    assert told["note"].startswith(note)


def test_why_nobody_is_not_found() -> None:
    with pytest.raises(NotFound):
        asked(lambda desk, _: desk.why("nobody"))


# -- the dry run -------------------------------------------------------------------------------------------------------


def test_a_dry_run_tells_of_every_step_with_its_captures_filled_in_and_secrets_masked() -> None:
    told = asked(lambda desk, _: desk.rehearse("web-down", {"host": "db1"}))
    assert [(each["step"], each["argv"], each["ok"]) for each in told["steps"]] == [
        ("restart", ["/bin/restart", "db1"], True),
        ("call", ["/bin/call", "token=abc"], True),
        ("replace", ["/bin/replace"], True),
    ]
    assert told["steps"][0]["output"] == "/bin/restart db1"
    assert "abc" not in told["steps"][1]["output"]


@pytest.mark.parametrize(
    ("rule", "captures", "kind", "says"),
    [
        ("web-down", {}, OrderRefused, "is filled with host; give it: --capture host=VALUE"),
        ("web-down", {"host": "-rf /"}, NotFound, "matches no line with such a `host`"),
        ("web-down", {"host": "db1", "user": "x"}, NotFound, "has no capture `user`; it has: host"),
        ("no-fix", {}, OrderRefused, "has no fix"),
        ("nobody", {}, NotFound, "no rule that is in force"),
    ],
)
def test_i7_a_dry_run_takes_only_what_a_line_could_give(
    rule: str, captures: dict[str, str], kind: type[NotFound | OrderRefused], says: str
) -> None:
    assert says in refusal(lambda desk, _: desk.rehearse(rule, captures), kind)


def test_a_rule_is_in_force_or_it_is_not() -> None:
    disabled: Rule = replace(RULE, enabled=False)
    assert "no rule" in refusal(lambda desk, _: desk.trust_of("web-down"), NotFound, policy=make.policy(disabled))
