"""Scenarios 16 and 20: decisions, and decisions with the store."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from benchmarks.corpus import rules
from benchmarks.scanning import NOW
from benchmarks.table import Row
from logmedic.adapters.store.duck import DuckStore
from logmedic.core.decide import decide
from logmedic.model.changeset import Observed
from logmedic.model.policy import Policy
from logmedic.model.record import Checkpoint, Findings, Match, Record
from logmedic.model.rule import Rule
from logmedic.model.state import EngineState
from logmedic.runtime.clock import SystemClock, Uuid7
from logmedic.runtime.engine import Engine

DECIDED = 100_000
PER_BLOCK = 100
STORE_S = 60
STORE_RATE = 10_000


def _observed(wanted: Sequence[Rule], first: int, count: int) -> Observed:
    """`count` matches, of the rules in turn, with the position behind them."""
    matches = tuple(
        Match(
            wanted[n % len(wanted)].id,
            Record("bench", "/bench", f"2026-11-23 03:30:00 WARNING shop.worker: {n}", n * 100, n * 100 + 99, NOW),
            {"host": "192.0.2.7"},
        )
        for n in range(first, first + count)
    )
    mark = Checkpoint("/bench", "bench", (first + count) * 100, NOW)
    return Observed("bench", "/bench", Findings(matches=matches, lines=count), mark)


def decisions(_: int) -> Iterator[Row]:
    """Matches decided a second of CPU, in blocks of a hundred: a storm of one rule, and of a thousand."""
    for count, reach in ((1, 50_000), (1000, 20_000)):
        wanted = rules(count)
        policy, state, mint = Policy(rules={each.id: each for each in wanted}), EngineState(), Uuid7()
        given = [_observed(wanted, first, PER_BLOCK) for first in range(0, DECIDED, PER_BLOCK)]
        begun = time.process_time()
        for each in given:
            state.apply(decide(state, policy, each, NOW, mint))
        rate = DECIDED / (time.process_time() - begun)
        name = f"engine, storm of {count} rule{'s' * (count > 1)}"
        yield Row("20", name, f"{rate:,.0f} decisions/s", "", "", f"{reach:,}/s", rate >= reach)


def store(_: int) -> Iterator[Row]:
    """10,000 matches a second of 100 rules for a minute, through the real engine into the real store, while a task on
    the same loop notes how late it is woken."""
    taken, late = asyncio.run(_stored())
    ordered = sorted(late)
    p999 = ordered[int(len(ordered) * 0.999)] * 1000
    sent = STORE_S * STORE_RATE
    yield Row("16", "store, nothing lost", f"{taken:,} stored", f"{sent:,} submitted", "", "equal", taken == sent)
    told = f"loop late p99.9 {p999:.1f} ms, max {ordered[-1] * 1000:.1f} ms"
    yield Row("16", "store, the loop", told, f"in {STORE_S} s", "", "10 ms", p999 <= 10)


async def _stored() -> tuple[int, list[float]]:
    wanted = rules(100)
    policy, late = Policy(rules={each.id: each for each in wanted}), list[float]()
    with tempfile.TemporaryDirectory() as room:
        durable = DuckStore(Path(room) / "state" / "bench.duckdb")
        engine = Engine(
            state=await durable.open(),
            store=durable,
            clock=SystemClock(),
            mint=Uuid7(),
            policy=lambda: policy,
            carry_out=lambda _: None,
            alive=lambda: None,
        )
        running = asyncio.create_task(engine.run())
        noting = asyncio.create_task(_note_lateness(late))
        try:
            await _submit_at_rate(engine, wanted)
            await engine.settled()
            counts = await durable.ask("counts")
        finally:
            for task in (running, noting):
                task.cancel()
            await asyncio.gather(running, noting, return_exceptions=True)
            await durable.close()
        return counts.get("matched", 0), late


async def _submit_at_rate(engine: Engine, wanted: Sequence[Rule]) -> None:
    begun = asyncio.get_running_loop().time()
    for first in range(0, STORE_S * STORE_RATE, PER_BLOCK):
        due = begun + first / STORE_RATE
        await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
        await engine.submit(_observed(wanted, first, PER_BLOCK))


async def _note_lateness(late: list[float]) -> None:
    pause = timedelta(milliseconds=2).total_seconds()
    while True:
        asked = time.perf_counter()
        await asyncio.sleep(pause)
        late.append(max(0.0, time.perf_counter() - asked - pause))
