"""What reports of applications change: the requests of an incident, and issues that they are by themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta

import pytest

import builders as make
from logmedic.core.matcher import Matcher
from logmedic.core.rates import SILENCE
from logmedic.core.reported import ISSUES, ISSUES_OF_USER
from logmedic.core.reports import entry_of
from logmedic.model.changeset import (
    Changeset,
    MuteIssue,
    Observed,
    ReportsCounted,
    ResolveIssue,
    Sweep,
)
from logmedic.model.issue import (
    ALIVE,
    IssueSource,
    IssueStatus,
    KnownIssue,
    Learning,
    PatternType,
)
from logmedic.model.record import Block, Checkpoint, Entry, Findings, UnknownError
from logmedic.model.report import REFUSALS, REQUESTS_KEPT, Placed, Report, ReportKind
from logmedic.model.rule import Rule
from logmedic.model.severity import Severity

NO_FIX = replace(make.RULE, fix=None)
OPENED = make.report(kind=ReportKind.BREAKER_OPEN, name="payments", error="", message="5 failures in a row")
CLOSED = replace(OPENED, kind=ReportKind.BREAKER_CLOSED, message="2 trials worked")
DEGRADED = make.report(kind=ReportKind.DEGRADED, name="recommendations", impact=Severity.LOW)


def bench(**changes: object) -> make.Bench:
    return make.Bench(make.policy(NO_FIX, **changes))


def failed(on: make.Bench, report: Report, after: float = 1.0) -> Changeset:
    """A report that the rule matches."""
    return on.give(make.observed(make.reported(report, on.now + timedelta(seconds=after))), after)


def said(on: make.Bench, *reports: Report, after: float = 1.0) -> Changeset:
    """Reports that tell of no error, in one block."""
    at = on.now + timedelta(seconds=after)
    records = tuple(make.report_record(each, at) for each in reports)
    return on.give(Observed("reports", "reports", Findings(reports=records, lines=len(records)), None), after)


def unknown_to_all(report: Report, on: make.Bench) -> UnknownError:
    return replace(make.unknown(on.now), record=make.report_record(report, on.now))


def issue(on: make.Bench) -> KnownIssue:
    (found,) = on.state.issues.values()
    return found


def events(on: make.Bench, kind: str = "request") -> list[str]:
    return [each.text for changeset in on.all for each in changeset.events if each.kind == kind]


def lessons(on: make.Bench, kind: PatternType) -> list[Learning]:
    return [each for changeset in on.all for each in changeset.learnings if each.pattern_type is kind]


# -- requests ----------------------------------------------------------------------------------------------------------


def test_an_incident_knows_the_requests_that_failed_of_it_and_who_said_so() -> None:
    on = bench()
    failed(on, make.report("r1", request_id="req-1"))
    failed(on, make.report("r2", request_id="req-2", action=""))
    assert on.incident().requests == ("req-1", "req-2")
    assert events(on) == [
        "request req-1 of checkout (charge), reported by shop[4711]: TimeoutError: the gateway did not answer",
        "request req-2 of checkout, reported by shop[4711]: TimeoutError: the gateway did not answer",
    ]


def test_the_request_that_opens_it_is_told_after_the_opening() -> None:
    on = bench()
    kinds = [each.kind for each in failed(on, make.report()).events]
    assert kinds[:2] == ["opened", "request"]


def test_the_same_request_is_one() -> None:
    on = bench()
    for number in range(3):
        failed(on, make.report(f"r{number}", request_id="req-1"))
    assert on.incident().requests == ("req-1",)
    assert len(events(on)) == 1


def test_the_last_requests_are_kept_and_the_first_are_told() -> None:
    on = bench()
    for number in range(REQUESTS_KEPT + 5):
        failed(on, make.report(f"r{number}", request_id=f"req-{number}"))
    assert on.incident().requests == tuple(f"req-{number}" for number in range(5, REQUESTS_KEPT + 5))
    assert [each.split()[1] for each in events(on)] == [f"req-{number}" for number in range(REQUESTS_KEPT)]
    assert on.incident().occurrences == REQUESTS_KEPT + 5


def test_what_names_no_request_adds_none() -> None:
    on = bench()
    failed(on, make.report(request_id=""))
    on.matched(1, NO_FIX)
    assert (on.incident().requests, events(on)) == ((), [])


def test_what_an_application_says_is_told_without_secrets_and_obeyed_by_nobody() -> None:
    on = bench()
    failed(on, make.report(message="no\x1b[31m way\npassword=hunter22222", action="a\x07ct\n"))
    (told,) = events(on)
    assert "hunter22222" not in told
    assert told.isprintable()


# -- where who asks belongs --------------------------------------------------------------------------------------------


def test_who_asks_is_placed_with_the_incident_of_its_match() -> None:
    on = bench()
    placed = failed(on, make.report()).placed
    assert placed == (Placed("1000:r1", NO_FIX.id, on.incident().id),)


def test_who_does_not_ask_is_placed_nowhere() -> None:
    assert failed(bench(), make.report(wait=timedelta(0))).placed == ()


def test_below_a_threshold_there_is_no_incident_to_be_placed_with() -> None:
    on = make.Bench(make.policy(replace(NO_FIX, when=make.threshold(2))))
    assert failed(on, make.report("r1")).placed == (Placed("1000:r1", NO_FIX.id),)
    assert failed(on, make.report("r2")).placed == (Placed("1000:r2", NO_FIX.id, on.incident().id),)


def test_an_unknown_error_is_placed_with_its_issue_once_there_is_one() -> None:
    on = bench(learning=make.learning(promote_after=2))
    first = on.give(make.observed(unknown_to_all(make.report("r1"), on)))
    second = on.give(make.observed(unknown_to_all(make.report("r2"), on)), 1)
    assert (first.placed, second.placed) == (
        (Placed("1000:r1"),),
        (Placed("1000:r2", issue_id=issue(on).id),),
    )


# -- learning ----------------------------------------------------------------------------------------------------------


def test_a_learned_issue_is_as_bad_as_its_application_says_and_has_its_tags() -> None:
    on = bench()
    told = make.report(impact=Severity.HIGH, environment="staging", tags=("eu", "checkout-v2"))
    for _ in range(3):
        on.give(make.observed(unknown_to_all(told, on)), 1)
    assert issue(on).severity is Severity.HIGH
    assert {"staging", "eu", "checkout-v2"} <= set(issue(on).tags)


@pytest.mark.parametrize(("environment", "confidence"), [("production", 0.6), ("staging", 0.5), ("", 0.5)])
def test_what_happens_in_production_is_believed_as_learning_production_has_it(
    environment: str, confidence: float
) -> None:
    on = bench()
    for _ in range(3):
        on.give(make.observed(unknown_to_all(make.report(environment=environment), on)), 1)
    assert issue(on).confidence == confidence


# -- as the matcher finds them -----------------------------------------------------------------------------------------


def found_in(*reports: Report, rule: Rule = NO_FIX) -> Findings:
    data, entries = bytearray(), list[Entry]()
    for each in reports:
        text, entry = entry_of(each, len(data), "db1", make.START)
        data += text
        entries.append(entry)
    mark = Checkpoint("reports", "reports", len(data), make.START)
    block = Block("reports", "reports", bytes(data), 0, mark, make.START, complete=True, entries=tuple(entries))
    return Matcher((rule,), zone=UTC).find(block)


@pytest.mark.parametrize(("impact", "critical"), [(Severity.CRITICAL, True), (Severity.HIGH, False)])
def test_an_unknown_error_is_critical_when_its_application_says_so(impact: Severity, *, critical: bool) -> None:
    (error,) = found_in(make.report(impact=impact)).unknown
    assert error.critical is critical
    assert error.record.report is not None


def test_a_report_is_matched_as_a_record_with_what_was_said_beside_it() -> None:
    told = make.report(message="the web is down")
    (match,) = found_in(told, rule=replace(NO_FIX, sources=("reports",))).matches
    assert match.record.report == told
    assert match.record.fields["component"] == "checkout"
    assert match.record.text.endswith("ERROR charge: TimeoutError: the web is down")


def test_reports_that_tell_of_no_error_come_apart_in_their_order_and_are_no_unknown_errors() -> None:
    found = found_in(OPENED, make.report("r2"), DEGRADED)
    assert [each.report for each in found.reports] == [OPENED, DEGRADED]
    assert [each.record.report.id for each in found.unknown if each.record.report is not None] == ["r2"]


@pytest.mark.parametrize("kind", [each for each in ReportKind if each is not ReportKind.ERROR])
def test_the_error_that_is_the_reason_of_something_else_is_not_learned_beside_it(kind: ReportKind) -> None:
    why = "FATAL error: Exception: Traceback (most recent call last): killed, out of memory"
    told = replace(OPENED, kind=kind, message=why)
    assert found_in(told).unknown == ()
    assert len(found_in(replace(told, kind=ReportKind.ERROR)).unknown) == 1


# -- circuit breakers --------------------------------------------------------------------------------------------------


def test_a_breaker_that_opens_is_a_known_issue_from_its_first_time_on() -> None:
    on = bench()
    said(on, OPENED)
    found = issue(on)
    assert (found.source, found.issue_type) == (IssueSource.BREAKER, "circuit_breaker_open")
    assert (found.severity, found.confidence, found.occurrences) == (Severity.HIGH, 1.0, 1)
    assert found.tags[:3] == ("circuit_breaker", "payments", "checkout")
    assert found.title == "The circuit breaker payments of checkout is open"
    assert "(user shop)" in found.description
    assert on.tally("breaker_opens_reported") == 1


@pytest.mark.parametrize(
    ("impact", "severity"),
    [(Severity.LOW, Severity.HIGH), (Severity.MEDIUM, Severity.HIGH), (Severity.CRITICAL, Severity.CRITICAL)],
)
def test_an_open_breaker_is_at_least_high(impact: Severity, severity: Severity) -> None:
    on = bench()
    said(on, replace(OPENED, impact=impact))
    assert issue(on).severity is severity


def test_a_breaker_that_closes_again_resolves_it_and_one_that_opens_again_brings_it_back() -> None:
    on = bench()
    said(on, OPENED)
    said(on, CLOSED)
    assert (issue(on).status, issue(on).resolution_notes) == (IssueStatus.RESOLVED, "the breaker closed again")
    said(on, OPENED, after=SILENCE.total_seconds())
    assert (issue(on).status, issue(on).occurrences) == (IssueStatus.REGRESSED, 2)
    assert len(lessons(on, PatternType.REGRESSION)) == 1


def test_a_breaker_that_flaps_as_fast_as_it_can_is_one_lesson_an_episode() -> None:
    on = bench()
    for _ in range(200):
        said(on, OPENED, CLOSED, OPENED, CLOSED, after=10)
    assert (issue(on).status, issue(on).occurrences) == (IssueStatus.RESOLVED, 400)
    assert 1 <= len(lessons(on, PatternType.REGRESSION)) <= 200 * 10 / SILENCE.total_seconds()


def test_names_that_are_never_the_same_fill_the_known_issues_of_nobody_else() -> None:
    on = bench()
    many = [
        replace(each, id=f"r{number}", name=f"name{number}")
        for number in range(ISSUES_OF_USER)
        for each in (OPENED, DEGRADED)
    ]
    for at in range(0, len(many), 100):
        said(on, *many[at : at + 100])
    assert len(on.state.issues) == on.state.reporters["shop"] == ISSUES_OF_USER
    assert on.tally("reported_issues_refused") == ISSUES_OF_USER
    assert len(lessons(on, PatternType.GRACEFUL_DEGRADATION)) == ISSUES_OF_USER // 2
    said(on, many[0])
    assert on.tally("reported_issues_refused") == ISSUES_OF_USER, "what is known goes on"
    said(on, replace(OPENED, sender=replace(make.SENDER, uid=33, user="www-data")))
    assert len(on.state.issues) == ISSUES_OF_USER + 1


@pytest.mark.parametrize("name", ["\x07\x1b]0;x\x07", "\u202e\u200b", "\x00"])
def test_a_name_of_no_letters_is_said_to_be_one(name: str) -> None:
    on = bench()
    said(on, replace(OPENED, name=name))
    assert issue(on).title == "The circuit breaker (a name of no letters) of checkout is open"


def test_all_users_together_make_a_bounded_number_of_known_issues() -> None:
    on = bench()
    for uid in range(ISSUES // 128 + 2):
        sender = replace(make.SENDER, uid=uid, user=f"uid {uid}")
        said(on, *(replace(OPENED, sender=sender, name=f"n{number}") for number in range(128)))
    assert len(on.state.issues) == ISSUES
    assert on.tally("reported_issues_refused") == 256


def test_a_breaker_that_closes_and_was_never_known_is_none() -> None:
    on = bench()
    said(on, CLOSED)
    assert on.state.issues == {}


def test_a_breaker_that_closes_does_not_open_or_count_what_is_over() -> None:
    on = bench()
    said(on, OPENED, CLOSED)
    over = issue(on)
    said(on, CLOSED)
    assert issue(on) == over


def test_the_breakers_of_two_users_are_two() -> None:
    """Whoever may report can name any breaker: nobody closes those of another one."""
    on = bench()
    said(on, OPENED)
    stranger = replace(CLOSED, sender=replace(make.SENDER, uid=33, user="www-data"))
    said(on, stranger)
    assert issue(on).status in ALIVE
    said(on, replace(stranger, kind=ReportKind.BREAKER_OPEN))
    assert len(on.state.issues) == 2


def test_an_open_breaker_that_nobody_speaks_of_any_more_is_over_in_time() -> None:
    on = bench(learning=make.learning(resolve_after=timedelta(days=1)))
    said(on, OPENED)
    on.give(Sweep(), timedelta(hours=23).total_seconds())
    assert issue(on).status in ALIVE
    on.give(Sweep(), timedelta(hours=1).total_seconds())
    assert issue(on).status is IssueStatus.RESOLVED


def test_people_decide_about_it_as_about_others() -> None:
    on = bench()
    said(on, OPENED)
    on.give(MuteIssue(issue(on).id, "ann"))
    assert issue(on).status is IssueStatus.MUTED
    said(on, CLOSED)
    assert issue(on).status is IssueStatus.MUTED
    on.give(ResolveIssue(issue(on).id, "ann", "replaced"))
    assert (issue(on).status, issue(on).decided_by) == (IssueStatus.RESOLVED, "ann")


# -- graceful degradation ----------------------------------------------------------------------------------------------


def test_a_feature_that_is_degraded_is_a_lesson_and_an_issue() -> None:
    on = bench()
    said(on, DEGRADED)
    (lesson,) = lessons(on, PatternType.GRACEFUL_DEGRADATION)
    assert lesson.confidence == 1.0
    assert lesson.learnings.startswith("checkout went on without recommendations, on its fallback: TimeoutError")
    assert lesson.context["request"] == "req-r1"
    found = issue(on)
    assert (found.source, found.issue_type, found.severity) == (
        IssueSource.LEARNED,
        "graceful_degradation",
        Severity.LOW,
    )
    assert found.fingerprint == "reported:degraded:shop:checkout:recommendations"


def test_it_is_one_lesson_an_episode_however_often_it_is_said() -> None:
    on = bench()
    said(on, *(replace(DEGRADED, id=f"r{number}") for number in range(50)))
    said(on, DEGRADED)
    assert len(lessons(on, PatternType.GRACEFUL_DEGRADATION)) == 1
    assert (issue(on).occurrences, on.tally("degraded")) == (51, 51)
    said(on, DEGRADED, after=timedelta(hours=1).total_seconds())
    assert len(lessons(on, PatternType.GRACEFUL_DEGRADATION)) == 2
    assert issue(on).episodes == 2


def test_nobody_is_called_for_what_goes_on() -> None:
    on = bench()
    for _ in range(30):
        said(on, DEGRADED, OPENED)
    assert on.messages == []


def test_a_report_that_tells_of_no_error_is_no_unknown_error_and_no_incident() -> None:
    on = bench()
    said(on, DEGRADED, OPENED, CLOSED)
    assert (on.state.incidents, on.state.templates, on.tally("unknown")) == ({}, {}, 0)


# -- counts ------------------------------------------------------------------------------------------------------------


def test_what_became_of_reports_is_counted_by_reason() -> None:
    on = bench()
    on.give(ReportsCounted(taken=7, repeated=2, refused={"rate": 3, "of a later version": 9}))
    counted = {each.kind: each.n for each in on.all[-1].tallies}
    assert counted == {"reports": 7, "reports_repeated": 2, "reports_refused_rate": 3}
    on.give(ReportsCounted(refused=dict.fromkeys(REFUSALS, 1)))
    assert {each.kind for each in on.all[-1].tallies} == {f"reports_refused_{each}" for each in REFUSALS}
