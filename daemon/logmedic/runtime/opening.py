"""The store is opened; where that has no room, is not allowed, or lasts long, the daemon waits, and says so (F47, F48,
F50)."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import structlog

from logmedic.core.backoff import exponential
from logmedic.model.errors import StoreBusy, StoreFull
from logmedic.model.state import EngineState
from logmedic.ports import Clock, Store
from logmedic.runtime.notify import SystemdNotifier
from logmedic.runtime.storewatch import LOOK_EVERY_S, Trouble
from logmedic.runtime.supervisor import Supervisor

log = structlog.get_logger("logmedic.opening")

RETRY_BASE = timedelta(seconds=1)
RETRY_MAX = timedelta(seconds=30)
ALIVE_EVERY_S = 10.0
START_S = 180.0
"""As the unit's TimeoutStartSec."""
LONG_S = 30.0
"""An opening that lasts longer is one to wait for. Well below the unit's TimeoutStartSec: a large store is read through
after a kill, and if the manager killed whoever does that, each start would begin it again (I4)."""
LONG_TOLD_S = 300.0
"""An opening that lasts this long is told to people: the disk may hang."""
LONG = "the store is still being opened; after a kill a large one is read through"
LONG_HINT = "wait; if that does not end, see what the kernel says of its disk (dmesg)"
LONG_TO_DO = "Nothing, where its file is large: it goes on by itself. Else see what the kernel says of its disk."
LONG_COMMAND = "dmesg | tail"


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
        self._waits = asyncio.Event()
        self._store = store
        self._path = path
        self._look = look
        self._door = door
        self._notifier = notifier
        self._clock = clock

    @property
    def told(self) -> str:
        """For people."""
        if not self.problem:
            return "the store is open, and the daemon is starting"
        return f"nothing is stored: {self.problem}. Until it can be, log lines wait where they are, and no fix runs"

    @property
    def trouble(self) -> Trouble | None:
        """As StoreWatch has it."""
        if self.problem == LONG:
            return Trouble(LONG, LONG_TO_DO, LONG_COMMAND, LONG_TOLD_S - LONG_S)
        return Trouble(self.problem) if self.problem else None

    async def opened(self, stop: asyncio.Event) -> EngineState | None:
        """None: it was asked to stop before that. Raises what `Store.open` raises; StoreFull only where the directory
        is not there, or not ours to read: that is a mistake, and no disk that gets well by itself."""
        ended, waits = asyncio.create_task(stop.wait()), asyncio.create_task(self._waits.wait())
        opening, parts = asyncio.create_task(self._until_open(ended)), Supervisor(self._clock)
        try:
            await asyncio.wait((opening, ended, waits), return_when=asyncio.FIRST_COMPLETED)
            if not (opening.done() or ended.done()):
                await self._waited(parts, opening, ended)
            if ended.done():
                self._notifier.stopping()
                self._store.hurry()
            await parts.stop()
            state = await opening
        finally:
            for each in (ended, waits, opening):
                each.cancel()
            await parts.stop()
        if state is not None and self._waits.is_set():
            log.info("store_opened")
            self._notifier.status("")
        return state

    async def _until_open(self, ended: asyncio.Task[bool]) -> EngineState | None:
        """None once `ended` is done and it did not open. What was opened all the same may have been mended, and whoever
        goes on from here tells people of that."""
        try:
            for tries in itertools.count(1):
                state = await self._tried(ended)
                if state is not None or ended.done():
                    return state
                if tries == 1:
                    self._begin_to_wait()
                await asyncio.wait((ended,), timeout=exponential(tries, RETRY_BASE, RETRY_MAX).total_seconds())
                if ended.done():
                    break
        finally:
            self.problem = self.hint = ""
        return None

    async def _tried(self, ended: asyncio.Task[bool]) -> EngineState | None:
        """None when it did not open."""
        lasting = asyncio.get_running_loop().call_later(LONG_S, self._lasts)
        try:
            return await self._store.open()
        except StoreFull as error:
            self.problem, self.hint = error.text, error.hint
        except StoreBusy:
            if not ended.done():
                raise
        finally:
            lasting.cancel()
        return None

    def _begin_to_wait(self) -> None:
        """Raises StoreFull."""
        if not os.access(self._path.parent, os.R_OK | os.X_OK):
            raise StoreFull(self.problem, self.hint)
        log.error("store_not_open", error=self.problem)
        self._waits.set()

    def _lasts(self) -> None:
        self.problem, self.hint = LONG, LONG_HINT
        log.warning("store_opens_slowly", after_s=LONG_S)
        self._waits.set()

    async def _waited(
        self, parts: Supervisor, opening: asyncio.Task[EngineState | None], ended: asyncio.Task[bool]
    ) -> None:
        """Until it is open and nobody is being told, or it is to stop: who was told has to hear of its end."""
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


async def alive_while_starting(notifier: SystemdNotifier) -> None:
    """What comes after the opening may last as well, on a disk like that, and READY is told already. Until cancelled,
    for at most as long as a start may last."""
    for _ in range(int(START_S / ALIVE_EVERY_S)):
        notifier.alive()
        await asyncio.sleep(ALIVE_EVERY_S)
