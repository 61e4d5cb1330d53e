"""Live events: what was committed is told to those who listen. The engine never waits for any of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import aclosing
from typing import Any

from logmedic.core.feed import Titles, event_of, events_of, topics_of
from logmedic.model.changeset import Changeset
from logmedic.model.errors import TransientError
from logmedic.model.frame import Alive, Began, Changed, Entries, Frame, Lagged
from logmedic.model.live import LiveEvent, Topic
from logmedic.ports import Clock

LISTENERS_MAX = 64
"""Over all doors."""
QUEUE = 1000
"""Events that wait for one listener (I6). What is more it reads from the store, where all of them are."""
PAGE = 200
"""Events of a frame, and of one question to the store."""
PATIENCE_S = 30.0
"""Who has more than the queue waiting, and takes nothing for so long, does not listen any more."""
CHANGED_EVERY_S = 0.25
ALIVE_EVERY_S = 5.0
LOOK_EVERY_S = 1.0
BEGINNING = "00000000-0000-0000-0000-000000000000"
"""An id before all of them."""

Ask = Callable[..., Awaitable[Any]]
"""As ports.Store.ask."""
Standing = Callable[[], Mapping[Topic, object]]
"""What no changeset carries, by topic: when it is another than before, that topic has changed."""


class Feed:
    """`ask`: what was committed before it is called is in its answer, which is what makes a resumption whole. `titles`:
    what an event is about; what they do not know is read from the store."""

    def __init__(self, ask: Ask, *, clock: Clock, titles: Titles) -> None:
        self._ask = ask
        self._clock = clock
        self._titles = titles
        self.standing: Standing = dict
        """Looked at once a second while anybody listens."""
        self._stood: Mapping[Topic, object] = {}
        self._listeners: list[_Listener] = []
        self._closed = False
        self.cut = 0
        """Listeners that did not read."""

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    def row(self) -> dict[str, Any]:
        return {"listeners": self.listeners, "listeners_max": LISTENERS_MAX, "cut": self.cut}

    def publish(self, changeset: Changeset) -> None:
        """What was committed just now. Never waits; without listeners it costs nothing."""
        if self._listeners:
            self._offer(events_of(changeset, self._titles), topics_of(changeset))

    def touch(self, *topics: Topic) -> None:
        """Something changed that no changeset carries."""
        if topics:
            self._offer((), topics)

    def _offer(self, events: tuple[LiveEvent, ...] | None, topics: Iterable[Topic]) -> None:
        for each in tuple(self._listeners):
            each.offer(events, topics)
            if each.is_asleep():
                self._listeners.remove(each)
                self.cut += 1

    async def run(self) -> None:
        """Until cancelled; then all who listen are let go, so that a stop need not wait for them."""
        try:
            while True:
                await self._clock.sleep(LOOK_EVERY_S)
                if self._listeners:
                    self.touch(*self._changed())
        finally:
            self.close()

    def _changed(self) -> list[Topic]:
        """Since the last call."""
        stood, self._stood = self._stood, self.standing()
        return [topic for topic, value in self._stood.items() if stood.get(topic) != value]

    def close(self) -> None:
        self._closed = True
        for each in self._listeners:
            each.leave()

    async def listen(self, after: str | None = None) -> AsyncGenerator[Frame, None]:
        """As ports.Control.live. What comes live is kept from before the store is asked: no gap; ids are in order, and
        what is not above the last one was told: nothing twice."""
        if self._closed or self.listeners >= LISTENERS_MAX:
            why = "the daemon stops" if self._closed else f"{LISTENERS_MAX} listen already"
            raise TransientError(f"nobody more can listen to live events: {why}", "try again, or: logmedic events")
        if not self._listeners:
            self._changed()
        listener = _Listener()
        self._listeners.append(listener)
        try:
            async with aclosing(self._frames(listener, after)) as frames:
                async for frame in frames:
                    listener.hand_over()
                    yield frame
                    listener.taken()
        finally:
            if listener in self._listeners:
                self._listeners.remove(listener)

    async def _frames(self, listener: _Listener, after: str | None) -> AsyncGenerator[Frame, None]:
        newest = await self.newest()
        unknown = after is not None and after > newest
        listener.last = newest if after is None or unknown else after
        listener.behind = listener.last < newest
        yield Began(listener.last, reset=unknown)
        pace = _Pace()
        while not listener.over:
            events = await self._read_on(listener) if listener.behind else listener.take()
            if events:
                yield Entries(events)
            if listener.topics and pace.changed_in() <= 0:
                yield Changed(listener.take_topics())
                pace.changed()
            if pace.alive_in() <= 0:
                yield Alive(self._clock.now(), listener.last)
                pace.alive()
            if not (listener.behind or listener.waiting or listener.over):
                await listener.wait(min(pace.alive_in(), pace.changed_in() if listener.topics else ALIVE_EVERY_S))
        if listener.cut:
            yield Lagged()

    async def newest(self) -> str:
        """The id of the last event that is stored, or BEGINNING."""
        rows = await self._ask("events", newest=True, limit=1)
        return str(rows[-1]["id"]) if rows else BEGINNING

    async def _read_on(self, listener: _Listener) -> tuple[LiveEvent, ...]:
        """The next page from the store. What is committed from now on waits in the queue, or brings it here again."""
        listener.caught_up()
        rows = await self._ask("events", after=listener.last, limit=PAGE)
        listener.behind |= len(rows) == PAGE
        if rows:
            listener.last = str(rows[-1]["id"])
        return tuple(map(event_of, rows))


class _Pace:
    """When the next of what comes by the clock is due, in seconds."""

    def __init__(self) -> None:
        self._now = asyncio.get_running_loop().time
        self._changed_at = self._now()
        self._alive_at = self._changed_at + ALIVE_EVERY_S

    def changed_in(self) -> float:
        return self._changed_at - self._now()

    def changed(self) -> None:
        self._changed_at = self._now() + CHANGED_EVERY_S

    def alive_in(self) -> float:
        return self._alive_at - self._now()

    def alive(self) -> None:
        self._alive_at = self._now() + ALIVE_EVERY_S


class _Listener:
    """`waiting`: what it was not told yet, at most QUEUE events. `behind`: there is more, in the store. `last`: the id
    of the last event that it was told."""

    def __init__(self) -> None:
        self.waiting: deque[LiveEvent] = deque()
        self.topics: set[Topic] = set()
        self.behind = False
        self.last = BEGINNING
        self.over = False
        self.cut = False
        self._handed_at: float | None = None
        self._woken = asyncio.Event()

    def offer(self, events: tuple[LiveEvent, ...] | None, topics: Iterable[Topic]) -> None:
        """`events` None: they are in the store alone."""
        self.topics.update(topics)
        if events is None or len(self.waiting) + len(events) > QUEUE:
            self.behind = True
            self.waiting.clear()
        elif not self.behind:
            self.waiting.extend(events)
        self._woken.set()

    def is_asleep(self) -> bool:
        """It has not taken its last frame for too long, while more came than may wait."""
        now = asyncio.get_running_loop().time()
        if self.behind and self._handed_at is not None and now - self._handed_at > PATIENCE_S:
            self.cut = True
            self.leave()
        return self.cut

    def leave(self) -> None:
        self.over = True
        self.waiting.clear()
        self._woken.set()

    def hand_over(self) -> None:
        self._handed_at = asyncio.get_running_loop().time()

    def taken(self) -> None:
        self._handed_at = None

    def caught_up(self) -> None:
        self.behind = False
        self.waiting.clear()

    def take(self) -> tuple[LiveEvent, ...]:
        """At most PAGE of those that wait; what it had already is left out."""
        taken = [self.waiting.popleft() for _ in range(min(PAGE, len(self.waiting)))]
        fresh = tuple(each for each in taken if each.id > self.last)
        if fresh:
            self.last = fresh[-1].id
        return fresh

    def take_topics(self) -> frozenset[Topic]:
        taken = frozenset(self.topics)
        self.topics.clear()
        return taken

    async def wait(self, seconds: float) -> None:
        """Until there is something to tell, or so long."""
        self._woken.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return
