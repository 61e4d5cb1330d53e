"""A store that is old already: most of what is in it leaves at the first look, and its holes are given back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from logmedic.adapters.store.duck import DuckStore
from store.history import history

DAYS, A_DAY = 8, 2000


def a_past(path: Path) -> None:
    """Without counts of lines, and nothing that still stands."""
    asyncio.run(_written(path))


async def _written(path: Path) -> None:
    store = DuckStore(path)
    await store.open()
    try:
        for changeset in islice(history(datetime.now(UTC), DAYS, A_DAY), DAYS - 2):
            await store.commit(replace(changeset, tallies=()))
    finally:
        await store.close()
