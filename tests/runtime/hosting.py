"""The real engine and intakes over real sources, for tests of what happens between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import UTC
from itertools import count
from pathlib import Path
from typing import Any

import builders as make
from fakes.memory_store import MemoryStore
from logmedic.adapters.sources.discovery import WatchdogDiscovery
from logmedic.adapters.sources.files import FileSource
from logmedic.adapters.sources.wake import InotifyWake
from logmedic.core.framing import TRACES, Framing
from logmedic.core.matcher import Matcher
from logmedic.model.record import Block, Checkpoint
from logmedic.model.rule import Rule
from logmedic.ports import Source
from logmedic.runtime.engine import Engine
from logmedic.runtime.intake import Intake
from tail.collector import SystemClock


class Counted:
    """A source as it is. `asked`: somebody waits for its next block. `taken`: bytes of those handed out."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.asked = False
        self.taken = 0

    @property
    def name(self) -> str:
        return self.source.name

    def health(self) -> list[dict[str, Any]]:
        return self.source.health()

    async def blocks(self, checkpoints: Mapping[str, Checkpoint]) -> AsyncGenerator[Block, None]:
        async with aclosing(self.source.blocks(checkpoints)) as blocks:
            self.asked = True
            async for block in blocks:
                self.asked = False
                self.taken += len(block.data)
                yield block
                self.asked = True


@asynccontextmanager
async def host(
    store: MemoryStore, *sources: Source, rules: Sequence[Rule], framing: Framing = TRACES
) -> AsyncIterator[tuple[Engine, list[Intake]]]:
    """The real engine and the real intakes of these sources."""
    ids, clock, matcher = (
        count(1),
        SystemClock(),
        Matcher(rules, zone=UTC, framings=dict.fromkeys((each.name for each in sources), framing)),
    )
    engine = Engine(
        state=await store.open(),
        store=store,
        clock=clock,
        mint=lambda: f"{next(ids):08d}",
        policy=lambda: make.policy(*rules),
        carry_out=lambda _: None,
        alive=lambda: None,
    )
    intakes = [
        Intake(source=each, engine=engine, matcher=lambda: matcher, clock=clock, framing=framing) for each in sources
    ]
    tasks = [asyncio.create_task(each.run()) for each in (engine, *intakes)]
    try:
        yield engine, intakes
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def watching() -> AsyncIterator[Callable[..., Counted]]:
    """Makes file sources, which share their hints."""
    wake, discovery = InotifyWake(), WatchdogDiscovery()

    def files(name: str, *globs: Path, max_line: int = 1024 * 1024) -> Counted:
        patterns = [str(each) for each in globs]
        return Counted(
            FileSource(
                name,
                patterns,
                clock=SystemClock(),
                wake=wake,
                discovery=discovery,
                from_start=True,
                max_line=max_line,
                rotate_grace_s=0.5,
            )
        )

    try:
        yield files
    finally:
        wake.close()
        await discovery.close()


async def until(condition: Callable[[], object], within: float = 10.0) -> None:
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.002)
