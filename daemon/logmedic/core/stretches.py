"""Equal errors of one block, put apart by time: a block of a backlog may hold weeks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from logmedic.core.rates import SILENCE, slot_of

MOST = 4096
"""Of one kind in one block; what comes behind them counts as one with the last (I6)."""


def stretches(count: int, at: Callable[[int], datetime]) -> list[tuple[int, int]]:
    """The first and the last of each run of 0 .. count - 1 that lies in one hour and has no silence in it, and so is of
    one episode. Times are taken to ascend, and of those of a run few are asked for; where the last is older than the
    first, all of it is one run."""
    if count == 1 or at(count - 1) < at(0):
        return [(0, count - 1)]
    runs: list[tuple[int, int]] = []

    def add(first: int, last: int) -> None:
        if runs and (len(runs) >= MOST or _is_one(at(runs[-1][1]), at(first))):
            runs[-1] = runs[-1][0], last
        else:
            runs.append((first, last))

    def split(first: int, last: int) -> None:
        if first == last or _is_one(at(first), at(last)):
            add(first, last)
        else:
            middle = (first + last) // 2
            split(first, middle)
            split(middle + 1, last)

    split(0, count - 1)
    return runs


def _is_one(before: datetime, after: datetime) -> bool:
    return after - before < SILENCE and slot_of(before) == slot_of(after)
