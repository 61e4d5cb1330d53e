"""I2: a part that fails is started again and takes nobody with it."""

from __future__ import annotations

import asyncio

import pytest

import builders as make
from fakes.clock import FakeClock
from logmedic.runtime.supervisor import Failure, Supervisor, guarded, guarded_await


class Flaky:
    """Fails `failures` times, then ends by itself."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.runs = 0

    async def run(self) -> None:
        self.runs += 1
        if self.runs <= self.failures:
            raise RuntimeError(f"failure {self.runs}")


async def forever() -> None:
    await asyncio.Event().wait()


async def eventually(clock: FakeClock, done: asyncio.Task[None]) -> None:
    while not done.done():
        await clock.advance(1)


def test_a_failing_part_is_started_again_and_the_others_do_not_notice() -> None:
    async def scenario() -> None:
        clock, flaky = FakeClock(make.START), Flaky(3)
        supervisor = Supervisor(clock)
        steady = supervisor.keep("steady", forever)
        await eventually(clock, supervisor.keep("flaky", flaky.run))
        part = supervisor.parts["flaky"]
        assert (flaky.runs, part.restarts, part.state) == (4, 3, "ended")
        assert part.last_error == "RuntimeError: failure 3"
        assert not steady.done()
        await supervisor.stop()

    asyncio.run(scenario())


def test_it_is_started_again_later_and_later() -> None:
    async def scenario() -> None:
        clock, flaky = FakeClock(make.START), Flaky(3)
        supervisor = Supervisor(clock)
        await eventually(clock, supervisor.keep("flaky", flaky.run))
        waited = (clock.now() - make.START).total_seconds()
        assert 7 <= waited <= 10  # 1 + 2 + 4
        await supervisor.stop()

    asyncio.run(scenario())


def test_the_failure_of_a_vital_part_is_told_and_not_repaired() -> None:
    async def scenario() -> None:
        supervisor, flaky = Supervisor(FakeClock(make.START)), Flaky(1)
        await supervisor.keep("engine", flaky.run, vital=True)
        assert supervisor.fatal.result().text == "RuntimeError: failure 1"
        assert supervisor.parts["engine"].state == "failed"

    asyncio.run(scenario())


def test_stop_ends_the_named_parts_only() -> None:
    async def scenario() -> None:
        supervisor = Supervisor(FakeClock(make.START))
        one, other = supervisor.keep("one", forever), supervisor.keep("other", forever)
        await supervisor.stop("one")
        assert one.cancelled()
        assert not other.done()
        await supervisor.stop()
        assert other.cancelled()

    asyncio.run(scenario())


def test_an_unexpected_exception_is_a_value_and_a_cancellation_is_not() -> None:
    async def scenario() -> None:
        assert isinstance(guarded(lambda: 1 / 0), Failure)
        assert isinstance(await guarded_await(Flaky(1).run()), Failure)
        task = asyncio.create_task(guarded_await(forever()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
