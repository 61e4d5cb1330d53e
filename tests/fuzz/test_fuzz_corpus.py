"""Inputs that broke something once, and some that never did, are read by every target."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from fuzz.judging import Judge
from fuzz.targets import CORPUS, NAMES, corpus_of, named

SEEDS = 4
"""Of each target: what it is begun with must be known to it."""


@pytest.mark.parametrize("name", NAMES)
def test_what_was_found_once_is_mended(name: str, tmp_path: Path) -> None:
    target = named(name)
    with target.open(tmp_path) as attempt:
        judge = Judge(target, attempt)
        for given in [*corpus_of(name), *islice(target.seeds(), SEEDS)]:
            found = judge.judge(given)
            assert found is None, f"{found.kind} {found.where}\n{found.text}\n{found.input!r}"


def test_every_directory_of_the_corpus_is_of_a_target() -> None:
    assert {each.name for each in CORPUS.iterdir()} <= set(NAMES)
