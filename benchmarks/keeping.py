"""Scenario 26: what keeping the store small and copied costs, and how long commits wait meanwhile."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.asking import commits, high
from benchmarks.table import Row
from logmedic.adapters.store.archive import Archive
from logmedic.adapters.store.compaction import Compacted, compact
from logmedic.adapters.store.connection import archive_of
from logmedic.adapters.store.duck import DuckStore
from logmedic.adapters.store.keeper import DuckKeeper
from logmedic.adapters.store.retention import Retirement
from logmedic.model.retention import KEEP, Retention
from store.history import history

DAYS, A_DAY = 180, 1000
"""About 100 MB; half of the days are older than incidents and alerts are kept."""
ALONE_S = 10.0
WAIT_S = 0.25
"""Reading stands still while a commit waits."""
MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Measured:
    """`waits`: of commits, in seconds, beside each of what was done."""

    store_bytes: int
    rows: int
    archive_bytes: int
    took_s: dict[str, float]
    waits: dict[str, list[float]]
    backup_bytes: int
    compacted: Compacted


def keeping(_: int) -> Iterator[Row]:
    """Commits one after the other: alone, while half of the store leaves through the archive, while a backup is made,
    while the holes are given back."""
    with tempfile.TemporaryDirectory(prefix="logmedic-bench-") as room:
        found = asyncio.run(_measured(Path(room) / "state" / "store.duckdb"))
    alone = found.waits["alone"]
    beside = f"p99 {high(alone) * 1e3:.1f} ms, longest {max(alone) * 1e3:.0f} ms alone"
    size, took, of = found.store_bytes / MB, found.took_s["retention"], found.compacted
    told = f"{found.rows / took:,.0f} rows/s ({found.rows:,} rows of {size:.0f} MB, {found.archive_bytes / MB:.0f} MB)"
    yield Row("26", "retention through the archive", told, f"{took:.1f} s, {DAYS} days of history")
    for what, detail in (
        ("retention", f"{took:.1f} s"),
        ("backup", f"{found.backup_bytes / MB:.0f} MB in {found.took_s['backup']:.1f} s, read through"),
        ("compaction", f"{of.before_bytes / MB:.0f} to {of.after_bytes / MB:.0f} MB in {of.took_s:.1f} s"),
    ):
        waits = found.waits[what]
        yield Row(
            "26",
            f"commits during {what}",
            f"longest {max(waits) * 1e3:.0f} ms, p99 {high(waits) * 1e3:.1f} ms ({detail})",
            beside,
            f"{high(waits) / high(alone):.1f}",
            f"longest below {WAIT_S * 1e3:.0f} ms",
            max(waits) < WAIT_S,
        )


async def _measured(path: Path) -> Measured:
    now, store = datetime.now(UTC), DuckStore(path)
    await store.open()
    try:
        for changeset in history(now, DAYS, A_DAY):
            await store.commit(changeset)
        await store.between_commits(lambda writer: writer.guarded(writer.fold))
        await store.between_commits(lambda writer: writer.live().execute("CHECKPOINT"))
        return await _kept(store, now)
    finally:
        await store.close()


async def _kept(store: DuckStore, now: datetime) -> Measured:
    took, waits, done = dict[str, float](), dict[str, list[float]](), dict[str, Any]()
    size = store.path.stat().st_size
    archive = Archive(archive_of(store.path))
    steps: dict[str, Any] = {
        "alone": lambda: asyncio.sleep(ALONE_S),
        "backup": lambda: DuckKeeper(store, Retention()).backup(now),
        "retention": lambda: Retirement(store, archive).retire(KEEP, now),
        "compaction": lambda: compact(store),
    }
    for name, step in steps.items():
        task = asyncio.create_task(_timed(step()))
        waits[name] = await commits(store, task)
        took[name], done[name] = task.result()
    archived = sum(each.bytes for each in archive.days())
    return Measured(size, done["retention"], archived, took, waits, done["backup"]["bytes"], done["compaction"])


async def _timed(step: Awaitable[Any]) -> tuple[float, Any]:
    begun = time.monotonic()
    answer = await step
    return time.monotonic() - begun, answer
