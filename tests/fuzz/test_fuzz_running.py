"""Planted mistakes are found from outside, whatever they do to the process; what is well is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzz.finding import kept
from fuzz.planted import ROOM
from fuzz.running import Outcome, fuzzed, replayed
from fuzz.targets import named

LONGER = (1.0, 4.0, 16.0)
"""Until it is found: a machine with other work reads fewer inputs in a second."""


def run(name: str, seconds: float = 1.0) -> Outcome:
    return fuzzed(named(f"{ROOM}:{name}"), seconds=seconds, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("raises", {"KeyError", "AttributeError"}),
        ("promises", {"Broken"}),
        ("hangs", {"hang"}),
        ("dies", {"death"}),
        ("eats", {"memory", "MemoryError"}),
        ("leaks", {"growth"}),
    ],
)
def test_a_planted_mistake_is_found(name: str, kind: set[str], tmp_path: Path) -> None:
    for seconds in LONGER:
        outcome = run(name, seconds)
        if {each.kind for each in outcome.finds} & kind:
            break
    else:
        pytest.fail(f"not found in {sum(LONGER):g} s: {outcome}")
    for find in outcome.finds:
        if find.kind != "growth":  # no one input is to blame
            again = replayed(named(f"{ROOM}:{name}"), kept(find, tmp_path))
            assert again is not None
            assert again.kind == find.kind


def test_what_is_well_is_left_alone() -> None:
    outcome = run("well")
    assert outcome.finds == []
    assert outcome.inputs > 100


def test_a_find_is_minimized() -> None:
    finds = {each.kind: each.input for each in run("promises").finds}
    assert finds["Broken"] == b"2147483648"
