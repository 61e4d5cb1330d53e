"""A call in a thread, which a cancel of who waits for it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import duckdb

T = TypeVar("T")

AGAIN_S = 0.1


async def ended_by(end: Callable[[], None], running: asyncio.Future[T]) -> T:
    """Answers and raises what `running` does. A cancel waits until it has ended, which `end` makes it do soon. It is
    said again until then: what is told to end between two questions does not hear it."""
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            with suppress(duckdb.Error):  # it may have closed what would be interrupted
                end()
            await asyncio.wait((running,), timeout=AGAIN_S)
        running.exception()  # nobody asks any more
        raise
