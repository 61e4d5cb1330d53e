"""Retention, and all that belongs to it, from time to time (I6)."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from logmedic.ports import Clock, Keeper

EVERY_S = 3600.0
STOP_LOOK_S = 2.0
"""So long a stop waits for a disk that hangs, for what is worth less than an hour."""


async def keep_small(keeper: Keeper, clock: Clock) -> None:
    """Until cancelled. Raises StoreBusy, StoreFull."""
    try:
        while True:
            await keeper.tidy(clock.now())
            await clock.sleep(EVERY_S)
    except asyncio.CancelledError:
        with suppress(TimeoutError):
            await asyncio.wait_for(keeper.looked(clock.now()), STOP_LOOK_S)
        raise
