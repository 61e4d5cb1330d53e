"""The virtual clock is a clock, and the scripted sender keeps to its script."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import builders as make
from alerts.sending import ALERT
from fakes.clock import FakeClock
from fakes.recording_sender import RecordingSender
from logmedic.model.alert import Delivery, Receiver


def test_sleepers_wake_in_order_each_at_its_own_time() -> None:
    async def scenario() -> None:
        clock = FakeClock(make.START)
        woken: list[tuple[str, float]] = []

        async def sleeper(name: str, *naps: float) -> None:
            for nap in naps:
                await clock.sleep(nap)
                woken.append((name, (clock.now() - make.START).total_seconds()))

        tasks = [asyncio.create_task(each) for each in (sleeper("a", 5, 1), sleeper("b", 2, 2, 2.5), sleeper("c", 99))]
        await clock.advance(10)
        assert woken == [("b", 2), ("b", 4), ("a", 5), ("a", 6), ("b", 6.5)]
        assert clock.now() == make.START + timedelta(seconds=10)
        assert clock.sleepers == 1
        tasks[2].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert clock.sleepers == 0
        await clock.advance(100)
        assert len(woken) == 5

    asyncio.run(scenario())


def test_the_last_scripted_delivery_stands_for_all_that_follow() -> None:
    async def scenario() -> None:
        busy, fine = Delivery(False, "busy"), Delivery(True)
        sender = RecordingSender({"chat": [busy, busy, fine]})
        chat, post = Receiver("chat", "json://chat"), Receiver("post", "json://post")
        assert [await sender.send(ALERT, chat) for _ in range(4)] == [busy, busy, fine, fine]
        assert await sender.send(ALERT, post) == fine
        assert sender.sent_to("post") == [ALERT]
        assert len(sender.sent) == 5

    asyncio.run(scenario())
