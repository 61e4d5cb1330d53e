"""A rule's own tests, run through the very matcher and decision that the daemon uses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from logmedic.core.holds import CAUSE_GRACE
from logmedic.core.matcher import Matcher
from logmedic.core.rehearsal import Rehearsal
from logmedic.core.samplereports import block_of
from logmedic.core.targets import argv_of
from logmedic.model.changeset import Changeset, RunStep
from logmedic.model.fix import Arming
from logmedic.model.issue import IncidentStatus, Resolution
from logmedic.model.policy import Policy
from logmedic.model.record import Block, Checkpoint, Entry
from logmedic.model.rule import Mode, Rule
from logmedic.model.sample import Expectation, RuleTest, SampleLine

START = datetime(2026, 1, 1, tzinfo=UTC)
"""The virtual clock's first moment. Times written in samples are ignored: `at` and `every` say when they are."""

SOURCE = "sample"
"""Every rule hears it."""


@dataclass(slots=True)
class Seen:
    """What the lines of one test gave, in the words of Expectation."""

    rule_id: str = ""
    fires: int = 0
    matches: int = 0
    captures: dict[str, str] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)
    runs: list[tuple[str, ...]] = field(default_factory=list)
    resolved: int = 0
    resolution: Resolution = Resolution.NONE

    def take(self, changeset: Changeset, _: datetime) -> None:
        self.fires += sum(tally.n for tally in changeset.tallies if tally.kind == "incidents_opened")
        for incident in changeset.incidents:
            if incident.rule_id == self.rule_id and incident.status is IncidentStatus.RESOLVED:
                self.resolved += 1
                self.resolution = incident.resolution
        for intent in changeset.intents:
            if isinstance(intent, RunStep):
                self.steps.append(intent.step.name)
                self.runs.append(argv_of(intent.step.action))


def run_test(rule: Rule, test: RuleTest, matcher: Matcher | None = None) -> str:
    """Empty when `test` passes, else what was wanted and what was seen."""
    return "; ".join(_wrong(test.expect, observe(rule, test, matcher)))


def run_tests(rule: Rule) -> list[tuple[int, str]]:
    """The line and the text of each test that fails; empty when all pass."""
    if not rule.tests:
        return []
    matcher = make_matcher(rule)
    tried = ((test, run_test(rule, test, matcher)) for test in rule.tests)
    return [(test.line, f"test {test.name!r}: {failure}") for test, failure in tried if failure]


def _wrong(expect: Expectation, seen: Seen) -> Iterator[str]:
    counted = (("fires", expect.fires, seen.fires), ("matches", expect.matches, seen.matches))
    for name, number, got in (*counted, ("resolved", expect.resolved, seen.resolved)):
        if number is not None and got != number:
            yield f"{name} {got}, wanted {number}"
    for name, value in expect.captures.items():
        if (captured := seen.captures.get(name)) != value:
            yield f"capture {name} is {captured!r}, wanted {value!r}"
    if expect.steps is not None and tuple(seen.steps) != expect.steps:
        yield f"steps {', '.join(seen.steps) or 'none'}, wanted {', '.join(expect.steps) or 'none'}"
    if expect.runs is not None and tuple(seen.runs) != expect.runs:
        yield f"runs {list(map(list, seen.runs))}, wanted {list(map(list, expect.runs))}"
    if expect.resolution is not None and seen.resolution is not expect.resolution:
        yield f"resolution {seen.resolution or 'none'}, wanted {expect.resolution}"


def make_matcher(rule: Rule) -> Matcher:
    """Of `rule` alone, as the tests need it."""
    alone = replace(rule, enabled=True)
    return Matcher([alone], zone=UTC, scanner="plain", any_source=frozenset({SOURCE}))


def observe(rule: Rule, test: RuleTest, matcher: Matcher | None = None) -> Seen:
    """Feed the lines of `test` to `rule` alone. Its fix is armed and works; nothing is run."""
    seen = Seen(rule.id)
    matcher = matcher or make_matcher(rule)
    rehearsal = Rehearsal(_policy(rule), START, seen.take)
    for number, (line, at) in enumerate(_lines(test)):
        if line.incident:
            rehearsal.incident(line.incident, line.on, dict(line.fields), at)
            continue
        for match in matcher.find(_block(line, at, number << 20)).matches:
            match = replace(match, record=replace(match.record, at=at))
            if not match.part:
                seen.matches += 1
                seen.captures = dict(match.captures)
            rehearsal.match(match, max(at, rehearsal.now))
    waits = CAUSE_GRACE if rule.fix is not None and rule.fix.after else timedelta(0)
    rehearsal.wait(rehearsal.now + max(test.until, waits))
    return seen


def _policy(rule: Rule) -> Policy:
    forever = timedelta(days=3650)
    fix = rule.fix and replace(rule.fix, mode=Mode.AUTO)
    policy = Policy(
        mode=Mode.AUTO,
        allow_unsandboxed=True,
        max_age=forever,
        resolve_after=forever,
        host_max_per_hour=10**6,
        host_max_per_ten_minutes=10**6,
        max_running=10**6,
    )
    return policy.with_rules([replace(rule, fix=fix, enabled=True)], Arming(True, "rehearsal", units=True))


def _lines(test: RuleTest) -> Iterator[tuple[SampleLine, datetime]]:
    at = START
    for line in test.lines:
        at = at if line.at is None else START + line.at
        for _ in range(line.repeat):
            yield line, at
            at += line.every


def _block(line: SampleLine, at: datetime, start: int) -> Block:
    if line.report is not None:
        return block_of(line.report, at, start)
    content = line.text.rstrip("\n").encode() + b"\n"
    checkpoint = Checkpoint(origin=SOURCE, source=line.source or SOURCE, offset=len(content), at=at)
    entries = (Entry(0, at, line.fields, line.fields.get("unit", "")),) if line.fields else ()
    source = line.source or SOURCE
    return Block(source, SOURCE, content, start, checkpoint, at, complete=True, entries=entries)
