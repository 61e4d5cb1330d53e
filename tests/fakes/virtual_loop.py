"""An event loop whose time passes only while everybody waits: hours of grace and timeouts take no time, and the same
moves have the same effect in every run."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

TURN_S = 1e-6
"""What a turn of the loop takes: more than the rounding of a float, so that every moment is reached."""

BEGAN = datetime(2001, 1, 1, tzinfo=UTC)
"""Long ago, so that no file is changed before the virtual present."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """What is given to a thread is done at once instead. It runs only inside `run_until_complete`, so between two of
    those everything on it is paused, while `pass_time` may go on."""

    def __init__(self) -> None:
        self._passed_s = 0.0
        super().__init__(_Waiting(self.pass_time))

    def time(self) -> float:
        return self._passed_s

    def pass_time(self, seconds: float) -> None:
        self._passed_s += seconds

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - it belongs to whoever awaits it
            done.set_exception(error)
        return done


class _Waiting(selectors.SelectSelector):
    """Waits by letting the virtual time pass."""

    def __init__(self, pass_time: Callable[[float], None]) -> None:
        super().__init__()
        self._pass_time = pass_time

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        assert ready or timeout is not None, "everybody waits, and nothing will ever come"
        self._pass_time(TURN_S if ready else max(timeout or 0.0, TURN_S))
        return ready


class VirtualClock:
    """The wall clock beside a virtual loop."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def now(self) -> datetime:
        return BEGAN + timedelta(seconds=self._loop.time())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
