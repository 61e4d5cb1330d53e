"""Questions to the host's database of users, which may be somewhere else and hang: asked in threads of their own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

KEPT_S = 60.0
"""So long an answer counts: who was put into a group is in it a minute later."""
WAIT_S = 3.0
MOST_KEPT = 256
THREADS = 4
"""At once: however long that database takes, the engine has its own."""

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Lookups(Generic[K, V]):
    """`ask` may block, and raises nothing."""

    def __init__(
        self, ask: Callable[[K], V], *, clock: Callable[[], float] = time.monotonic, wait_s: float = WAIT_S
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._wait_s = wait_s
        self._threads = ThreadPoolExecutor(THREADS, "users")
        self._known: dict[K, tuple[float, V]] = {}
        self._asked: dict[K, asyncio.Future[V]] = {}

    def __len__(self) -> int:
        return len(self._known)

    async def of(self, key: K, otherwise: V) -> V:
        """`otherwise`: what counts when no answer comes in time. Asks once for many that come at the same time."""
        until, known = self._known.get(key, (0.0, None))
        if known is not None and self._clock() < until:
            return known
        asked = self._asked.get(key) or self._begin(key)
        try:
            return self._keep(key, await asyncio.wait_for(asyncio.shield(asked), self._wait_s))
        except TimeoutError:
            return otherwise

    def _begin(self, key: K) -> asyncio.Future[V]:
        asked = asyncio.get_running_loop().run_in_executor(self._threads, self._ask, key)
        self._asked[key] = asked
        asked.add_done_callback(lambda _: self._asked.pop(key, None))
        return asked

    def _keep(self, key: K, found: V) -> V:
        if len(self._known) >= MOST_KEPT:
            self._known.clear()
        self._known[key] = (self._clock() + KEPT_S, found)
        return found
