"""The life of a known issue: new, ongoing, escalating, resolved, regressed, muted, merged."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from builders import RULE, START, Bench, learning, observed, policy, unknown
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import MuteIssue, ResolveIssue, Sweep, Tick, UnmuteIssue, VersionSeen
from logmedic.model.issue import IssueStatus, KnownIssue, PatternType
from logmedic.model.match import MatchSpec
from logmedic.model.rule import Rule
from logmedic.model.severity import Severity
from logmedic.model.when import Threshold, When

NO_FIX = replace(RULE, fix=None)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def life(**changes: object) -> Bench:
    """With a learned issue, seen three times in the last three seconds."""
    bench = Bench(policy(learning=learning(**changes)))
    for _ in range(3):
        bench.give(observed(unknown(bench.now)), after=1)
    return bench


def issue_of(bench: Bench) -> KnownIssue:
    return next(each for each in bench.state.issues.values() if each.status is not IssueStatus.MERGED)


def again(bench: Bench, after: float = 1.0, times: int = 1, at: datetime | None = None, **fields: str) -> None:
    bench.now += timedelta(seconds=after)
    error = unknown(at or bench.now)
    error = replace(error, record=replace(error.record, fields=fields), count=times)
    bench.give(observed(error))


def told(bench: Bench) -> list[AlertEvent]:
    return [each.event for each in bench.messages]


# -- new, ongoing ------------------------------------------------------------------------------------------------------


def test_it_is_new_for_a_day_and_ongoing_from_then_on() -> None:
    bench = life()
    assert issue_of(bench).status is IssueStatus.NEW
    again(bench, after=DAY.total_seconds() - 10)
    assert issue_of(bench).status is IssueStatus.NEW
    again(bench, after=10)
    assert issue_of(bench).status is IssueStatus.ONGOING


def test_what_comes_after_a_quarter_of_an_hour_of_silence_is_a_new_episode() -> None:
    bench = life()
    again(bench, after=14 * 60)
    assert issue_of(bench).episodes == 1
    again(bench, after=15 * 60)
    assert (issue_of(bench).episodes, issue_of(bench).onset_at) == (2, bench.now)
    onsets = [each for changeset in bench.all for each in changeset.onsets]
    assert [each.issue_id for each in onsets] == [issue_of(bench).id] * 2


def test_an_old_line_begins_no_episode() -> None:
    bench = life()
    again(bench, at=START - DAY)
    assert (issue_of(bench).episodes, issue_of(bench).first_seen) == (1, START - DAY)


# -- escalating --------------------------------------------------------------------------------------------------------


def usual(bench: Bench, hours: int, times: int) -> None:
    for _ in range(hours):
        again(bench, after=3600, times=times)


def test_it_escalates_when_an_hour_has_three_times_its_usual_and_calms_down_again() -> None:
    bench = life(escalate_after=10**6)
    usual(bench, 30, times=20)
    assert issue_of(bench).status is IssueStatus.ONGOING
    again(bench, after=3600, times=50)
    assert issue_of(bench).status is IssueStatus.ONGOING
    again(bench, times=60)
    assert issue_of(bench).status is IssueStatus.ESCALATING
    bench.give(Sweep(), after=2 * 3600)
    assert issue_of(bench).status is IssueStatus.ONGOING


def test_what_is_known_for_less_than_a_day_has_no_usual() -> None:
    bench = life(escalate_after=10**6)
    usual(bench, 10, times=1)
    again(bench, times=500)
    assert issue_of(bench).status is IssueStatus.NEW


def test_people_are_called_once_a_doubling_of_the_rate() -> None:
    bench = life(escalate_after=10**6)
    usual(bench, 48, times=20)
    before = len(told(bench))
    again(bench, after=3600, times=60)
    again(bench, times=5)
    assert len(told(bench)) - before == 1
    again(bench, times=70)
    assert len(told(bench)) - before == 2
    assert "in this hour; usual are" in issue_of(bench).escalation_reason


def test_a_flood_that_stays_becomes_the_usual_within_days_and_no_sooner() -> None:
    bench = life(escalate_after=10**9)
    usual(bench, 48, times=20)
    usual(bench, 6, times=100)
    assert issue_of(bench).status is IssueStatus.ESCALATING
    usual(bench, 24 * 5, times=100)
    assert issue_of(bench).status is IssueStatus.ONGOING


# -- resolved, regressed -----------------------------------------------------------------------------------------------


def test_silence_resolves_it() -> None:
    bench = life(resolve_after=7 * DAY)
    bench.give(Sweep(), after=(7 * DAY).total_seconds() - 10)
    assert issue_of(bench).status is IssueStatus.ONGOING
    bench.give(Sweep(), after=10)
    assert (issue_of(bench).status, issue_of(bench).resolution_notes) == (IssueStatus.RESOLVED, "silent for 7 days")


def resolved(bench: Bench, version: str = "") -> None:
    bench.give(ResolveIssue(issue_of(bench).id, "eva", "raised the limit", version), after=1)
    assert issue_of(bench).status is IssueStatus.RESOLVED


def test_what_comes_after_it_was_resolved_is_a_regression_that_people_are_told_of_once() -> None:
    bench = life()
    resolved(bench)
    again(bench, after=3 * 86400)
    again(bench)
    assert issue_of(bench).status is IssueStatus.REGRESSED
    assert told(bench) == [AlertEvent.REGRESSED]
    lesson = next(
        each for changeset in bench.all for each in changeset.learnings if each.pattern_type is PatternType.REGRESSION
    )
    assert lesson.learnings == "shop: ERROR boom <n> came back 3 days after it was resolved (raised the limit)"


def test_a_line_that_is_older_than_the_resolution_counts_and_reopens_nothing() -> None:
    bench = life()
    resolved(bench)
    again(bench, after=60, at=bench.now - timedelta(seconds=1))
    assert (issue_of(bench).status, issue_of(bench).occurrences) == (IssueStatus.RESOLVED, 4)
    assert told(bench) == []


def test_many_old_lines_of_what_is_resolved_call_nobody() -> None:
    bench = life()
    resolved(bench)
    again(bench, after=60, times=500, at=bench.now - timedelta(seconds=1))
    assert told(bench) == []


FIELDS = {"version_fields": {"web": "version"}}


def test_a_version_that_is_older_than_the_one_it_was_resolved_in_reopens_nothing() -> None:
    bench = life(**FIELDS)
    again(bench, version="1.9")
    resolved(bench, version="1.10")
    again(bench, after=60, version="1.9")
    assert issue_of(bench).status is IssueStatus.RESOLVED
    again(bench, version="1.10")
    assert issue_of(bench).status is IssueStatus.REGRESSED


def test_it_came_back_after_the_deployment_of_a_version_and_says_so() -> None:
    bench = life(**FIELDS)
    again(bench, version="1.9")
    resolved(bench)
    again(bench, after=2 * 3600, version="2.0")
    (alert,) = bench.messages
    assert "came back 2 h after it was resolved (raised the limit), now in version 2.0" in alert.body
    assert (issue_of(bench).first_version, issue_of(bench).version) == ("1.9", "2.0")


def test_a_field_that_is_different_in_every_line_is_no_version_and_fills_nothing() -> None:
    bench = life(**FIELDS)
    for n in range(300):
        again(bench, version=f"request-{n}")
    assert len(bench.state.releases["web"]) == 200
    assert bench.tally("versions_refused") == 100


def test_after_a_rollback_lines_count_for_the_older_version_again() -> None:
    bench = life()
    bench.give(VersionSeen("web", "r41"))
    bench.give(VersionSeen("web", "r42"), after=3600)
    resolved(bench)
    bench.give(VersionSeen("web", "r41"), after=60)
    again(bench, after=60)
    assert issue_of(bench).status is IssueStatus.REGRESSED
    assert "version r41" in next(
        each.learnings
        for changeset in bench.all
        for each in changeset.learnings
        if each.pattern_type is PatternType.REGRESSION
    )


def test_a_version_from_a_file_counts_from_when_it_was_seen() -> None:
    bench = life()
    bench.give(VersionSeen("web", "r41"))
    again(bench)
    bench.give(VersionSeen("web", "r42"), after=3600)
    again(bench, after=60, at=bench.now - timedelta(seconds=1))
    assert issue_of(bench).version == "r41"
    again(bench, after=60)
    assert issue_of(bench).version == "r42"


def test_an_issue_of_a_rule_comes_back_with_an_incident_and_not_with_a_match_alone() -> None:
    rule = Rule(
        "twice",
        "it came twice",
        MatchSpec(("down",)),
        Severity.MEDIUM,
        when=When(Threshold(2, timedelta(minutes=1))),
    )
    bench = Bench(policy(rule))
    bench.matched(rule=rule)
    bench.matched(1, rule=rule)
    bench.give(Sweep())
    assert bench.state.issues["rule:twice"].status is IssueStatus.NEW
    bench.give(Tick(), after=3600)
    assert bench.state.issues["rule:twice"].status is IssueStatus.RESOLVED
    bench.matched(60, rule=rule)
    assert bench.state.issues["rule:twice"].status is IssueStatus.RESOLVED
    bench.matched(1, rule=rule)
    assert bench.state.issues["rule:twice"].status is IssueStatus.REGRESSED


def test_an_issue_with_an_open_incident_is_not_resolved_by_hand() -> None:
    bench = Bench(policy(NO_FIX))
    bench.matched(rule=NO_FIX)
    bench.give(ResolveIssue(issue_of(bench).id, "eva"))
    assert issue_of(bench).status is IssueStatus.NEW
    assert bench.tally("orders_ignored") == 1


# -- muted -------------------------------------------------------------------------------------------------------------


def muted(bench: Bench, **until: object) -> None:
    bench.give(MuteIssue(issue_of(bench).id, "eva", **until))  # type: ignore[arg-type]
    assert issue_of(bench).status is IssueStatus.MUTED


def test_a_mute_counts_and_calls_nobody_until_it_is_taken_back() -> None:
    bench = life()
    muted(bench)
    again(bench, times=5000)
    assert (told(bench), issue_of(bench).occurrences) == ([], 5003)
    bench.give(UnmuteIssue(issue_of(bench).id, "eva"))
    assert issue_of(bench).status is IssueStatus.NEW
    again(bench)
    assert told(bench) == [AlertEvent.ESCALATED]


@pytest.mark.parametrize("by_a_line", [True, False], ids=["the next line", "the clock"])
def test_a_mute_until_a_time_ends_then(by_a_line: bool) -> None:
    bench = life()
    muted(bench, until=bench.now + HOUR)
    again(bench, after=3599)
    assert issue_of(bench).status is IssueStatus.MUTED
    if by_a_line:
        again(bench)
    else:
        bench.give(Sweep(), after=1)
    assert issue_of(bench).status is not IssueStatus.MUTED


def test_a_mute_for_a_count_ends_with_one_more() -> None:
    bench = life()
    muted(bench, count=10)
    again(bench, times=10)
    assert issue_of(bench).status is IssueStatus.MUTED
    again(bench)
    assert issue_of(bench).status is not IssueStatus.MUTED


def test_a_mute_until_the_next_version_ends_with_it() -> None:
    bench = life(**FIELDS)
    again(bench, version="1.9")
    muted(bench, next_version=True)
    again(bench, version="1.8")
    again(bench, version="1.9")
    assert issue_of(bench).status is IssueStatus.MUTED
    again(bench, version="1.10")
    assert issue_of(bench).status is not IssueStatus.MUTED


def test_what_is_muted_is_not_resolved_by_silence() -> None:
    bench = life()
    muted(bench)
    bench.give(Sweep(), after=30 * 86400)
    assert issue_of(bench).status is IssueStatus.MUTED


# -- confidence and lessons --------------------------------------------------------------------------------------------


def lessons(bench: Bench) -> dict[str, tuple[float, str]]:
    """The last version of each lesson about a pattern."""
    return {
        each.id: (each.confidence, each.learnings)
        for changeset in bench.all
        for each in changeset.learnings
        if each.pattern_type is PatternType.ERROR_PATTERN
    }


def test_a_pattern_has_one_lesson_however_often_it_comes() -> None:
    bench = life()
    for _ in range(20):
        again(bench, after=3600)
    assert len(lessons(bench)) == 1
    ((_, said),) = lessons(bench).values()
    assert said == "shop logs `ERROR boom <n>`: 23 times in 21 episodes, on 2026-11-24, no rule knows it"


def test_evidence_moves_the_confidence() -> None:
    bench = life()
    begun = issue_of(bench).confidence
    assert begun == 0.5
    again(bench, after=3600)
    recurring = issue_of(bench).confidence
    assert recurring > begun
    resolved(bench)
    by_hand = issue_of(bench).confidence
    assert by_hand > recurring
    again(bench, after=3600)
    assert issue_of(bench).confidence > by_hand
    muted(bench)
    assert issue_of(bench).confidence < by_hand


def test_an_error_that_comes_once_teaches_nothing() -> None:
    bench = Bench(policy())
    again(bench)
    assert lessons(bench) == {}


def test_no_secret_of_a_line_gets_into_titles_lessons_or_messages() -> None:
    bench = Bench(policy())
    text = "ERROR cannot log in with password=hunter2secret at 10.0.0.7"
    for _ in range(10):
        bench.give(observed(unknown(bench.now, text)), after=1)
    (alert,) = bench.messages
    said = [issue_of(bench).title, issue_of(bench).description, *(each for _, each in lessons(bench).values())]
    assert not [each for each in (*said, alert.title, alert.body) if "hunter2secret" in each]


def test_what_came_back_begins_a_new_episode_however_soon() -> None:
    bench = life()
    resolved(bench)
    again(bench, after=60)
    assert (issue_of(bench).status, issue_of(bench).episodes) == (IssueStatus.REGRESSED, 2)
    assert issue_of(bench).onset_at == bench.now
