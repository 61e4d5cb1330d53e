"""What waits for the engine: a lane for each source, taken from in turn, so that a flood delays only itself."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterator
from itertools import count
from typing import Generic, TypeVar

T = TypeVar("T")


class _Lane(Generic[T]):
    """What one sender has waiting, numbered in the order of all."""

    __slots__ = ("room", "waiting")

    def __init__(self, depth: int) -> None:
        self.room = asyncio.Semaphore(depth)
        self.waiting: deque[tuple[int, T]] = deque()


class Lanes(Generic[T]):
    """A queue with one taker. `depth`: how much waits in a lane at most; then its sender waits, and no other (I6)."""

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._lanes: OrderedDict[str, _Lane[T]] = OrderedDict()
        self._last: deque[tuple[int, T]] = deque()
        self._numbers = count()
        self._news = asyncio.Event()

    async def put(self, lane: str, item: T) -> None:
        """Behind what waits in its lane. A cancel puts nothing."""
        into = self._lanes.setdefault(lane, _Lane(self._depth))
        await into.room.acquire()
        into.waiting.append((next(self._numbers), item))
        self._news.set()

    def put_last(self, item: T) -> None:
        """Behind everything that waits in any lane now. Never waits: its sender is expected to wait for what comes of
        it."""
        self._last.append((next(self._numbers), item))
        self._news.set()

    async def get(self) -> T:
        """The next of the lane whose turn it is. A cancel takes nothing."""
        while (item := self.take()) is None:
            self._news.clear()
            await self._news.wait()
        return item

    def take(self) -> T | None:
        """As `get`; None when nothing waits."""
        if self._last and self._last[0][0] < self._oldest():
            return self._last.popleft()[1]
        for name, lane in self._lanes.items():
            if lane.waiting:
                self._lanes.move_to_end(name)
                lane.room.release()
                return lane.waiting.popleft()[1]
        return None

    def __len__(self) -> int:
        return len(self._last) + sum(len(lane.waiting) for lane in self._lanes.values())

    def first(self) -> Iterator[T]:
        """Of each lane, what waits longest there."""
        yield from (queue[0][1] for queue in (self._last, *(lane.waiting for lane in self._lanes.values())) if queue)

    def _oldest(self) -> float:
        return min((lane.waiting[0][0] for lane in self._lanes.values() if lane.waiting), default=float("inf"))
