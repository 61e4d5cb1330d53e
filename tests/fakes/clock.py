"""Virtual time: whoever sleeps is parked until the test advances the clock that far."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count

ROUNDS = 20
"""Turns of the event loop after which everything that can go on without time has done so: longer chains of tasks that
wake one another do not occur in these tests."""


class FakeClock:
    """Starts at `start` and moves only by `advance`."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._parked: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._order = count()

    @property
    def sleepers(self) -> int:
        return sum(1 for *_, woken in self._parked if not woken.done())

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Parked until that time has come; without a wait, as asyncio's own, it gives way once."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        heappush(self._parked, (self._now + timedelta(seconds=seconds), next(self._order), woken))
        await woken

    async def advance(self, seconds: float) -> None:
        """Wake the sleepers of that time in order, those included that go to sleep on the way; each finds the clock
        at its own time."""
        await self.settle()
        until = self._now + timedelta(seconds=seconds)
        while self._parked and self._parked[0][0] <= until:
            due, _, woken = heappop(self._parked)
            if woken.done():  # cancelled
                continue
            self._now = max(self._now, due)
            woken.set_result(None)
            await self.settle()
        self._now = until

    async def settle(self) -> None:
        """Let everything run that needs no time."""
        for _ in range(ROUNDS):
            await asyncio.sleep(0)
