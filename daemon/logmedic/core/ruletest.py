"""A rule's own tests, run through the very matcher and decision that the daemon uses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count

from logmedic.core.decide import decide
from logmedic.core.matcher import Matcher
from logmedic.model.changeset import Observed
from logmedic.model.policy import Policy
from logmedic.model.record import Block, Checkpoint, Findings, Match
from logmedic.model.rule import Rule, RuleTest
from logmedic.model.state import EngineState

START = datetime(2026, 1, 1, tzinfo=UTC)
"""The virtual clock's first moment. Times written in samples are ignored: `every` says how far apart they are."""

_ORIGIN = "sample"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the lines of one test gave."""

    fires: int
    matches: int
    captures: dict[str, str]


def run_test(rule: Rule, test: RuleTest) -> str:
    """Empty when `test` passes, else what was wanted and what was seen."""
    seen = observe(rule, test)
    wrong = []
    if test.fires is not None and seen.fires != test.fires:
        wrong.append(f"fires {seen.fires}, wanted {test.fires}")
    if test.matches is not None and seen.matches != test.matches:
        wrong.append(f"matches {seen.matches}, wanted {test.matches}")
    for name, wanted in test.captures.items():
        got = seen.captures.get(name)
        if got != wanted:
            wrong.append(f"capture {name} is {got!r}, wanted {wanted!r}")
    return "; ".join(wrong)


def run_tests(rule: Rule) -> list[tuple[int, str]]:
    """The line and the text of each test that fails; empty when all pass."""
    return [(test.line, f"test {test.name!r}: {failure}") for test in rule.tests if (failure := run_test(rule, test))]


def observe(rule: Rule, test: RuleTest) -> Seen:
    """Feed the lines of `test` to `rule` alone."""
    rule = replace(rule, sources=(), enabled=True)
    matcher = Matcher([rule], zone=UTC, scanner="plain")
    policy = Policy(rules={rule.id: rule}, resolve_after=timedelta(days=3650))
    state, ids = EngineState(), count(1)
    matches: list[Match] = []
    fires = 0
    for text, at in _lines(test):
        found = [_at(match, at) for match in matcher.find(_block(text, at)).matches]
        matches += found
        observed = Observed(_ORIGIN, _ORIGIN, Findings(matches=tuple(found)), None)
        changeset = decide(state, policy, observed, at, lambda: f"{next(ids):012d}")
        fires += sum(tally.n for tally in changeset.tallies if tally.kind == "incidents_opened")
        state.apply(changeset)
    return Seen(fires, len(matches), dict(matches[-1].captures) if matches else {})


def _lines(test: RuleTest) -> Iterator[tuple[str, datetime]]:
    at = START
    for line in test.lines:
        for _ in range(line.repeat):
            yield line.text, at
            at += line.every


def _block(text: str, at: datetime) -> Block:
    content = text.rstrip("\n").encode() + b"\n"
    checkpoint = Checkpoint(origin=_ORIGIN, source=_ORIGIN, offset=len(content), at=at)
    return Block(_ORIGIN, _ORIGIN, content, 0, checkpoint, at, complete=True)


def _at(match: Match, at: datetime) -> Match:
    return replace(match, record=replace(match.record, at=at))
