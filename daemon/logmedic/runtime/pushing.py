"""Pushes the figures to a collector, again and again. Each push tells all, so that one that is lost is no loss."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import structlog

from logmedic.core.backoff import exponential
from logmedic.model.metric import Family, Pushed
from logmedic.ports import Clock

log = structlog.get_logger("logmedic.pushing")

BACKOFF_MAX = timedelta(minutes=5)
"""Or the usual time, when that is longer."""
SENT, FAILED = "sent", "failed"


class Pushing:
    """`push` has a deadline of its own. `results`: how many pushes were SENT and FAILED since the start."""

    def __init__(
        self,
        *,
        every: timedelta,
        families: Callable[[], Awaitable[Sequence[Family]]],
        push: Callable[[Sequence[Family]], Awaitable[Pushed]],
        clock: Clock,
    ) -> None:
        self._every = every
        self._families = families
        self._push = push
        self._clock = clock
        self._failures = 0
        self.results = Counter({SENT: 0, FAILED: 0})
        self.problem = ""

    def row(self) -> dict[str, Any]:
        """Keys: sent, failed (since the start), problem (of the last push, or "")."""
        return {**self.results, "problem": self.problem}

    async def run(self) -> None:
        """Until cancelled."""
        wait = self._every
        while True:
            await self._clock.sleep(wait.total_seconds())
            wait = await self.once()

    async def once(self) -> timedelta:
        """Answers the wait for the next one."""
        pushed = await self._push(await self._families())
        if not pushed.problem:
            return self._well()
        return max(self._failed(pushed.problem), timedelta(seconds=pushed.retry_after_s or 0))

    def _well(self) -> timedelta:
        if self._failures:
            log.info("metrics_push_recovered", failures=self._failures)
        self._failures, self.problem = 0, ""
        self.results[SENT] += 1
        return self._every

    def _failed(self, problem: str) -> timedelta:
        """It is logged once: the collector is somebody else's, and may be gone for days."""
        if not self._failures:
            log.warning("metrics_push_failed", problem=problem)
        self._failures += 1
        self.problem = problem
        self.results[FAILED] += 1
        return exponential(self._failures, self._every, max(self._every, BACKOFF_MAX))
