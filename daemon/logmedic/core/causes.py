"""What precursors say of an issue that begins: what may have brought it about, and what may follow; in plain words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from logmedic.model.precursor import Cause, EarlyWarning, Precursor

LATER_THAN_MOST = 1.5
"""One lag in ten is longer than lag_p90, mostly not by much."""
LEAST_HORIZON = timedelta(seconds=30)

Name = Callable[[str], str]


def horizon_of(precursor: Precursor) -> timedelta:
    """How long behind `before` an onset of `after` still belongs to it."""
    usual = max(LATER_THAN_MOST * precursor.lag_p90, LEAST_HORIZON)
    return min(precursor.within, usual)


def weight_of(precursor: Precursor) -> float:
    """The share (0..1) of the onsets of `before` that `after` follows beyond chance."""
    return precursor.confidence * (1 - 1 / precursor.lift)


def likely_causes(
    precursors: Iterable[Precursor], open_or_recent: Mapping[str, datetime], of: str, now: datetime
) -> list[Cause]:
    """What may have brought about `of`, which begins `now`, best first. `open_or_recent`: when each issue that is open,
    or was lately, last began; one that began long ago, or not yet, is no cause."""
    causes = []
    for each in precursors:
        began = open_or_recent.get(each.before)
        if each.after == of and began is not None and timedelta(0) <= now - began <= horizon_of(each):
            causes.append(Cause(each, began, now - began, weight_of(each)))
    return sorted(causes, key=lambda cause: (-cause.weight, -cause.precursor.recall, cause.precursor.before))


def warnings_for(precursors: Iterable[Precursor], begun: str) -> list[EarlyWarning]:
    """What may follow `begun`, the likeliest first."""
    warnings = [EarlyWarning(each, horizon_of(each), _odds(each)) for each in precursors if each.before == begun]
    return sorted(warnings, key=lambda warning: (-warning.odds, warning.precursor.after))


def _odds(precursor: Precursor) -> float:
    """Laplace's rule of succession: 3 of 3 are no certainty."""
    return (precursor.support + 1) / (precursor.before_count + 2)


def precursor_sentence(precursor: Precursor, name: Name = str) -> str:
    """`name` gives what people call an issue. E.g. "db-down usually comes before shop-errors: 9 of 11 times within
    20 min (chance would give 0.6)"."""
    often = _often(precursor.recall)
    return f"{name(precursor.before)} {often} comes before {name(precursor.after)}: {_preceded(precursor)}"


def cause_sentence(cause: Cause, name: Name = str) -> str:
    """E.g. "db-down began 4 min before and usually comes first: 9 of 11 times within 20 min (chance would give
    0.6)"."""
    told = cause.precursor
    began = f"{name(told.before)} began {_span(cause.ago)} before"
    return f"{began} and {_often(told.recall)} comes first: {_preceded(told)}"


def warning_sentence(warning: EarlyWarning, name: Name = str) -> str:
    """E.g. "shop-errors may follow within 12 min: it did 9 of 12 times, mostly after 4 min (chance would give 0.6)"."""
    told = warning.precursor
    chance = _number(told.support / told.lift)
    return (
        f"{name(told.after)} may follow within {_span(warning.horizon)}: it did {told.support} of {told.before_count} "
        f"times, mostly after {_span(told.lag_median)} (chance would give {chance})"
    )


def _preceded(told: Precursor) -> str:
    chance = _number(told.preceded / told.lift)
    return f"{told.preceded} of {told.after_count} times within {_span(told.within)} (chance would give {chance})"


def _often(share: float) -> str:
    return "usually" if share >= 0.5 else "often" if share >= 0.25 else "sometimes"


def _number(value: float) -> str:
    if value < 0.05:
        return "less than 0.1"
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"


def _span(span: timedelta) -> str:
    """Rounded, in the unit that people would use."""
    seconds = span.total_seconds()
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 90 * 60 else f"{seconds / 3600:.3g} h"
