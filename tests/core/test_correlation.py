"""Triggers, ends and rules about rules, as decisions: late lines, backlogs, restarts and reloads among them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from builders import RULE, START, Bench, observed, policy
from logmedic.core.decide import due
from logmedic.core.endings import FORGOTTEN_AFTER
from logmedic.core.kept import MAX_GROUPS
from logmedic.core.synthetic import MAX_CARRIED
from logmedic.core.waits import SETTLED_AFTER
from logmedic.model.changeset import Approve, Quarantined, StepFinished, Tick
from logmedic.model.fix import FixResult
from logmedic.model.issue import Incident, IncidentStatus, Resolution
from logmedic.model.match import Capture, CaptureType, IncidentStage, MatchSpec
from logmedic.model.record import EVERY_GROUP, Match, Record
from logmedic.model.rule import Rule, Verify
from logmedic.model.state import EngineState
from logmedic.model.when import (
    CLEAR,
    MATCH,
    OF,
    Absence,
    Clear,
    Distinct,
    Rate,
    Sequence,
    Stage,
    Threshold,
    When,
    stage_name,
)

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
B = MatchSpec(("b",))
JOB = {"job": Capture(CaptureType.WORD)}
PLAIN = Rule("web-down", "{job} is down", MatchSpec(("down",), captures=JOB), when=When(Threshold(by=("job",))))


def rule(trigger: object = None, **changes: object) -> Rule:
    when = When(trigger or Threshold(by=("job",)), **changes)  # type: ignore[arg-type]
    return replace(PLAIN, when=when)


def line(at: datetime, job: str = "a", part: str = MATCH, of: Rule = PLAIN) -> Match:
    place = int((at - START).total_seconds() * 1000) + 10**9
    record = Record("web", "a.log", f"{job} {part or 'down'}", place, place + 4, at)
    return Match(of.id, record, {"job": job} if job != EVERY_GROUP else {}, job, part)


def read(bench: Bench, *matches: Match) -> None:
    for each in matches:
        bench.now = max(bench.now, each.record.at)
        bench.give(observed(each))


def pass_time(bench: Bench, until: datetime) -> None:
    """Ticks when they are due."""
    while (at := due(bench.state, bench.policy)) is not None and at <= until:
        bench.now = max(bench.now, at)
        if bench.give(Tick()).empty:
            break
    bench.now = until


def opened(bench: Bench) -> list[Incident]:
    found = {each.id: each for changeset in bench.all for each in changeset.incidents}
    return list(found.values())


ABSENT = rule(Absence(10 * MINUTE, of=B, by=("job",)))


def test_what_does_not_come_in_time_is_an_incident_with_the_words_of_what_waited() -> None:
    bench = Bench(policy(ABSENT))
    read(bench, line(START))
    pass_time(bench, START + 9 * MINUTE)
    assert opened(bench) == []
    pass_time(bench, START + 11 * MINUTE)
    (incident,) = opened(bench)
    assert (incident.title, incident.evidence, incident.captures) == ("a is down", "a down", {"job": "a"})


def test_what_comes_too_late_ends_the_incident_and_says_so() -> None:
    bench = Bench(policy(ABSENT))
    read(bench, line(START))
    pass_time(bench, START + 11 * MINUTE)
    read(bench, line(START + 12 * MINUTE, part=OF))
    (incident,) = opened(bench)
    assert incident.resolution is Resolution.CLEARED
    assert incident.resolution_notes.startswith("it came")


def test_the_wait_of_one_group_is_not_ended_by_the_answer_of_another() -> None:
    bench = Bench(policy(ABSENT))
    read(bench, line(START, "a"), line(START, "b"), line(START + MINUTE, "b", OF))
    pass_time(bench, START + HOUR / 4)
    assert [each.group_key for each in opened(bench)] == ["a"]


def test_an_answer_that_names_no_group_ends_every_wait() -> None:
    bench = Bench(policy(ABSENT))
    read(bench, line(START, "a"), line(START, "b"), line(START + MINUTE, EVERY_GROUP, OF))
    pass_time(bench, START + HOUR)
    assert opened(bench) == []


def test_i1_a_wait_outlives_a_restart_and_gives_the_backlog_its_time() -> None:
    before = Bench(policy(ABSENT))
    read(before, line(START))
    state = EngineState()
    for changeset in before.all:
        state.apply(changeset)
    began = START + HOUR
    bench = Bench(policy(ABSENT, started_at=began))
    bench.state, bench.now = state, began
    bench.give(Tick())
    assert opened(bench) == []
    read(bench, line(START + MINUTE, part=OF))
    pass_time(bench, began + HOUR)
    assert opened(bench) == []


def test_a_wait_that_nothing_answers_after_a_restart_is_an_incident_a_minute_later() -> None:
    bench = Bench(policy(ABSENT))
    read(bench, line(START))
    began = START + HOUR
    bench.policy = policy(ABSENT, started_at=began)
    pass_time(bench, began + SETTLED_AFTER)
    assert len(opened(bench)) == 1


def test_f34_a_window_outlives_a_reload_and_one_of_another_trigger_begins_anew() -> None:
    three = rule(Threshold(3, MINUTE, by=("job",)))
    bench = Bench(policy(three))
    read(bench, line(START), line(START))
    bench.policy = policy(replace(three, title="reworded {job}"))
    read(bench, line(START))
    assert len(opened(bench)) == 1
    read(bench, *(line(START + DAY, "b") for _ in range(2)))
    bench.policy = policy(rule(Rate(3, 5, by=("job",))))
    read(bench, line(START + DAY, "b"))
    assert len(opened(bench)) == 1


def test_f34_the_waits_of_a_rule_that_is_gone_are_over() -> None:
    bench = Bench(policy(ABSENT))
    read(bench, line(START))
    bench.policy = policy(replace(RULE, id="other"))
    pass_time(bench, START + DAY)
    assert (opened(bench), bench.state.windows, bench.state.waits) == ([], {}, set())


CLEARED = rule(clear=Clear(B))


def test_a_line_that_tells_that_it_is_over_ends_the_incident_of_its_group() -> None:
    bench = Bench(policy(CLEARED))
    read(bench, line(START, "a"), line(START, "b"), line(START + MINUTE, "a", CLEAR))
    a, b = opened(bench)
    assert (a.resolution, b.status) == (Resolution.CLEARED, IncidentStatus.OPEN)
    read(bench, line(START + MINUTE, EVERY_GROUP, CLEAR))
    assert opened(bench)[1].resolution is Resolution.CLEARED


@pytest.mark.parametrize(
    ("at", "over"), [(-1, False), (0, True), (1, True)], ids=["older", "of the same second", "newer"]
)
def test_a_late_line_ends_nothing_that_began_after_it(at: int, over: bool) -> None:
    bench = Bench(policy(CLEARED))
    read(bench, line(START), line(START + timedelta(seconds=at), part=CLEAR))
    assert (opened(bench)[0].status is IncidentStatus.RESOLVED) is over


def test_a_late_line_does_not_open_again_what_was_over_when_it_was_written() -> None:
    bench = Bench(policy(CLEARED))
    read(bench, line(START), line(START + MINUTE, part=CLEAR), line(START + MINUTE / 2))
    assert [each.status for each in opened(bench)] == [IncidentStatus.RESOLVED]
    read(bench, line(START + 2 * MINUTE))
    assert len(opened(bench)) == 2


def test_what_was_counted_before_the_end_counts_no_more() -> None:
    bench = Bench(policy(rule(Threshold(3, HOUR, by=("job",)), clear=Clear(B))))
    read(bench, line(START), line(START), line(START + MINUTE, part=CLEAR), line(START + 2 * MINUTE))
    assert opened(bench) == []


def test_a_fix_under_way_is_still_verified_when_a_line_tells_that_it_is_over() -> None:
    bench = Bench(policy(replace(CLEARED, fix=RULE.fix)))
    read(bench, line(START), line(START + MINUTE, part=CLEAR))
    assert bench.incident().status is IncidentStatus.FIXING
    assert "cleared" in [event.kind for changeset in bench.all for event in changeset.events]


def test_a_rule_may_say_how_long_its_silence_is() -> None:
    bench = Bench(policy(rule(clear=Clear(quiet=HOUR))))
    read(bench, line(START), line(START + HOUR / 2))
    pass_time(bench, START + HOUR)
    assert bench.incident().status is IncidentStatus.OPEN
    pass_time(bench, START + 2 * HOUR)
    assert bench.incident().resolution is Resolution.QUIET


def test_a_backlog_has_the_same_incidents_as_its_lines_had_when_they_were_new() -> None:
    bench = Bench(policy(rule(clear=Clear(quiet=HOUR))))
    bench.now = START + DAY
    for hours in (0, 0.5, 3, 3.5, 9):
        bench.give(observed(line(START + hours * HOUR)))
    assert [each.occurrences for each in opened(bench)] == [2, 2, 1]


def test_an_incident_may_be_given_only_so_long() -> None:
    bench = Bench(policy(rule(clear=Clear(after=MINUTE))))
    read(bench, line(START), line(START + MINUTE / 2))
    pass_time(bench, START + MINUTE)
    read(bench, line(START + 2 * MINUTE))
    first, second = opened(bench)
    assert (first.resolution, first.occurrences) == (Resolution.EXPIRED, 2)
    assert second.status is IncidentStatus.OPEN


def test_while_its_cause_is_open_a_rule_opens_nothing_and_that_is_counted() -> None:
    cause = replace(PLAIN, id="db-down")
    bench = Bench(policy(rule(unless_incident=("db-down",)), cause))
    read(bench, line(START, of=cause), line(START))
    assert [each.rule_id for each in opened(bench)] == ["db-down"]
    assert bench.tally("suppressed") == 1
    pass_time(bench, START + HOUR)
    read(bench, line(START + HOUR))
    assert [each.rule_id for each in opened(bench)] == ["db-down", "web-down"]


def on(told: str, stage: IncidentStage = IncidentStage.OPENED, **changes: object) -> Rule:
    about = MatchSpec((), captures=JOB, incidents=(told,), on=stage)
    made = replace(PLAIN, id=f"on-{told}", match=about, when=When(Threshold(by=("job",))))
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_rule_can_build_on_what_others_found() -> None:
    many = on("web-down", when=When(Distinct("job", 2, HOUR)), title="several are down")
    bench = Bench(policy(PLAIN, many))
    read(bench, line(START, "a"), line(START, "a"), line(START, "b"))
    assert [each.title for each in opened(bench)] == ["a is down", "b is down", "several are down"]


def test_rules_about_rules_reach_through_several_of_them_in_one_decision() -> None:
    second = on("web-down")
    third = on(second.id)
    bench = Bench(policy(PLAIN, second, third))
    read(bench, line(START))
    assert [each.rule_id for each in opened(bench)] == ["web-down", "on-web-down", "on-on-web-down"]


def test_a_rule_can_end_with_the_end_of_another_incident() -> None:
    after = on("web-down", IncidentStage.RESOLVED)
    ended = replace(CLEARED, id="site-down", when=When(Threshold(by=("job",)), Clear(after.match)))
    bench = Bench(policy(CLEARED, ended))
    read(bench, line(START, of=ended), line(START), line(START + MINUTE, part=CLEAR))
    assert {each.rule_id: each.resolution for each in opened(bench)} == {
        "site-down": Resolution.CLEARED,
        "web-down": Resolution.CLEARED,
    }


def test_a_rule_can_be_about_a_fix_that_did_not_hold() -> None:
    failing = replace(PLAIN, fix=RULE.fix)
    bench = Bench(policy(failing, on("web-down", IncidentStage.FAILED)))
    read(bench, line(START))
    attempts = [each for changeset in bench.all for each in changeset.attempts]
    for _ in range(10):
        bench.give(StepFinished(attempts[-1].id, FixResult(1, 0.1)))
        pass_time(bench, bench.now + MINUTE)
        attempts = [each for changeset in bench.all for each in changeset.attempts]
    assert "on-web-down" in [each.rule_id for each in opened(bench)]


def test_an_incident_without_the_wanted_captures_is_no_match() -> None:
    numbers = on("web-down")
    about = replace(numbers.match, captures={"job": Capture(CaptureType.INT)})
    bench = Bench(policy(PLAIN, replace(numbers, match=about)))
    read(bench, line(START, "a"), line(START, "7"))
    assert [each.group_key for each in opened(bench) if each.rule_id == "on-web-down"] == ["7"]


def test_i6_circles_that_slipped_through_end() -> None:
    short = When(Threshold(by=("job",)), Clear(after=timedelta(0)))
    there, back = on("back", id="there", when=short), on("there", id="back", when=short)
    bench = Bench(policy(replace(PLAIN, id="back-door"), replace(there), back, on("back-door", id="back2", when=short)))
    start = replace(there, match=replace(there.match, incidents=("back", "back-door")))
    bench.policy = policy(replace(PLAIN, id="back-door"), start, back)
    read(bench, line(START, of=replace(PLAIN, id="back-door")))
    assert len(opened(bench)) <= MAX_CARRIED + 1
    assert bench.tally("synthetic_dropped") >= 1


def test_i6_the_groups_of_a_rule_are_bounded_and_what_is_dropped_is_counted() -> None:
    three = rule(Threshold(3, DAY, by=("job",)))
    bench = Bench(policy(three))
    many = [line(START + timedelta(milliseconds=each), str(each)) for each in range(MAX_GROUPS + 10)]
    bench.give(observed(*many))
    bench.now += MINUTE
    bench.give(Tick())
    assert len(bench.state.windows) == MAX_GROUPS
    assert ("web-down", "0") not in bench.state.windows
    assert bench.tally("windows_dropped") == 10


@pytest.mark.parametrize("unending", [ABSENT, CLEARED], ids=["absence", "clear by a line"])
def test_where_silence_is_no_news_the_incident_goes_on_for_days(unending: Rule) -> None:
    bench = Bench(policy(unending))
    read(bench, line(START))
    pass_time(bench, START + 6 * DAY)
    assert [each.status for each in opened(bench)] == [IncidentStatus.OPEN]
    pass_time(bench, START + FORGOTTEN_AFTER + DAY)
    (incident,) = opened(bench)
    assert (incident.resolution, incident.resolution_notes) == (Resolution.QUIET, "silent for 7 days")


SEQUENCE = rule(Sequence((Stage(B),), within=10 * MINUTE, by=("job",)))
THEN = stage_name(1)


def settling(of: Rule) -> Bench:
    """Its fix ran, and is proved by silence."""
    assert RULE.fix is not None
    bench = Bench(policy(replace(of, fix=replace(RULE.fix, verify=Verify(quiet=MINUTE)))))
    read(bench, line(START), line(START + timedelta(seconds=1), part=THEN))
    (attempt,) = bench.state.attempts.values()
    bench.give(StepFinished(attempt.id, FixResult(0, 0.1)), 1)
    assert bench.incident().status is IncidentStatus.SETTLING
    return bench


def test_a_sequence_that_is_complete_again_while_its_fix_settles_was_not_fixed() -> None:
    bench = settling(SEQUENCE)
    read(bench, line(bench.now + timedelta(seconds=4)))
    assert bench.incident().status is IncidentStatus.SETTLING  # its beginning alone is no trouble
    read(bench, line(bench.now + timedelta(seconds=1), part=THEN))
    assert bench.incident().status is not IncidentStatus.SETTLING
    assert bench.incident().resolution is not Resolution.FIXED


@pytest.mark.parametrize("part", [MATCH, CLEAR])
def test_one_line_from_the_future_makes_no_rule_deaf(part: str) -> None:
    three = rule(Threshold(3, MINUTE, by=("job",)), clear=Clear(B))
    bench = Bench(policy(three))
    ahead = line(START + 23 * HOUR, part=part)
    bench.give(observed(ahead))
    for seconds in range(900):
        read(bench, line(START + timedelta(seconds=seconds)))
    assert opened(bench)


def test_what_was_suppressed_opens_with_the_first_match_after_the_cause() -> None:
    cause = rule(clear=Clear(B))
    three = replace(rule(Threshold(3, 10 * MINUTE, by=("job",)), unless_incident=("db-down",)), id="web-down")
    bench = Bench(policy(three, replace(cause, id="db-down")))
    db = replace(cause, id="db-down")
    read(bench, line(START, of=db), *(line(START + timedelta(seconds=n)) for n in range(3)))
    assert bench.tally("suppressed") == 1
    read(bench, line(START + MINUTE, part=CLEAR, of=db), line(START + 2 * MINUTE))
    assert [each.rule_id for each in opened(bench)] == ["db-down", "web-down"]


def test_a_wait_that_was_suppressed_is_looked_at_again_when_its_cause_is_over() -> None:
    absent = replace(ABSENT, when=replace(ABSENT.when, unless_incident=("db-down",)))
    db = replace(CLEARED, id="db-down")
    bench = Bench(policy(absent, db))
    read(bench, line(START), line(START, of=db))
    pass_time(bench, START + HOUR)
    read(bench, line(START + HOUR, part=CLEAR, of=db))
    pass_time(bench, START + HOUR + 2 * MINUTE)
    assert "web-down" in [each.rule_id for each in opened(bench)]


def test_a_line_that_tells_the_end_keeps_what_a_rate_has_learned() -> None:
    calm = rule(Rate(3, 10, 5 * MINUTE, by=("job",)), clear=Clear(B))
    bench = Bench(policy(calm))
    read(bench, *(line(START + n * MINUTE) for n in range(120)))
    before = bench.state.windows["web-down", "a"]
    read(bench, line(START + 120 * MINUTE, part=CLEAR))
    after = bench.state.windows["web-down", "a"]
    assert (after.usual, after.learned) == (before.usual, before.learned) != (0.0, 0)


THREE_CLEARED = rule(Threshold(3, HOUR, by=("job",)), clear=Clear(B))


def test_lines_of_what_is_over_count_for_nothing_when_they_come_late() -> None:
    bench = Bench(policy(THREE_CLEARED))
    read(bench, line(START + MINUTE, part=CLEAR))
    bench.give(observed(*(line(START + n * MINUTE / 4) for n in range(3))))
    assert opened(bench) == []


def test_an_end_that_comes_late_leaves_what_was_written_after_it() -> None:
    bench = Bench(policy(THREE_CLEARED))
    read(bench, line(START + 2 * MINUTE), line(START + 3 * MINUTE))
    bench.give(observed(line(START + MINUTE, part=CLEAR)))
    read(bench, line(START + 4 * MINUTE))
    assert len(opened(bench)) == 1


def test_an_end_for_every_group_holds_for_groups_that_nobody_knows_yet() -> None:
    bench = Bench(policy(THREE_CLEARED))
    read(bench, line(START, "a"), line(START, "a"), line(START + MINUTE, EVERY_GROUP, CLEAR))
    bench.give(observed(*(line(START + n * MINUTE / 4, "b") for n in range(3))))
    read(bench, line(START + 2 * MINUTE, "a"))
    assert opened(bench) == []


def test_the_opening_and_the_end_of_one_incident_are_two_events() -> None:
    ended = on("web-down", IncidentStage.RESOLVED).match
    both = on("web-down", id="came-and-went", when=When(Sequence((Stage(ended),), within=HOUR, by=("job",))))
    bench = Bench(policy(CLEARED, both))
    read(bench, line(START), line(START + MINUTE, part=CLEAR))
    assert "came-and-went" in [each.rule_id for each in opened(bench)]


def test_what_comes_again_after_a_long_time_still_ends_its_absence() -> None:
    again = rule(Absence(HOUR, by=("job",)))
    bench = Bench(policy(again))
    read(bench, line(START))
    pass_time(bench, START + 5 * HOUR)
    bench.give(Tick())
    read(bench, line(START + 5 * HOUR))
    assert [each.resolution for each in opened(bench)] == [Resolution.CLEARED]


def test_f34_when_groups_are_told_apart_by_something_else_old_waits_are_over() -> None:
    bench = Bench(policy(ABSENT))
    read(bench, line(START))
    bench.policy = policy(rule(Absence(10 * MINUTE, of=B)))
    pass_time(bench, START + HOUR)
    assert opened(bench) == []


def test_f43_a_rule_that_hears_nothing_any_more_waits_for_nothing() -> None:
    bench = Bench(policy(ABSENT))
    read(bench, line(START))
    bench.give(Quarantined("web-down", "too slow"))
    pass_time(bench, START + HOUR)
    assert opened(bench) == []


def test_a_backlog_counts_the_same_whenever_the_clock_ticks() -> None:
    four = rule(Threshold(4, HOUR, by=("job",)))
    bench = Bench(policy(four))
    bench.now = START + 30 * DAY
    for minutes in range(4):
        bench.give(observed(line(START + minutes * MINUTE)))
        bench.give(Tick(), 1)
    assert len(opened(bench)) == 1


def test_a_command_for_what_waits_for_nobody_changes_nothing() -> None:
    bench = Bench(policy(ABSENT))
    read(bench, line(START))
    assert bench.give(Approve("nonsuch", "root")).incidents == ()
