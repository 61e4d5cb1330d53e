"""Notices sources that went quiet (F29), and events that were lost (F12). Says it to the engine, which tells people
once, and counts; so it does with what became of reports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

from logmedic.model.changeset import Overflowed, Quiet, ReportsCounted, Speaking
from logmedic.model.report import ReportCounts
from logmedic.ports import Clock
from logmedic.runtime.engine import Engine
from logmedic.runtime.intake import Intake

LOOKS = 20
"""So many looks in one `quiet_after`: it is noticed at most a twentieth of it late."""
LOOK_MAX_S = 5.0


class Watchman:
    """Time is that of the loop: a clock that people set makes nobody quiet (F33). A start counts as a line: what was
    silent while the daemon was down is not held against it."""

    def __init__(self, *, watched: Sequence[tuple[Intake, timedelta]], engine: Engine, clock: Clock) -> None:
        """`watched`: intakes with how long they may be silent."""
        self._watched = tuple(watched)
        self._engine = engine
        self._clock = clock

    async def run(self) -> None:
        if not self._watched:
            return
        look_s = min(LOOK_MAX_S, *(after.total_seconds() / LOOKS for _, after in self._watched))
        started = asyncio.get_running_loop().time()
        while True:
            for intake, after in self._watched:
                await self._look(intake, after.total_seconds(), started)
            await asyncio.sleep(look_s)

    async def _look(self, intake: Intake, after_s: float, started: float) -> None:
        silent_s = asyncio.get_running_loop().time() - (intake.spoke_at or started)
        known = intake.name in self._engine.state.quiet_sources
        if silent_s >= after_s and not known:
            since = self._clock.now() - timedelta(seconds=silent_s)
            await self._engine.settled(Quiet(intake.name, since))
        elif silent_s < after_s and known and intake.spoke_at is not None:
            await self._engine.settled(Speaking(intake.name))


async def count_overflows(overflows: Callable[[], int], engine: Engine) -> None:
    """Until cancelled. `overflows`: how many there were so far."""
    counted = overflows()
    while True:
        await asyncio.sleep(LOOK_MAX_S)
        if (now := overflows()) > counted:
            await engine.settled(Overflowed(now - counted))
            counted = now


async def count_reports(counts: Callable[[], ReportCounts], engine: Engine) -> None:
    """Until cancelled. `counts`: as the report socket has them."""
    counted = counts()
    while True:
        await asyncio.sleep(LOOK_MAX_S)
        now = counts()
        if (fresh := _since(counted, now)) != ReportsCounted():
            await engine.settled(fresh)
            counted = now


def _since(before: ReportCounts, now: ReportCounts) -> ReportsCounted:
    refused = {reason: n - before.refused.get(reason, 0) for reason, n in now.refused.items()}
    return ReportsCounted(
        now.taken - before.taken,
        now.repeated - before.repeated,
        {reason: n for reason, n in refused.items() if n},
    )
