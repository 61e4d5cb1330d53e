"""Events that the kernel dropped are counted where people look."""

from __future__ import annotations

import asyncio
from itertools import count

import builders as make
from fakes.memory_store import MemoryStore
from fakes.virtual_loop import VirtualClock, VirtualLoop
from logmedic.runtime.engine import Engine
from logmedic.runtime.watchman import LOOK_MAX_S, count_overflows


def test_f12_i5_overflows_of_events_are_tallied_once_each() -> None:
    loop, store, happened = VirtualLoop(), MemoryStore(), [0]

    async def scenario() -> None:
        ids = count(1)
        engine = Engine(
            state=await store.open(),
            store=store,
            clock=VirtualClock(loop),
            mint=lambda: f"{next(ids):08d}",
            policy=make.policy,
            carry_out=lambda _: None,
            alive=lambda: None,
        )
        tasks = [asyncio.create_task(each) for each in (engine.run(), count_overflows(lambda: happened[0], engine))]
        for so_far in (1, 3, 3):
            await asyncio.sleep(LOOK_MAX_S / 2)
            happened[0] = so_far
            await asyncio.sleep(LOOK_MAX_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    loop.run_until_complete(scenario())
    loop.close()
    assert [tally.n for each in store.changesets for tally in each.tallies if tally.kind == "event_overflows"] == [1, 2]
