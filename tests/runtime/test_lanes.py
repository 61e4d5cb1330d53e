"""The queue before the engine: fair between its lanes, in order inside each, bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.runtime.lanes import Lanes


async def puts(lanes: Lanes[str], lane: str, *items: str) -> None:
    for item in items:
        await lanes.put(lane, item)


async def taken(lanes: Lanes[str], number: int) -> list[str]:
    return [await lanes.get() for _ in range(number)]


def test_lanes_take_turns_and_each_keeps_its_order() -> None:
    async def scenario() -> None:
        lanes = Lanes[str](depth=4)
        await puts(lanes, "flood", "f1", "f2", "f3")
        await puts(lanes, "quiet", "q1")
        await puts(lanes, "other", "o1", "o2")
        assert await taken(lanes, 6) == ["f1", "q1", "o1", "f2", "o2", "f3"]

    asyncio.run(scenario())


def test_i6_a_full_lane_makes_its_own_sender_wait_and_no_other() -> None:
    async def scenario() -> None:
        lanes = Lanes[str](depth=2)
        flood = asyncio.create_task(puts(lanes, "flood", *(f"f{n}" for n in range(9))))
        await asyncio.sleep(0)
        await puts(lanes, "quiet", "q")
        assert await taken(lanes, 2) == ["f0", "q"]
        assert not flood.done()
        assert await taken(lanes, 8) == [f"f{n}" for n in range(1, 9)]
        await flood

    asyncio.run(scenario())


def test_what_is_put_last_comes_behind_all_that_waited_then() -> None:
    async def scenario() -> None:
        lanes = Lanes[str](depth=4)
        await puts(lanes, "a", "a1", "a2", "a3")
        lanes.put_last("end")
        await puts(lanes, "b", "b1")
        order = await taken(lanes, 5)
        assert order.index("end") > order.index("a3")
        lanes.put_last("of nothing")
        assert await lanes.get() == "of nothing"

    asyncio.run(scenario())


def test_a_cancelled_wait_loses_nothing() -> None:
    async def scenario() -> None:
        lanes = Lanes[str](depth=1)
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0):
                    await lanes.get()
        await lanes.put("a", "one")
        waiting = asyncio.create_task(lanes.put("a", "given up"))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert await lanes.get() == "one"
        await lanes.put("a", "two")
        assert await lanes.get() == "two"

    asyncio.run(scenario())


@given(st.lists(st.sampled_from(["a", "b", "c", "last"]), max_size=40), st.integers(1, 4))
def test_everything_is_taken_once_and_in_the_order_of_its_lane(sent: Sequence[str], depth: int) -> None:
    async def scenario() -> None:
        lanes = Lanes[str](depth)
        senders = {lane: [f"{lane}{n}" for n in range(sent.count(lane))] for lane in ("a", "b", "c")}
        tasks = [asyncio.create_task(puts(lanes, lane, *items)) for lane, items in senders.items()]
        for _ in range(sent.count("last")):
            lanes.put_last("last")
        found = await taken(lanes, len(sent))
        await asyncio.gather(*tasks)
        for lane, items in senders.items():
            assert [each for each in found if each.startswith(lane) and each != "last"] == items
        assert found.count("last") == sent.count("last")

    asyncio.run(scenario())
