"""Notices rules that were quarantined, and says it to the engine, which tells people once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import structlog

from logmedic.model.changeset import Quarantined
from logmedic.runtime.engine import Engine

log = structlog.get_logger("logmedic.rules")

LOOK_EVERY_S = 2.0


async def tell_of_quarantine(quarantined: Callable[[], Mapping[str, str]], engine: Engine) -> None:
    """Until cancelled. A rule that was set free, because it changed, and is quarantined again, is told of again."""
    told: set[str] = set()
    while True:
        now = quarantined()
        for rule_id in [each for each in now if each not in told]:
            log.error("rule_quarantined", rule=rule_id, reason=now[rule_id])
            await engine.settled(Quarantined(rule_id, now[rule_id]))
        told = set(now)
        await asyncio.sleep(LOOK_EVERY_S)
