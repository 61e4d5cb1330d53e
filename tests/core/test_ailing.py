"""What ails the daemon itself is told once, and its end to whoever was told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from builders import Bench, policy
from logmedic.core.ailing import OPENING
from logmedic.model.alert import Alert, AlertPlan, AlertStatus, Delivery, ReceiverPlan, Route
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Ailing, Delivered, Send, Started, Tick

PLAN = AlertPlan(
    {"oncall": Route("oncall", ("chat", "phone"), ("mail",))},
    "oncall",
    receivers={name: ReceiverPlan(name) for name in ("chat", "phone", "mail")},
)
DISARMED = Ailing("fixes", AlertEvent.DISARMED, "bubblewrap is not installed", "Install it.", "apt install bubblewrap")
WELL = Ailing("fixes", AlertEvent.DISARMED)


def bench() -> Bench:
    made = Bench(policy(alerts=PLAN))
    made.give(Started())
    return made


def sent(made: Bench) -> list[Alert]:
    return [each.alert for each in made.intents if isinstance(each, Send)]


def later(made: Bench, seconds: float, every: float = 1) -> list[Alert]:
    """What is sent within that time, looked at `every` so many seconds; it all arrives."""
    before = len(sent(made))
    for _ in range(int(seconds / every)):
        made.give(Tick(), every)
        for alert in sent(made):
            if (known := made.state.alerts.get(alert.id)) is not None and known.status is AlertStatus.SENDING:
                made.give(Delivered(alert.id, Delivery(True)))
    return sent(made)[before:]


def test_it_is_told_to_everybody_of_the_default_route_with_what_to_do() -> None:
    made = bench()
    made.give(DISARMED)
    told = later(made, 20)
    assert {each.receiver for each in told} == {"chat", "phone"}
    assert "fixes cannot run" in told[0].title
    assert "bubblewrap is not installed" in told[0].body
    assert "apt install bubblewrap" in told[0].body
    assert "alert " in told[0].body.splitlines()[-1]


def test_it_is_told_once_and_its_end_to_whoever_was_told() -> None:
    made = bench()
    for _ in range(5):
        made.give(DISARMED, 60)
    assert len(later(made, 200)) == 2
    made.give(WELL, 10)
    over = later(made, 200)
    assert {each.receiver for each in over} == {"chat", "phone"}
    assert {each.event for each in over} == {AlertEvent.RECOVERED}
    made.give(WELL, 10)
    assert later(made, 100) == []


def test_what_is_well_before_anybody_was_told_is_told_to_nobody() -> None:
    made = bench()
    made.give(DISARMED)
    made.give(WELL, 1)
    assert later(made, 120) == []


def test_the_end_of_what_was_told_past_the_store_is_told_to_those_who_heard_of_it_and_to_nobody_else() -> None:
    made = bench()
    made.give(Ailing("store", AlertEvent.STORE, "nothing can be stored: no space", told=("phone",)))
    made.give(Ailing("store", AlertEvent.STORE))
    over = later(made, 60)
    assert [(each.receiver, each.event) for each in over] == [("phone", AlertEvent.RECOVERED)]


def test_its_end_says_how_long_it_lasted_from_when_it_began_and_not_from_when_it_was_told() -> None:
    made = bench()
    began = made.now - timedelta(hours=2)
    made.give(Ailing("store", AlertEvent.STORE, "nothing can be stored: no space", told=("phone",), since=began))
    made.give(Ailing("store", AlertEvent.STORE))
    (over,) = later(made, 60)
    assert "That was so for 2 h" in over.body


def test_a_receiver_that_cannot_be_used_is_passed_over_at_once_and_the_others_hear_of_it() -> None:
    made = bench()
    made.give(Ailing("phone", AlertEvent.RECEIVER_DEAD, "Apprise knows no phone:// receivers", "Correct its URL."))
    assert made.state.receivers["phone"].disabled == "Apprise knows no phone:// receivers"
    assert "receiver:phone" in made.state.notices
    told = later(made, 30)
    assert {each.receiver for each in told} <= {"chat", "mail"}
    assert "chat" in {each.receiver for each in told}


def test_what_was_lost_at_the_opening_is_news_each_time_and_has_no_end() -> None:
    made = bench()
    lost = Ailing(OPENING, AlertEvent.STORE, "the store was damaged; what could be read was kept")
    made.give(lost)
    assert len(later(made, 20)) == 2
    made.give(Ailing(OPENING, AlertEvent.STORE), 10)
    assert later(made, 7 * 3600, every=60) == []
    made.give(lost)
    assert len(later(made, 90)) == 2


@pytest.mark.parametrize("event", [AlertEvent.DISARMED, AlertEvent.STORE, AlertEvent.PART_FAILED])
def test_hostile_text_of_an_error_is_shown_and_obeyed_by_nobody(event: AlertEvent) -> None:
    made = bench()
    made.give(
        Ailing("source \x1b[31mshop", event, "oops \x1b[2J\nBcc: all@example.org\u202e", command="logmedic status")
    )
    (first, _) = later(made, 20)
    assert not any(each in first.title + first.body for each in ("\x1b", "\u202e"))
    assert "\n" not in first.title
