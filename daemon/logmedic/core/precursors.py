"""Which issue tends to begin before which, told from when they began. docs/precursors.md says why it is done so."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from heapq import nsmallest
from statistics import fmean, median, pvariance
from typing import NamedTuple

from logmedic.core.coincidence import (
    HOUR_US,
    Moved,
    chance_of,
    coverage,
    discoveries,
    following,
    one_way,
    order_chance,
    preceded,
)
from logmedic.core.onsets import History, Onset, Pair, beginning_together, followers, history_of
from logmedic.model.precursor import Precursor, Refusal, Refused, Survey, Together

WINDOW = timedelta(hours=1)
HORIZONS = (1, 3, 10, 30)
"""The window is divided by these, so that what comes within 2 min is not told as "within 1 h"."""
MIN_SUPPORT = 3
MIN_LIFT = 2.0
FALSE_RATE = 0.05
"""Of what is told, the share that may be coincidence; docs/precursors.md has what was measured."""
OCCASION_US = 6 * HOUR_US
MOST_SCREENED = 10_000
MOST_LOOKED_AT = 1_000
MOST_TESTED = 200
MOST_TESTED_OF_ONE = 12
MOST_TWINS = 300


class Candidate(NamedTuple):
    """A pair that stands out if the onsets of each are taken as independent; indices into History.names."""

    p_value: float
    before: int
    after: int
    horizon: int


class View(NamedTuple):
    """A way to see coincidence: the share of onsets that chance gives, how many onsets are worth an independent one,
    and what a pair is called that does no better."""

    chance: float
    clumping: float
    reason: Refusal


class Judged(NamedTuple):
    """`order`: the probability that the order of the two is chance."""

    order: float
    precursor: Precursor


def survey(onsets: Iterable[Onset], window: timedelta = WINDOW) -> Survey:
    """`onsets`: (issue id, when an episode of it began, UTC), in any order; an issue begins anew only after a silence,
    which the caller sees to. Less than 24 windows of history tell nothing. 50,000 onsets of 2,000 issues take about
    a second of one core, 2 to 3 s when they all come in outages."""
    history = history_of(onsets)
    span = window // timedelta(microseconds=1)
    eligible = sum(len(points) >= MIN_SUPPORT for points in history.series)
    pairs = eligible * (eligible - 1)
    observed = timedelta(microseconds=history.span)
    if not pairs or history.span < 24 * span:
        return Survey(observed=observed)
    together = beginning_together(history)
    best, standing_out = _standing_out(history, span, pairs)
    found, refused = _sifted(history, best, span, together)
    in_order = _discovered(found, [each.order for each in found], standing_out)
    kept = _discovered(in_order, [each.precursor.p_value for each in in_order], pairs)
    unordered = [_refused(each, Refusal.UNORDERED) for each in found if each not in in_order]
    weak = [_refused(each, Refusal.WEAK) for each in in_order if each not in kept]
    return Survey(
        tuple(sorted((each.precursor for each in kept), key=_rank)),
        tuple(sorted(together.values(), key=lambda each: (-each.times, each.one, each.other))[:MOST_TWINS]),
        (*unordered, *weak, *refused),
        observed,
        pairs,
        standing_out - len(found) - len(refused),
    )


def _discovered(judged: Sequence[Judged], p_values: Sequence[float], tests: int) -> list[Judged]:
    ranked = sorted(zip(p_values, range(len(judged)), strict=True))
    kept = discoveries([p for p, _ in ranked], tests, FALSE_RATE)
    return [judged[index] for _, index in ranked[:kept]]


def _refused(each: Judged, reason: Refusal) -> Refused:
    told = each.precursor
    return Refused(told.before, told.after, told.support, told.before_count, reason)


def _rank(each: Precursor) -> tuple[float, float, str, str]:
    return each.p_value, -each.lift, each.before, each.after


# --- which pairs stand out


def _standing_out(history: History, window: int, pairs: int) -> tuple[list[Candidate], int]:
    """The best of those that a test of many pairs would call discoveries if the onsets of each issue were independent,
    best first, and the number of all of these. What comes later can only make them less certain, so no other pair
    needs to be looked at."""
    horizons = [window // each for each in HORIZONS]
    covers = [[coverage(points, each, history.span) for points in history.series] for each in horizons]
    p_values = array("d")
    best = nsmallest(MOST_SCREENED, _candidates(history, horizons, covers, p_values))
    number = discoveries(sorted(p_values), pairs, FALSE_RATE)
    return best[:number], number


def _candidates(
    history: History, horizons: Sequence[int], covers: Sequence[Sequence[float]], p_values: array[float]
) -> Iterator[Candidate]:
    """Of each pair its best horizon, when its p-value, over all horizons, is below FALSE_RATE. `p_values` gets that of
    each (8 bytes); of a million pairs only the best become more than that."""
    frequent = {issue for issue, points in enumerate(history.series) if len(points) >= MIN_SUPPORT}
    for before in sorted(frequent):
        own = history.series[before]
        others = frequent - {before}
        best: dict[int, tuple[float, int]] = {}
        for horizon, cover in zip(horizons, covers, strict=True):
            counts = followers(history, own, horizon).items()
            for after, support in [each for each in counts if each[1] >= MIN_SUPPORT and each[0] in others]:
                p_value = len(HORIZONS) * chance_of(support / len(own), len(own), cover[after])
                if p_value < FALSE_RATE and (after not in best or p_value < best[after][0]):
                    best[after] = p_value, horizon
        p_values.extend(p_value for p_value, _ in best.values())
        yield from (Candidate(p, before, after, horizon) for after, (p, horizon) in best.items())


# --- one pair, closely


def _sifted(
    history: History, candidates: Sequence[Candidate], window: int, together: Mapping[Pair, Together]
) -> tuple[list[Judged], list[Refused]]:
    """What may be told, and what is refused; not more are tested of one `after` than a person would read."""
    found: list[Judged] = []
    refused: list[Refused] = []
    tested: Counter[int] = Counter()
    for pair in candidates[:MOST_LOOKED_AT]:
        if tested[pair.after] >= MOST_TESTED_OF_ONE or tested.total() >= MOST_TESTED:
            continue
        met = following(history.series[pair.before], history.series[pair.after], pair.horizon)
        judged: Judged | Refusal | None = _shape(history, pair, met, together)
        if judged is None:
            tested[pair.after] += 1
            judged = _tested(history, pair, met, window)
        if isinstance(judged, Refusal):
            names = history.names[pair.before], history.names[pair.after]
            refused.append(Refused(*names, len(met), len(history.series[pair.before]), judged))
        else:
            found.append(judged)
    return found, refused


def _shape(history: History, pair: Candidate, met: Sequence[Pair], together: Mapping[Pair, Together]) -> Refusal | None:
    """What can be told without moving anything."""
    before, after = history.series[pair.before], history.series[pair.after]
    if (min(pair.before, pair.after), max(pair.before, pair.after)) in together:
        return Refusal.TOGETHER
    if not one_way(len(met), preceded(before, after, pair.horizon)):
        return Refusal.BOTH_WAYS
    if _occasions(met) < MIN_SUPPORT:
        return Refusal.FEW_OCCASIONS
    return None


def _occasions(met: Sequence[Pair]) -> int:
    """Meetings that are hours apart: what happens five times in one bad evening happened once."""
    count, last = 0, -OCCASION_US
    for point, _ in met:
        if point - last >= OCCASION_US:
            count, last = count + 1, point
    return count


def _tested(history: History, pair: Candidate, met: Sequence[Pair], window: int) -> Judged | Refusal:
    before, after = history.series[pair.before], history.series[pair.after]
    seed = f"{history.names[pair.before]}\0{history.names[pair.after]}"
    moved = Moved.of(before, after, horizon=pair.horizon, window=window, span=history.span, seed=seed)
    plain = coverage(after, pair.horizon, history.span)
    views = _views(moved, len(before), plain)
    chance = max(view.chance for view in views)
    reason = _coincidence(moved, len(met), len(before), views)
    if reason is not None:
        return reason
    confirmed = _confirmed(met, before, chance, history.span)
    if confirmed is None:
        return Refusal.FADED
    share, repeated = len(met) / len(before), len(met) / _occasions(met)
    p_values = [chance_of(share, len(before) / max(repeated, each.clumping), each.chance) for each in views]
    p_value = min(1.0, len(HORIZONS) * max(p_values))
    told = _precursor(history, pair, met, chance=chance, p_value=p_value, confirmed=confirmed)
    return Judged(order_chance(before, history.calm(before, window), after, pair.horizon), told)


def _views(moved: Moved, trials: int, plain: float) -> tuple[View, View, View]:
    """What chance gives at any time, by the clock, and at bad times of some hours."""
    clock = max(_mean(moved.days), _mean(moved.own) - 1) / trials  # one meeting is sure: an onset was put upon another
    hours = min(_mean(moved.earlier), _mean(moved.later)) / trials  # one side alone: `after` may come again and again
    return (
        View(plain, _clumping(moved.uniform, trials, plain), Refusal.CHANCE),
        View(clock, _clumping(moved.days, trials, clock), Refusal.CLOCK),
        View(hours, 1.0, Refusal.BAD_TIMES),
    )


def _coincidence(moved: Moved, support: int, trials: int, views: Sequence[View]) -> Refusal | None:
    if _reached(moved.uniform, support) > 1 / 40:
        return Refusal.CHANCE
    if _reached(moved.days, support) > 1 / 20:
        return Refusal.CLOCK
    return next((each.reason for each in views if support < MIN_LIFT * each.chance * trials), None)


def _reached(counts: Sequence[int], support: int) -> float:
    """The share of the moved series that meet as often."""
    return sum(count >= support for count in counts) / len(counts) if counts else 0.0


def _mean(counts: Sequence[int]) -> float:
    return fmean(counts) if counts else 0.0


def _clumping(counts: Sequence[int], trials: int, chance: float) -> float:
    """How much more the meetings of moved series vary than those of independent onsets would (>= 1): so many onsets
    are worth one."""
    expected = max(trials * chance * (1 - chance), _mean(counts))
    return max(1.0, pvariance(counts) / expected) if counts and expected > 0 else 1.0


def _confirmed(met: Sequence[Pair], before: Sequence[int], chance: float, span: int) -> bool | None:
    """Whether what the first two thirds of the time show holds in the last. None: it surely does not."""
    split = span * 2 // 3
    early, late = sum(point < split for point, _ in met), sum(point >= split for point, _ in met)
    early_trials = sum(point < split for point in before)
    late_trials = len(before) - early_trials
    if early < MIN_SUPPORT or not late_trials:
        return False
    usual, enough = (early + 1) / (early_trials + 2), MIN_LIFT * chance * late_trials
    fewer = chance_of(1 - late / late_trials, late_trials, 1 - usual) < 1 / 100
    if fewer and late < max(enough, late_trials * usual / 4):
        return None
    return late >= MIN_SUPPORT - 1 and late >= enough


def _precursor(
    history: History, pair: Candidate, met: Sequence[Pair], *, chance: float, p_value: float, confirmed: bool
) -> Precursor:
    before, after = history.series[pair.before], history.series[pair.after]
    first = preceded(after, before, pair.horizon)
    lags = sorted(later - point for point, later in met)
    return Precursor(
        before=history.names[pair.before],
        after=history.names[pair.after],
        support=len(met),
        before_count=len(before),
        after_count=len(after),
        preceded=first,
        confidence=len(met) / len(before),
        recall=first / len(after),
        lift=len(met) / len(before) / chance,
        p_value=p_value,
        within=timedelta(microseconds=pair.horizon),
        lag_median=timedelta(microseconds=round(median(lags))),
        lag_p90=timedelta(microseconds=lags[-(-9 * len(lags) // 10) - 1]),
        last_at=history.moment(met[-1][1]),
        confirmed=confirmed,
    )
