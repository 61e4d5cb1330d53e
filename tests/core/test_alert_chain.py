"""Reminders that come less and less often, and a chain that is called when nobody acknowledges."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import START
from logmedic.core.alerting.chain import called, is_acked, level_by, needs_people, next_call, reminds_at
from logmedic.model.alert import Escalation, Route
from logmedic.model.alertevent import AlertEvent
from logmedic.model.notice import AlertGroup, Notice
from logmedic.model.severity import Severity

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
ROUTE = Route("oncall", ("chat",), escalate=(Escalation(15 * MINUTE, ("phone",)), Escalation(HOUR, ("boss", "phone"))))
GROUP = AlertGroup("oncall\x1fweb", "g", "oncall", "web", START, sent_at=START, called_at=START)
NOTICE = Notice("incident:1", AlertEvent.OPENED, Severity.HIGH, "web is down", START, START, told={"chat": 1})


@pytest.mark.parametrize(
    ("changes", "needs"),
    [
        ({}, True),
        ({"told": {}}, False),
        ({"over": True}, False),
        ({"lasting": False}, False),
        ({"suppressed": "silenced"}, False),
        ({"acked_by": "anna"}, False),
        ({"acked_by": "anna", "acked_until": START + HOUR}, False),
        ({"acked_by": "anna", "acked_until": START}, True),
    ],
    ids=["open", "nobody heard", "over", "no end to come", "silenced", "acked", "acked for now", "the ack is over"],
)
def test_people_are_needed_for_what_they_heard_of_and_nobody_takes_care_of(
    changes: dict[str, object], needs: bool
) -> None:
    assert bool(needs_people([replace(NOTICE, **changes)], START)) is needs  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("after", "level", "who"),
    [
        (14 * MINUTE, 0, ()),
        (15 * MINUTE, 1, ("phone",)),
        (59 * MINUTE, 1, ("phone",)),
        (2 * HOUR, 2, ("phone", "boss")),
    ],
)
def test_the_chain_counts_from_the_first_message(after: timedelta, level: int, who: tuple[str, ...]) -> None:
    assert level_by(ROUTE, GROUP, START + after) == level
    assert tuple(dict.fromkeys(called(ROUTE, level))) == who


def test_the_next_link_of_the_chain_has_a_time_until_there_is_none() -> None:
    assert next_call(ROUTE, GROUP) == START + 15 * MINUTE
    assert next_call(ROUTE, replace(GROUP, level=2)) is None
    assert next_call(ROUTE, replace(GROUP, called_at=None)) is None


@pytest.mark.parametrize(("reminders", "hours"), [(0, 4), (1, 8), (2, 16), (3, 24), (99, 24)])
def test_reminders_come_less_and_less_often(reminders: int, hours: int) -> None:
    assert reminds_at(ROUTE, replace(GROUP, reminders=reminders), [NOTICE]) == START + hours * HOUR


@pytest.mark.parametrize(
    ("repeat_s", "wanted"),
    [((None, 600.0), 10 * MINUTE), ((0.0,), None), ((0.0, None), 4 * HOUR)],
    ids=["the shortest of several", "never", "never is not for the others"],
)
def test_a_rule_may_have_an_interval_of_its_own(repeat_s: tuple[float | None, ...], wanted: timedelta | None) -> None:
    found = reminds_at(ROUTE, GROUP, [replace(NOTICE, repeat_s=each) for each in repeat_s])
    assert found == (None if wanted is None else START + wanted)


def test_a_route_may_never_remind() -> None:
    assert reminds_at(replace(ROUTE, repeat_every=None), GROUP, [NOTICE]) is None
    assert reminds_at(ROUTE, GROUP, []) is None


@given(
    every=st.integers(1, 10**6).map(lambda seconds: timedelta(seconds=seconds)),
    most=st.integers(1, 10**6).map(lambda seconds: timedelta(seconds=seconds)),
    reminders=st.integers(0, 200),
)
def test_an_interval_never_shrinks_and_has_a_limit(every: timedelta, most: timedelta, reminders: int) -> None:
    route = replace(ROUTE, repeat_every=every, repeat_max=most)
    this = reminds_at(route, replace(GROUP, reminders=reminders), [NOTICE])
    following = reminds_at(route, replace(GROUP, reminders=reminders + 1), [NOTICE])
    assert this is not None
    assert following is not None
    assert every <= this - START <= following - START <= max(every, most)


def test_an_acknowledgement_lasts_until_it_is_over() -> None:
    assert not is_acked(NOTICE, START)
    assert is_acked(replace(NOTICE, acked_by="anna"), START + 1000 * HOUR)
