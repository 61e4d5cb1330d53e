"""The store is kept small from time to time, and a stop leaves what time it was."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from fakes.virtual_loop import VirtualClock, VirtualLoop
from logmedic.runtime.tidying import EVERY_S, STOP_LOOK_S, keep_small


class Keeping:
    """What was asked of it, and when. `hangs`: its disk does, when it is to write down the time."""

    def __init__(self, *, hangs: bool = False) -> None:
        self.tidied: list[datetime] = []
        self.seen: list[datetime] = []
        self._hangs = hangs

    @property
    def notices(self) -> tuple[str, ...]:
        return ()

    async def tidy(self, now: datetime) -> None:
        self.tidied.append(now)

    async def looked(self, now: datetime) -> None:
        self.seen.append(now)
        if self._hangs:
            await asyncio.Event().wait()

    def old_by(self, now: datetime) -> datetime:
        return now

    async def backup(self, now: datetime) -> dict[str, Any]:
        return {}

    async def storage(self, now: datetime) -> dict[str, Any]:
        return {}


@pytest.mark.parametrize("hangs", [False, True])
def test_it_tidies_at_once_and_every_hour_and_a_stop_leaves_what_time_it_was(hangs: bool) -> None:
    loop, keeper = VirtualLoop(), Keeping(hangs=hangs)
    clock = VirtualClock(loop)

    async def scenario() -> float:
        task = asyncio.ensure_future(keep_small(keeper, clock))
        await asyncio.sleep(2.5 * EVERY_S)
        began = loop.time()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return loop.time() - began

    took_s = loop.run_until_complete(scenario())
    loop.close()
    assert len(keeper.tidied) == 3
    assert len(keeper.seen) == 1
    assert keeper.seen[0] - keeper.tidied[0] >= timedelta(seconds=2.5 * EVERY_S)
    assert took_s < STOP_LOOK_S + 1
