"""What precursors, mutes and diagnoses make of the messages about an issue."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from builders import RULE, START, Bench, learning, observed, policy, unknown
from logmedic.model.alert import Alert
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Diagnose, Diagnosed, MuteIssue, PrecursorsFound, Tick
from logmedic.model.diagnosis import Diagnosis
from logmedic.model.issue import IssueStatus
from logmedic.model.precursor import Precursor

NO_FIX = replace(RULE, fix=None)


def bench_of_two(**changes: object) -> tuple[Bench, str, str]:
    """A rule's issue and a learned one, both over for an hour, and the former known to come before the latter."""
    bench = Bench(policy(NO_FIX, learning=learning(**changes)))
    bench.matched(rule=NO_FIX)
    bench.give(observed(*(unknown(bench.now) for _ in range(3))))
    rule, learned = (bench.state.issues[each].id for each in ("rule:web-down", "learned:" + "f" * 16))
    minutes = timedelta(minutes=1)
    found = Precursor(
        before=rule,
        after=learned,
        support=9,
        before_count=11,
        after_count=10,
        preceded=9,
        confidence=9 / 11,
        recall=0.9,
        lift=15.0,
        p_value=1e-9,
        within=20 * minutes,
        lag_median=4 * minutes,
        lag_p90=9 * minutes,
        last_at=START,
        confirmed=True,
    )
    bench.give(PrecursorsFound((found,)), after=3600)
    return bench, rule, learned


def alerts(bench: Bench) -> list[Alert]:
    return list(bench.messages)


def test_the_likely_cause_of_a_learned_issue_is_told() -> None:
    bench, _, _ = bench_of_two()
    bench.matched(rule=NO_FIX)
    bench.give(observed(*(unknown(bench.now + timedelta(minutes=3)) for _ in range(20))), after=200)
    said = alerts(bench)[-1].body
    assert "Likely cause: web is down began 3 min before and usually comes first: 9 of 10 times within 20 min" in said


def test_what_may_have_caused_an_incident_and_that_it_came_back_stand_in_its_story() -> None:
    bench, rule, learned = bench_of_two()
    (found,) = bench.state.precursors
    bench.give(PrecursorsFound((replace(found, before=learned, after=rule),)))
    bench.give(Tick())
    bench.give(observed(unknown(bench.now)))
    changeset = bench.matched(60, rule=NO_FIX)
    told = [each.text for each in changeset.events if each.kind == "history"]
    assert told[0].startswith("History: it came back 1 min after it was resolved (silent for 15 min)")
    assert told[1].startswith("Likely cause: shop: ERROR boom <n> began 60 s before and usually comes first")


def test_what_began_long_before_is_no_cause() -> None:
    bench, _, _ = bench_of_two()
    bench.give(observed(*(unknown(bench.now) for _ in range(20))))
    assert "Likely cause" not in alerts(bench)[-1].body


def test_who_wants_to_be_warned_is_told_of_what_may_follow_once_an_episode() -> None:
    bench, _, _ = bench_of_two(warn_route="oncall")
    bench.matched(rule=NO_FIX)
    bench.matched(1, rule=NO_FIX)
    warned = [each for each in alerts(bench) if each.event is AlertEvent.FOREWARNED]
    assert len(warned) == 1
    assert "shop: ERROR boom <n> may follow within 14 min" in warned[0].body


def test_nobody_is_warned_without_a_route_of_a_mute_or_of_what_began_long_ago() -> None:
    without, _, _ = bench_of_two()
    without.matched(rule=NO_FIX)
    late, _, _ = bench_of_two(warn_route="oncall")
    late.give(observed(unknown(late.now)), after=7200)
    muted, rule, _ = bench_of_two(warn_route="oncall")
    muted.give(MuteIssue(rule, "eva"))
    muted.matched(rule=NO_FIX)
    for bench in (without, late, muted):
        assert not [each for each in alerts(bench) if each.event is AlertEvent.FOREWARNED]


def test_a_muted_rule_tells_nobody_and_its_incidents_go_on() -> None:
    bench = Bench(policy(NO_FIX))
    bench.matched(rule=NO_FIX)
    told = len(alerts(bench))
    bench.give(MuteIssue(bench.state.issues["rule:web-down"].id, "eva"))
    bench.matched(1, rule=NO_FIX, group="other")
    assert (len(alerts(bench)), bench.tally("incidents_opened"), bench.tally("alerts_muted")) == (told, 2, 1)


def test_a_model_is_asked_once_about_a_new_issue_and_its_suggestion_is_told_as_one() -> None:
    bench = Bench(policy(NO_FIX, learning=learning(diagnose=True)))
    bench.give(observed(*(unknown(bench.now) for _ in range(3))))
    bench.give(observed(unknown(bench.now)))
    (asked,) = [each.question for each in bench.intents if isinstance(each, Diagnose)]
    assert (asked.component, asked.template, asked.samples) == ("shop", "ERROR boom <n>", ("ERROR boom 1",))
    bench.give(Diagnosed(Diagnosis(asked.issue_id, True, "m", bench.now, likely_cause="a full disk"), dropped=2))
    bench.give(observed(*(unknown(bench.now) for _ in range(20))))
    assert "Suggestion by a model (not verified): a full disk" in alerts(bench)[-1].body
    assert bench.tally("diagnoses_dropped") == 2


def test_no_model_is_asked_where_nobody_wants_that() -> None:
    bench = Bench(policy(NO_FIX))
    bench.give(observed(*(unknown(bench.now) for _ in range(30))))
    assert not [each for each in bench.intents if isinstance(each, Diagnose)]
    assert next(iter(bench.state.issues.values())).status is IssueStatus.NEW
