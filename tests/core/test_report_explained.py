"""Why a rule about reports knows a report, or not: each key that does not fit is told, with what is there."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC

import pytest

from core.test_report_matches import CHARGE, NOW, WORD, block_of, lines_of, reported, rule
from logmedic.core.explain import FEW, Explainer, Explanation, Verdict, Why
from logmedic.core.explainrows import explained as rows_of
from logmedic.core.matcher import Matcher
from logmedic.core.reports import BadReport
from logmedic.core.rulewords.spec import spec_rows
from logmedic.core.samplereports import written
from logmedic.model.errors import OrderRefused
from logmedic.model.match import Capture, CaptureType, MatchSpec, ReportSpec
from logmedic.model.record import Block
from logmedic.model.report import ReportKind
from logmedic.model.rule import Rule
from runtime.test_explaining import asking


def explained(block: Block, *rules: Rule, named: tuple[str, ...] = ()) -> Explanation:
    return Explainer(Matcher(rules, zone=UTC), rules, UTC, named=frozenset(named)).explain(block)


def only(explanation: Explanation) -> Verdict:
    (verdict,) = explanation.verdicts
    return verdict


SHOP = ReportSpec(component=("checkout", "cart"), error=("ValueError",), users=("shop", "www-data"))
REASONS = {
    "a key": (rule(SHOP), "`error` has to be `ValueError`; the report has `TimeoutError`", Why.REPORT),
    "what is not there": (
        rule(ReportSpec(environment=("eu",))),
        "`environment` has to be `eu`; the report has `production`",
        Why.REPORT,
    ),
    "the pattern parts": (rule(ReportSpec(), "^ERROR charge: Key"), "it gets as far as `ERROR charge: `", Why.PATTERN),
    "unless": (rule(ReportSpec(), unless=("pay1",)), "so does `unless` 1, `pay1`: `pay1`", Why.UNLESS),
    "a field of another type": (
        rule(ReportSpec(), captures={"message": WORD}),
        "capture `message`: `the gateway pay1 did not answer` is no word",
        Why.CAPTURE,
    ),
    "a field that is not there": (rule(ReportSpec(), captures={"name": WORD}), "the report has no name", Why.CAPTURE),
    "a group out of bounds": (
        rule(ReportSpec(), "nothing", r"(?P<n>pay1)", captures={"n": Capture(CaptureType.ENUM, values=("pay2",))}),
        "it is none of pay2",
        Why.CAPTURE,
    ),
    "no such field": (rule(ReportSpec(), "x", field="context.cart"), "no field `context.cart`", Why.FIELD),
    "a rule about lines": (
        Rule("r", "t", MatchSpec(("gateway",))),
        "it is about lines, and hears of reports only with `source: reports`",
        Why.SOURCE,
    ),
    "another source": (rule(ReportSpec(), sources=("reports:cart",)), "only reports:cart", Why.SOURCE),
}


@pytest.mark.parametrize(("asked", "words", "why"), REASONS.values(), ids=REASONS.keys())
def test_a_rule_that_does_not_match_says_why(asked: Rule, words: str, why: Why) -> None:
    verdict = only(explained(block_of(reported()), asked, named=("r",)))
    assert verdict.why is why
    assert words in verdict.text


def test_all_keys_that_do_not_fit_are_told() -> None:
    told = only(explained(block_of(reported("mallory", action="", environment="")), rule(SHOP)))
    assert [(each.key, each.wanted, each.found) for each in told.misfits] == [
        ("error", ("ValueError",), "TimeoutError"),
        ("users", ("shop", "www-data"), "mallory"),
    ]
    told = only(explained(block_of(reported(action="")), rule(ReportSpec(action=("pay", "charge")))))
    assert told.text == "`action` has to be `pay` or `charge`; the report has none"


def test_a_line_is_told_to_be_none() -> None:
    verdict = only(explained(lines_of(reported()), rule(ReportSpec()), named=("r",)))
    assert (verdict.why, verdict.text) == (
        Why.REPORT,
        "it is about reports of applications, and this is a line of a log",
    )
    assert explained(lines_of(reported()), rule(ReportSpec())).verdicts == ()


def test_a_match_tells_its_captures_and_whether_it_would_be_learned() -> None:
    explanation = explained(block_of(reported()), rule(ReportSpec(), captures={"component": WORD}))
    (match,) = explanation.matches
    assert match.match is not None
    assert match.match.captures == {"component": "checkout"}
    assert match.match.record.report == reported()
    assert (explanation.unknown, explanation.program, explanation.at) == (None, "checkout", NOW)
    unknown = explained(block_of(reported()), rule(ReportSpec(component=("cart",)))).unknown
    assert unknown is not None
    assert unknown.component == "checkout"


def test_the_nearest_of_those_that_are_not_asked_come_with_what_fits() -> None:
    far = replace(rule(ReportSpec(("cart",), ("sell",), ("KeyError",), ("www",))), id="far")
    near = replace(rule(ReportSpec(("cart",), ("charge",), ("TimeoutError",), ("shop",))), id="near")
    told = explained(block_of(reported()), far, near, *(replace(near, id=f"n{n}") for n in range(FEW)))
    assert [each.rule.id for each in told.verdicts] == ["near", "n0", "n1"]
    assert not any(each.hit for each in told.verdicts)


def test_programs_are_told_what_does_not_fit() -> None:
    row = rows_of(explained(block_of(reported()), rule(SHOP)), "reports", lambda _: None)
    assert row["rules"][0]["misfits"] == [{"key": "error", "wanted": ["ValueError"], "found": "TimeoutError"}]
    assert row["rules"][0]["verdict"] == "report"


def test_a_rule_is_shown_in_words() -> None:
    spec = ReportSpec(("checkout", "cart"), (), ("redis.*",), ("shop",), (ReportKind.ERROR, ReportKind.DEGRADED))
    assert list(spec_rows("match", rule(spec, "refused", captures={"user": WORD}).match)) == [
        (
            "match",
            "reports of applications: kind error or graceful_degradation; component checkout or cart; error redis.*;"
            " users shop",
        ),
        ("pattern", "refused"),
        ("", "{user} is word"),
    ]


# -- as it is asked ----------------------------------------------------------------------------------------------------


def test_a_report_is_asked_about_as_an_application_sends_it() -> None:
    report = written(json.dumps({**CHARGE, "user": "www-data"}))
    assert (report.component, report.sender.user) == ("checkout", "www-data")
    assert written(json.dumps(CHARGE), "me").sender.user == "me"


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"component": "a b"}', '{"component": "a"}', '{"user": 5}', "[" * 9999]
)
def test_what_no_application_can_send_is_refused_with_words(text: str) -> None:
    with pytest.raises(BadReport) as refused:
        written(text)
    assert refused.value.hint


def test_the_daemon_is_asked_about_one_as_about_a_line() -> None:
    asked, _ = asking(rule(ReportSpec(component=("checkout",), users=("shop",))))
    told = asyncio.run(asked.explain("", report=json.dumps({**CHARGE, "user": "shop"})))
    assert (told["matched"], told["source"]) == (["r"], "reports")
    assert told["rules"][0]["now"]["would"]["words"]
    told = asyncio.run(asked.explain("", report=json.dumps(CHARGE)))
    assert told["matched"] == []
    with pytest.raises(OrderRefused, match="the report cannot be explained"):
        asyncio.run(asked.explain("", report="{}"))
