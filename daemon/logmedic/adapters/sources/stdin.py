"""Standard input, read without blocking the loop, whatever it is: a pipe, a file or a terminal."""

from __future__ import annotations

import asyncio
import os
import select
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, BinaryIO

from logmedic.adapters.sources.cutting import Chunk, Cut, cut
from logmedic.model.gap import Gap, SourceEventKind
from logmedic.model.record import Block, Checkpoint
from logmedic.ports import Clock

ORIGIN = "stdin"
MAX_BYTES = 1024 * 1024
"""The largest block, and the longest line; the rest of a longer one is skipped and counted."""


class StdinSource:
    """One stream, once, from where it stands to its end. Its position means nothing to a later run, so checkpoints
    are ignored. `stream` is not closed here; nobody else may read it."""

    def __init__(self, name: str = "stdin", *, stream: BinaryIO, clock: Clock) -> None:
        self._name = name
        self._stream = stream
        self._clock = clock
        self._offset = 0
        self._lost = 0
        self._skipping = False
        self._last_read_at: datetime | None = None

    @property
    def name(self) -> str:
        return self._name

    def health(self) -> list[dict[str, Any]]:
        at = self._last_read_at.isoformat().replace("+00:00", "Z") if self._last_read_at else None
        row = {"origin": ORIGIN, "offset": self._offset, "size": self._offset, "lag_bytes": 0}
        return [{**row, "last_read_at": at, "problem": ""}]

    async def blocks(self, checkpoints: Mapping[str, Checkpoint]) -> AsyncIterator[Block]:
        reader = _Reader(self._stream)
        held = b""
        try:
            ended = False
            while not ended:
                fresh = await reader.read(MAX_BYTES - len(held))
                ended = not fresh
                held = self._skip(held + fresh)
                how, taken = cut(Chunk(held, len(held) + 1 if ended else MAX_BYTES, MAX_BYTES, ending=ended))
                held = held[len(taken) :]
                if taken:
                    yield self._block(taken, how)
        finally:
            reader.close()

    def _skip(self, held: bytes) -> bytes:
        """Without the rest of a line that was cut."""
        if not self._skipping:
            return held
        newline = held.find(b"\n")
        rest = held[newline + 1 :] if newline >= 0 else b""
        passed = len(held) - len(rest)
        self._skipping = newline < 0
        self._lost += passed - (newline >= 0)
        self._offset += passed
        return rest

    def _block(self, taken: bytes, how: Cut) -> Block:
        start, lost, now = self._offset, self._lost, self._clock.now()
        self._offset += len(taken)
        self._lost = 0
        self._skipping = how is Cut.LONG
        self._last_read_at = now
        return Block(
            source=self._name,
            origin=ORIGIN,
            data=taken,
            start=start,
            checkpoint=Checkpoint(origin=ORIGIN, source=self._name, offset=self._offset, at=now),
            read_at=now,
            complete=how in (Cut.REST, Cut.LONG),
            gaps=(Gap(SourceEventKind.LONG_LINE, lost),) if lost else (),
        )


class _Reader:
    """Reads what is there when there is something. A pipe or terminal is read in a thread that also waits for the
    loop's end, so that a cancel never leaves a thread behind that swallows input."""

    def __init__(self, stream: BinaryIO) -> None:
        self._fd = stream.fileno()
        self._stop, self._stopper = os.pipe()

    async def read(self, limit: int) -> bytes:
        """At most `limit` bytes; empty at the end. Raises OSError."""
        reading = asyncio.ensure_future(asyncio.to_thread(self._wait_and_read, limit))
        try:
            return await asyncio.shield(reading)
        except asyncio.CancelledError:
            os.write(self._stopper, b"!")
            await asyncio.wait([reading])
            raise

    def _wait_and_read(self, limit: int) -> bytes:
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        poll.register(self._stop, select.POLLIN)
        while True:
            ready = {fd for fd, _ in poll.poll()}
            if self._stop in ready:
                return b""
            try:
                return os.read(self._fd, limit)
            except BlockingIOError:  # whoever shares the terminal made it non-blocking, and was faster
                continue

    def close(self) -> None:
        os.close(self._stop)
        os.close(self._stopper)
