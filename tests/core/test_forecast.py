"""Where news would go, and when each receiver would hear of it: the same as what the engine does then."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import builders as make
from logmedic.core.alerting import chain
from logmedic.core.alerting.forecast import forecast
from logmedic.model.alert import AlertPlan, Branch, DigestPlan, Escalation, ReceiverPlan, Route, Selector
from logmedic.model.alertevent import AlertEvent
from logmedic.model.hours import Hours
from logmedic.model.notice import AlertGroup, Notice, Silence
from logmedic.model.severity import Severity

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
QUIET = Hours(frozenset(range(7)), time(22), time(7), BERLIN)
PLAN = AlertPlan(
    routes={
        "oncall": Route("oncall", ("chat", "phone"), escalate=(Escalation(timedelta(hours=5), ("phone", "mail")),)),
        "desk": Route("desk", ("mail",), group_by=("source",), repeat_every=None),
    },
    default_route="desk",
    tree=(Branch(Selector(tags=frozenset({"db"})), ("oncall",), place="alerts.tree[0]"),),
    receivers={
        "chat": ReceiverPlan("chat"),
        "phone": ReceiverPlan("phone", zone=BERLIN, quiet_hours=(QUIET,)),
        "mail": ReceiverPlan(
            "mail", digest=DigestPlan(Selector(severities=frozenset({Severity.LOW})), time(8), BERLIN)
        ),
    },
)
POLICY = make.policy(alerts=PLAN)


def news(severity: Severity, *tags: str, **labels: str) -> Notice:
    return Notice("incident:new", AlertEvent.OPENED, severity, "", NIGHT, NIGHT, tags, labels)


def test_each_receiver_is_told_as_soon_as_its_own_hours_let_it() -> None:
    (leg,) = forecast(POLICY, news(Severity.HIGH, "db", rule="pg-down"), NIGHT).legs
    told = {each.receiver: (each.at, each.why) for each in leg.told}
    assert told == {
        "chat": (NIGHT + timedelta(seconds=5), ""),
        "phone": (datetime(2026, 11, 24, 6, tzinfo=UTC), "the end of its quiet hours"),
    }
    assert leg.group == {"rule": "pg-down"}


def test_a_call_is_asked_at_its_own_time() -> None:
    """Five hours later the quiet hours are over."""
    (leg,) = forecast(POLICY, news(Severity.HIGH, "db", rule="pg-down"), NIGHT).legs
    ((phone, mail),) = (each.told for each in leg.calls)
    assert (phone.at, phone.why) == (NIGHT + timedelta(hours=5, seconds=5), "")
    assert mail.why == ""


def test_what_is_critical_passes_quiet_hours_and_what_is_low_waits_for_its_digest() -> None:
    (leg,) = forecast(POLICY, news(Severity.CRITICAL, "db"), NIGHT).legs
    assert [each.why for each in leg.told] == ["", ""]
    (desk,) = forecast(POLICY, news(Severity.LOW), NIGHT).legs
    assert [(each.at, each.why) for each in desk.told] == [(datetime(2026, 11, 24, 7, tzinfo=UTC), "its digest")]
    assert (desk.group, desk.reminders) == ({}, ())


def test_a_silence_is_told_with_its_reason_unless_it_is_over() -> None:
    silence = Silence("s", NIGHT, NIGHT + timedelta(hours=1), "ann", "known", NIGHT, tags=("db",))
    notice = news(Severity.HIGH, "db")
    found = forecast(POLICY, notice, NIGHT, silent=[silence])
    assert "silenced by ann" in found.silenced
    assert found.silenced_until == silence.until
    assert forecast(POLICY, notice, silence.until, silent=[silence]).silenced == ""


@pytest.mark.parametrize(("named", "routes"), [(("desk",), ["desk"]), (("gone",), ["desk"]), ((), ["oncall"])])
def test_the_rules_own_routes_come_before_the_tree(named: tuple[str, ...], routes: list[str]) -> None:
    found = forecast(POLICY, news(Severity.HIGH, "db"), NIGHT, named=named)
    assert [leg.route.name for leg in found.legs] == routes
    assert found.way.missing == (("gone",) if named == ("gone",) else ())


@given(
    every=st.timedeltas(timedelta(minutes=1), timedelta(hours=30)),
    most=st.timedeltas(timedelta(minutes=1), timedelta(hours=48)),
    own=st.none() | st.floats(60, 90_000),
)
def test_reminders_are_forecast_as_the_chain_gives_them(every: timedelta, most: timedelta, own: float | None) -> None:
    route = Route("r", ("chat",), repeat_every=every, repeat_max=most)
    policy = make.policy(alerts=AlertPlan({"r": route}, "r"))
    notice = replace(news(Severity.HIGH, rule="x"), repeat_s=own, told={"chat": 1})
    (leg,) = forecast(policy, notice, NIGHT).legs
    sent = NIGHT
    for number, after in enumerate(leg.reminders):
        group = AlertGroup("k", "i", "r", "", NIGHT, sent_at=sent, reminders=number)
        at = chain.reminds_at(route, group, [notice])
        assert at is not None
        assert abs(at - (NIGHT + after)) < timedelta(milliseconds=1)
        sent = at
