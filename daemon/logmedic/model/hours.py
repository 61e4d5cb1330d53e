"""Hours of the week, on somebody's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time, tzinfo


@dataclass(frozen=True, slots=True)
class Hours:
    """`days`: 0 (Monday) to 6, on which it begins; `start` and `end` on the clock of `zone`, `end` of the next day when
    it is not after `start`. What changes of clocks make of it: core/hours.py."""

    days: frozenset[int]
    start: time
    end: time
    zone: tzinfo
