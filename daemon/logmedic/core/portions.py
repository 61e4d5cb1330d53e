"""How much there is to decide in an input, and that in portions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from logmedic.model.changeset import Input, Observed
from logmedic.model.record import Findings

PART_FINDINGS = 100
"""So many are decided without a break: 2 to 3 ms."""


def is_uneventful(observed: Observed) -> bool:
    """Plain lines: of them the position and the number are kept, and nothing is decided."""
    found = observed.findings
    lost = observed.gaps or found.captures_refused or found.timeouts or found.ordinary
    return not (findings_of([observed]) or lost)


def findings_of(given: Iterable[Input]) -> int:
    observed = (each.findings for each in given if isinstance(each, Observed))
    return sum(len(found.matches) + len(found.unknown) + len(found.reports) for found in observed)


def records_of(findings: Findings) -> int:
    return len(findings.matches) + sum(each.count for each in findings.unknown) + len(findings.reports)


def portions(given: Input) -> Iterator[Input]:
    """Itself, or, when it takes long to decide, some of its findings at a time: the position with the first."""
    if not isinstance(given, Observed) or findings_of([given]) <= PART_FINDINGS:
        yield given
        return
    found = given.findings
    yield replace(given, findings=replace(found, matches=(), unknown=()))
    for at in range(0, len(found.matches), PART_FINDINGS):
        yield _some_of(given, Findings(matches=found.matches[at : at + PART_FINDINGS]))
    for at in range(0, len(found.unknown), PART_FINDINGS):
        yield _some_of(given, Findings(unknown=found.unknown[at : at + PART_FINDINGS]))


def _some_of(observed: Observed, findings: Findings) -> Observed:
    return replace(observed, findings=findings, checkpoint=None, gaps=())
