"""Pushes come at their times, later and later while the collector is away, and never hold anything up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from fakes.virtual_loop import VirtualClock, VirtualLoop
from logmedic.model.metric import Family, Pushed
from logmedic.runtime.pushing import Pushing

DOWN = Pushed("Connection refused")


class Scene:
    """`outcomes`: in turn, the last one for ever. `at`: when there was a push, in seconds since the start."""

    def __init__(self, loop: VirtualLoop, *outcomes: Pushed, every_s: float = 60) -> None:
        self.loop = loop
        self.outcomes = list(outcomes)
        self.at: list[float] = []
        self.pushing = Pushing(
            every=timedelta(seconds=every_s), families=self.families, push=self.push, clock=VirtualClock(loop)
        )

    async def families(self) -> Sequence[Family]:
        return ()

    async def push(self, _: Sequence[Family]) -> Pushed:
        self.at.append(round(self.loop.time(), 3))
        return self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]

    def run(self, seconds: float) -> Scene:
        async def scenario() -> None:
            running = asyncio.create_task(self.pushing.run())
            await asyncio.sleep(seconds)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

        self.loop.run_until_complete(scenario())
        return self


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    made = VirtualLoop()
    yield made
    made.close()


def test_it_pushes_every_time(loop: VirtualLoop) -> None:
    scene = Scene(loop, Pushed()).run(200)
    assert scene.at == [60, 120, 180]
    assert scene.pushing.row() == {"sent": 3, "failed": 0, "problem": ""}


def test_while_the_collector_is_away_it_is_asked_less_and_less_and_the_log_says_it_once(loop: VirtualLoop) -> None:
    scene = Scene(loop, DOWN)
    with capture_logs() as logs:
        scene.run(1500)
    assert scene.at == [60, 120, 240, 480, 780, 1080, 1380]
    assert [each["event"] for each in logs] == ["metrics_push_failed"]
    assert scene.pushing.row() == {"sent": 0, "failed": 7, "problem": "Connection refused"}


def test_it_comes_back_to_its_times_and_tells_so(loop: VirtualLoop) -> None:
    scene = Scene(loop, DOWN, DOWN, Pushed())
    with capture_logs() as logs:
        scene.run(320)
    assert scene.at == [60, 120, 240, 300]
    assert [each["event"] for each in logs] == ["metrics_push_failed", "metrics_push_recovered"]
    assert scene.pushing.problem == ""


def test_a_collector_that_asks_to_be_left_alone_is(loop: VirtualLoop) -> None:
    assert Scene(loop, Pushed("it answered 503", 900.0), Pushed()).run(1000).at == [60, 960]


def test_who_pushes_seldom_is_not_made_to_push_more_often_by_a_failure(loop: VirtualLoop) -> None:
    assert Scene(loop, DOWN, every_s=3600).run(8000).at == [3600, 7200]
