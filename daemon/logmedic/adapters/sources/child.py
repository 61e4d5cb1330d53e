"""A program whose output is read. It dies with its reader, and with all that it started."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress

STDERR_LINES = 20
END_S = 2.0
BUFFERED_BYTES = 64 * 1024
"""Read ahead of whoever reads, about; then the program waits."""


class Child:
    """Started by `start`, ended by `close`. `said`: the last words on its standard error."""

    def __init__(self, process: asyncio.subprocess.Process, transport: asyncio.SubprocessTransport) -> None:
        self._process = process
        self._transport = transport
        self._words: deque[str] = deque(maxlen=STDERR_LINES)
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls, argv: Sequence[str], environment: Mapping[str, str]) -> Child:
        """Raises OSError. No shell; its own process group; standard input is empty."""
        loop = asyncio.get_running_loop()  # create_subprocess_exec would keep the transport, which has to be closed
        transport, protocol = await loop.subprocess_exec(
            lambda: asyncio.subprocess.SubprocessStreamProtocol(limit=BUFFERED_BYTES, loop=loop),
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(environment),
            cwd="/",
            start_new_session=True,
        )
        return cls(asyncio.subprocess.Process(transport, protocol, loop), transport)

    @property
    def said(self) -> str:
        return self._words[-1] if self._words else ""

    async def read(self, limit: int) -> bytes:
        """At most `limit` bytes, as soon as there are any; empty at the end."""
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        return await self._process.stdout.read(limit)

    async def ended(self) -> str:
        """Wait until it is gone; how it ended, in words."""
        code = await self._process.wait()
        await self._listening
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return f"{how}: {self.said}" if self.said else how

    async def close(self) -> None:
        """Ask it and its children to end, then make them. What it still says is not read: to wait for its end is to
        wait for its pipes (Python 3.11), and one that is full would never be empty."""
        for pipe in map(self._transport.get_pipe_transport, (1, 2)):
            if pipe is not None:
                pipe.close()
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            with suppress(TimeoutError):
                async with asyncio.timeout(END_S):
                    await self._process.wait()
                break
        with suppress(ProcessLookupError):  # what it left behind, which nobody but its parent could wait for
            os.killpg(self._process.pid, signal.SIGKILL)
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        self._transport.close()  # a pipe that was not read to its end stays open otherwise

    async def _listen(self) -> None:
        assert self._process.stderr is not None  # noqa: S101
        held = b""
        while chunk := await self._process.stderr.read(4096):
            *lines, held = (held + chunk)[-16384:].split(b"\n")
            self._words.extend(line.decode("utf-8", "replace")[:300] for line in lines if line.strip())
        if held.strip():
            self._words.append(held.decode("utf-8", "replace")[:300])
