"""Notices what people should hear of the rules themselves: mistakes in their files (F34), rules that cost too much
(F43). Says it to the engine, which tells people, once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from logmedic.model.changeset import Input, Quarantined, RulesRefused
from logmedic.runtime.live import Generation
from logmedic.runtime.reload import problem_line

log = structlog.get_logger("logmedic.rules")

LOOK_EVERY_S = 2.0
PATIENCE_S = 30.0
"""Who edits a file live, and mends it at once, calls nobody."""


class RuleWatch:
    """`tell`: waits until it is committed. Time is the loop's."""

    def __init__(self, current: Callable[[], Generation], tell: Callable[[Input], Awaitable[None]]) -> None:
        self._current = current
        self._tell = tell
        self._told: tuple[str, ...] = ()
        self._seen: tuple[str, ...] = ()
        self._since = float("-inf")
        self._quarantined: frozenset[tuple[str, float]] = frozenset()

    async def run(self) -> None:
        """Until cancelled. What is wrong at the start is told at once."""
        self._seen = self._problems()
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        await self._look_at_files()
        await self._look_at_costs()

    def _problems(self) -> tuple[str, ...]:
        return tuple(problem_line(each) for each in self._current().ruleset.problems)

    async def _look_at_files(self) -> None:
        problems, now = self._problems(), asyncio.get_running_loop().time()
        if problems != self._seen:
            self._seen, self._since = problems, now
        if problems != self._told and (not problems or now - self._since >= PATIENCE_S):
            self._told = problems
            await self._tell(RulesRefused(problems, self._current().ruleset.stale_files))

    async def _look_at_costs(self) -> None:
        """A rule that was set free, because it changed or its time was over, and is quarantined again, is told of
        again."""
        matcher = self._current().matcher
        reasons, uses = matcher.quarantined, matcher.uses
        quarantined = {rule_id: uses[rule_id].quarantined_at for rule_id in reasons}
        for rule_id in [rule_id for rule_id, at in quarantined.items() if (rule_id, at) not in self._quarantined]:
            log.error("rule_quarantined", rule=rule_id, reason=reasons[rule_id])
            await self._tell(Quarantined(rule_id, reasons[rule_id]))
        self._quarantined = frozenset(quarantined.items())
