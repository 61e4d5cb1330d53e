"""Calls that hang keep nobody waiting, and never become many."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

from logmedic.adapters.fixes.apart import Apart, NotBack

LONG = 10.0


def test_what_comes_back_is_answered_and_what_it_raises_is_raised() -> None:
    async def play() -> None:
        apart = Apart()
        assert await apart.call("a", lambda: 1, within_s=LONG) == 1
        with pytest.raises(FileNotFoundError):
            await apart.call("a", lambda: open("/no/such/file"), within_s=LONG)  # noqa: SIM115
        assert await apart.call("a", lambda: 2, within_s=LONG) == 2

    asyncio.run(play())


def test_what_hangs_is_given_up_and_costs_one_thread_however_often_it_is_asked() -> None:
    free, begun = threading.Event(), []

    def hang() -> str:
        begun.append(threading.current_thread())
        free.wait()
        return "at last"

    async def play() -> None:
        apart = Apart()
        for _ in range(5):
            with pytest.raises(NotBack, match=r"no answer in 0\.01 s"):
                await apart.call("nfs", hang, within_s=0.01)
        free.set()
        assert await apart.call("nfs", hang, within_s=LONG) == "at last"

    asyncio.run(play())
    assert len(begun) == 1


def test_never_more_than_so_many_hang() -> None:
    free = threading.Event()

    async def play() -> None:
        apart = Apart(most=2)
        hung = [asyncio.create_task(apart.call(key, free.wait, within_s=LONG)) for key in "ab"]
        await asyncio.sleep(0)
        with pytest.raises(NotBack, match="2 others do not come back"):
            await apart.call("c", lambda: True, within_s=LONG)
        free.set()
        assert await asyncio.gather(*hung) == [True, True]
        assert await apart.call("c", lambda: True, within_s=LONG)

    asyncio.run(play())


def test_a_cancel_ends_the_waiting_of_one_alone() -> None:
    free = threading.Event()

    async def play() -> None:
        apart = Apart()
        first, second = (asyncio.create_task(apart.call("a", free.wait, within_s=LONG)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        free.set()
        assert await second

    asyncio.run(play())


def test_what_hangs_does_not_keep_the_daemon_from_ending() -> None:
    program = """
import asyncio, threading
from logmedic.adapters.fixes.apart import Apart, NotBack
async def play():
    try:
        await Apart().call("nfs", threading.Event().wait, within_s=0.01)
    except NotBack as hung:
        print(hung)
asyncio.run(play())
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert (ran.stdout, ran.stderr) == ("no answer in 0.01 s\n", "")
