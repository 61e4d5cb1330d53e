"""Events that the kernel dropped, and what became of reports, are counted where people look."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from itertools import count
from typing import Any

import builders as make
from fakes.memory_store import MemoryStore
from fakes.virtual_loop import VirtualClock, VirtualLoop
from logmedic.model.report import ReportCounts
from logmedic.runtime.engine import Engine
from logmedic.runtime.watchman import LOOK_MAX_S, count_overflows, count_reports


def counted(
    part: Callable[[Engine], Coroutine[Any, Any, None]], happens: Callable[[int], None]
) -> list[tuple[str, int]]:
    """What is tallied while something `happens`, three times, with time for a look in between."""
    loop, store = VirtualLoop(), MemoryStore()

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
        tasks = [asyncio.create_task(each) for each in (engine.run(), part(engine))]
        for number in range(3):
            await asyncio.sleep(LOOK_MAX_S / 2)
            happens(number)
            await asyncio.sleep(LOOK_MAX_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    loop.run_until_complete(scenario())
    loop.close()
    return [(tally.kind, tally.n) for each in store.changesets for tally in each.tallies]


def test_f12_i5_overflows_of_events_are_tallied_once_each() -> None:
    happened = [0]

    def happens(number: int) -> None:
        happened[0] = (1, 3, 3)[number]

    found = counted(lambda engine: count_overflows(lambda: happened[0], engine), happens)
    assert found == [("event_overflows", 1), ("event_overflows", 2)]


def test_i5_reports_that_were_taken_and_those_that_were_not_are_tallied_once_each() -> None:
    known = [ReportCounts(taken=100, refused={"size": 1})]  # of before: it was counted then
    told = (
        ReportCounts(taken=103, repeated=1, refused={"size": 1, "rate": 4}),
        ReportCounts(taken=103, repeated=1, refused={"size": 1, "rate": 4}, connections=7),
        ReportCounts(taken=104, repeated=1, refused={"size": 2, "rate": 4}),
    )

    def happens(number: int) -> None:
        known[0] = told[number]

    found = counted(lambda engine: count_reports(lambda: known[0], engine), happens)
    assert found == [
        *(("reports", 3), ("reports_repeated", 1), ("reports_refused_rate", 4)),
        *(("reports", 1), ("reports_refused_size", 1)),
    ]
