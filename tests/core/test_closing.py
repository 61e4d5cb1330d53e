"""The end of a run that reads what there is and stops: nothing that waits only for more to come is left untold."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from builders import RULE, START, Bench, policy
from logmedic.core.alerting.closing import SOON, is_telling
from logmedic.model.alert import AlertPlan, AlertStatus, Delivery, Route
from logmedic.model.changeset import AddSilence, Delivered, TellNow, Tick

NO_FIX = replace(RULE, fix=None)
HOUR = timedelta(hours=1)
WAITING = AlertPlan({"oncall": Route("oncall", ("chat",), ("mail",), group_wait=HOUR, group_interval=HOUR)}, "oncall")
DOWN = Delivery(False, "connection refused")


def bench() -> Bench:
    return Bench(policy(NO_FIX, alerts=WAITING, resolve_after=10 * HOUR))


def telling(bench: Bench) -> bool:
    return is_telling(bench.state, bench.now)


def answered(bench: Bench, delivery: Delivery) -> None:
    (sending,) = (each for each in bench.state.alerts.values() if each.status is AlertStatus.SENDING)
    bench.give(Delivered(sending.id, delivery))


def test_what_waits_for_others_of_its_group_is_told_now() -> None:
    once = bench()
    once.matched(rule=NO_FIX, group="a")
    once.matched(rule=NO_FIX, group="b")
    assert once.messages == []
    once.give(TellNow())
    assert [len(each.tells) for each in once.new] == [2]


def test_news_that_waits_for_the_interval_of_its_group_is_told_now() -> None:
    once = bench()
    once.matched(rule=NO_FIX, group="a")
    once.give(TellNow())
    once.deliver()
    once.matched(2, rule=NO_FIX, group="b")
    assert once.new == []
    once.give(TellNow())
    assert [len(each.tells) for each in once.new] == [1]


def test_nobody_is_reminded_early_and_what_is_silenced_stays_so() -> None:
    once = bench()
    once.matched(rule=NO_FIX)
    once.give(TellNow())
    once.deliver()
    once.give(AddSilence("ann", "new disks", START + HOUR, labels={"rule": "web-*"}))
    once.matched(2, rule=NO_FIX, group="b")
    once.give(TellNow())
    assert len(once.messages) == 1


def test_it_is_telling_until_the_last_message_arrived() -> None:
    once = bench()
    assert not telling(once)
    once.matched(rule=NO_FIX)
    assert not telling(once), "it waits for others"
    once.give(TellNow())
    assert telling(once)
    once.deliver()
    assert not telling(once)


def test_what_failed_once_is_waited_for_and_what_failed_twice_went_to_somebody_else() -> None:
    once = bench()
    once.matched(rule=NO_FIX)
    once.give(TellNow())
    answered(once, DOWN)
    assert telling(once)
    once.give(Tick(), after=SOON.total_seconds())
    answered(once, DOWN)
    assert [each.receiver for each in once.new] == ["mail"]
    answered(once, Delivery(True))
    assert not telling(once)
    assert [each.status for each in once.state.alerts.values()] == [AlertStatus.PENDING], "for the next run"


def test_a_receiver_that_asks_for_a_long_pause_is_not_waited_for() -> None:
    once = bench()
    once.matched(rule=NO_FIX)
    once.give(TellNow())
    answered(once, Delivery(False, "429", retry_after_s=600))
    assert [each.receiver for each in once.new] == ["mail"]
    answered(once, Delivery(True))
    assert not telling(once)
