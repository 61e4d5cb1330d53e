"""From a source to the engine: blocks are assembled, matched, and submitted with their position."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, tzinfo
from typing import Any

from logmedic.core.assembler import Assembler
from logmedic.core.framing import TRACES, Framing
from logmedic.core.matcher import Matcher
from logmedic.core.ordinary import drawn, may_go_on
from logmedic.model.changeset import Observed
from logmedic.model.learned import OrdinaryLine
from logmedic.model.record import Block, Findings
from logmedic.ports import Clock, ManyOrigins, Source
from logmedic.runtime.engine import Engine
from logmedic.runtime.meter import Behind, Meter

THREAD_FROM_BYTES = 256 * 1024
"""Blocks of this size and more are scanned in a thread (the scan releases the GIL); the hand-over costs about 0.1 ms,
which a small live block is not worth."""
HELD_UP_S = 1.0
"""An engine that is busy makes a source wait; for longer than this, people want to know."""
NOTHING = Meter()
ORIGINS_AT_ONCE = 1000
"""About 2 ms."""
HOLD_S = 0.3
"""How long a record that is unfinished, or that nothing is known of yet, waits for its next line. Only time counts in
which the source is listened to, or in which each of its files had a turn: a commit that stalls must not cut in two what
is there already, and a file that floods must not hold up what another one said."""
HOLD_ROUNDS = 8
"""So many turns of all its files, while a source is never waited for."""
SHORT_S = 0.01


class Listening:
    """How long a source was listened to in all, in seconds of the loop's time."""

    def __init__(self) -> None:
        self._sum = 0.0
        self._since: float | None = None

    def start(self, at: float) -> None:
        self._since = at

    def stop(self, at: float) -> None:
        self._sum, self._since = self.total(at), None

    def total(self, at: float) -> float:
        return self._sum + (at - self._since if self._since is not None else 0.0)


