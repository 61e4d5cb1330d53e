"""Where a follower begins, how long it waits for what may still come, and when it looks again."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

DELETED_GRACE_S = 60.0
"""How long a deleted file that nobody writes to is held open: its space is not free before."""

GRACE_LIMIT = 30
"""How many times the grace a rotated file that is still being written to may keep its successor waiting."""

SHORTEST_S = 0.02

PASSED = 16
"""How many files that were read to their end are remembered: a late write makes one seem newer than its successor."""


class Start(Enum):
    """Where a file without a checkpoint begins."""

    BEGINNING = "beginning"
    END = "end"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes and seconds."""

    max_line: int
    rotate_grace_s: float
    partial_timeout_s: float


def grace_end(limits: Limits, rotated_at: float, last_read: float) -> float:
    """When a rotated file has had its time: so long after its last line, and not for ever."""
    grace = limits.rotate_grace_s
    return min(max(rotated_at, last_read) + grace, rotated_at + grace * GRACE_LIMIT)


def next_due(
    limits: Limits, at: float, *, partial_since: float | None, successor_at: float | None, gone: bool
) -> float | None:
    """When to look at a file that was read to its end; None: when it is written to. A renamed file rings no bell under
    its old name, so it is looked at now and then until `successor_at`, as is one whose path is gone."""
    due: list[float] = []
    if partial_since is not None:
        due.append(partial_since + limits.partial_timeout_s)
    if successor_at is not None:
        due.append(min(successor_at, at + max(SHORTEST_S, limits.rotate_grace_s / 8)))
    elif gone:
        due.append(at + max(SHORTEST_S, limits.rotate_grace_s / 2))
    return min(due, default=None)
