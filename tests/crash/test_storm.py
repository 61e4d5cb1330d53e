"""I1: under load, with three logs rotated in three ways, no random kill loses or doubles a line. `make soak` does it
for ten minutes."""

from __future__ import annotations

from pathlib import Path

import pytest

from crash.lines import Tally
from crash.storm import Storm, differing, rows

KILLS = 16


@pytest.mark.slow
def test_f30_what_is_stored_equals_what_was_written_after_kills_at_random_moments(tmp_path: Path) -> None:
    storm = Storm(tmp_path, seed=1, rotate_s=2.0)
    for _ in storm.run(kills=KILLS, longest_s=1.2, calm_s=1.0):
        pass
    report = storm.report
    assert report.exact, f"{report.text()}\n{storm.said()}"
    assert report.kills == KILLS
    assert report.rotations > KILLS
    assert {row.what for row in report.rows if row.written == 0} == set(), report.text()


def counted(**more: int) -> Tally:
    """Two lines of one rule and group, one unknown error; and `more` of what is named."""
    tally = Tally(lines=3 + more.get("lines", 0), matched=2, errors=1)
    for name in ("rules", "groups", "unknown", "learned"):
        key = ("disk-slow", "sda") if name == "groups" else "ledger" if name in ("unknown", "learned") else "disk-slow"
        getattr(tally, name)[key] = (2 if name in ("rules", "groups") else 1) + more.get(name, 0)
    return tally


@pytest.mark.parametrize("what", ["lines", "rules", "groups", "unknown", "learned"])
@pytest.mark.parametrize("n", [-1, 1], ids=["lost", "doubled"])
def test_one_that_is_lost_or_doubled_shows(what: str, n: int) -> None:
    assert differing(rows(counted(), counted())) == []
    assert len(differing(rows(counted(), counted(**{what: n})))) == 1
