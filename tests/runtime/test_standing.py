"""How a rule stands, and what would come of one more match: bounded, and harmless."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import RULE, START, Bench, match, observed, policy
from logmedic.model.errors import NotFound
from logmedic.model.match import Capture, CaptureType, MatchSpec
from logmedic.model.when import Threshold, When
from logmedic.runtime.standing import AT_MOST, standing

SPEC = MatchSpec((r"down (?P<host>\S+)",), captures={"host": Capture(CaptureType.WORD)})
BY_HOST = replace(RULE, match=SPEC, when=When(Threshold(3, timedelta(minutes=1), ("host",))))


def bench_of(hosts: int) -> Bench:
    bench = Bench(policy(BY_HOST))
    for n in range(hosts):
        bench.give(observed(match(BY_HOST, bench.now, f"h{n}", host=f"h{n}")), after=0.1)
    return bench


def test_windows_and_what_was_matched_are_told() -> None:
    bench = bench_of(2)
    row = standing(bench.state, bench.policy, "web-down", {}, bench.now)
    assert (row["matched"], row["windows_total"], row["mode"], row["quarantined"]) == (2, 2, "auto", "")
    assert row["windows"][0]["group"] == {"host": "h1"}
    assert row["windows"][0]["progress"] == "1 of 3; wants 3 matches within 1m"
    assert row["breaker"]["status"] == "closed"
    assert row["would"] is None


def test_i6_the_answer_is_bounded() -> None:
    bench = bench_of(AT_MOST + 10)
    row = standing(bench.state, bench.policy, "web-down", {}, bench.now)
    assert (len(row["windows"]), row["windows_total"]) == (AT_MOST, AT_MOST + 10)


def test_a_match_that_is_asked_about_counts_in_its_own_group() -> None:
    bench = bench_of(1)
    asked = {"captures": {"host": "h0"}}
    would = standing(bench.state, bench.policy, "web-down", {}, bench.now, asked)["would"]
    assert would["progress"].startswith("2 of 3")
    assert would["words"] == ["it is counted; no incident yet"]


def test_i7_a_capture_that_the_rule_would_refuse_is_refused() -> None:
    bench = bench_of(1)
    with pytest.raises(NotFound, match="no line with such a `host`"):
        standing(bench.state, bench.policy, "web-down", {}, bench.now, {"captures": {"host": "-rf /", "other": "x"}})


def test_an_open_incident_and_a_quarantine_are_told() -> None:
    rule = replace(RULE, fix=None)
    bench = Bench(policy(rule))
    bench.matched(0, rule)
    row = standing(bench.state, bench.policy, "web-down", {"web-down": "too slow"}, START)
    assert [each["status"] for each in row["open_incidents"]] == ["open"]
    assert row["quarantined"] == "too slow"


@pytest.mark.parametrize(("rule_id", "part"), [("nobody", ""), ("web-down", "then9")])
def test_what_is_not_there_is_not_found(rule_id: str, part: str) -> None:
    bench = bench_of(0)
    with pytest.raises(NotFound):
        standing(bench.state, bench.policy, rule_id, {}, bench.now, {"captures": {}, "part": part})
