"""The store is opened; where it has no room, or may not be written, the daemon waits, and says so (F48, F50)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import structlog

from logmedic.core.backoff import exponential
from logmedic.model.errors import StoreFull
from logmedic.model.state import EngineState
from logmedic.ports import Clock, Store
from logmedic.runtime.notify import SystemdNotifier
from logmedic.runtime.storewatch import LOOK_EVERY_S
from logmedic.runtime.supervisor import Supervisor

log = structlog.get_logger("logmedic.opening")

RETRY_BASE = timedelta(seconds=1)
RETRY_MAX = timedelta(seconds=30)
ALIVE_EVERY_S = 10.0


class Opening:
    """`look` tells people when it lasts (StoreWatch.look); `door` answers, until it is cancelled, who asks something
    meanwhile. `problem`: why the store does not open, or empty; `hint`: what to type."""

    def __init__(
        self,
        *,
        store: Store,
        path: Path,
        look: Callable[[], Awaitable[None]],
        door: Callable[[], Awaitable[None]],
        notifier: SystemdNotifier,
        clock: Clock,
    ) -> None:
        self.problem = ""
        self.hint = ""
        self._store = store
        self._path = path
        self._look = look
        self._door = door
        self._notifier = notifier
        self._clock = clock

    @property
    def told(self) -> str:
        """For people."""
        return f"nothing is stored: {self.problem}. Until it can be, log lines wait where they are, and no fix runs"

    async def opened(self, stop: asyncio.Event) -> EngineState | None:
        """None: it was asked to stop before that. Raises what `Store.open` raises; StoreFull only where the directory
        is not there, or not ours to read: that is a mistake, and no disk that gets well by itself."""
        state = await self._tried()
        if state is not None:
            return state
        if not os.access(self._path.parent, os.R_OK | os.X_OK):
            raise StoreFull(self.problem, self.hint)
        log.error("store_not_open", error=self.problem)
        return await self._waited(stop)

    async def _tried(self) -> EngineState | None:
        """None when it did not open."""
        try:
            state = await self._store.open()
        except StoreFull as error:
            self.problem, self.hint = error.text, error.hint
            return None
        return state

    async def _waited(self, stop: asyncio.Event) -> EngineState | None:
        self._notifier.ready()  # it does what it can: the manager's patience with a start is not for this
        self._notifier.status(self.told)
        parts, opening = Supervisor(self._clock), asyncio.create_task(self._until_open())
        parts.keep("control socket", self._door)
        telling = parts.keep("store watch", self._tell)
        try:
            await self._both(opening, telling, asyncio.create_task(stop.wait()))
        finally:
            cancelled = opening.cancel()
            await parts.stop()
        if cancelled:
            return None
        state = await opening
        log.info("store_opened")
        self._notifier.status("")
        return state

    async def _both(
        self, opening: asyncio.Task[EngineState], telling: asyncio.Task[None], ended: asyncio.Task[bool]
    ) -> None:
        """Until it is open and nobody is being told, or it is to stop: who was told has to hear of its end."""
        while not ended.done():
            under_way = {each for each in (opening, telling) if not each.done()}
            if not under_way:
                break
            self._notifier.alive()
            await asyncio.wait({*under_way, ended}, timeout=ALIVE_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()

    async def _until_open(self) -> EngineState:
        state, tries = None, 0
        try:
            while state is None:
                tries += 1
                await self._clock.sleep(exponential(tries, RETRY_BASE, RETRY_MAX).total_seconds())
                state = await self._tried()
        finally:
            self.problem = self.hint = ""
        return state

    async def _tell(self) -> None:
        while self.problem:
            await self._look()
            await self._clock.sleep(LOOK_EVERY_S)
