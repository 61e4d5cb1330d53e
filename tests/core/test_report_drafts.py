"""A rule drafted from reports that no rule knew: it is about reports, and says by what they are known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import builders as make
from core.test_drafting import loaded
from core.test_report_matches import block_of, find, reported
from logmedic.core.draftfile import draft_file
from logmedic.core.drafting import draft, draft_learned
from logmedic.core.matcher import Matcher
from logmedic.core.reportdrafts import report_in
from logmedic.core.reports import entry_of
from logmedic.core.ruletest import run_tests
from logmedic.model.changeset import Observed
from logmedic.model.issue import IssueSource, KnownIssue, Template
from logmedic.model.match import ReportSpec
from logmedic.model.report import Report
from logmedic.model.rule import Rule
from rulefiles.loading import put, reviewed, texts

NOW = datetime(2026, 11, 26, 11, 22, 33, tzinfo=UTC)
TRACE = 'Traceback (most recent call last):\n  File "pay.py", line 7, in charge\n    call()\n{}: {}\n'


def lost(n: int, **changes: Any) -> Report:
    message = f"the gateway 10.0.0.{n} did not answer in {n} s"
    return reported(**{"message": message, "request_id": f"r{n}", "context": {}, "environment": "", **changes})


def text_of(report: Report) -> str:
    return entry_of(report, 0, "web1", NOW)[0].decode().rstrip("\n")


def learned(*reports: Report) -> tuple[KnownIssue, Template]:
    """What the daemon makes of them."""
    bench = make.Bench(make.policy(learning=make.learning(promote_after=2)))
    matcher = Matcher([], zone=UTC)
    for each in reports:
        bench.give(Observed("reports", "reports", matcher.find(block_of(each)), None), after=1)
    (issue,) = (each for each in bench.state.issues.values() if each.source is IssueSource.LEARNED)
    (template,) = bench.state.templates.values()
    return issue, template


def drafted(*reports: Report) -> Rule:
    issue, template = learned(*reports)
    return draft_learned(issue, template, (template.sample, *template.samples), [], source=template.source)


def merged(*reports: Report) -> Rule:
    """Of what people said to be one issue."""
    issue, template = learned(reports[0], reports[0])
    samples = tuple(map(text_of, reports))
    template = replace(template, template="TimeoutError: the gateway", samples=samples)
    return draft_learned(issue, template, samples, [], source=template.source)


def test_it_names_what_the_reports_have_in_common_and_takes_them() -> None:
    rule = drafted(*map(lost, (3, 4, 7)))
    assert rule.match.report == ReportSpec(("checkout",), ("charge",), ("TimeoutError",))
    assert (rule.match.program, rule.match.field, rule.sources, rule.fix) == ((), "", (), None)
    assert len(find(block_of(lost(3), lost(99)), rule).matches) == 2


def test_it_leaves_others_alone() -> None:
    rule = drafted(*map(lost, (3, 4, 7)))
    others = (lost(3, component="cart"), lost(3, error="KeyError"), lost(3, action="refund"), lost(3, message="done"))
    assert find(block_of(*others), rule).matches == ()


def test_its_file_loads_as_it_is_and_passes_the_strict_review(tmp_path: Any) -> None:
    rule = drafted(*map(lost, (3, 4, 7)))
    file = draft_file(rule, made_from="what was seen")
    assert loaded(file).match == rule.match
    assert run_tests(loaded(file)) == []
    strict = reviewed(put(tmp_path, file), strict=True)
    assert (texts(strict.problems), texts(strict.warnings)) == ([], [])
    assert "# users: [NAME]" in file


def test_its_tests_are_the_reports_near_misses_and_a_line_that_says_the_same() -> None:
    rule = drafted(*map(lost, (3, 4, 7)))
    assert [each.name for each in rule.tests] == [
        "fires at the report, 3 times",
        "fires at the same with other numbers",
        "2 of them are not enough",
        "fires at what was seen, in turn",
        "near miss, another component",
        "near miss, another error",
        "near miss, another text",
        "hostile, the same written to a log",
    ]
    *reports, line = (test.lines[0] for test in rule.tests)
    assert all(each.report is not None for each in reports)
    assert line.report is None
    assert "checkout[4711]: ERROR charge: TimeoutError" in line.text


def test_what_differs_is_named_as_a_list_and_what_is_not_always_there_is_left_out() -> None:
    rule = merged(lost(3), lost(4, action="refund"), lost(7))
    assert rule.match.report == ReportSpec(("checkout",), ("charge", "refund"), ("TimeoutError",))
    rule = merged(lost(3), lost(4, error="KeyError"), lost(5, error="OSError"), lost(6, error="OperationalError"))
    assert rule.match.report == ReportSpec(("checkout",), ("charge",), ())
    rule = merged(lost(3), lost(4, action=""), lost(7))
    assert rule.match.report == ReportSpec(("checkout",), (), ("TimeoutError",))


def test_actions_that_differ_in_what_varies_are_told_by_what_they_share() -> None:
    rule = drafted(*(lost(n, action=f"GET /stock/{n}", error="KeyError", message="no such row") for n in (3, 4, 7)))
    assert rule.match.report == ReportSpec(("checkout",), ("GET *",), ("KeyError",))
    new = lost(9, action="GET /stock/9", error="KeyError", message="no such row")
    assert len(find(block_of(new, replace(new, action="POST /stock/9")), rule).matches) == 1
    rule = drafted(*(lost(n, action="GET /stock/<article>") for n in (3, 4, 7)))
    assert rule.match.report == ReportSpec(("checkout",), ("GET /stock/<article>",), ("TimeoutError",))


def test_a_type_is_known_by_its_traceback_whatever_it_is_called() -> None:
    gone = "shop.pay.GatewayGone"
    trace = TRACE.format(gone, "the gateway 10.0.0.{n} did not answer")
    told = [lost(n, error=gone, traceback=trace.replace("{n}", str(n))) for n in (3, 4, 7)]
    rule = drafted(*told)
    assert rule.match.report == ReportSpec(("checkout",), ("charge",), (gone,))
    assert len(find(block_of(*told, lost(8, error=gone)), rule).matches) == 4


def test_a_secret_in_a_report_is_not_in_the_draft() -> None:
    told = [lost(n, message=f"login of worker{n} refused: password=hunter2-{n}xyz") for n in (3, 4, 7)]
    assert "hunter2" not in draft_file(drafted(*told))


def test_one_report_of_an_incident_is_enough_for_a_draft() -> None:
    rule = draft(text_of(lost(3)), source="reports")
    assert rule.match.report == ReportSpec(("checkout",), ("charge",), ("TimeoutError",))
    assert run_tests(loaded(draft_file(rule))) == []


def test_the_line_of_a_log_that_looks_like_a_report_makes_a_rule_about_lines() -> None:
    rule = draft(text_of(lost(3)), source="syslog")
    assert (rule.match.report, rule.match.program) == (None, ("checkout",))


# -- what is read of a text --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "read"),
    [
        ({}, ("charge", "TimeoutError", "no answer", 0)),
        ({"action": ""}, ("", "TimeoutError", "no answer", 0)),
        ({"message": ""}, ("charge", "TimeoutError", "", 0)),
        ({"error": "redis.exceptions.ConnectionError"}, ("charge", "redis.exceptions.ConnectionError", "no answer", 0)),
        ({"error": "zlib.error"}, ("charge", "zlib.error", "no answer", 0)),
        ({"attempts": 3}, ("charge", "TimeoutError", "no answer", 3)),
        ({"action": "POST /pay"}, ("POST /pay", "TimeoutError", "no answer", 0)),
        ({"error": "", "action": "", "message": "it: is: odd"}, ("", "", "it: is: odd", 0)),
        ({"error": "Gone", "action": "", "message": "x"}, ("", "", "Gone: x", 0)),
        ({"action": "handleTimeout"}, ("handleTimeout", "TimeoutError", "no answer", 0)),
        (
            {"action": "OldError", "traceback": TRACE.format("TimeoutError", "no answer")},
            ("OldError", "TimeoutError", "no answer", 0),
        ),
        ({"message": "ValueError: inner"}, ("charge", "TimeoutError", "ValueError: inner", 0)),
    ],
)
def test_what_was_said_is_told_apart_where_it_is_clear(told: dict[str, Any], read: tuple[str, str, str, int]) -> None:
    found = report_in(text_of(reported(**{"message": "no answer", **told})))
    assert found is not None
    assert (found.action, found.error, found.message, found.attempts) == read


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ERROR charge: TimeoutError",
        "Nov 26 11:22:33 web1 checkout[7]: ERROR charge: TimeoutError",
        text_of(reported(kind="circuit_breaker_open", name="pay")),
        text_of(reported(kind="graceful_degradation", name="pay")),
    ],
)
def test_what_is_no_error_that_was_reported_is_not_read_as_one(text: str) -> None:
    assert report_in(text) is None


PIECES = st.text(st.sampled_from("ab: \n\x1b[31m.E"), max_size=12)


@given(
    st.builds(
        lambda action, error, message, attempts: reported(
            action=action, error=error + "x", message=message, attempts=attempts
        ),
        *(PIECES, PIECES, PIECES),
        st.integers(0, 3),
    )
)
def test_a_report_that_is_read_again_says_the_same(report: Report) -> None:
    text = text_of(report)
    found = report_in(text)
    assert found is None or text_of(found).split("ERROR", 1)[1] == text.split("ERROR", 1)[1]
