"""What tends to come before what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Refusal(StrEnum):
    """Why a pair that stood out is no precursor. TOGETHER: both begin within seconds, in no order. BOTH_WAYS: the
    other order is about as frequent. UNORDERED: both come at the same times, and that one comes first may be chance.
    FEW_OCCASIONS: all of it happened in one or two spells. CLOCK: it is as frequent when one of the two is moved by
    whole days, or by the other's own period: both keep a timetable. CHANCE: it is as frequent when one of the two is
    moved by anything. BAD_TIMES: it is about as frequent when one of the two is moved by a few hours. FADED: it held
    once, and not lately. WEAK: what is left does not stand out among so many pairs."""

    TOGETHER = "together"
    BOTH_WAYS = "both_ways"
    UNORDERED = "unordered"
    FEW_OCCASIONS = "few_occasions"
    CLOCK = "clock"
    CHANCE = "chance"
    BAD_TIMES = "bad_times"
    FADED = "faded"
    WEAK = "weak"


@dataclass(frozen=True, slots=True)
class Precursor:
    """Issue `before` tends to begin first, and issue `after` no more than `within` later.

    `support`: onsets of `before`, of `before_count`, that `after` followed; `confidence` is their share. `preceded`:
    onsets of `after`, of `after_count`, that had `before` first; `recall` is their share. `lift` (>= 2): `confidence`
    over what chance gives. `p_value`: of this pair alone, over all horizons. Lags are from `before` to the first
    `after` behind it. `last_at`: when `after` last followed. `confirmed`: it held in the first two thirds of the
    history, and again in the last."""

    before: str
    after: str
    support: int
    before_count: int
    after_count: int
    preceded: int
    confidence: float
    recall: float
    lift: float
    p_value: float
    within: timedelta
    lag_median: timedelta
    lag_p90: timedelta
    last_at: datetime
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Together:
    """Issues `one` and `other` (in order of their ids) began within seconds of one another `times` times: two views of
    one event."""

    one: str
    other: str
    times: int
    one_count: int
    other_count: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A pair that stood out and is no precursor."""

    before: str
    after: str
    support: int
    before_count: int
    reason: Refusal


@dataclass(frozen=True, slots=True)
class Survey:
    """What a history of onsets tells. Each list is best first. `observed`: the time from its first to its last onset,
    without what was cut out of long silences. `pairs`: how many were compared; `untested`: how many of these stood out
    and were not looked at closely, because there are so many."""

    precursors: tuple[Precursor, ...] = ()
    together: tuple[Together, ...] = ()
    refused: tuple[Refused, ...] = ()
    observed: timedelta = timedelta(0)
    pairs: int = 0
    untested: int = 0


@dataclass(frozen=True, slots=True)
class Cause:
    """What may have brought an issue about: `precursor.before`, which began at `began_at`, `ago` before it. `weight`
    (0..1): the share of its onsets that `after` follows beyond chance."""

    precursor: Precursor
    began_at: datetime
    ago: timedelta
    weight: float


@dataclass(frozen=True, slots=True)
class EarlyWarning:
    """`precursor.before` has begun: `precursor.after` may follow within `horizon`. `odds` (0..1): its share so far,
    drawn towards one half when it was seen a few times only."""

    precursor: Precursor
    horizon: timedelta
    odds: float
