"""What is told live is what the store answers afterwards: the same events, once, in the same order, field by field."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import builders as make
from fakes.memory_store import MemoryStore
from logmedic.adapters.store.duck import DuckStore
from logmedic.core.decide import decide
from logmedic.core.feed import events_of, row_of
from logmedic.model.alert import AlertStatus, Delivery
from logmedic.model.changeset import (
    Acknowledge,
    Approve,
    Changeset,
    ChecksFinished,
    Delivered,
    Input,
    Intent,
    ProbesFinished,
    Quiet,
    Resend,
    RunChecks,
    RunProbes,
    RunStep,
    SetTrust,
    Speaking,
    StepFinished,
    Sweep,
    Tick,
)
from logmedic.model.fix import FixResult, ProbeResult
from logmedic.model.rule import Mode
from logmedic.model.state import EngineState
from logmedic.ports import Store

ASKING = replace(make.RULE, id="db-down", fix=replace(make.FIX, mode=Mode.APPROVE))
MOST = 10_000

Move = tuple[str, bool, float]
MOVES = st.lists(
    st.tuples(
        st.sampled_from(
            ["match", "other", "unknown", "run", "deliver", "approve", "ack", "quiet", "speaking", "trust", "resend"]
        ),
        st.booleans(),
        st.sampled_from([0.0, 1.0, 20.0, 700.0]),
    ),
    min_size=5,
    max_size=40,
)


class Story:
    """A run of decisions: what was committed, and what was told of each live."""

    def __init__(self) -> None:
        self.state = EngineState()
        self.now = make.START
        self.policy = make.policy(make.RULE, ASKING, learning=make.learning(promote_after=2))
        self._intents: list[Intent] = []
        ids = count(1)
        self._mint: Callable[[], str] = lambda: f"0193a000-0000-7000-8000-{next(ids):012x}"

    def changesets(self, moves: list[Move]) -> Iterator[tuple[Changeset, list[dict[str, Any]] | None]]:
        for name, well, after in moves:
            self.now += timedelta(seconds=after)
            for each in self._given(name, well):
                yield self._decided(each)
            yield self._decided(Tick())
        yield self._decided(Sweep())

    def _decided(self, taken: Input) -> tuple[Changeset, list[dict[str, Any]] | None]:
        changeset = decide(self.state, self.policy, taken, self.now, self._mint)
        told = events_of(changeset, self.state.incidents.get)
        self.state.apply(changeset)
        self._intents += changeset.intents
        return changeset, None if told is None else [row_of(each) for each in told]

    def _given(self, name: str, well: bool) -> Iterator[Input]:
        incidents = list(self.state.incidents)
        match name:
            case "match" | "other":
                rule = make.RULE if name == "match" else ASKING
                yield make.observed(make.match(rule, self.now, group="a" if well else "b"))
            case "unknown":
                yield make.observed(make.unknown(self.now, "ERROR boom 1" if well else "ERROR other 2", critical=well))
            case "run":
                taken, self._intents = self._intents, []
                yield from filter(None, (_answer(each, well) for each in taken))
            case "deliver":
                waiting = [each for each in self.state.alerts.values() if each.status is AlertStatus.SENDING]
                yield from (Delivered(each.id, Delivery(well, permanent=not well)) for each in waiting)
            case "approve" if incidents:
                yield Approve(incidents[-1], "ops")
            case "ack" if incidents:
                yield Acknowledge(f"incident:{incidents[-1]}", "ops")
            case "quiet":
                yield Quiet("web", self.now)
            case "speaking":
                yield Speaking("web")
            case "trust":
                yield SetTrust(ASKING.id, Mode.OBSERVE if well else Mode.APPROVE, "ops", "because")
            case "resend":
                yield Resend(tuple(self.state.dead), "ops")


def _answer(intent: Intent, well: bool) -> Input | None:
    match intent:
        case RunStep(attempt=attempt):
            return StepFinished(attempt.id, FixResult(0 if well else 1, 0.1))
        case RunProbes(attempt_id=attempt_id):
            return ProbesFinished(attempt_id, ProbeResult(well, "said so"))
        case RunChecks(incident_id=incident_id, checks=checks):
            said = ProbeResult(well, "said so")
            return ChecksFinished(incident_id, tuple((purpose, said) for purpose, _ in checks))
    return None


async def told_as_stored(store: Store, moves: list[Move]) -> int:
    """Looks after each commit. Answers how many events there were."""
    await store.open()
    last, ids = "", list[str]()
    for changeset, told in Story().changesets(moves):
        if changeset.empty:
            continue
        await store.commit(changeset)
        stored = await store.ask("events", after=last, limit=MOST)
        if told is not None:
            assert [row for row in told if row["id"] > last] == stored
        ids += [row["id"] for row in stored]
        last = ids[-1] if ids else ""
    everything = await store.ask("events", limit=MOST)
    assert [row["id"] for row in everything] == ids
    assert await store.ask("events", newest=True, limit=5) == everything[-5:]
    await store.close()
    return len(ids)


@settings(max_examples=60, deadline=None)
@given(MOVES)
def test_in_memory(moves: list[Move]) -> None:
    asyncio.run(told_as_stored(MemoryStore(), moves))


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(MOVES)
def test_in_duckdb(moves: list[Move]) -> None:
    with TemporaryDirectory() as room:
        asyncio.run(told_as_stored(DuckStore(Path(room) / "state" / "logmedic.duckdb"), moves))


@pytest.mark.parametrize("kind", ["memory", "duckdb"])
def test_a_story_in_which_everything_happens(kind: str, tmp_path: Path) -> None:
    store = MemoryStore() if kind == "memory" else DuckStore(tmp_path / "state" / "logmedic.duckdb")
    names = ["match", "other", "unknown", "unknown", "run", "approve", "run", "ack", "deliver", "resend", "quiet"]
    moves = [(name, well, 20.0) for well in (True, False, True) for name in [*names, "speaking", "trust"]]
    assert asyncio.run(told_as_stored(store, moves)) > 50
