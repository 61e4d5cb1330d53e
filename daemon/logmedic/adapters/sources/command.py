"""A command's output, line by line. When it ends it is started again, later and later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import structlog

from logmedic.adapters.sources.child import Child
from logmedic.adapters.sources.stream import LineStream
from logmedic.core.backoff import exponential
from logmedic.model.record import Block, Checkpoint
from logmedic.ports import Clock

READ_BYTES = 64 * 1024
RESTART_BASE = timedelta(seconds=1)
RESTART_MAX = timedelta(minutes=1)
HEALTHY_AFTER_S = 60.0
"""A command that ran this long starts its backoff anew."""
PARTIAL_S = 5.0
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}

log = structlog.get_logger("logmedic.sources")


class CommandSource:
    """Implements ports.Source; the origin is `command:NAME`. What it writes on standard error is shown in `health` when
    it ends. Lines written while the daemon is down are nobody's: the command's own affair. `once`: run it once, to its
    end."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        clock: Clock,
        once: bool = False,
        restart_base: timedelta = RESTART_BASE,
        partial_timeout_s: float = PARTIAL_S,
    ) -> None:
        self._name = name
        self._argv = tuple(argv)
        self._clock = clock
        self._once = once
        self._restart_base = restart_base
        self._partial_s = partial_timeout_s
        self._stream = LineStream(name, f"command:{name}")
        self._problem = ""

    @property
    def name(self) -> str:
        return self._name

    def health(self) -> list[dict[str, Any]]:
        return [self._stream.row(self._problem)]

    async def blocks(self, checkpoints: Mapping[str, Checkpoint]) -> AsyncGenerator[Block, None]:
        """`checkpoints` are ignored: a command begins anew."""
        failures = 0
        while True:
            began = asyncio.get_running_loop().time()
            async with aclosing(self._one_run()) as run:
                async for block in run:
                    yield block
            if self._once:
                return
            healthy = asyncio.get_running_loop().time() - began >= HEALTHY_AFTER_S
            failures = 1 if healthy else failures + 1
            wait = exponential(failures, self._restart_base, RESTART_MAX).total_seconds()
            log.warning("command_ended", source=self._name, problem=self._problem, wait_s=wait)
            await asyncio.sleep(wait)

    async def _one_run(self) -> AsyncGenerator[Block, None]:
        try:
            child = await Child.start(self._argv, ENVIRONMENT)
        except OSError as error:
            self._problem = f"{self._argv[0]} does not start: {error.strerror}"
            return
        self._problem = ""
        try:
            async with aclosing(self._lines(child)) as lines:
                async for block in lines:
                    yield block
            ended = await child.ended()
            self._problem = "" if self._once and ended.endswith("code 0") else f"{self._argv[0]} {ended}"
        finally:
            await child.close()

    async def _lines(self, child: Child) -> AsyncGenerator[Block, None]:
        reading = asyncio.ensure_future(child.read(READ_BYTES))
        try:
            while True:
                timeout = self._partial_s if self._stream.unfinished else None
                done, _ = await asyncio.wait({reading}, timeout=timeout)
                fresh = reading.result() if done else b""
                ended = not done or not fresh  # an unfinished line has waited long enough, or nothing follows it
                if (block := self._stream.take(fresh, self._clock.now(), ended=ended)) is not None:
                    yield block
                if done and not fresh:
                    return
                if done:
                    reading = asyncio.ensure_future(child.read(min(READ_BYTES, self._stream.room)))
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
