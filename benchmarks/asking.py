"""Scenario 25: commits while queries run."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.table import Row
from logmedic.adapters.store.duck import DuckStore
from logmedic.model.changeset import Changeset
from logmedic.model.errors import QueryRefused
from logmedic.model.issue import Tally
from logmedic.model.query import Limits
from store.history import history

DAYS, A_DAY = 120, 200
SECONDS = 10.0
ENDLESS = "WITH RECURSIVE t AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM t) SELECT sum(a) FROM t"
ALL_ROWS = "FROM v_incidents"


def query(_: int) -> Iterator[Row]:
    """Commits one after the other: alone, while all incidents are asked for again and again, and beside a query without
    end."""
    with tempfile.TemporaryDirectory(prefix="logmedic-bench-") as room:
        alone, reading, endless, took = asyncio.run(_measured(Path(room) / "store.duckdb"))
    ratio = high(reading) / high(alone)
    yield Row(
        "25",
        "commits while queries run",
        f"p99 {high(reading) * 1e3:.1f} ms, longest {max(reading) * 1e3:.0f} ms ({took:.1f} s a query of them all)",
        f"p99 {high(alone) * 1e3:.1f} ms, longest {max(alone) * 1e3:.0f} ms alone; {high(endless) * 1e3:.1f} and "
        f"{max(endless) * 1e3:.0f} ms beside one without end",
        f"{ratio:.1f}",
        "longest below 250 ms",
        max(*reading, *endless) < 0.25,
    )


def high(waits: list[float]) -> float:
    return statistics.quantiles(waits, n=100)[98]


async def _measured(path: Path) -> tuple[list[float], list[float], list[float], float]:
    store = DuckStore(path)
    await store.open()
    for changeset in history(datetime.now(UTC), DAYS, A_DAY):
        await store.commit(changeset)
    try:
        alone = await commits(store, asyncio.create_task(asyncio.sleep(SECONDS)))
        asking = asyncio.create_task(_ask_again(store))
        reading = await commits(store, asking)
        endless = await commits(store, asyncio.create_task(_end(store)))
        return alone, reading, endless, asking.result()
    finally:
        await store.close()


async def _ask_again(store: DuckStore) -> float:
    """Seconds a query."""
    begun, times = time.monotonic(), 0
    while time.monotonic() - begun < SECONDS:
        await store.query(ALL_ROWS, Limits(time_s=60))
        times += 1
    return (time.monotonic() - begun) / times


async def _end(store: DuckStore) -> None:
    with suppress(QueryRefused):
        await store.query(ENDLESS, Limits(time_s=SECONDS))


async def commits(store: DuckStore, beside: asyncio.Task[object]) -> list[float]:
    """How long each took, in seconds, until `beside` is over."""
    waits = []
    while not beside.done():
        begun = time.perf_counter()
        minute = datetime.now(UTC).replace(second=0, microsecond=0)
        await store.commit(Changeset(tallies=(Tally(minute, "lines", 1),)))
        waits.append(time.perf_counter() - begun)
    return waits
