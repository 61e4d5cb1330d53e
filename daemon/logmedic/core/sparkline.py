"""How numbers went, by day, in one line of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from math import ceil

_BARS = "▁▂▃▄▅▆▇█"
_NONE = "·"


def columns(days: Sequence[date], counts: Mapping[date, int], width: int) -> tuple[list[int], int]:
    """`counts` of `days` in at most `width` columns, and how many days each stands for."""
    each = days_each(len(days), width)
    return [sum(counts.get(day, 0) for day in days[at : at + each]) for at in range(0, len(days), each)], each


def days_each(days: int, width: int) -> int:
    """How many days a column stands for, so that `days` fit into `width` columns."""
    return max(1, -(-days // width))


def sparkline(values: Sequence[float | None], *, top: float = 0.0, zero: str = _NONE) -> str:
    """A bar each, from 0 to the largest value, or to `top` where that is larger. A dot: there is none. `zero`: what
    stands for 0, which is as good as none where things are counted."""
    highest = max([each for each in values if each is not None], default=0.0)
    return "".join(_bar(each, max(highest, top), zero) for each in values)


def share(values: Sequence[float | None]) -> str:
    """The same of numbers from 0 to 1, where 0 is something else than none."""
    return sparkline(values, top=1.0, zero=_BARS[0])


def _bar(value: float | None, top: float, zero: str) -> str:
    if value is None:
        return _NONE
    return _BARS[max(1, min(ceil(value / top * len(_BARS)), len(_BARS))) - 1] if value else zero
