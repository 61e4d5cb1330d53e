"""How often two series of points in time meet by chance.

Times are whole microseconds since the first onset of the history, in order. A and B *meet* when B has a point in
(a, a + horizon]."""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log, sqrt

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
UNIFORM_SHIFTS = 40
DAY_SHIFTS = 40
OWN_SHIFTS = 20
MOST_BINS = 1 << 18
"""Of one circle: 32 KiB a series. 90 days in bins of 30 s."""


def following(before: Sequence[int], after: Sequence[int], horizon: int) -> list[tuple[int, int]]:
    """Each point of `before` that has one of `after` in (point, point + horizon], with the first of these."""
    met = []
    for point in before:
        index = bisect_right(after, point)
        if index < len(after) and after[index] - point <= horizon:
            met.append((point, after[index]))
    return met


def preceded(after: Sequence[int], before: Sequence[int], horizon: int) -> int:
    """Points of `after` that have one of `before` in [point - horizon, point)."""
    count = 0
    for point in after:
        index = bisect_left(before, point) - 1
        count += index >= 0 and point - before[index] <= horizon
    return count


def coverage(points: Sequence[int], horizon: int, span: int) -> float:
    """The share (0..1] of the time from which one of `points` is at most `horizon` ahead: what chance alone gives. A
    series that is on all the time covers everything, one that comes in bursts little. `points` is not empty."""
    covered = horizon + sum(min(later - point, horizon) for point, later in pairwise(points))
    return min(1.0, covered / (span + horizon))


def chance_of(share: float, trials: float, chance: float) -> float:
    """An upper bound of the probability that at least `share` of `trials` succeed where each does with `chance`:
    exp(-trials * KL(share || chance)), after Chernoff (1952) and Hoeffding (1963, theorem 1). `trials` need not be
    whole, which exact tails do not allow."""
    if share <= chance:
        return 1.0
    if chance <= 0.0:
        return 0.0
    gain = share * log(share / chance)
    if share < 1.0:
        gain += (1.0 - share) * log((1.0 - share) / (1.0 - chance))
    return exp(-trials * gain)


def one_way(forth: int, back: int) -> bool:
    """Whether `forth` exceeds `back` by more than the 5 % that chance allows (sign test, normal approximation)."""
    return forth - back > 1.645 * sqrt(forth + back)


def order_chance(before: Sequence[int], calm: Sequence[int], after: Sequence[int], horizon: int) -> float:
    """An upper bound of the probability that `after` falls behind `before` by chance, although both come at the same
    times: the horizon behind each of `before` against the one in front of it (a sign test). Where nothing is in front,
    a few onsets can say something too: then also against four in front, and against these and four behind; but only
    for those of `before` that are `calm`, since a spell in which all comes at once may be as short as the horizon."""
    front = _beside(before, after, -horizon)[:1]
    choices = [_excess(len(following(before, after, horizon)), front)]
    if not front[0]:
        forth = len(following(calm, after, horizon))
        sides = _beside(calm, after, -horizon)
        choices += [_excess(forth, sides), _excess(forth, sides + _beside(calm, after, horizon))]
    return min(1.0, len(choices) * min(choices))


def _beside(before: Sequence[int], after: Sequence[int], step: int) -> list[int]:
    return [len(following([point + n * step for point in before], after, abs(step))) for n in (1, 2, 3, 4)]


def _excess(here: int, beside: Sequence[int]) -> float:
    total = here + sum(beside)
    return chance_of(here / total, total, 1 / (1 + len(beside))) if total else 1.0


def discoveries(p_values: Sequence[float], tests: int, rate: float) -> int:
    """How many of the ascending `p_values`, from the first on, may be called discoveries out of `tests` so that no
    more than `rate` of these are expected to be false: Benjamini and Hochberg (1995)."""
    return max((rank for rank, p in enumerate(p_values, 1) if p <= rate * rank / tests), default=0)


@dataclass(frozen=True, slots=True)
class Moved:
    """How many of `before` were followed by `after` when `after` was moved: by anything, by whole days, by what lies
    between onsets of `before`, by a few hours to either side."""

    uniform: tuple[int, ...]
    days: tuple[int, ...]
    own: tuple[int, ...]
    earlier: tuple[int, ...]
    later: tuple[int, ...]

    @classmethod
    def of(
        cls, before: Sequence[int], after: Sequence[int], *, horizon: int, window: int, span: int, seed: str
    ) -> Moved:
        """`horizon` <= `window`; `span` is at least 24 windows. The history is a circle of whole days; bins make a
        meeting easier, never harder, than it is (by less than one bin), so that chance is not made small."""
        days = span // DAY_US + 1
        per_day = max(1, min(120 * DAY_US // window, MOST_BINS // days))
        bins = per_day * days
        marks = _bits(before, per_day)
        cover = _widened(_bits(after, per_day), -(-horizon * per_day // DAY_US))
        twice = cover | cover << bins

        def met(shifts: Iterable[int]) -> tuple[int, ...]:
            return tuple((twice >> round(shift * per_day / DAY_US) % bins & marks).bit_count() for shift in shifts)

        near = [window * n for n in (2, 3, 4, 5, 6)]
        return cls(
            uniform=met(_uniform(2 * window, days * DAY_US - 2 * window, seed)),
            days=met(_whole_days(days)),
            own=met(_own(before)),
            earlier=met(-shift for shift in near),
            later=met(near),
        )


def _bits(points: Iterable[int], per_day: int) -> int:
    bins = [point * per_day // DAY_US for point in points]
    packed = bytearray((max(bins) >> 3) + 1)
    for each in bins:
        packed[each >> 3] |= 1 << (each & 7)
    return int.from_bytes(packed, "little")


def _widened(bits: int, reach: int) -> int:
    """With each bit, the `reach` bits below it."""
    done = 0
    while done < reach:
        step = min(done + 1, reach - done)
        bits |= bits >> step
        done += step
    return bits


def _uniform(low: int, high: int, seed: str) -> list[int]:
    drawn = hashlib.shake_128(seed.encode()).digest(UNIFORM_SHIFTS * 6)
    numbers = (int.from_bytes(drawn[at : at + 6], "big") for at in range(0, len(drawn), 6))
    return [low + number * (high - low) // 2**48 for number in numbers]


def _whole_days(days: int) -> list[int]:
    """Of a circle of `days`: all there are, or some spread over them, odd and even alike for the sake of what keeps to
    the week."""
    number = min(days - 1, DAY_SHIFTS)
    return [DAY_US * (1 + n * (days - 1) // number) for n in range(number)]


def _own(points: Sequence[int]) -> list[int]:
    """From one point to another that is a third of all further on: a multiple of the period where there is one,
    whatever it is, and between different spells where there are spells."""
    step = max(1, len(points) // 3)
    firsts = len(points) - step
    chosen = sorted({n * firsts // OWN_SHIFTS for n in range(OWN_SHIFTS)})
    return [points[first + step] - points[first] for first in chosen]
