"""How the engine and the event loop do, counted since the start."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from logmedic.core.figures.snapshot import COMMIT_S, LOOP_S
from logmedic.model.metric import Buckets

LOOK_EVERY_S = 0.5


@dataclass(slots=True)
class EngineMeter:
    """Written by the engine. `commit_s`: how long commits took, their tries included; `failures`: of tries."""

    commit_s: Buckets = field(default_factory=lambda: Buckets(COMMIT_S))
    failures: int = 0


class LoopMeter:
    """How late the event loop gets to what is due: what blocks it, delays everything."""

    def __init__(self) -> None:
        self.late_s = Buckets(LOOP_S)

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LOOK_EVERY_S
            await asyncio.sleep(LOOK_EVERY_S)
            self.late_s.take(loop.time() - due)
