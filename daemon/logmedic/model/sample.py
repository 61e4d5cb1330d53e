"""The tests inside a rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from logmedic.model.issue import Resolution
from logmedic.model.match import IncidentStage
from logmedic.model.report import Report


@dataclass(frozen=True, slots=True)
class SampleLine:
    """`repeat` times, `every` apart on the virtual clock; the first of them `at` so long after the start of the test
    (None: where the line before left the clock). `source`: where it is read; empty: where the rule listens. `fields`:
    what its origin says of it. Instead of a line: an application reports `report`; or an incident of the rule
    `incident`, with `fields` for its captures, comes to the stage `on`."""

    text: str
    repeat: int = 1
    every: timedelta = timedelta(0)
    at: timedelta | None = None
    source: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    incident: str = ""
    on: IncidentStage = IncidentStage.OPENED
    report: Report | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """None, or nothing: is not checked. `fires`: how often an incident is opened (further triggers of an open one are
    part of it). `matches`: lines that match. `captures`: of the last match. `steps`, `runs`: the names and the argv of
    the fix's steps that would be run, in order. `resolved`: how many incidents end; `resolution`: how the last did."""

    fires: int | None = None
    matches: int | None = None
    captures: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[str, ...] | None = None
    runs: tuple[tuple[str, ...], ...] | None = None
    resolved: int | None = None
    resolution: Resolution | None = None


@dataclass(frozen=True, slots=True)
class RuleTest:
    """Lines on a virtual clock, which goes on to `until` behind the last of them. `line`: where it is written."""

    name: str
    lines: tuple[SampleLine, ...]
    expect: Expectation
    until: timedelta = timedelta(0)
    line: int = 0
