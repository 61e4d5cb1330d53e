"""Live events: no gap, nothing twice, bounded, and nobody ever waits for a listener."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import builders as make
from fakes.live_daemon import LiveDaemon, id_of
from fakes.virtual_loop import VirtualClock, VirtualLoop
from logmedic.model.changeset import Changeset
from logmedic.model.errors import StoreBusy, TransientError
from logmedic.model.frame import Alive, Began, Changed, Entries, Frame, Lagged
from logmedic.model.issue import Incident, IncidentEvent
from logmedic.model.live import Topic
from logmedic.runtime.feed import (
    ALIVE_EVERY_S,
    BEGINNING,
    CHANGED_EVERY_S,
    LISTENERS_MAX,
    PAGE,
    PATIENCE_S,
    QUEUE,
    Feed,
)

Scenario = Callable[[LiveDaemon], Awaitable[None]]


def play(scenario: Scenario) -> None:
    loop = VirtualLoop()
    try:
        loop.run_until_complete(scenario(LiveDaemon(VirtualClock(loop))))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


class Listener:
    """Reads all frames as they come, in a task of its own, until it is stopped or they end."""

    def __init__(self, daemon: LiveDaemon, after: str | None = None) -> None:
        self.frames: list[Frame] = []
        self.at: list[float] = []
        self._task = asyncio.create_task(self._read(daemon.feed.listen(after)))

    async def _read(self, frames: AsyncGenerator[Frame, None]) -> None:
        async with aclosing(frames):
            async for frame in frames:
                self.frames.append(frame)
                self.at.append(asyncio.get_running_loop().time())

    @property
    def numbers(self) -> list[int]:
        return [int(each.text) for frame in self.frames if isinstance(frame, Entries) for each in frame.events]

    @property
    def is_over(self) -> bool:
        return self._task.done()

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def first_of(frames: AsyncGenerator[Frame, None]) -> Frame:
    return await anext(frames)


def test_a_listener_is_told_what_happens_from_now_on_once_and_in_order() -> None:
    async def scenario(daemon: LiveDaemon) -> None:
        daemon.commit(3)
        listener = Listener(daemon)
        await asyncio.sleep(1)
        daemon.commit(2)
        await asyncio.sleep(1)
        daemon.commit()
        await asyncio.sleep(1)
        assert listener.frames[0] == Began(id_of(3))
        assert listener.numbers == [4, 5, 6]
        await listener.stop()

    play(scenario)


def test_before_anything_happened_there_is_something_to_resume_behind() -> None:
    async def scenario(daemon: LiveDaemon) -> None:
        assert await first_of(daemon.feed.listen()) == Began(BEGINNING)
        daemon.commit(2)
        listener = Listener(daemon, BEGINNING)
        await asyncio.sleep(1)
        assert listener.numbers == [1, 2]
        await listener.stop()

    play(scenario)


def test_what_comes_while_the_store_is_asked_is_told_once() -> None:
    async def scenario(daemon: LiveDaemon) -> None:
        daemon.commit(5)
        listener = Listener(daemon, id_of(2))
        for pause in (0.0, 0.005, 0.005, 0.005, 0.005, 0.005, 0.005, 0.005):  # an answer takes 20 ms
            await asyncio.sleep(pause)
            daemon.commit()
        await asyncio.sleep(1)
        assert listener.frames[0] == Began(id_of(2))
        assert listener.numbers == list(range(3, 14))
        await listener.stop()

    play(scenario)


def test_a_long_past_is_told_in_pages_and_only_as_fast_as_it_is_read() -> None:
    async def scenario(daemon: LiveDaemon) -> None:
        daemon.commit(50 * PAGE)
        frames = daemon.feed.listen(BEGINNING)
        async with aclosing(frames):
            await anext(frames)
            asked = daemon.asked
            page = await anext(frames)
            assert isinstance(page, Entries)
            assert len(page.events) == PAGE
            await asyncio.sleep(1)
            assert daemon.asked == asked + 1  # nobody reads ahead

    play(scenario)


@pytest.mark.parametrize(
    "unknown", [id_of(99), "ffffffff-ffff-7fff-8fff-ffffffffffff"], ids=["of a store that was lost", "of nobody"]
)
def test_what_nobody_knows_begins_now_and_says_so(unknown: str) -> None:
    async def scenario(daemon: LiveDaemon) -> None:
        daemon.commit(3)
        listener = Listener(daemon, unknown)
        await asyncio.sleep(1)
        daemon.commit()
        await asyncio.sleep(1)
        assert listener.frames[0] == Began(id_of(3), reset=True)
        assert listener.numbers == [4]
        await listener.stop()

    play(scenario)


def test_a_storm_brings_a_listener_back_to_the_store_and_it_misses_nothing() -> None:
    async def scenario(daemon: LiveDaemon) -> None:
        listener = Listener(daemon)
        await asyncio.sleep(1)
        for _ in range(5):
            daemon.commit(3 * QUEUE)
            await asyncio.sleep(0.03)
        await asyncio.sleep(20)
        assert listener.numbers == list(range(1, 15 * QUEUE + 1))
        await listener.stop()

    play(scenario)


def test_an_incident_that_is_forgotten_is_looked_up_in_the_store() -> None:
    async def scenario(daemon: LiveDaemon) -> None:
        listener = Listener(daemon)
        await asyncio.sleep(1)
        daemon.commit()
        await asyncio.sleep(1)
        daemon.known = False
        daemon.commit(2)
        await asyncio.sleep(1)
        daemon.known = True
        daemon.commit()
        await asyncio.sleep(1)
        assert listener.numbers == [1, 2, 3, 4]
        await listener.stop()

    play(scenario)


def test_who_does_not_read_is_cut_and_is_the_only_one() -> None:
    async def scenario(daemon: LiveDaemon) -> None:
        asleep, listener = daemon.feed.listen(), Listener(daemon)
        assert await anext(asleep) == Began(BEGINNING)
        for _ in range(int(PATIENCE_S) * 2):
            daemon.commit(QUEUE // 10)
            await asyncio.sleep(1)
        assert (daemon.feed.listeners, daemon.feed.cut) == (1, 1)
        assert [each async for each in asleep] == [Lagged()]
        assert listener.numbers == list(range(1, int(PATIENCE_S) * 2 * (QUEUE // 10) + 1))
        await listener.stop()

    play(scenario)


def test_a_slow_reader_that_still_reads_is_told_everything() -> None:
    async def scenario(daemon: LiveDaemon) -> None:
        frames = daemon.feed.listen()
        async with aclosing(frames):
            await anext(frames)
            daemon.commit(3 * QUEUE)
            told: list[int] = []
            while len(told) < 3 * QUEUE:
                await asyncio.sleep(PATIENCE_S - 1)
                frame = await anext(frames)
                told += [int(each.text) for each in frame.events] if isinstance(frame, Entries) else []
                daemon.feed.touch(Topic.STATUS)
            assert told == list(range(1, 3 * QUEUE + 1))

    play(scenario)


def test_at_most_four_times_a_second_it_is_told_what_changed() -> None:
    async def scenario(daemon: LiveDaemon) -> None:
        listener = Listener(daemon)
        await asyncio.sleep(1)
        for n in range(300):
            daemon.feed.touch(Topic.RULES if n % 2 else Topic.SOURCES)
            await asyncio.sleep(0.01)
        await asyncio.sleep(1)
        changes = [
            (at, each) for at, each in zip(listener.at, listener.frames, strict=True) if isinstance(each, Changed)
        ]
        assert changes[0][0] == pytest.approx(1, abs=0.02)  # the first at once
        assert 3 / CHANGED_EVERY_S - 1 <= len(changes) <= 3 / CHANGED_EVERY_S + 2
        assert changes[1][1].topics == {Topic.RULES, Topic.SOURCES}
        times = [at for at, _ in changes]
        assert all(later - earlier >= CHANGED_EVERY_S - 0.001 for earlier, later in pairwise(times))
        await listener.stop()

    play(scenario)


def test_it_says_that_it_lives_also_in_the_middle_of_a_storm() -> None:
    async def scenario(daemon: LiveDaemon) -> None:
        listener = Listener(daemon)
        for _ in range(200):
            daemon.commit(20)
            await asyncio.sleep(0.1)
        await asyncio.sleep(10.5)
        alive = [each for each in listener.frames if isinstance(each, Alive)]
        assert len(alive) == pytest.approx(30 / ALIVE_EVERY_S, abs=1)
        assert alive[-1].last == id_of(4000)
        await listener.stop()

    play(scenario)


def test_no_more_than_64_listen_and_a_place_is_free_again_at_once() -> None:
    async def scenario(daemon: LiveDaemon) -> None:
        listeners = [Listener(daemon) for _ in range(LISTENERS_MAX)]
        await asyncio.sleep(1)
        with pytest.raises(TransientError, match="64 listen already"):
            await first_of(daemon.feed.listen())
        await listeners[0].stop()
        assert await first_of(daemon.feed.listen()) == Began(BEGINNING)
        for each in listeners[1:]:
            await each.stop()
        assert daemon.feed.listeners == 0

    play(scenario)


def test_a_store_that_cannot_answer_refuses_it_and_takes_no_place() -> None:
    async def scenario(daemon: LiveDaemon) -> None:
        daemon.busy = True
        with pytest.raises(StoreBusy):
            await first_of(daemon.feed.listen())
        assert daemon.feed.listeners == 0

    play(scenario)


def test_at_the_stop_everybody_is_let_go_and_nobody_more_comes_in() -> None:
    async def scenario(daemon: LiveDaemon) -> None:
        running = asyncio.create_task(daemon.feed.run())
        listeners = [Listener(daemon), Listener(daemon, BEGINNING)]
        await asyncio.sleep(1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await asyncio.sleep(0.001)
        assert [each.is_over for each in listeners] == [True, True]
        assert not any(isinstance(frame, Lagged) for each in listeners for frame in each.frames)
        with pytest.raises(TransientError, match="stops"):
            await first_of(daemon.feed.listen())

    play(scenario)


def test_what_no_changeset_carries_is_looked_at_while_anybody_listens() -> None:
    async def scenario(daemon: LiveDaemon) -> None:
        standing: dict[Topic, object] = {Topic.RULES: "revision 1", Topic.STATUS: ()}
        looked: list[float] = []

        def look() -> dict[Topic, object]:
            looked.append(asyncio.get_running_loop().time())
            return dict(standing)

        daemon.feed.standing = look
        running = asyncio.create_task(daemon.feed.run())
        await asyncio.sleep(10)
        assert looked == []
        listener = Listener(daemon)
        await asyncio.sleep(3)
        assert not any(isinstance(each, Changed) for each in listener.frames)
        standing[Topic.RULES] = "revision 2"
        await asyncio.sleep(2)
        assert [each.topics for each in listener.frames if isinstance(each, Changed)] == [{Topic.RULES}]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await listener.stop()

    play(scenario)


def test_without_listeners_nothing_is_made() -> None:
    async def scenario(daemon: LiveDaemon) -> None:
        def nobody_asks(_: str) -> Incident:
            raise AssertionError("events were made for nobody")

        feed = Feed(daemon.ask, clock=daemon.clock, titles=nobody_asks)
        feed.publish(Changeset(events=(IncidentEvent(id_of(1), "i1", make.START, "note", ""),)))
        feed.touch(Topic.RULES)

    play(scenario)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(0, 3 * PAGE), st.floats(0, 0.2), st.booleans(), st.booleans()), min_size=1, max_size=30
    )
)
def test_over_any_number_of_connections_all_is_told_once_and_in_order(
    moves: list[tuple[int, float, bool, bool]],
) -> None:
    """A move: so much is committed, a while passes, the connection is cut, the incident is remembered."""

    async def scenario(daemon: LiveDaemon) -> None:
        told: list[int] = []
        last = BEGINNING
        listener = Listener(daemon, last)
        total = 0
        for count, pause, cut, known in moves:
            daemon.known = known
            daemon.commit(count)
            total += count
            await asyncio.sleep(pause)
            if cut:
                await listener.stop()
                told += listener.numbers
                last = last_id_of(listener, last)
                listener = Listener(daemon, last)
        await asyncio.sleep(30)
        told += listener.numbers
        assert told == list(range(1, total + 1))
        await listener.stop()

    play(scenario)


def last_id_of(listener: Listener, before: str) -> str:
    """What a client has by then: the newest id of any frame."""
    for frame in reversed(listener.frames):
        match frame:
            case Entries(events):
                return events[-1].id
            case Began(last) | Alive(last=last):
                return last
    return before


def test_what_says_that_it_lives_says_when() -> None:
    async def scenario(daemon: LiveDaemon) -> None:
        listener = Listener(daemon)
        await asyncio.sleep(ALIVE_EVERY_S + 0.1)
        (alive,) = [each for each in listener.frames if isinstance(each, Alive)]
        assert isinstance(alive.at, datetime)
        assert daemon.clock.now() - alive.at < timedelta(seconds=1)
        await listener.stop()

    play(scenario)
