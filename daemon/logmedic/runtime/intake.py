"""From a source to the engine: blocks are assembled, matched, and submitted with their position."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from logmedic.core.assembler import Assembler
from logmedic.core.matcher import Matcher
from logmedic.model.changeset import Observed
from logmedic.model.record import Block
from logmedic.ports import Source
from logmedic.runtime.engine import Engine

THREAD_FROM_BYTES = 256 * 1024
"""Blocks of this size and more are scanned in a thread (the scan releases the GIL); the hand-over costs about 0.1 ms,
which a small live block is not worth."""
HOLD_S = 0.3
"""How long an unfinished stack trace waits for its next line."""


class Intake:
    """One source's way to the engine. `run` is kept by the supervisor; a restart begins behind what is committed."""

    def __init__(self, *, source: Source, engine: Engine, matcher: Callable[[], Matcher]) -> None:
        self._source = source
        self._engine = engine
        self._matcher = matcher
        self._assemblers: dict[str, Assembler] = {}
        self._flushes: dict[str, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Until the source is exhausted."""
        await self._engine.settled()  # what an earlier run had queued is in the checkpoints by then (I1)
        self._assemblers.clear()
        self._flushes.clear()
        async with asyncio.TaskGroup() as flushes:  # a flush that fails ends the run, and is not lost
            async for block in self._source.blocks(self._engine.state.checkpoints):
                async with self._turn:
                    await self._take(block, flushes)
            await self._flush_all()

    async def _take(self, block: Block, flushes: asyncio.TaskGroup) -> None:
        self._cancel_flush(block.origin)
        assembler = self._assemblers.setdefault(block.origin, Assembler())
        ready = assembler.push(block)
        if ready is not None:
            await self._match(ready)
        if assembler.pending:
            self._flushes[block.origin] = flushes.create_task(self._flush_later(block.origin))

    def _cancel_flush(self, origin: str) -> None:
        if (waiting := self._flushes.pop(origin, None)) is not None:
            waiting.cancel()

    async def _flush_later(self, origin: str) -> None:
        await asyncio.sleep(HOLD_S)
        async with self._turn:
            self._flushes.pop(origin, None)
            await self._flush(origin)

    async def _flush(self, origin: str) -> None:
        ready = self._assemblers[origin].flush()
        if ready is not None:
            await self._match(ready)

    async def _flush_all(self) -> None:
        async with self._turn:
            for origin in tuple(self._assemblers):
                self._cancel_flush(origin)
                await self._flush(origin)

    async def _match(self, block: Block) -> None:
        matcher = self._matcher()
        if len(block.data) >= THREAD_FROM_BYTES:
            findings = await asyncio.to_thread(matcher.find, block)
        else:
            findings = matcher.find(block)
        await self._engine.submit(Observed(block.source, block.origin, findings, block.checkpoint, block.gaps))
