"""What rules would have done to the lines of the past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from builders import FIX, RULE, START, match, record, threshold
from logmedic.core.backtest import (
    NOBODY,
    Log,
    Replay,
    Story,
    days_of,
    in_time,
    kept,
    replay,
    replayed,
    span_of,
    with_causes,
)
from logmedic.core.sparkline import columns, sparkline
from logmedic.model.alert import AlertPlan, Route
from logmedic.model.circuit import BreakerSpec
from logmedic.model.issue import HoldReason, Resolution
from logmedic.model.match import MatchSpec
from logmedic.model.policy import Policy
from logmedic.model.record import Match
from logmedic.model.rule import AlertSpec, Limits, Mode, Rule, Verify
from logmedic.model.when import Absence, Clear, Stage, When
from logmedic.model.when import Sequence as Steps

PLAIN = Policy()
LOGS = [Log("a.log", "web"), Log("a.log.1", "web")]
QUIET = Verify(quiet=timedelta(seconds=60))
WATCHED = replace(RULE, fix=None)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def told(
    rule: Rule, times: Sequence[float], *, mode: Mode = Mode.AUTO, until: float | None = None, policy: Policy = PLAIN
) -> Story:
    return told_of([rule], [(rule, each) for each in times], mode=mode, until=until, policy=policy)[rule.id]


def told_of(
    rules: list[Rule],
    given: Sequence[tuple[Rule, float] | tuple[Rule, float, str]],
    *,
    mode: Mode = Mode.AUTO,
    until: float | None = None,
    policy: Policy = PLAIN,
) -> dict[str, Story]:
    """Matches of the first log, in any order; the third of each is the part of the rule."""
    found = []
    for number, (rule, when, *part) in enumerate(given):
        one = Match(rule.id, record(at=at(when), offset=100 * number), part="".join(part))
        found.append(kept(one, 0, rules.index(rule)))
    seen = Replay(rules)
    end = at(until) if until is not None else None
    replay(sorted(found, key=in_time), LOGS, replayed(policy, rules, mode), seen, end)
    return seen.stories


def test_a_threshold_is_reached_by_matches_of_several_files_that_lie_close_together() -> None:
    rule = replace(WATCHED, when=threshold(3))
    found = [kept(match(rule, at(n)), log, 0) for n, log in ((0, 1), (30, 0), (20, 1), (300, 0))]
    seen = Replay([rule])
    replay(sorted(found, key=in_time), LOGS, replayed(Policy(), [rule], Mode.OBSERVE), seen, None)
    story = seen.stories[rule.id]
    assert (story.matches, story.fires, story.first) == (4, 1, at(30))


def test_matches_of_one_record_stay_in_the_order_in_which_they_were_found() -> None:
    parts = [kept(replace(match(), part=part), 0, 0) for part in ("then1", "", "clear")]
    later = kept(match(at=at(1)), 0, 0)
    assert sorted([later, *parts], key=in_time) == [*parts, later]


def test_of_two_records_of_one_time_the_older_file_comes_first() -> None:
    young, old = kept(match(), 1, 0), kept(match(), 0, 0)
    assert sorted([young, old], key=in_time) == [old, young]


def test_a_match_comes_back_as_it_was_to_the_microsecond() -> None:
    when = datetime(2026, 10, 25, 1, 30, 0, 123457, tzinfo=UTC)
    story = told(WATCHED, [(when - START).total_seconds()])
    assert story.first == when


@pytest.mark.parametrize(
    ("mode", "fixes", "held"),
    [
        (Mode.AUTO, 1, {}),
        (Mode.APPROVE, 0, {HoldReason.AWAITING_APPROVAL: 1}),
        (Mode.OBSERVE, 0, {HoldReason.OBSERVE: 1}),
    ],
)
def test_the_mode_is_the_ceiling_that_there_would_have_been(
    mode: Mode, fixes: int, held: dict[HoldReason, int]
) -> None:
    story = told(RULE, [0], mode=mode, until=1)
    assert (story.fixes, dict(story.held)) == (fixes, held)


def test_a_rule_goes_no_further_than_it_says_itself() -> None:
    rule = replace(RULE, fix=replace(FIX, mode=Mode.OBSERVE))
    assert told(rule, [0], mode=Mode.AUTO).held == {HoldReason.OBSERVE: 1}


def test_a_fix_that_the_lines_go_on_after_did_not_hold() -> None:
    rule = replace(RULE, fix=replace(FIX, verify=QUIET, limits=Limits(cooldown=timedelta(seconds=75))))
    story = told(rule, [0, 30], until=40)
    assert (story.fixes, story.steps, story.failed) == (1, {"restart it": 1}, 1)
    assert told(rule, [0, 90], until=200).ended == {Resolution.FIXED: 2}


def test_the_cooldown_holds_a_fix_back() -> None:
    rule = replace(RULE, fix=replace(FIX, verify=QUIET, limits=Limits(cooldown=timedelta(minutes=5))))
    story = told(rule, [0, 120], until=130)
    assert (story.fires, story.fixes, story.held) == (2, 1, {HoldReason.COOLDOWN: 1})


def test_the_hourly_budget_holds_a_fix_back() -> None:
    limits = Limits(cooldown=timedelta(seconds=1), max_per_hour=2)
    story = told(replace(RULE, fix=replace(FIX, verify=QUIET, limits=limits)), [0, 600, 1200], until=1300)
    assert (story.fixes, story.held) == (2, {HoldReason.BUDGET: 1})


def test_the_breaker_opens_after_fixes_that_did_not_hold() -> None:
    fix = replace(FIX, verify=QUIET, limits=Limits(cooldown=timedelta(seconds=1)), breaker=BreakerSpec(failures=2))
    story = told(replace(RULE, fix=fix), [0, 10, 20, 30, 40], until=50)
    assert (story.breaker_opens, story.failed) == (1, 1)
    assert HoldReason.BREAKER_OPEN in story.held


def test_an_incident_ends_by_itself_when_the_log_is_silent_for_so_long() -> None:
    rule = replace(WATCHED, when=When(clear=Clear(quiet=timedelta(minutes=10))))
    story = told(rule, [0, 60, 3600], until=3660)
    assert (story.fires, story.ended, story.still_open) == (2, {Resolution.QUIET: 1}, 1)
    assert story.incidents[0].ended_at == at(660)


def test_a_line_that_says_so_ends_it() -> None:
    rule = replace(WATCHED, when=When(clear=Clear(match=MatchSpec(("up again",)))))
    story = told_of([rule], [(rule, 0), (rule, 5, "clear")])[rule.id]
    assert (story.matches, story.ended) == (1, {Resolution.CLEARED: 1})


def test_a_sequence_over_files_is_seen() -> None:
    rule = replace(WATCHED, when=When(Steps((Stage(MatchSpec(("panic",))),))))
    stories = told_of([rule], [(rule, 30, "then1"), (rule, 0)])
    assert stories[rule.id].fires == 1


@pytest.mark.parametrize(("until", "fires"), [(30, 0), (3600, 1)], ids=["the log ends before", "it goes on"])
def test_what_does_not_come_is_missed_when_the_logs_go_on_for_so_long(until: float, fires: int) -> None:
    rule = replace(WATCHED, when=When(Absence(timedelta(minutes=1), MatchSpec(("done",)))))
    assert told(rule, [0], until=until).fires == fires


def test_messages_are_counted_by_what_they_tell_and_a_reminder_is_one_more() -> None:
    rule = replace(WATCHED, alert=AlertSpec(repeat_every=timedelta(minutes=5)))
    story = told(rule, [0], until=660)
    assert story.alerts == {"opened": 2}


def test_what_waits_for_others_of_its_group_when_the_logs_end_is_counted() -> None:
    assert told(WATCHED, [0], until=1).alerts == {"opened": 1}
    others = [replace(WATCHED, id=f"other-{n}") for n in range(9)]
    stories = told_of(others, [(each, 0) for each in others], until=1)
    assert {each.alerts["opened"] for each in stories.values()} == {1}, "although no chat takes nine in a second"


def test_messages_count_by_receiver_and_unknown_routes_lead_to_nobody() -> None:
    rule = replace(WATCHED, alert=AlertSpec(routes=("oncall", "elsewhere")))
    policy = Policy(alerts=AlertPlan({"oncall": Route("oncall", ("chat", "mail"))}, "oncall"))
    made = replayed(policy, [rule], Mode.OBSERVE)
    assert made.alerts.routes["elsewhere"].to == (NOBODY,)
    assert told(rule, [0], policy=policy).alerts == {"opened": 3}


def test_an_open_incident_keeps_another_rule_back_although_only_that_one_was_asked_for() -> None:
    cause = replace(WATCHED, id="cause")
    effect = replace(WATCHED, id="effect", when=When(unless_incident=("cause",)))
    rules = with_causes([effect], {"cause": cause, "effect": effect, "other": WATCHED})
    assert [rule.id for rule in rules] == ["effect", "cause"]
    assert told_of(rules, [(cause, 0), (effect, 1)])["effect"].fires == 0


def test_a_rule_about_incidents_fires_with_them() -> None:
    cause = replace(WATCHED, id="cause")
    listener = replace(WATCHED, id="listener", match=MatchSpec((), incidents=("cause",)))
    rules = with_causes([listener], {"cause": cause})
    assert told_of(rules, [(cause, 0)])["listener"].fires == 1


def test_noise_is_counted_by_the_days_of_the_zone() -> None:
    rule = replace(WATCHED, when=When(clear=Clear(after=timedelta(0))))
    midnight = (datetime(2026, 11, 24, 23, 30, tzinfo=UTC) - START).total_seconds()
    seen = Replay([rule], ZoneInfo("Europe/Vienna"))
    found = [kept(match(rule, at(midnight + n)), 0, 0) for n in range(3)]
    replay(found, LOGS, replayed(Policy(), [rule], Mode.OBSERVE), seen, None)
    assert seen.stories[rule.id].worst == (date(2026, 11, 25), 3)


@pytest.mark.slow
def test_a_thousand_groups_open_at_once_end_each_at_its_time() -> None:
    rule = replace(WATCHED, when=When(clear=Clear(quiet=timedelta(minutes=1))))
    found = [kept(match(rule, at(n / 100), f"g{n}"), 0, 0) for n in range(1000)]
    seen = Replay([rule])
    replay(found, LOGS, replayed(Policy(), [rule], Mode.OBSERVE), seen, at(3600))
    story = seen.stories[rule.id]
    assert story.ended == {Resolution.QUIET: 1000}
    assert {each.ended_at - each.opened_at for each in story.incidents if each.ended_at} == {timedelta(minutes=1)}


def test_the_span_is_that_of_the_lines_cut_to_what_was_asked_for() -> None:
    logs = [Log("a", "", first=at(100), last=at(200)), Log("b", "", first=at(0), last=at(50)), Log("c", "")]
    assert span_of(logs, None, None) == (at(0), at(200))
    assert span_of(logs, at(10), at(20)) == (at(10), at(20))
    assert span_of([Log("c", "")], None, None) is None


def test_days_without_anything_count_as_days() -> None:
    assert len(days_of((START, START + timedelta(days=29)), UTC)) == 30
    assert days_of(None, UTC) == []


@pytest.mark.parametrize(
    ("counts", "drawn"),
    [([0, 1, 8], "·▁█"), ([3], "█"), ([0, 0], "··"), ([], "")],
    ids=["range", "one", "none", "empty"],
)
def test_a_picture_has_a_bar_for_each_and_a_dot_for_none(counts: list[int], drawn: str) -> None:
    assert sparkline(counts) == drawn


def test_many_days_share_columns() -> None:
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(100)]
    counts, each = columns(days, {days[0]: 1, days[1]: 2, days[99]: 4}, 50)
    assert (each, len(counts), counts[0], counts[-1]) == (2, 50, 3, 4)
