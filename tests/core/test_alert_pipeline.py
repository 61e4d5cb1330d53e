"""From news to messages: grouped, silenced, inhibited, held for a fix, reminded of, acknowledged, ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from shift import Shift

from builders import FIX, RULE, START, match, observed, policy
from logmedic.core import letters
from logmedic.core.alerting import news
from logmedic.model.alert import AlertPlan, Escalation, Inhibition, Route, Selector
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Acknowledge, AddSilence, Changeset, EndSilence, MuteIssue, Quiet, Speaking, Started
from logmedic.model.issue import Incident
from logmedic.model.notice import Notice
from logmedic.model.rule import AlertSpec, Mode, Rule
from logmedic.model.severity import Severity

NO_FIX = replace(RULE, fix=None)
OTHER = replace(NO_FIX, id="db-down", title="the database is down", severity=Severity.HIGH, tags=("db",))
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
ROUTE = Route("oncall", ("chat",), ("mail",))


def plan(**changes: object) -> AlertPlan:
    return replace(AlertPlan({"oncall": ROUTE}, "oncall"), **changes)  # type: ignore[arg-type]


def routed(**changes: object) -> AlertPlan:
    return plan(routes={"oncall": replace(ROUTE, **changes)})  # type: ignore[arg-type]


def shift(*rules: Rule, alerts: AlertPlan | None = None, **changes: object) -> Shift:
    return Shift(policy(*(rules or (NO_FIX,)), alerts=alerts or plan(), **changes), START)


def seen(rule: Rule = NO_FIX, group: str = "", **captures: str):  # type: ignore[no-untyped-def]
    """A match at the time at which it is given."""
    return lambda shift: observed(match(rule, shift.now, group, **captures))


def incident(shift: Shift, rule: Rule = NO_FIX) -> Incident:
    (found,) = (each for each in shift.state.incidents.values() if each.rule_id == rule.id)
    return found


def subject(shift: Shift, rule: Rule = NO_FIX) -> str:
    return f"incident:{incident(shift, rule).id}"


# -- groups ------------------------------------------------------------------------------------------------------------


def test_the_first_news_waits_a_moment_for_others_of_its_group() -> None:
    on_call = shift()
    for n in range(3):
        on_call.at(START + n * SECOND, seen(group=str(n)))
    on_call.run(START + 4 * SECOND)
    assert on_call.sent == []
    on_call.run(START + 10 * SECOND)
    (told,) = on_call.sent
    assert told.at == START + 5 * SECOND
    assert len(told.alert.tells) == 3


def test_what_follows_waits_for_the_interval() -> None:
    on_call = shift()
    on_call.at(START, seen(group="a"))
    for n in range(30):
        on_call.at(START + (10 + n) * SECOND, seen(group=str(n)))
    on_call.run(START + 3 * MINUTE)
    assert [each.at - START for each in on_call.sent] == [5 * SECOND, 65 * SECOND]
    assert [len(each.alert.tells) for each in on_call.sent] == [1, 30]


def test_rules_are_told_apart_unless_the_route_says_otherwise() -> None:
    for group_by, messages in (("rule",), 2), (("host",), 1), (("incident",), 2):
        on_call = shift(NO_FIX, OTHER, alerts=routed(group_by=group_by))
        on_call.at(START, seen())
        on_call.at(START, seen(OTHER))
        on_call.run(START + 10 * SECOND)
        assert len(on_call.sent) == messages, group_by


def test_a_rule_may_group_by_what_it_captures() -> None:
    rule = replace(NO_FIX, alert=AlertSpec(group_by=("upstream",)))
    on_call = shift(rule)
    for n, upstream in enumerate(("10.0.0.1", "10.0.0.2", "10.0.0.1")):
        on_call.at(START, seen(rule, str(n), upstream=upstream))
    on_call.run(START + 10 * SECOND)
    assert sorted(len(each.alert.tells) for each in on_call.sent) == [1, 2]


def test_messages_of_one_group_are_one_thread_with_one_subject() -> None:
    on_call = shift()
    on_call.at(START, seen(group="a"))
    on_call.at(START + 10 * SECOND, seen(group="b"))
    on_call.run(START + HOUR)
    assert len(on_call.sent) >= 3
    assert len({each.alert.group_id for each in on_call.sent}) == 1


def test_what_comes_and_goes_cannot_fill_a_chat() -> None:
    rule = replace(NO_FIX, when=replace(NO_FIX.when, clear=replace(NO_FIX.when.clear, quiet=2 * SECOND)))
    on_call = shift(rule)
    for n in range(60):
        on_call.at(START + 10 * n * SECOND, seen(rule))
    on_call.run(START + 10 * MINUTE)
    assert on_call.tally("incidents_opened") == 60
    assert len(on_call.sent) <= 22


@pytest.mark.slow
def test_ten_thousand_matches_give_one_message_a_group_and_the_counts_add_up() -> None:
    on_call = shift(resolve_after=5 * MINUTE)
    for n in range(10_000):
        on_call.at(START + n * SECOND / 200, seen(group=str(n % 100)))
    on_call.run(START + 20 * MINUTE)
    ends = [letters.unpack(each.alert.content) for each in on_call.arrived if each.alert.event is AlertEvent.RECOVERED]
    assert len(on_call.sent) <= 4
    assert sum(message.matches for message in ends) == 10_000
    assert sum(story.occurrences for message in ends for story in message.stories) <= 10_000


# -- the end -----------------------------------------------------------------------------------------------------------


def test_f75_the_end_is_told_soon_and_to_whoever_was_told() -> None:
    on_call = shift()
    on_call.at(START, seen())
    on_call.run(START + HOUR)
    assert [each.alert.event for each in on_call.sent] == [AlertEvent.OPENED, AlertEvent.RECOVERED]
    assert on_call.sent[-1].at == START + 15 * MINUTE + 5 * SECOND
    assert on_call.state.notices == {}


def test_f75_a_start_tells_of_what_is_open_and_left_no_news_so_that_its_end_is_told() -> None:
    """As of a version that kept none."""
    on_call = shift(resolve_after=2 * HOUR)
    on_call.at(START, seen())
    on_call.run(START + MINUTE)
    on_call.state.notices.clear()
    on_call.state.members.clear()
    on_call.state.groups.clear()
    on_call.sent.clear()
    on_call.at(START + HOUR, Started())
    on_call.run(START + 5 * HOUR)
    assert [each.alert.event for each in on_call.sent] == [AlertEvent.OPENED, AlertEvent.RECOVERED]


def test_whoever_is_there_by_the_next_start_is_told_of_what_is_open() -> None:
    on_call = shift(alerts=AlertPlan(), resolve_after=10 * HOUR)
    on_call.at(START, seen())
    on_call.run(START + MINUTE)
    on_call.policy = replace(on_call.policy, alerts=plan())
    on_call.at(START + HOUR, Started())
    on_call.at(START + 2 * HOUR, Started())
    on_call.run(START + 3 * HOUR)
    assert [each.at for each in on_call.sent] == [START + HOUR + 5 * SECOND], "once"


def test_what_is_over_before_anybody_was_told_is_told_to_nobody() -> None:
    on_call = shift(alerts=routed(group_wait=HOUR))
    on_call.at(START, seen())
    on_call.run(START + 2 * HOUR)
    assert on_call.sent == []
    assert on_call.tally("alerts_spared") == 1
    assert (on_call.state.notices, on_call.state.groups) == ({}, {})


def test_f75_the_end_is_told_although_it_was_silenced_in_between() -> None:
    on_call = shift()
    on_call.at(START, seen())
    on_call.at(START + MINUTE, AddSilence("anna", "known", START + 10 * HOUR, labels={"rule": "web-*"}))
    on_call.run(START + HOUR)
    assert [each.alert.event for each in on_call.sent] == [AlertEvent.OPENED, AlertEvent.RECOVERED]


def test_f75_the_end_is_told_although_its_issue_was_muted_in_between() -> None:
    on_call = shift()
    on_call.at(START, seen())
    on_call.at(START + MINUTE, lambda shift: MuteIssue(incident(shift).issue_id, "anna"))
    on_call.run(START + HOUR)
    assert [each.alert.event for each in on_call.sent] == [AlertEvent.OPENED, AlertEvent.RECOVERED]


def test_a_rule_that_wants_nobody_told_of_the_end_is_heard() -> None:
    rule = replace(NO_FIX, alert=AlertSpec(on=frozenset({AlertEvent.OPENED})))
    on_call = shift(rule)
    on_call.at(START, seen(rule))
    on_call.run(START + HOUR)
    assert [each.alert.event for each in on_call.sent] == [AlertEvent.OPENED]
    assert on_call.state.notices == {}


def test_a_group_and_its_news_leave_the_memory() -> None:
    on_call = shift()
    for n in range(50):
        on_call.at(START + n * SECOND, seen(group=str(n)))
    on_call.run(START + HOUR)
    assert (on_call.state.notices, on_call.state.groups, on_call.state.members) == ({}, {}, {})


# -- silences ----------------------------------------------------------------------------------------------------------

SILENCE = AddSilence("anna", "new disks", START + 10 * MINUTE, labels={"rule": "web-*"})


def test_what_is_silenced_is_told_when_the_silence_ends_and_it_is_still_open() -> None:
    on_call = shift(resolve_after=10 * HOUR)
    on_call.at(START, SILENCE)
    on_call.at(START + SECOND, seen())
    on_call.run(START + HOUR)
    assert [each.at for each in on_call.sent] == [START + 10 * MINUTE]
    (said,) = on_call.events("not_told")
    assert "silenced by anna" in said
    assert "new disks" in said


def test_what_ends_inside_its_silence_is_told_to_nobody() -> None:
    on_call = shift(resolve_after=5 * MINUTE)
    on_call.at(START, SILENCE)
    on_call.at(START + SECOND, seen())
    on_call.run(START + HOUR)
    assert on_call.sent == []


def test_a_silence_can_be_ended_early() -> None:
    on_call = shift(resolve_after=10 * HOUR)
    on_call.at(START, SILENCE)
    on_call.at(START + SECOND, seen())
    on_call.at(START + MINUTE, lambda shift: EndSilence(next(iter(shift.state.silences)), "ben"))
    on_call.run(START + HOUR)
    assert [each.at for each in on_call.sent] == [START + MINUTE]


@pytest.mark.parametrize(
    ("silence", "is_meant"),
    [
        (AddSilence("a", "w", START + HOUR, labels={"rule": "web-*"}), True),
        (AddSilence("a", "w", START + HOUR, labels={"rule": "db-*"}), False),
        (AddSilence("a", "w", START + HOUR, severities=(Severity.MEDIUM,)), True),
        (AddSilence("a", "w", START + HOUR, severities=(Severity.HIGH,)), False),
        (AddSilence("a", "w", START + HOUR, tags=("db",)), False),
        (AddSilence("a", "w", START + HOUR, starts_at=START + MINUTE), False),
    ],
    ids=["its rule", "another rule", "its severity", "another severity", "a tag", "not yet"],
)
def test_a_silence_is_about_what_it_says(silence: AddSilence, is_meant: bool) -> None:
    on_call = shift()
    on_call.at(START, silence)
    on_call.at(START, seen())
    on_call.run(START + 30 * SECOND)
    assert (on_call.sent == []) is is_meant


def test_silences_that_are_over_leave_the_memory() -> None:
    on_call = shift()
    on_call.at(START, SILENCE)
    on_call.at(START + HOUR, seen())
    on_call.run(START + HOUR + MINUTE)
    assert on_call.state.silences == {}
    assert len(on_call.sent) == 1


# -- inhibition --------------------------------------------------------------------------------------------------------


def _inhibited(**changes: object) -> Shift:
    both = Inhibition(Selector(labels={"rule": ("db-*",)}), Selector(labels={"rule": ("web-*",)}), ("host",))
    return shift(NO_FIX, OTHER, alerts=plan(inhibit=(both,)), resolve_after=10 * HOUR, **changes)


def test_an_effect_is_not_told_while_its_cause_is_open() -> None:
    on_call = _inhibited()
    on_call.at(START, seen(OTHER))
    on_call.at(START + SECOND, seen())
    on_call.run(START + HOUR)
    assert [each.alert.event for each in on_call.sent] == [AlertEvent.OPENED]
    assert "the database is down" in on_call.sent[0].alert.title
    assert on_call.events("not_told") == ["opened is not told now: the database is down is open (alerts.inhibit[0])"]


def test_an_effect_that_outlives_its_cause_is_told_then() -> None:
    clear = replace(OTHER.when, clear=replace(OTHER.when.clear, quiet=2 * MINUTE))
    other = replace(OTHER, when=clear)
    on_call = Shift(replace(_inhibited().policy, rules={NO_FIX.id: NO_FIX, other.id: other}), START)
    on_call.at(START, seen(other))
    on_call.at(START + SECOND, seen())
    on_call.run(START + HOUR)
    assert ["database" in title for title in on_call.titles()] == [True, False, True] or [
        "database" in title for title in on_call.titles()
    ] == [True, True, False]


def test_a_rule_may_name_what_it_is_not_told_beside() -> None:
    rule = replace(NO_FIX, alert=AlertSpec(not_while=(OTHER.id,)))
    on_call = shift(rule, OTHER, resolve_after=10 * HOUR)
    on_call.at(START, seen(OTHER))
    on_call.at(START, seen(rule))
    on_call.run(START + HOUR)
    assert len(on_call.sent) == 1


def test_of_two_that_inhibit_each_other_people_hear_of_one() -> None:
    rule = replace(NO_FIX, alert=AlertSpec(not_while=(OTHER.id,)))
    other = replace(OTHER, alert=AlertSpec(not_while=(rule.id,)))
    on_call = shift(rule, other, resolve_after=10 * HOUR)
    on_call.at(START, seen(other))
    on_call.at(START, seen(rule))
    on_call.run(START + HOUR)
    assert len(on_call.sent) == 1


# -- a fix that works --------------------------------------------------------------------------------------------------


def test_nobody_is_called_while_a_fix_works() -> None:
    on_call = shift(RULE)
    on_call.at(START, seen(RULE))
    on_call.run(START + HOUR)
    assert on_call.sent == []
    assert on_call.tally("resolved_fixed") == 1


def test_people_hear_of_a_fix_that_takes_too_long() -> None:
    on_call = shift(RULE)
    on_call.step_takes = 10 * MINUTE
    on_call.at(START, seen(RULE))
    on_call.run(START + HOUR)
    assert [each.alert.event for each in on_call.sent] == [AlertEvent.STILL_OPEN, AlertEvent.RECOVERED]
    assert on_call.sent[0].at == START + 5 * MINUTE + 5 * SECOND


def test_a_rule_may_give_its_fix_more_time() -> None:
    rule = replace(RULE, alert=AlertSpec(page_after=HOUR))
    on_call = shift(rule)
    on_call.step_takes = 10 * MINUTE
    on_call.at(START, seen(rule))
    on_call.run(START + HOUR)
    assert on_call.sent == []


def test_a_fix_that_never_got_its_turn_is_told() -> None:
    """Its breaker, a cooldown, another fix may hold it: such holds alone call nobody."""
    rule = replace(RULE, fix=replace(FIX, after=("db-down",)))
    on_call = shift(rule, OTHER, resolve_after=HOUR)
    on_call.at(START, seen(OTHER))
    on_call.at(START + SECOND, seen(rule))
    on_call.run(START + 10 * MINUTE)
    assert len(on_call.sent) == 1, "its cause is told instead"


def test_a_failed_fix_is_told_at_once() -> None:
    on_call = shift(RULE, mode=Mode.AUTO)
    on_call.mends = lambda rule_id: False
    on_call.at(START, seen(RULE))
    on_call.run(START + 30 * SECOND)
    assert [each.alert.event for each in on_call.sent] == [AlertEvent.FIX_FAILED]


# -- reminders, acknowledgements, the chain ----------------------------------------------------------------------------

CHAIN = (Escalation(15 * MINUTE, ("phone",)), Escalation(HOUR, ("boss",)))


def test_reminders_come_after_4_8_16_and_then_every_24_hours() -> None:
    on_call = shift(resolve_after=timedelta(days=30))
    on_call.at(START, seen())
    on_call.run(START + 80 * HOUR)
    hours = [round((each.at - START) / HOUR) for each in on_call.sent]
    assert hours == [0, 4, 12, 28, 52, 76]


def test_an_acknowledged_incident_is_not_reminded_of_until_it_is_over() -> None:
    on_call = shift(resolve_after=20 * HOUR, alerts=routed(escalate=CHAIN))
    on_call.at(START, seen())
    on_call.at(START + 10 * MINUTE, lambda shift: Acknowledge(subject(shift), "anna"))
    on_call.run(START + 30 * HOUR)
    assert [each.alert.event for each in on_call.sent] == [AlertEvent.OPENED, AlertEvent.RECOVERED]
    assert on_call.events("acknowledged") == ["acknowledged by anna"]


def test_an_acknowledgement_may_be_for_a_while() -> None:
    on_call = shift(resolve_after=20 * HOUR, alerts=routed(escalate=CHAIN))
    on_call.at(START, seen())
    on_call.at(START + MINUTE, lambda shift: Acknowledge(subject(shift), "anna", START + 2 * HOUR))
    on_call.run(START + 2 * HOUR - SECOND)
    assert len(on_call.sent) == 1
    on_call.run(START + 3 * HOUR)
    assert {each.alert.receiver for each in on_call.sent} == {"chat", "phone", "boss"}


def test_when_nobody_acknowledges_the_next_in_the_chain_is_called() -> None:
    on_call = shift(resolve_after=3 * HOUR, alerts=routed(escalate=CHAIN))
    on_call.at(START, seen())
    on_call.run(START + 2 * HOUR)
    wait = 5 * SECOND
    assert [(each.at - START, each.alert.receiver) for each in on_call.sent] == [
        (wait, "chat"),
        (15 * MINUTE + wait, "phone"),
        (HOUR + wait, "boss"),
    ]
    on_call.run(START + 4 * HOUR)
    assert sorted(each.alert.receiver for each in on_call.sent[3:]) == ["boss", "chat", "phone"]


def test_new_news_of_an_acknowledged_incident_is_told_all_the_same() -> None:
    on_call = shift(RULE, mode=Mode.AUTO, alerts=plan(page_after=SECOND))
    on_call.mends = lambda rule_id: False
    on_call.step_takes = 2 * MINUTE
    on_call.at(START, seen(RULE))
    on_call.at(START + MINUTE, lambda shift: Acknowledge(subject(shift, RULE), "anna"))
    on_call.run(START + 3 * MINUTE)
    assert [each.alert.event for each in on_call.sent] == [AlertEvent.STILL_OPEN, AlertEvent.FIX_FAILED]


def test_what_is_over_cannot_be_acknowledged() -> None:
    on_call = shift()
    on_call.at(START, Acknowledge("incident:gone", "anna"))
    on_call.run(START + SECOND)
    assert on_call.tally("acks_ignored") == 1


# -- routes ------------------------------------------------------------------------------------------------------------


def test_a_route_that_does_not_exist_sends_to_the_default_one() -> None:
    rule = replace(NO_FIX, alert=AlertSpec(routes=("oncal",)))
    on_call = shift(rule)
    on_call.at(START, seen(rule))
    on_call.run(START + MINUTE)
    assert len(on_call.sent) == 1
    assert on_call.tally("alerts_route_missing") == 1
    assert on_call.events("not_told") == ["there is no route oncal: check alerts.routes"]


def test_two_routes_to_one_receiver_tell_it_once() -> None:
    rule = replace(NO_FIX, alert=AlertSpec(routes=("oncall", "team")))
    routes = {"oncall": ROUTE, "team": Route("team", ("chat", "board"))}
    on_call = shift(rule, alerts=plan(routes=routes))
    on_call.at(START, seen(rule))
    on_call.run(START + HOUR)
    assert sorted(each.alert.receiver for each in on_call.sent) == ["board", "board", "chat", "chat"]


def test_news_whose_route_is_gone_after_a_restart_goes_where_it_would_go_now() -> None:
    on_call = shift(resolve_after=10 * HOUR, alerts=routed(group_wait=MINUTE))
    on_call.at(START, seen())
    on_call.run(START + SECOND)
    on_call.policy = replace(on_call.policy, alerts=AlertPlan({"team": Route("team", ("board",))}, "team"))
    on_call.run(START + HOUR)
    assert [each.alert.receiver for each in on_call.sent] == ["board"]


def test_nobody_to_tell_is_counted() -> None:
    on_call = shift(alerts=AlertPlan())
    on_call.at(START, seen())
    on_call.run(START + HOUR)
    assert on_call.tally("alerts_without_receiver") >= 1
    assert on_call.state.notices == {}


def test_a_source_that_speaks_again_is_told_to_whoever_heard_that_it_was_silent() -> None:
    on_call = shift()
    on_call.at(START, Quiet("nginx", START - HOUR))
    on_call.at(START + 10 * MINUTE, Speaking("nginx"))
    on_call.run(START + HOUR)
    assert [each.alert.event for each in on_call.sent] == [AlertEvent.QUIET, AlertEvent.RECOVERED]


# -- everything that has to hold --------------------------------------------------------------------------------------


def test_the_memory_of_news_is_bounded_and_what_is_dropped_is_counted() -> None:
    on_call = shift()
    known = Notice("incident:0", AlertEvent.OPENED, Severity.LOW, "full", START, START)
    on_call.state.apply(Changeset(notices=tuple(replace(known, subject=f"x:{n}") for n in range(news.MAX_NOTICES))))
    on_call.at(START, seen())
    on_call.run(START + MINUTE)
    assert on_call.tally("alerts_dropped") == 1
    assert on_call.sent == []
