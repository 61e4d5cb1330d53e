"""Keeps the parts running, each for itself (I2). The one place that catches everything."""

from __future__ import annotations

import asyncio
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog

from logmedic.core.backoff import exponential
from logmedic.ports import Clock

log = structlog.get_logger("logmedic.supervisor")

RESTART_BASE = timedelta(seconds=1)
RESTART_MAX = timedelta(minutes=1)
HEALTHY_AFTER = timedelta(minutes=5)
"""A part that ran this long starts its backoff anew."""

T = TypeVar("T")


@dataclass(slots=True)
class Part:
    """How one part does. Written by its keeper alone. `state`: running, restarting, ended or failed."""

    name: str
    state: str = "running"
    restarts: int = 0
    last_error: str = ""
    started_at: datetime | None = None

    def row(self) -> dict[str, Any]:
        return {"name": self.name, "state": self.state, "restarts": self.restarts, "last_error": self.last_error}


@dataclass(frozen=True, slots=True)
class Failure:
    """An unexpected exception, as a value."""

    error: Exception

    @property
    def text(self) -> str:
        return f"{type(self.error).__name__}: {self.error}"


def guarded(call: Callable[[], T]) -> T | Failure:
    """The result of `call`, or its unexpected exception."""
    try:
        return call()
    except Exception as error:
        log.error("unexpected_error", error=str(error), trace=traceback.format_exc())
        return Failure(error)


async def guarded_await(call: Awaitable[T]) -> T | Failure:
    """As `guarded`. A cancellation passes through."""
    try:
        return await call
    except Exception as error:
        log.error("unexpected_error", error=str(error), trace=traceback.format_exc())
        return Failure(error)


class Supervisor:
    """Starts tasks and starts them again with backoff. Closed by `stop`, which cancels what still runs."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.parts: dict[str, Part] = {}
        self.restarts: Counter[str] = Counter()
        """By the name of the part, also of those that were dropped meanwhile."""
        self.fatal: asyncio.Future[Failure] = asyncio.get_running_loop().create_future()

    def keep(self, name: str, run: Callable[[], Awaitable[None]], *, vital: bool = False) -> asyncio.Task[None]:
        """Run `run` until it ends by itself; after an exception again, later and later. The failure of a `vital` part
        is not repaired here: it is set as `fatal`, and the app stops."""
        part = self.parts[name] = Part(name)
        task = asyncio.create_task(self._keep(part, run, vital), name=name)
        self._tasks[name] = task
        return task

    async def _keep(self, part: Part, run: Callable[[], Awaitable[None]], vital: bool) -> None:
        failures = 0
        while True:
            part.state, part.started_at = "running", self._clock.now()
            outcome = await guarded_await(run())
            if not isinstance(outcome, Failure):
                part.state = "ended"
                return
            part.last_error = outcome.text
            if vital:
                part.state = "failed"
                if not self.fatal.done():
                    self.fatal.set_result(outcome)
                return
            if self._clock.now() - part.started_at >= HEALTHY_AFTER:
                failures = 0
            failures += 1
            part.state, part.restarts = "restarting", part.restarts + 1
            self.restarts[part.name] += 1
            wait = exponential(failures, RESTART_BASE, RESTART_MAX)
            log.warning("part_restarts", part=part.name, error=outcome.text, wait_s=wait.total_seconds())
            await self._clock.sleep(wait.total_seconds())

    async def drop(self, *names: str) -> None:
        """Cancel these parts, wait until they are gone, and forget them."""
        if names:
            await self.stop(*names)
        for name in names:
            self.parts.pop(name, None)
            self._tasks.pop(name, None)

    async def stop(self, *names: str) -> None:
        """Cancel these parts (all when none is named), and wait until they are gone."""
        chosen = [self._tasks[name] for name in names or tuple(self._tasks) if name in self._tasks]
        for task in chosen:
            task.cancel()
        await asyncio.gather(*chosen, return_exceptions=True)
