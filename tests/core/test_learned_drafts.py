"""A rule drafted from a learned issue knows what was seen, says how it was seen, hides secrets, and fixes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.test_drafting import ODD, loaded, matches
from core.test_promotion import STAMPED, SYSLOG, families, template_of
from logmedic.core.draftfile import draft_file
from logmedic.core.drafting import draft_learned
from logmedic.core.ruletest import run_tests
from logmedic.core.secrets import MASK
from logmedic.model.issue import IssueSource, KnownIssue
from logmedic.model.learned import FixedBefore
from logmedic.model.match import CaptureType
from logmedic.model.rule import Rule
from logmedic.model.severity import Severity
from logmedic.model.when import Threshold

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
ISSUE = KnownIssue(
    id="0193-learned",
    source=IssueSource.LEARNED,
    fingerprint="learned:f",
    issue_type="recurring_error",
    title="app: order <n> lost",
    severity=Severity.HIGH,
    first_seen=NOW,
    last_seen=NOW + timedelta(minutes=8),
    tags=("auto_detected", "app"),
    occurrences=5,
)
SEEN = [f"{SYSLOG}error: order {n} lost by 10.0.0.{n}:80 for user al{n}" for n in (7, 8, 9)]
CALM = [f"{SYSLOG}order {n} done" for n in range(20)]


def drafted(samples: list[str] = SEEN, ordinary: list[str] = CALM, issue: KnownIssue = ISSUE, source: str = "") -> Rule:
    return draft_learned(issue, template_of(samples), samples, ordinary, source=source)


def test_it_takes_what_was_seen_and_what_is_like_it() -> None:
    rule = drafted()
    assert all(matches(rule, line) for line in SEEN)
    assert matches(rule, SEEN[0].replace("order 7", "order 123456"))
    assert not any(matches(rule, line) for line in CALM)
    assert rule.match.program == ("app",)
    assert {name: each.type for name, each in rule.match.captures.items()} == {
        "hostport": CaptureType.HOSTPORT,
        "user": CaptureType.WORD,
    }


def test_it_has_no_fix_and_takes_severity_tags_and_source_from_what_is_known() -> None:
    rule = loaded(draft_file(drafted(source="shop")))
    assert rule.fix is None
    assert (rule.severity, rule.tags, rule.sources) == (Severity.HIGH, ("auto_detected", "app"), ("shop",))


def test_its_description_says_how_often_since_when_and_in_which_versions() -> None:
    versioned = replace(ISSUE, first_version="1.2", version="1.4")
    assert drafted(issue=versioned).description == (
        "No rule knew this error: it was seen 5 times, from 2026-11-24 03:00 to 2026-11-24 03:08 UTC,"
        " in versions 1.2 to 1.4. Say here what it means, and for whom."
    )


def test_its_tests_are_what_was_seen_near_misses_and_ordinary_lines() -> None:
    rule = drafted()
    names = [test.name for test in rule.tests]
    assert names[:4] == [
        "fires at the line, 3 times",
        "fires at the same with other numbers",
        "2 of them are not enough",
        "fires at what was seen, in turn",
    ]
    assert {"near miss, another text", "ordinary line 1 of its source", "ordinary line 3 of its source"} <= set(names)
    assert run_tests(rule) == []


@pytest.mark.parametrize(
    ("lasted", "times", "threshold"),
    [
        (timedelta(seconds=4), 5, (3, 60)),
        (timedelta(minutes=8), 5, (3, 900)),
        (timedelta(hours=3), 10, (3, 3600)),
        (timedelta(days=3), 5, (1, 60)),
    ],
    ids=["a burst", "every two minutes", "every twenty minutes", "seldom"],
)
def test_the_threshold_is_how_it_was_seen(lasted: timedelta, times: int, threshold: tuple[int, int]) -> None:
    trigger = drafted(issue=replace(ISSUE, last_seen=NOW + lasted, occurrences=times)).when.trigger
    assert isinstance(trigger, Threshold)
    assert (trigger.count, trigger.within.total_seconds()) == threshold


def test_what_was_seen_of_several_groups_is_not_counted_by_group() -> None:
    assert drafted().when.by == ()
    assert drafted(SEEN[:1]).when.by == ("hostport",)
    assert drafted(issue=replace(ISSUE, last_seen=NOW + timedelta(days=3))).when.by == ("hostport",)


def test_what_is_critical_counts_at_once() -> None:
    trigger = drafted(issue=replace(ISSUE, severity=Severity.CRITICAL)).when.trigger
    assert isinstance(trigger, Threshold)
    assert trigger.count == 1


def test_secrets_are_nowhere_in_the_file_and_the_real_lines_match() -> None:
    secrets = ("hunter2", "s3cr;et", "x,y")
    samples = [f"{STAMPED}login refused: password={secret} for user bob" for secret in secrets]
    calm = [f"{STAMPED}login: password=tr0ub4dor for user ann"]
    rule = drafted(samples, calm)
    text = draft_file(rule)
    assert not [each for each in (*secrets, "tr0ub4dor") if each in text]
    assert MASK in text
    assert all(matches(rule, line) for line in samples)
    assert matches(rule, f"{STAMPED}login refused: password=other9 for user bob")
    assert run_tests(loaded(text)) == []


def test_a_message_in_json_is_matched_by_its_field() -> None:
    samples = [f'{{"level":"error","msg":"job \\"mail-{n}\\" failed","n":{n}}}' for n in (1, 2)]
    rule = drafted(samples, ['{"level":"info","msg":"job \\"mail-1\\" done"}'])
    assert rule.match.field == "msg"
    assert matches(rule, samples[0].replace("mail-1", "print"))


def test_of_a_trace_the_line_counts_that_says_what_happened() -> None:
    head = "{} ERROR shop.db: boom\nTraceback (most recent call last):\n"
    trace = f"{head}  File 'x', line {{}}\nshop.DbError: lost 10.0.0.{{}}:5432"
    samples = [trace.format(f"2026-11-24 03:12:4{n},123", n, n) for n in (1, 2, 3)]
    rule = draft_learned(ISSUE, replace(template_of(samples), trace=True), samples, CALM)
    assert rule.match.patterns == (r"(?m)^shop\.DbError: lost (?P<hostport>[\w.-]+:\d+)$",)
    assert isinstance(rule.when.trigger, Threshold)
    assert rule.when.trigger.count == 1
    assert "fires at what was seen, in turn" in [test.name for test in rule.tests]


def test_a_rule_that_would_take_ordinary_lines_is_narrowed_or_not_drafted() -> None:
    samples = [f"{STAMPED}order {n} lost" for n in (12, 13)]
    rule = drafted(samples, [samples[0].replace("order 12", "order 77")])
    assert rule.match.patterns[0].endswith("order (?:12|13) lost$")
    with pytest.raises(ValueError, match="none of the ordinary lines"):
        drafted(samples, [samples[0]])


def test_what_was_fixed_before_is_told_in_comments() -> None:
    before = FixedBefore(
        *("shop-down", "shop is \x1b[31mdown\n# x", "shop", "", "restart it"),
        *(("/usr/bin/systemctl", "restart", "--token=abcdefgh123", "shop.service"), 4, NOW),
    )
    rule = drafted()
    text = draft_file(rule, made_from="what was seen", fixed_before=(before,))
    assert "    #   rule shop-down, step restart it: worked 4 times, last on 2026-11-24\n" in text
    assert "    #     for shop is down# x\n" in text
    assert "systemctl restart --token=[masked] shop.service\n" in text
    assert loaded(text).fix is None
    assert replace(loaded(text), tests=(), line=0, file="") == replace(rule, tests=(), line=0, file="")


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(families())
def test_a_draft_from_five_of_a_family_takes_all_of_it_and_is_a_sound_file(family: list[str]) -> None:
    rule = drafted(family[:5], ["all is well"])
    assert [line for line in family if not matches(rule, line)] == []
    assert run_tests(loaded(draft_file(rule, made_from="what was seen"))) == []


@settings(deadline=None, max_examples=60)
@given(st.lists(ODD, min_size=1, max_size=4), ODD)
def test_whatever_was_seen_a_draft_is_sound_or_is_refused(samples: list[str], ordinary: str) -> None:
    try:
        rule = draft_learned(ISSUE, template_of(samples), samples, [ordinary])
    except ValueError:
        return
    assert run_tests(loaded(draft_file(rule, made_from="what was seen"))) == []
