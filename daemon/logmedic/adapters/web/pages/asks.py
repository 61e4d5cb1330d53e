"""One form, one act: what came of each form that was sent, so that a double click is one order."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")
REMEMBERED = 1000
"""The oldest are forgotten, once they are over (I6)."""


class Asks(Generic[T]):
    """By a key that stands in the form. Used from one loop."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._begun: OrderedDict[str, asyncio.Future[T]] = OrderedDict()

    async def once(self, key: str, act: Callable[[], Awaitable[T]]) -> tuple[T, bool]:
        """What came of it, and whether this call did it. Who leaves meanwhile takes nothing back. What was raised is
        raised again only until it is asked anew: an order that came to nothing may be given again."""
        found = self._begun.get(key)
        if found is None:
            found = self._begun[key] = asyncio.ensure_future(act())
            self._forget()
            found.add_done_callback(lambda done: self._done(key, done))
            return await asyncio.shield(found), True
        return await asyncio.shield(found), False

    def _done(self, key: str, done: asyncio.Future[T]) -> None:
        if done.cancelled() or done.exception() is not None:
            self._begun.pop(key, None)

    def _forget(self) -> None:
        over = [key for key, each in self._begun.items() if each.done()]
        for key in over[: max(0, len(self._begun) - self._remembered)]:
            del self._begun[key]

    def __len__(self) -> int:
        return len(self._begun)