class Intake:
    """One source's way to the engine. `run` is kept by the supervisor; a restart begins behind what is committed."""

    def __init__(
        self,
        *,
        source: Source,
        engine: Engine,
        matcher: Callable[[], Matcher],
        clock: Clock,
        zone: tzinfo = UTC,
        framing: Framing = TRACES,
        total: Meter | None = None,
    ) -> None:
        """`zone`: of line times that name none. `total`: of all that the source reads, also before it was read anew."""
        self._framing = framing
        self._source = source
        self._clock = clock
        self._zone = zone
        self._meters: dict[str, Meter] = {}
        self.total = total or Meter()
        self._waits_since: float | None = None
        self.spoke_at: float | None = None
        """Loop time of the last line; None before the first."""
        self._engine = engine
        self._matcher = matcher
        self._assemblers: dict[str, Assembler] = {}
        self._flushes: dict[str, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()
        self._listening = Listening()
        self._rounds = 0
        self._in_round: set[str] = set()
        self._handed_on = 0
        """Blocks, since the start."""
        self._unsure: dict[str, OrdinaryLine] = {}
        """By origin: a line that is ordinary, unless the next one goes on with it."""

    @property
    def name(self) -> str:
        return self._source.name

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row an origin, of what the source says of itself and what was read of it since the start."""
        now, waiting = self._clock.now(), self._waiting()
        for row in self._source.health():
            yield {
                "source": self.name,
                **row,
                **self._meters.get(row["origin"], NOTHING).row(row["lag_bytes"], now, self._zone),
                "problem": row["problem"] or waiting,
            }

    async def behind(self) -> Behind:
        """Over all origins; others on the loop get their turn meanwhile."""
        now, found = self._clock.now(), Behind(in_trouble=bool(self._waiting()))
        for number, (origin, lag_bytes, problem) in enumerate(self._lags(), start=1):
            lag_s = self._meters.get(origin, NOTHING).lag_s(lag_bytes, now, self._zone) if lag_bytes else 0.0
            found.add(lag_bytes, lag_s, bool(problem))
            if number % ORIGINS_AT_ONCE == 0:
                await asyncio.sleep(0)
        return found

    def _lags(self) -> Iterator[tuple[str, int, str]]:
        if isinstance(self._source, ManyOrigins):
            return self._source.lags()
        return ((row["origin"], row["lag_bytes"], row["problem"]) for row in self._source.health())

    def _waiting(self) -> str:
        """Reading stops while what was read is not taken in; the position stays where it is (I6)."""
        waits = _now() - self._waits_since if self._waits_since is not None else 0.0
        return f"not read for {waits:.0f} s: what was read before waits to be stored" if waits >= HELD_UP_S else ""

    async def run(self) -> None:
        """Until the source is exhausted."""
        self._waits_since = None
        await self._engine.settled()  # what an earlier run had queued is in the checkpoints by then (I1)
        self._assemblers.clear()
        self._unsure.clear()
        self._flushes.clear()
        async with asyncio.TaskGroup() as flushes:  # a flush that fails ends the run, and is not lost
            async with aclosing(self._source.blocks(self._engine.state.checkpoints_of(self.name))) as blocks:
                self._listening.start(_now())
                async for block in blocks:
                    self._listening.stop(_now())
                    async with self._turn:
                        await self._take(block, flushes)
                    self._listening.start(_now())
            await self._flush_all()

    async def _take(self, block: Block, flushes: asyncio.TaskGroup) -> None:
        self._cancel_flush(block.origin)
        self._count_rounds(block.origin)
        assembler = self._assemblers.setdefault(block.origin, Assembler(self._framing))
        for ready in assembler.push(block):
            await self._match(ready)
        if assembler.pending:
            self._flushes[block.origin] = flushes.create_task(self._flush_later(block.origin))
        if block.checkpoint.is_over:
            self._assemblers.pop(block.origin, None)
            self._meters.pop(block.origin, None)
            self._unsure.pop(block.origin, None)

    def _count_rounds(self, origin: str) -> None:
        """The files of a source take turns: when one comes again, all that had something had theirs."""
        if origin in self._in_round:
            self._rounds += 1
            self._in_round.clear()
        self._in_round.add(origin)

    def _cancel_flush(self, origin: str) -> None:
        if (waiting := self._flushes.pop(origin, None)) is not None:
            waiting.cancel()

    async def _flush_later(self, origin: str) -> None:
        until, rest, begun = self._listening.total(_now()) + HOLD_S, HOLD_S, self._rounds
        while rest > 0 and self._rounds - begun <= HOLD_ROUNDS:
            await asyncio.sleep(max(rest, SHORT_S))
            rest = until - self._listening.total(_now())
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
        matcher, draw = self._matcher(), drawn(self.name, self._handed_on + 1)
        if len(block.data) >= THREAD_FROM_BYTES:
            findings = await asyncio.to_thread(matcher.find, block, draw)
        else:
            findings = matcher.find(block, draw)
        self.spoke_at = _now() if block.data else self.spoke_at
        if findings.waits:
            before = self._assemblers[block.origin].take_back(block)
            if before is None:
                return
            block = before
        self._handed_on += 1
        findings = self._sure(block, findings)
        self._meters.setdefault(block.origin, Meter()).take(block, findings.lines)
        self.total.take(block, findings.lines)
        self._waits_since = _now()
        await self._engine.submit(Observed(block.source, block.origin, findings, block.checkpoint, block.gaps))
        self._waits_since = None

    def _sure(self, block: Block, findings: Findings) -> Findings:
        """The first line of a stack trace often looks ordinary: it is kept back until the next line tells."""
        before = self._unsure.pop(block.origin, None)
        ordinary = findings.ordinary
        if ordinary is not None and may_go_on(block, ordinary):
            self._unsure[block.origin], ordinary = ordinary, None
        if ordinary is None and not block.told:
            ordinary = before
        return findings if ordinary is findings.ordinary else replace(findings, ordinary=ordinary)


def _now() -> float:
    return asyncio.get_running_loop().time()
