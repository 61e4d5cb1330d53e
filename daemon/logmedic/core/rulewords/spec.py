"""What a rule looks for, when it speaks, and what its tests expect, in words."""

from __future__ import annotations

from collections.abc import Iterator

from logmedic.core import reportmatch
from logmedic.core.rulewords.ladder import Row
from logmedic.core.rulewords.triggers import ends, trigger_text
from logmedic.model import when
from logmedic.model.match import Capture, MatchSpec
from logmedic.model.sample import RuleTest


def spec_rows(name: str, spec: MatchSpec, known: MatchSpec | None = None) -> Iterator[Row]:
    """What it has from `known` is not told again."""
    if spec.report is not None:
        yield name, f"reports of applications: {reportmatch.words(spec.report)}"
    for pattern in spec.patterns:
        yield name if spec.report is None else "pattern", pattern
    for pattern in spec.unless:
        yield "unless", pattern
    if spec.program and (known is None or spec.program != known.program):
        yield "program", ", ".join(spec.program)
    if spec.field:
        yield "field", spec.field
    if spec.level is not None:
        yield "level", f"{spec.level.value} or worse"
    if spec.incidents:
        yield name, f"incidents of {', '.join(spec.incidents)}, when {spec.on.value}"
    for group, capture in spec.captures.items():
        if known is None or known.captures.get(group) != capture:
            yield "", f"{{{group}}} is {_capture(capture)}"


def _capture(capture: Capture) -> str:
    bounds = [", ".join(capture.allow), ", ".join(capture.values)]
    bounds += [f"from {capture.minimum}" if capture.minimum is not None else ""]
    bounds += [f"up to {capture.maximum}" if capture.maximum is not None else ""]
    said = " ".join(each for each in bounds if each)
    return f"{capture.type.value}: {said}" if said else capture.type.value


def when_rows(spec: when.When, match: MatchSpec) -> Iterator[Row]:
    yield "when", trigger_text(spec.trigger)
    for part, further in spec.parts:
        yield from spec_rows(part, further, match)
    if spec.clear.match is not None:
        yield from spec_rows("clear", spec.clear.match, match)
    for end in ends(spec.clear):
        yield "clear", end
    if spec.unless_incident:
        yield "not while", ", ".join(spec.unless_incident)


def expected_text(test: RuleTest) -> str:
    expect = test.expect
    counts = (("fires", expect.fires), ("matches", expect.matches), ("resolved", expect.resolved))
    said = [f"{name} {number}" for name, number in counts if number is not None]
    said += [f"{name}={value}" for name, value in expect.captures.items()]
    said += [f"{len(expect.steps)} steps"] if expect.steps is not None else []
    said += [expect.resolution.value] if expect.resolution is not None else []
    return ", ".join(said) or "its fix"
