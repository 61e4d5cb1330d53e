"""Much is decided some of it at a time, and all of it once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import checkpoint, match, observed, record, unknown
from logmedic.core.portions import PART_FINDINGS, findings_of, is_uneventful, portions, records_of
from logmedic.model.changeset import Observed, Tick
from logmedic.model.record import Findings, OrdinaryLine


def found(matches: int, unknowns: int) -> Observed:
    errors = [unknown(fingerprint=f"{each:016d}") for each in range(unknowns)]
    return observed(*(match(group=f"g{each}") for each in range(matches)), *errors, at=checkpoint(9))


@given(st.integers(0, 350), st.integers(0, 350))
def test_all_is_decided_once_in_order_and_little_of_it_at_a_time(matches: int, unknowns: int) -> None:
    whole = found(matches, unknowns)
    parts = [each for each in portions(whole) if isinstance(each, Observed)]
    assert tuple(each for part in parts for each in part.findings.matches) == whole.findings.matches
    assert tuple(each for part in parts for each in part.findings.unknown) == whole.findings.unknown
    assert all(findings_of([each]) <= PART_FINDINGS for each in parts)
    assert sum(each.findings.lines for each in parts) == whole.findings.lines
    assert [each.checkpoint for each in parts] == [whole.checkpoint] + [None] * (len(parts) - 1)


def test_what_is_no_block_is_one_portion() -> None:
    assert list(portions(Tick())) == [Tick()]


@pytest.mark.parametrize(
    "eventful",
    [
        found(1, 0).findings,
        found(0, 1).findings,
        Findings(reports=(record(),)),
        Findings(captures_refused=1),
        Findings(timeouts={"web-down": 1}),
        Findings(ordinary=OrdinaryLine("web", 7, "all is well")),
    ],
    ids=["match", "unknown", "report", "captures", "timeout", "ordinary"],
)
def test_a_block_of_plain_lines_has_nothing_to_decide_and_any_other_has(eventful: Findings) -> None:
    plain = Observed("web", "a.log", Findings(lines=7), checkpoint(9))
    assert is_uneventful(plain)
    assert not is_uneventful(replace(plain, findings=eventful))


def test_an_unknown_error_counts_as_many_records_as_it_stands_for() -> None:
    findings = Findings(matches=(match(), match()), unknown=(replace(unknown(), count=40),), reports=(record(),))
    assert records_of(findings) == 43
