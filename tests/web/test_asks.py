"""A form that is sent twice is one order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.adapters.web.pages.asks import Asks


def counted(done: list[str], answer: str = "done") -> Callable[[], Awaitable[str]]:
    async def act() -> str:
        done.append(answer)
        await asyncio.sleep(0)
        return answer

    return act


def test_two_at_once_are_done_once_and_hear_the_same() -> None:
    async def scenario() -> None:
        asks, done = Asks[str](), list[str]()
        told = await asyncio.gather(*(asks.once("a", counted(done)) for _ in range(3)))
        assert told == [("done", True), ("done", False), ("done", False)]
        assert done == ["done"]

    asyncio.run(scenario())


def test_who_leaves_takes_nothing_back() -> None:
    async def scenario() -> None:
        asks, done, go_on = Asks[str](), list[str](), asyncio.Event()

        async def slow() -> str:
            await go_on.wait()
            done.append("done")
            return "done"

        first = asyncio.create_task(asks.once("a", slow))
        await asyncio.sleep(0)
        first.cancel()
        go_on.set()
        assert await asks.once("a", slow) == ("done", False)
        assert done == ["done"]

    asyncio.run(scenario())


def test_what_came_to_nothing_may_be_asked_again() -> None:
    async def scenario() -> None:
        asks, done = Asks[str](), list[str]()

        async def fail() -> str:
            raise ValueError("not now")

        with pytest.raises(ValueError, match="not now"):
            await asks.once("a", fail)
        assert await asks.once("a", counted(done)) == ("done", True)

    asyncio.run(scenario())


def test_all_who_wait_for_what_fails_hear_of_it() -> None:
    async def scenario() -> None:
        asks = Asks[str]()

        async def fail() -> str:
            await asyncio.sleep(0)
            raise ValueError("not now")

        told = await asyncio.gather(*(asks.once("a", fail) for _ in range(2)), return_exceptions=True)
        assert [str(each) for each in told] == ["not now", "not now"]

    asyncio.run(scenario())


@given(st.lists(st.sampled_from("abcdefgh"), max_size=60), st.integers(1, 5))
def test_so_many_are_remembered_and_those_are_done_once(keys: list[str], remembered: int) -> None:
    async def scenario() -> None:
        asks, done = Asks[str](remembered), list[str]()
        for key in keys:
            await asks.once(key, counted(done, key))
            assert len(asks) <= remembered
        for key in list(dict.fromkeys(reversed(keys)))[:1]:
            before = len(done)
            await asks.once(key, counted(done, key))
            assert len(done) == before

    asyncio.run(scenario())
