"""Whoever was told of a problem is told of its end, also where its rule is gone, or its message goes another way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from builders import RULE, Bench, match, observed, policy
from logmedic.core import letters
from logmedic.core.outbox import FALLBACK_AFTER
from logmedic.model.alert import Alert, AlertPlan, AlertStatus, Delivery, Route
from logmedic.model.changeset import Delivered, Tick
from logmedic.model.match import MatchSpec
from logmedic.model.when import CLEAR, Clear, When

SECOND = timedelta(seconds=1)
CLEARED = replace(RULE, fix=None, when=When(clear=Clear(MatchSpec(("up",)))))
PLAN = AlertPlan({"oncall": Route("oncall", ("chat",), ("mail",), group_wait=SECOND, group_interval=SECOND)}, "oncall")
DOWN = Delivery(False, "connection refused")


def bench() -> Bench:
    return Bench(policy(CLEARED, alerts=PLAN))


def of(on_call: Bench, receiver: str) -> list[Alert]:
    return [each for each in on_call.messages if each.receiver == receiver]


def answered(on_call: Bench, receiver: str, delivery: Delivery) -> None:
    """What is being sent to it, once it is its turn."""
    for _ in range(600):
        now = [each for each in on_call.state.alerts.values() if each.receiver == receiver]
        if sending := [each for each in now if each.status is AlertStatus.SENDING]:
            on_call.give(Delivered(sending[0].id, delivery))
            return
        on_call.give(Tick(), 1)
    raise AssertionError(f"nothing is sent to {receiver}")


def over(on_call: Bench, after: float = 2.0) -> None:
    """A line tells that it is."""
    on_call.now += timedelta(seconds=after)
    on_call.give(observed(replace(match(CLEARED, on_call.now), part=CLEAR)))
    for _ in range(5):
        on_call.give(Tick(), 1)


def test_f75_what_ends_after_its_rule_is_gone_is_told_as_over_and_nobody_is_reminded_of_it() -> None:
    on_call = bench()
    on_call.matched(rule=CLEARED)
    answered(on_call, "chat", Delivery(True))
    on_call.policy = policy(replace(RULE, id="other"), alerts=PLAN)
    for _ in range(60):
        on_call.give(Tick(), 60)
        on_call.deliver()
    assert not on_call.state.incidents
    _, end = of(on_call, "chat")
    (story,) = letters.unpack(end.content).stories
    assert (story.over, "over by now" in end.title) == (True, True)
    assert not on_call.state.notices


def test_f75_a_fallback_that_hears_of_what_is_over_hears_that_it_is() -> None:
    on_call = bench()
    on_call.matched(rule=CLEARED)
    for _ in range(FALLBACK_AFTER - 1):
        answered(on_call, "chat", DOWN)
    over(on_call)
    answered(on_call, "chat", DOWN)
    (copy, *_) = of(on_call, "mail")
    (story,) = letters.unpack(copy.content).stories
    assert (story.over, "[OPEN]" in copy.title, copy.fallback_of != "") == (True, False, True)


def test_a_fallback_hears_of_what_is_open_in_the_words_of_the_message() -> None:
    on_call = bench()
    on_call.matched(rule=CLEARED)
    for _ in range(FALLBACK_AFTER):
        answered(on_call, "chat", DOWN)
    (copy,) = of(on_call, "mail")
    assert (copy.title, copy.event) == (of(on_call, "chat")[0].title, of(on_call, "chat")[0].event)
