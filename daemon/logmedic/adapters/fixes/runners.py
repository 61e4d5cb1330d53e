"""The processes that run steps: one for each step, and one that waits for the next."""

from __future__ import annotations

import asyncio
import errno
import os
from contextlib import suppress
from pathlib import Path

_RUNNER = Path(__file__).resolve().parents[2] / "fixrun" / "__main__.py"
END_S = 2.0


class Runners:
    """Starting a runner takes 40 ms, most of it Python's own start, and a fix should not wait for that. With `ready`,
    `prepare` starts the next one before it is asked for; it costs 10 MB while it waits. Used on one loop; what is taken
    belongs to the taker, what waits ends with `close`, or with this process."""

    def __init__(self, python: str, *, ready: bool) -> None:
        self._python = python
        self._ready = ready
        self._next: asyncio.Task[asyncio.subprocess.Process] | None = None

    def prepare(self) -> None:
        if self._ready and self._next is None:
            self._next = asyncio.create_task(self._start())

    async def take(self) -> asyncio.subprocess.Process:
        """Raises OSError."""
        waiting, self._next = self._next, None
        if waiting is not None:
            with suppress(OSError):  # what kept it from starting then may be over
                runner = await waiting
                if runner.returncode is None:  # nobody ended it while it waited
                    return runner
        return await self._start()

    async def close(self) -> None:
        self._ready = False
        waiting, self._next = self._next, None
        if waiting is not None:
            with suppress(OSError):
                await end(await waiting)

    async def _start(self) -> asyncio.subprocess.Process:
        try:
            return await asyncio.create_subprocess_exec(
                *(self._python, "-I", "-S", str(_RUNNER), str(os.getpid())),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd="/",
                env={},
            )
        except RuntimeError as error:  # CPython before 3.12 waits for it in a thread. It ends with its pipe (F40)
            raise OSError(errno.EAGAIN, str(error)) from error


async def end(runner: asyncio.subprocess.Process) -> None:
    """Ask it to kill its step; kill it when it does not. The step dies with it either way."""
    if runner.returncode is not None:
        return
    with suppress(ProcessLookupError):
        runner.terminate()
    try:
        async with asyncio.timeout(END_S):
            await runner.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            runner.kill()
        await runner.wait()
