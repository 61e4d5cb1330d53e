"""How far a follower has come, as `status` shows it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from logmedic.adapters.sources.opened import OpenFile


def row_of(origin: str, progress: tuple[int, int], last_read_at: datetime | None, problem: str) -> dict[str, Any]:
    """`progress`: offset and size, in bytes. See ports.Source.health."""
    offset, size = progress
    return {
        "origin": origin,
        "offset": offset,
        "size": size,
        "lag_bytes": max(0, size - offset),
        "last_read_at": last_read_at.isoformat().replace("+00:00", "Z") if last_read_at else None,
        "problem": problem,
    }


def progress_in(queue: Sequence[OpenFile]) -> tuple[int, int]:
    """Offset in the first of these open files, and the size with those that wait behind it."""
    try:
        return queue[0].offset, sum(file.size() for file in queue)
    except OSError:
        return queue[0].offset, queue[0].offset
