"""The store is opened; where that has no room, is not allowed, or lasts long, the daemon waits, and says so (F47, F48,
F50)."""

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
from logmedic.runtime.storewatch import LOOK_EVERY_S, PATIENCE_S
from logmedic.runtime.supervisor import Supervisor

log = structlog.get_logger("logmedic.opening")

RETRY_BASE = timedelta(seconds=1)
RETRY_MAX = timedelta(seconds=30)
ALIVE_EVERY_S = 10.0
LONG_S = 30.0
"""An opening that lasts longer is one to wait for. Well below the unit's TimeoutStartSec: a large store is read through
after a kill, and if the manager killed whoever does that, each start would begin it again (I4)."""
LONG_PATIENCE_S = 300.0
"""Nobody can do anything about it: people hear of what lasts this long, for the disk may hang."""
LONG = "it is still being opened: after a kill all of it is read through, which lasts for a large one on a slow disk"
LONG_HINT = "wait; or look at its disk (dmesg). Once it is open the journal says store_opened"


class Opening:
    """`look` tells people when it lasts (StoreWatch.look); `door` answers, until it is cancelled, who asks something
    meanwhile. `problem`: why the store is not open, or empty; `hint`: what to type."""

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
        self._refused = asyncio.Event()
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

    @property
    def patience_s(self) -> float:
        """How long `problem` may last until people hear of it."""
        return LONG_PATIENCE_S if self.problem == LONG else PATIENCE_S

    async def opened(self, stop: asyncio.Event) -> EngineState | None:
        """None: it was asked to stop before that. Raises what `Store.open` raises; StoreFull only where the directory
        is not there, or not ours to read: that is a mistake, and no disk that gets well by itself."""
        opening, ended = asyncio.create_task(self._until_open()), asyncio.create_task(stop.wait())
        refused, parts = asyncio.create_task(self._refused.wait()), Supervisor(self._clock)
        waited = False
        try:
            await asyncio.wait((opening, ended, refused), timeout=LONG_S, return_when=asyncio.FIRST_COMPLETED)
            if waited := not (opening.done() or ended.done()):
                await self._waited(parts, opening, ended)
        finally:
            refused.cancel()
            ended.cancel()
            cancelled = opening.cancel()
            await parts.stop()
            await asyncio.wait((opening,))
        if cancelled:
            return None
        state = await opening
        if waited:
            log.info("store_opened")
            self._notifier.status("")
        return state

    async def _tried(self) -> EngineState | None:
        """None when it did not open."""
        try:
            state = await self._store.open()
        except StoreFull as error:
            self.problem, self.hint = error.text, error.hint
            return None
        return state

    async def _until_open(self) -> EngineState:
        tries = 0
        try:
            while (state := await self._tried()) is None:
                if not tries:
                    self._begin_to_wait()
                tries += 1
                await self._clock.sleep(exponential(tries, RETRY_BASE, RETRY_MAX).total_seconds())
        finally:
            self.problem = self.hint = ""
        return state

    def _begin_to_wait(self) -> None:
        """Raises StoreFull."""
        if not os.access(self._path.parent, os.R_OK | os.X_OK):
            raise StoreFull(self.problem, self.hint)
        log.error("store_not_open", error=self.problem)
        self._refused.set()

    async def _waited(self, parts: Supervisor, opening: asyncio.Task[EngineState], ended: asyncio.Task[bool]) -> None:
        """Until it is open and nobody is being told, or it is to stop: who was told has to hear of its end."""
        if not self.problem:
            self.problem, self.hint = LONG, LONG_HINT
            log.warning("store_opens_slowly", after_s=LONG_S)
        self._notifier.ready()  # it does what it can: the manager's patience with a start is not for this
        parts.keep("control socket", self._door)
        telling = parts.keep("store watch", self._tell)
        while not ended.done():
            under_way = {each for each in (opening, telling) if not each.done()}
            if not under_way:
                break
            self._notifier.status(self.told)
            self._notifier.alive()
            await asyncio.wait({*under_way, ended}, timeout=ALIVE_EVERY_S, return_when=asyncio.FIRST_COMPLETED)

    async def _tell(self) -> None:
        while self.problem:
            await self._look()
            await self._clock.sleep(LOOK_EVERY_S)
