"""Standard input, read without blocking the loop, whatever it is: a pipe, a file or a terminal."""

from __future__ import annotations

import asyncio
import os
import select
from collections.abc import AsyncGenerator, Mapping
from typing import Any, BinaryIO

from logmedic.adapters.sources.stream import LineStream
from logmedic.model.record import Block, Checkpoint
from logmedic.ports import Clock

ORIGIN = "stdin"


class StdinSource:
    """One stream, once, from where it stands to its end. Its position means nothing to a later run, so checkpoints
    are ignored. `stream` is not closed here; nobody else may read it."""

    def __init__(self, name: str = "stdin", *, stream: BinaryIO, clock: Clock) -> None:
        self._name = name
        self._input = stream
        self._clock = clock
        self._lines = LineStream(name, ORIGIN)

    @property
    def name(self) -> str:
        return self._name

    def health(self) -> list[dict[str, Any]]:
        return [self._lines.row()]

    async def blocks(self, checkpoints: Mapping[str, Checkpoint]) -> AsyncGenerator[Block, None]:
        reader = _Reader(self._input)
        try:
            ended = False
            while not ended:
                fresh = await reader.read(self._lines.room)
                ended = not fresh
                if (block := self._lines.take(fresh, self._clock.now(), ended=ended)) is not None:
                    yield block
        finally:
            reader.close()


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
