"""Nothing can be stored: that cannot be told the usual way, for messages wait in the store. It is told past it, and its
end the usual way, to whoever heard of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from logmedic.core import ownstories
from logmedic.core.moments import span_text
from logmedic.model.alert import Delivery
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Ailing, Input
from logmedic.model.message import Story
from logmedic.ports import Clock

log = structlog.get_logger("logmedic.storewatch")

PART = "store"
LOOK_EVERY_S = 2.0
PATIENCE_S = 30.0
CALM_S = 60.0
"""So long commits must have worked before its end is told."""
BETWEEN_S = 3600.0
"""Between two messages past the store, over all episodes."""
RETRY_S = 300.0
"""When nobody was reached."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why nothing can be stored, what people can do about it, and how long it may last until they hear of it. Without a
    `command` it is the one that shows room and rights."""

    problem: str
    to_do: str = "Make room on its disk, or make it writable; it goes on by itself."
    command: str = ""
    patience_s: float = PATIENCE_S


class StoreWatch:
    """`trouble`: why nothing can be stored now; None: it can. `direct` sends to people at once. `tell`: waits until it
    is committed. Time is the loop's."""

    def __init__(
        self,
        *,
        path: Path,
        trouble: Callable[[], Trouble | None],
        direct: Callable[[Story], Awaitable[dict[str, Delivery]]],
        tell: Callable[[Input], Awaitable[None]],
        clock: Clock,
    ) -> None:
        self._path = path
        self._trouble = trouble
        self._direct = direct
        self._tell = tell
        self._clock = clock
        self._since: float | None = None
        self._began: datetime = clock.now()
        self._well_since: float | None = None
        self._told: dict[str, None] = {}
        """Receivers that heard of it, and not of its end yet."""
        self._next_s = float("-inf")
        self._last: Ailing | None = None
        """What was told past the store."""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        now, trouble = asyncio.get_running_loop().time(), self._trouble()
        if trouble is not None:
            await self._failing(trouble, now)
        else:
            await self._working(now)

    async def _failing(self, trouble: Trouble, now: float) -> None:
        self._well_since = None
        if self._since is None:
            self._since, self._began = now, self._clock.now()
        if now - self._since < trouble.patience_s or now < self._next_s:
            return
        ailing = self._ailing(trouble)
        log.error("ailing", part=PART, what=ailing.what)
        outcomes = await self._direct(self._story(ailing))
        reached = [name for name, each in outcomes.items() if each.delivered]
        self._told.update((name, None) for name in reached)
        self._last = ailing
        self._next_s = asyncio.get_running_loop().time() + (BETWEEN_S if reached else RETRY_S)

    async def _working(self, now: float) -> None:
        self._since = None
        if self._last is None:
            return
        self._well_since = now if self._well_since is None else self._well_since
        if now - self._well_since < CALM_S:
            return
        log.info("well_again", part=PART)
        if self._told:
            await self._tell(replace(self._last, told=tuple(self._told)))
            await self._tell(Ailing(PART, AlertEvent.STORE))
        self._last, self._told = None, {}

    def _ailing(self, trouble: Trouble) -> Ailing:
        waited = max(timedelta(0), self._clock.now() - self._began)
        return Ailing(
            PART,
            AlertEvent.STORE,
            f"nothing can be stored: {trouble.problem}. That is so for {span_text(waited)}. Until it can, log lines "
            "wait where they are, no fix runs, and no other message is sent",
            trouble.to_do,
            trouble.command or f"df -h {self._path.parent}; ls -ld {self._path.parent}",
            since=self._began,
        )

    def _story(self, ailing: Ailing) -> Story:
        story = ownstories.of_ailing(
            ailing.part, ailing.event, ailing.what, ailing.to_do, ailing.command, self._clock.now()
        )
        return replace(story, since=self._began)
