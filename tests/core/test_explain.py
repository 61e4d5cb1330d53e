"""Why a rule knows a record, or not. The matcher decides: what is told is never anything else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.core.asking import No
from logmedic.core.explain import FEW, Explainer, Explanation, Verdict, Why
from logmedic.core.matcher import Matcher
from logmedic.model.match import Capture, CaptureType, Level, MatchSpec
from logmedic.model.record import Block, Checkpoint, Entry
from logmedic.model.rule import Rule
from logmedic.model.when import Clear, Sequence, Stage, Threshold, When

NOW = datetime(2026, 11, 24, 3, 30, tzinfo=UTC)
HEAD = "Nov 24 03:12:41 db1 app[811]: "
IP = {"client": Capture(CaptureType.IP, allow=("10.0.0.0/8",))}


def block(text: str, source: str = "web", unit: str = "") -> Block:
    raw = text.encode() + b"\n"
    entries = (Entry(0, None, {}, unit),) if unit else ()
    return Block(
        source, "a.log", raw, 0, Checkpoint("a.log", source, len(raw), NOW), NOW, complete=True, entries=entries
    )


def rule(pattern: str, rule_id: str = "boom", **match: object) -> Rule:
    return Rule(rule_id, "it breaks", MatchSpec((pattern,), **match))  # type: ignore[arg-type]


def explained(text: str, *rules: Rule, named: tuple[str, ...] = (), source: str = "web", unit: str = "") -> Explanation:
    explainer = Explainer(Matcher(rules, zone=UTC), rules, UTC, named=frozenset(named))
    return explainer.explain(block(text, source, unit))


def only(explanation: Explanation) -> Verdict:
    (verdict,) = explanation.verdicts
    return verdict


REASONS = {
    "another source": (replace(rule("boom"), sources=("db",)), "boom", Why.SOURCE, "only db"),
    "another program": (rule("boom", program=("sshd", "sudo")), f"{HEAD}boom", Why.PROGRAM, "names `app`"),
    "no such field": (rule("boom", field="msg"), '{"message": "boom"}', Why.FIELD, "no field `msg`"),
    "a level too low": (rule("boom", level=Level.ERROR), "WARNING boom", Why.LEVEL, "says `warning`"),
    "no level": (rule("boom", level=Level.ERROR), "boom", Why.LEVEL, "tells no level"),
    "the pattern parts": (
        rule("boom at noon"),
        "boom at one",
        Why.PATTERN,
        "`boom at `; then it wants `noon` and finds `one`",
    ),
    "unless": (
        rule("boom", unless=("x", "canary \\d")),
        "boom canary 7",
        Why.UNLESS,
        "`unless` 2, `canary \\d`: `canary 7`",
    ),
    "a capture of another type": (rule("boom (?P<client>\\S+)", captures=IP), "boom x", Why.CAPTURE, "`x` is no ip"),
    "a capture out of bounds": (
        rule("boom (?P<client>\\S+)", captures=IP),
        "boom 192.0.2.1",
        Why.CAPTURE,
        "10.0.0.0/8",
    ),
    "a capture without part": (rule("boom(?: (?P<client>\\S+))?", captures=IP), "boom", Why.CAPTURE, "took no part"),
    "disabled": (replace(rule("boom"), enabled=False), "boom", Why.DISABLED, "enabled: false"),
    "about incidents": (
        Rule("boom", "t", MatchSpec((), incidents=("web-down",))),
        "boom",
        Why.INCIDENTS,
        "of web-down",
    ),
}


@pytest.mark.parametrize(("asked", "text", "why", "words"), REASONS.values(), ids=REASONS.keys())
def test_a_rule_that_does_not_match_says_why(asked: Rule, text: str, why: Why, words: str) -> None:
    verdict = only(explained(text, asked, named=("boom",)))
    assert verdict.why is why
    assert words in verdict.text
    assert verdict.match is None


def test_a_match_tells_its_captures_and_its_group() -> None:
    by_client = When(Threshold(3, by=("client",)))
    asked = replace(rule(r"boom (?P<client>\S+)", captures={"client": Capture(CaptureType.IP)}), when=by_client)
    verdict = only(explained("boom 10.0.0.7", asked))
    assert verdict.why is Why.MATCHES
    assert verdict.match is not None
    assert verdict.match.captures == {"client": "10.0.0.7"}
    assert verdict.by == {"client": "10.0.0.7"}
    assert verdict.hit


def test_each_part_of_a_rule_is_asked() -> None:
    parts = When(Sequence((Stage(MatchSpec(("up",))),)), Clear(MatchSpec(("calm",))))
    asked = replace(rule("boom"), when=parts)
    told = {each.part: each.why for each in explained("up and calm", asked, named=("boom",)).verdicts}
    assert told == {"then1": Why.MATCHES, "": Why.PATTERN, "clear": Why.MATCHES}


def test_a_rule_hears_a_part_of_a_source() -> None:
    asked = replace(rule("boom"), sources=("units:app.service",))
    assert explained("boom", asked, source="units", unit="app.service").matches
    assert not explained("boom", asked, source="units", unit="web.service").matches


def test_the_nearest_are_told_of_without_being_named() -> None:
    rules = [rule(f"connection to the {name} host was refused", name) for name in ("one", "two", "four", "six", "ten")]
    explanation = explained("connection to the four host was reset", *rules, rule("nothing of the kind", "far"))
    told = [each.rule.id for each in explanation.verdicts]
    assert told[0] == "four"
    assert len(told) == FEW
    assert "far" not in told
    assert explanation.candidates == ()


def test_a_trace_is_one_record() -> None:
    text = 'ERROR boom\nTraceback (most recent call last):\n  File "x"\nValueError: y'
    explanation = explained(text, rule("(?m)^ValueError: y$"))
    assert explanation.matches
    assert explanation.text == text


def test_what_no_rule_knows_is_learned() -> None:
    unknown = explained(f"{HEAD}ERROR disk 17 is gone", rule("boom")).unknown
    assert unknown is not None
    assert (unknown.component, unknown.template) == ("app", "disk <n> is gone")
    assert len(unknown.fingerprint) == 16


@pytest.mark.parametrize("text", ["ERROR boom", "ERROR boom canary", "all is well"])
def test_what_a_rule_knows_or_is_no_error_is_not_learned(text: str) -> None:
    assert explained(text, rule("boom", unless=("canary",))).unknown is None


def test_a_pattern_that_takes_too_long_is_told_and_quarantines_nobody() -> None:
    slow = rule(r"\p{Ll}?^(?:a?){0,30}(a|aa)+$")  # outside of what Hyperscan takes
    matcher, long = Matcher([slow], zone=UTC, timeout_s=0.01), block("a" * 60 + "!")
    answers = {matcher.account(long)[0].answer for _ in range(20)}
    assert answers == {No.TIMEOUT}
    assert not matcher.quarantined
    explainer = Explainer(matcher, [slow], UTC)
    assert only(explainer.explain(long)).why is Why.TIMEOUT


WORDS = st.lists(st.sampled_from(["boom", "10.0.0.1", "x", "ERROR", "canary", "msg=boom", "a=1"]), max_size=5).map(
    " ".join
)
RULES = (
    rule("boom", "plain"),
    rule("boom", "careful", unless=("canary",)),
    rule("boom", "grave", level=Level.ERROR),
    rule("^boom", "of-app", program=("app",)),
    rule("boom", "of-field", field="msg"),
    rule(r"boom (?P<client>\S+)", "typed", captures=IP),
    replace(rule("x", "elsewhere"), sources=("db",)),
)


@given(st.sampled_from(["", HEAD, HEAD.replace("app", "web")]), WORDS)
def test_the_account_is_what_the_matcher_finds(head: str, words: str) -> None:
    if not (head + words).strip():
        return
    matcher = Matcher(RULES, zone=UTC)
    found = {(each.rule_id, tuple(each.captures.items())) for each in matcher.find(block(head + words)).matches}
    told = {
        (each.rule.id, tuple(each.answer.items()))
        for each in matcher.account(block(head + words))
        if not hasattr(each.answer, "name")
    }
    assert told == found
