"""The whole engine, with faults at each of its edges: whatever a seed makes happen, the invariants hold."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from random import Random

import pytest
import structlog

from logmedic.adapters.store.duck import DuckStore
from logmedic.model.state import EngineState
from simulation.chances import Faults, drawn
from simulation.quiet import quiet
from simulation.ruleset import Said, loaded
from simulation.story import Outcome, Story

SEEDS = 12
"""`make simulate` has more of them."""
DRAWN = 240


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    before = structlog.get_config()
    quiet()
    yield
    structlog.configure(**before)


def told_again(outcome: Outcome) -> str:
    return "\n".join((f"make simulate SEED={outcome.seed}", outcome.faults, *outcome.story[-25:], *outcome.broken))


def test_the_invariants_hold_whatever_fails_in_stories_that_are_about_something() -> None:
    """Or a simulation in which nothing happens would pass for one in which all is well."""
    happened: Counter[str] = Counter()
    for seed in range(SEEDS):
        outcome = Story(seed).told()
        assert not outcome.broken, told_again(outcome)
        happened += outcome.happened
    for what in (
        "step begins",
        "message arrives",
        "killed",
        "stops",
        "reload",
        "order",
        "emptied",
        "commit fails",
        "stepped in while fixing",
        "store does not open",
        "store cannot be asked",
        *(f"opens {rule.id}" for rule in loaded(Said.FULL).rules if rule.id != "more-timeouts"),  # seldom
        "held cause",
        "held maintenance",
    ):
        assert happened[what] >= 2, happened


def test_a_seed_tells_the_same_story_each_time() -> None:
    for seed in (3, 11):
        first, second = Story(seed).told(), Story(seed).told()
        assert first.story == second.story
        assert first.digest == second.digest


def test_each_fault_is_in_some_seeds_and_not_in_others() -> None:
    many = [drawn(Random(seed)) for seed in range(DRAWN)]
    for each in fields(Faults):
        having = sum(1 for faults in many if getattr(faults, each.name))
        assert 0.3 < having / DRAWN < 0.7, each.name


def rows_of(state: EngineState) -> dict[str, object]:
    """What is unfinished, and what holds fixes back. (Silences that ended are history for the one.)"""
    names = (
        "incidents",
        "breakers",
        "windows",
        "checkpoints",
        "pauses",
        "trust",
        "groups",
        "alerts",
        "receivers",
    )
    return {name: getattr(state, name) for name in names}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 5, 23])
def test_the_real_store_opens_with_what_the_engine_knew(seed: int, tmp_path: Path) -> None:
    """All that a story committed, in a real DuckDB: the daemon's next life begins with what the last one ended with."""
    story = Story(seed)
    story.told()
    engines = asyncio.run(story.world.disk.open())

    async def opened() -> EngineState:
        path = tmp_path / "store.duckdb"
        for changesets in (story.world.disk.changesets, ()):
            store = DuckStore(path)
            state = await store.open()
            for each in changesets:
                await store.commit(each)
            await store.close()
        return state

    real = asyncio.run(opened())
    assert rows_of(real) == rows_of(engines)
