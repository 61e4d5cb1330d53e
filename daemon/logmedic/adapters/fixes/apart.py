"""Calls that may never come back: a stat of a file on a network disk whose server is gone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


class NotBack(Exception):
    """The call is still under way; the text says what was waited for."""


class Apart:
    """Each in a thread that keeps nobody from ending (the loop's own pool would wait for it at the exit). What is asked
    again while it is under way is not called again, so that what hangs costs one thread; and never more than `most`.
    Used on one loop."""

    def __init__(self, most: int = 8) -> None:
        self._most = most
        self._under_way: dict[Hashable, asyncio.Future[Any]] = {}

    async def call(self, key: Hashable, ask: Callable[[], T], *, within_s: float) -> T:
        """What `ask`, which `key` stands for, answers. Raises NotBack, and the OSError or ValueError of `ask`."""
        answer: asyncio.Future[T] | None = self._under_way.get(key)
        if answer is None:
            if len(self._under_way) >= self._most:
                raise NotBack(f"{self._most} others do not come back")
            answer = self._begin(key, ask)
        try:
            async with asyncio.timeout(within_s):
                return await asyncio.shield(answer)
        except TimeoutError:
            raise NotBack(f"no answer in {within_s:.3g} s") from None

    def _begin(self, key: Hashable, ask: Callable[[], T]) -> asyncio.Future[T]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        answer.add_done_callback(lambda done: done.cancelled() or done.exception())  # whoever asked may be gone

        def end(settle: Callable[[], None]) -> None:
            self._under_way.pop(key, None)
            settle()

        def work() -> None:
            try:
                said = ask()
            except (OSError, ValueError) as error:
                failed = error
                settle: Callable[[], None] = lambda: answer.set_exception(failed)  # noqa: E731
            else:
                settle = lambda: answer.set_result(said)  # noqa: E731
            with suppress(RuntimeError):  # the loop is closed by now
                loop.call_soon_threadsafe(end, settle)

        threading.Thread(target=work, name="logmedic apart", daemon=True).start()
        self._under_way[key] = answer
        return answer
