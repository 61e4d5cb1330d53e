"""What an operator sees of a source, and the notice of one that goes quiet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, timedelta
from itertools import count
from typing import Any

import builders as make
from fakes.clock import FakeClock
from fakes.memory_store import MemoryStore
from logmedic.core.matcher import Matcher
from logmedic.model.errors import StoreFull
from logmedic.model.gap import Gap, SourceEventKind
from logmedic.model.record import Block, Checkpoint
from logmedic.runtime.engine import Engine
from logmedic.runtime.intake import Intake
from logmedic.runtime.watchman import Watchman


class Mouth:
    """Implements ports.Source: says what it is told to."""

    name = "app"

    def __init__(self) -> None:
        self._words: asyncio.Queue[Block] = asyncio.Queue()
        self._offset = 0
        self.lag = 0

    def say(self, text: str, *gaps: Gap) -> None:
        start, self._offset = self._offset, self._offset + len(text)
        mark = Checkpoint("a.log", self.name, self._offset, make.START)
        self._words.put_nowait(Block(self.name, "a.log", text.encode(), start, mark, make.START, gaps=gaps))

    async def blocks(self, checkpoints: Mapping[str, Checkpoint]) -> AsyncGenerator[Block, None]:
        while True:
            yield await self._words.get()

    def health(self) -> list[dict[str, Any]]:
        place = {"origin": "a.log", "offset": self._offset, "size": self._offset + self.lag, "lag_bytes": self.lag}
        return [{**place, "last_read_at": None, "problem": ""}]


@asynccontextmanager
async def listening(
    store: MemoryStore, mouth: Mouth, quiet_after_s: float = 3600.0
) -> AsyncIterator[tuple[Intake, Engine]]:
    clock, ids = FakeClock(make.START), count(1)
    engine = Engine(
        state=await store.open(),
        store=store,
        clock=clock,
        mint=lambda: f"{next(ids):08d}",
        policy=make.policy,
        carry_out=lambda _: None,
        alive=lambda: None,
    )
    intake = Intake(source=mouth, engine=engine, matcher=lambda: Matcher((), zone=UTC), clock=clock)
    watchman = Watchman(watched=[(intake, timedelta(seconds=quiet_after_s))], engine=engine, clock=clock)
    tasks = [asyncio.create_task(each.run()) for each in (engine, intake, watchman)]
    try:
        yield intake, engine
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(condition: Callable[[], object], within: float = 5.0) -> None:
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.005)


def kinds(store: MemoryStore) -> list[SourceEventKind]:
    return [event.kind for changeset in store.changesets for event in changeset.source_events]


def test_the_counts_of_lines_bytes_gaps_and_truncations_add_up() -> None:
    async def scenario() -> None:
        mouth = Mouth()
        async with listening(MemoryStore(), mouth) as (intake, _):
            mouth.say("one\ntwo\n")
            mouth.say("three\n", Gap(SourceEventKind.TRUNCATED, 7), Gap(SourceEventKind.HOLE, 5))
            await until(lambda: next(intake.rows())["lines"] == 3)
            (row,) = intake.rows()
            assert {name: row[name] for name in ("source", "bytes", "gaps", "truncations", "skipped_bytes")} == {
                "source": "app",
                "bytes": 14,
                "gaps": 2,
                "truncations": 1,
                "skipped_bytes": 12,
            }
            assert row["last_line_at"] == "2026-11-24T03:00:00Z"

    asyncio.run(scenario())


def test_the_lag_in_seconds_is_the_age_of_the_last_line_while_more_waits() -> None:
    async def scenario() -> None:
        mouth = Mouth()
        async with listening(MemoryStore(), mouth) as (intake, _):
            mouth.say("2026-11-24T02:58:30Z one\n")
            await until(lambda: next(intake.rows())["lines"] == 1)
            assert next(intake.rows())["lag_s"] == 0.0
            mouth.lag = 100
            assert next(intake.rows())["lag_s"] == 90.0

    asyncio.run(scenario())


def test_a_source_that_waits_for_the_store_says_so() -> None:
    async def scenario() -> None:
        store, mouth = MemoryStore(), Mouth()
        for _ in range(1000):
            store.fail_next(StoreFull("no space"))
        async with listening(store, mouth) as (intake, _):
            for number in range(200):
                mouth.say(f"ERROR {number}\n")
            await until(lambda: "waits to be stored" in next(intake.rows())["problem"])

    asyncio.run(scenario())


def test_f29_a_source_that_goes_quiet_is_noticed_and_so_is_its_return() -> None:
    async def scenario() -> None:
        store, mouth = MemoryStore(), Mouth()
        async with listening(store, mouth, quiet_after_s=0.2) as (_, engine):
            mouth.say("one\n")
            await until(lambda: "app" in engine.state.quiet_sources)
            mouth.say("two\n")
            await until(lambda: not engine.state.quiet_sources)
            assert kinds(store) == [SourceEventKind.QUIET, SourceEventKind.SPEAKING]

    asyncio.run(scenario())


def test_f29_a_restart_neither_tells_it_again_nor_takes_itself_for_a_line() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        async with listening(store, Mouth(), quiet_after_s=0.1) as (_, engine):
            await until(lambda: engine.state.quiet_sources)
        again, mouth = store.reopen(), Mouth()
        async with listening(again, mouth, quiet_after_s=0.1) as (_, engine):
            assert set(engine.state.quiet_sources) == {"app"}
            await asyncio.sleep(0.25)
            assert kinds(again) == [SourceEventKind.QUIET]
            mouth.say("back\n")
            await until(lambda: not engine.state.quiet_sources)

    asyncio.run(scenario())
