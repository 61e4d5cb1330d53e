"""Why people were not told: each stage says so in words, with its end and what to type, and as the pipeline decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shift import Shift

from builders import FIX, RULE, START
from core.test_alert_pipeline import HOUR, MINUTE, NO_FIX, OTHER, SECOND, plan, routed, seen, shift, subject
from logmedic.core.alerting.untold import Stage, of_alert, of_notice
from logmedic.core.draft import Draft
from logmedic.model.alert import (
    Alert,
    AlertStatus,
    Delivery,
    DigestPlan,
    Escalation,
    Inhibition,
    ReceiverPlan,
    Selector,
)
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Acknowledge, AddSilence, Approve
from logmedic.model.hours import Hours
from logmedic.model.rule import AlertSpec, Mode, Rule
from logmedic.model.severity import Severity

ALL_DAY = Hours(frozenset(range(7)), time(0), time(0), UTC)


def stages(on_call: Shift, rule: Rule = NO_FIX) -> list[Stage]:
    draft = Draft(on_call.state, on_call.policy, on_call.now, lambda: "")
    notice = draft.notice(subject(on_call, rule))
    assert notice is not None
    return list(of_notice(draft, notice))


def held(on_call: Shift, rule: Rule = NO_FIX) -> list[Stage]:
    return [each for each in stages(on_call, rule) if not each.ok]


def first_held(on_call: Shift, rule: Rule = NO_FIX) -> Stage:
    found = held(on_call, rule)
    assert found, stages(on_call, rule)
    return found[0]


def test_what_waits_for_its_group_says_until_when() -> None:
    on_call = shift()
    on_call.at(START, seen())
    on_call.run(START + SECOND)
    found = first_held(on_call)
    assert (found.name, found.until) == ("group_wait", START + 5 * SECOND)
    assert "group_wait 5 s" in found.detail


def test_what_follows_waits_for_the_interval_of_its_group() -> None:
    on_call = shift(NO_FIX, OTHER, alerts=routed(group_by=("host",)))
    on_call.at(START, seen())
    on_call.at(START + 10 * SECOND, seen(OTHER))
    on_call.run(START + 20 * SECOND)
    found = first_held(on_call, OTHER)
    assert (found.name, found.until) == ("group_interval", START + 65 * SECOND)


def test_a_silence_says_who_why_and_until_when() -> None:
    on_call = shift()
    on_call.at(START, AddSilence("ann", "a new disk", START + HOUR, labels={"rule": NO_FIX.id}))
    on_call.at(START + SECOND, seen())
    on_call.run(START + 10 * SECOND)
    found = first_held(on_call)
    assert (found.name, found.until, found.command) == ("silence", START + HOUR, "logmedic silence list")
    assert "silenced by ann" in found.detail
    assert "a new disk" in found.detail
    assert on_call.sent == []


def test_what_is_told_instead_is_named() -> None:
    inhibited = plan(inhibit=(Inhibition(Selector(tags=frozenset({"db"})), Selector(labels={"rule": (NO_FIX.id,)})),))
    on_call = shift(NO_FIX, OTHER, alerts=inhibited)
    on_call.at(START, seen(OTHER))
    on_call.at(START + SECOND, seen())
    on_call.run(START + 20 * SECOND)
    found = first_held(on_call)
    assert found.name == "inhibition"
    assert OTHER.title in found.detail
    assert found.command == f"logmedic show {subject(on_call, OTHER)[-8:]}"


def test_an_acknowledgement_holds_reminders_until_it_is_over() -> None:
    on_call = shift()
    on_call.at(START, seen())
    on_call.at(START + MINUTE, lambda at: Acknowledge(subject(at), "ann", START + HOUR))
    on_call.run(START + 2 * MINUTE)
    found = first_held(on_call)
    assert (found.name, found.until) == ("ack", START + HOUR)
    assert found.command.endswith("--undo")
    assert [each.name for each in held(on_call)] == ["ack"], "what is acknowledged has no other stage to wait for"


def test_what_was_told_says_when_it_is_told_again_and_who_is_called_next() -> None:
    on_call = shift(alerts=routed(escalate=(Escalation(15 * MINUTE, ("phone",)),), repeat_every=HOUR))
    on_call.at(START, seen())
    on_call.run(START + MINUTE)
    repeat, escalation = held(on_call)
    assert (repeat.name, repeat.until) == ("repeat", START + 5 * SECOND + HOUR)
    assert (escalation.name, escalation.until) == ("escalation", START + 5 * SECOND + 15 * MINUTE)
    assert "phone" in escalation.detail
    assert Stage("receiver chat", True, "told") in stages(on_call)


def test_a_fix_that_works_on_it_is_given_its_time() -> None:
    rule = replace(RULE, fix=replace(FIX, mode=Mode.APPROVE), alert=AlertSpec(page_after=2 * MINUTE))
    on_call = shift(rule)
    on_call.step_takes = 10 * MINUTE
    on_call.at(START, seen(rule))
    on_call.at(START + SECOND, lambda at: Approve(subject(at, rule).removeprefix("incident:"), "ann"))
    on_call.run(START + 10 * SECOND)
    found = first_held(on_call, rule)
    assert (found.name, found.until, found.detail) == ("page_after", START + 2 * MINUTE, "its fix works on it")


def receiver_plan(**changes: object) -> Shift:
    chat = replace(ReceiverPlan("chat"), **changes)  # type: ignore[arg-type]
    return shift(NO_FIX, OTHER, alerts=plan(receivers={"chat": chat, "mail": ReceiverPlan("mail")}))


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        (
            {"quiet_hours": (ALL_DAY,), "quiet_except": Selector(severities=frozenset({Severity.CRITICAL}))},
            "quiet hours",
        ),
        ({"digest": DigestPlan(Selector(), time(9), UTC)}, "digest"),
        ({"max_per_hour": 1}, "limit"),
    ],
)
def test_what_its_receiver_has_asked_for_is_named(changes: dict[str, object], name: str) -> None:
    on_call = receiver_plan(**changes)
    on_call.at(START, seen(OTHER))
    on_call.at(START + SECOND, seen())
    on_call.run(START + MINUTE)
    (waiting,) = (
        each
        for each in on_call.state.alerts.values()
        if each.receiver == "chat" and subject(on_call) in each.tells and each.status is not AlertStatus.SENT
    )
    draft = Draft(on_call.state, on_call.policy, on_call.now, lambda: "")
    last = of_alert(draft, waiting)[-1]
    assert (last.ok, last.name) == (False, name)
    assert last.until is None or last.until > on_call.now
    found = next(each for each in held(on_call) if each.name == "receiver chat")
    assert found.detail.startswith(f"{name}: ")


ALERT = Alert(
    *("0193-message1", "i", AlertEvent.OPENED, Severity.HIGH, "oncall", "chat", "t", "b", START, START)  # one a field
)


@pytest.mark.parametrize(
    ("changes", "ok", "words", "command"),
    [
        ({"status": AlertStatus.SENT, "tries": 3}, True, "it arrived after 3 tries", ""),
        ({"status": AlertStatus.SENDING}, True, "it is on its way", ""),
        ({"status": AlertStatus.FOLDED, "folded_into": "0193-message2"}, True, "message2", "logmedic why message2"),
        (
            {"status": AlertStatus.DEAD, "tries": 7, "last_error": "refused"},
            False,
            "given up after 7 tries: refused",
            "logmedic alerts resend message1",
        ),
        ({"tries": 2, "next_at": START + HOUR, "last_error": "503"}, False, "it failed 2 times: 503", ""),
        ({}, True, "nothing holds it: it is sent next", ""),
    ],
)
def test_what_became_of_a_message_is_said_first(changes: dict[str, object], ok: bool, words: str, command: str) -> None:
    draft = Draft(shift().state, shift().policy, START, lambda: "")
    last = of_alert(draft, replace(ALERT, **changes))[-1]  # type: ignore[arg-type]
    assert (last.ok, last.command) == (ok, command)
    assert words in last.detail


def test_a_receiver_that_is_broken_or_refuses_is_named() -> None:
    on_call = shift(
        alerts=plan(receivers={"chat": ReceiverPlan("chat"), "mail": ReceiverPlan("mail")}), resolve_after=9 * HOUR
    )
    on_call.reachable = lambda name, at: Delivery(name != "chat", "503" if name == "chat" else "")
    on_call.at(START, seen())
    on_call.run(START + HOUR)
    found = next(each for each in held(on_call) if each.name == "receiver chat")
    assert found.detail.startswith("breaker: chat failed")
    assert "503" in found.detail
    assert found.command == "logmedic alerts test chat"
    on_call.reachable = lambda name, at: Delivery(name != "chat", "gone", permanent=True)
    on_call.run(START + 2 * HOUR)
    found = next(each for each in held(on_call) if each.name == "receiver chat")
    assert found.detail == "given up: gone"
    assert found.command.startswith("logmedic alerts resend ")


@given(st.integers(10, 7200), st.sampled_from(["well", "down", "silenced", "acked", "quiet"]))
def test_whoever_is_told_now_had_no_stage_before_the_group_that_held_it(seconds: int, world: str) -> None:
    """What the stages say is what the pipeline does: nobody is told of what one of them holds."""
    chat = ReceiverPlan("chat", quiet_hours=(ALL_DAY,) if world == "quiet" else ())
    on_call = shift(alerts=plan(receivers={"chat": chat, "mail": ReceiverPlan("mail")}), resolve_after=9 * HOUR)
    if world == "down":
        on_call.reachable = lambda name, at: Delivery(False, "503")
    if world == "silenced":
        on_call.at(START, AddSilence("ann", "w", START + HOUR, labels={"rule": NO_FIX.id}))
    on_call.at(START, seen())
    if world == "acked":
        on_call.at(START + MINUTE, lambda at: Acknowledge(subject(at), "ann"))
    on_call.run(START + SECOND)
    on_call.run(START + SECOND + timedelta(seconds=seconds))
    draft = Draft(on_call.state, on_call.policy, on_call.now, lambda: "")
    notice = next(iter(on_call.state.notices.values()))
    found = of_notice(draft, notice)
    assert all(each.until is None or each.until > on_call.now for each in found if each.name != "group_wait")
    silenced = next(each for each in found if each.name == "silence")
    assert silenced.ok == (not notice.suppressed)
    if not silenced.ok:
        assert [each for each in on_call.sent if each.arrived] == []
