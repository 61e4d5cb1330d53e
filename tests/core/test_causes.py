"""What is told of an issue that begins."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.onset_worlds import START
from logmedic.core.causes import (
    cause_sentence,
    likely_causes,
    precursor_sentence,
    warning_sentence,
    warnings_for,
)
from logmedic.model.precursor import Precursor

MINUTE = timedelta(minutes=1)
DB = Precursor(
    before="db-down",
    after="shop-errors",
    support=9,
    before_count=12,
    after_count=11,
    preceded=9,
    confidence=0.75,
    recall=9 / 11,
    lift=15.0,
    p_value=1e-9,
    within=20 * MINUTE,
    lag_median=3 * MINUTE,
    lag_p90=8 * MINUTE,
    last_at=START,
    confirmed=True,
)
DISK = replace(DB, before="disk-full", support=3, before_count=30, preceded=3, confidence=0.1, recall=3 / 11, lift=4.0)
MAIL = replace(DB, after="mail-stuck", support=3, before_count=12, confidence=0.25)


@pytest.mark.parametrize(
    ("ago", "named"),
    [(timedelta(0), True), (4 * MINUTE, True), (12 * MINUTE, True), (13 * MINUTE, False), (-MINUTE, False)],
    ids=["now", "lately", "at the horizon", "too long ago", "not yet"],
)
def test_what_began_within_the_usual_lag_may_be_the_cause(ago: timedelta, named: bool) -> None:
    causes = likely_causes([DB], {"db-down": START - ago}, "shop-errors", START)
    assert [each.ago for each in causes] == ([ago] if named else [])


def test_the_likelier_cause_comes_first() -> None:
    begun = {"disk-full": START - MINUTE, "db-down": START - 4 * MINUTE, "shop-errors": START}
    causes = likely_causes([DISK, DB, MAIL], begun, "shop-errors", START)
    assert [each.precursor.before for each in causes] == ["db-down", "disk-full"]
    assert causes[0].weight == pytest.approx(0.7)


def test_what_did_not_begin_is_no_cause() -> None:
    assert likely_causes([DB], {"disk-full": START}, "shop-errors", START) == []


def test_the_horizon_is_never_longer_than_what_was_found() -> None:
    (warning,) = warnings_for([replace(DB, lag_p90=18 * MINUTE)], "db-down")
    assert warning.horizon == 20 * MINUTE


def test_what_may_follow_is_told_likeliest_first_and_never_as_certain() -> None:
    warnings = warnings_for([MAIL, DB, DISK], "db-down")
    assert [each.precursor.after for each in warnings] == ["shop-errors", "mail-stuck"]
    assert [each.odds for each in warnings] == pytest.approx([10 / 14, 4 / 14])
    (sure,) = warnings_for([replace(DB, support=3, before_count=3, confidence=1.0)], "db-down")
    assert sure.odds == pytest.approx(0.8)


def test_each_is_one_plain_sentence() -> None:
    (cause,) = likely_causes([DB], {"db-down": START - 4 * MINUTE}, "shop-errors", START)
    assert cause_sentence(cause) == (
        "db-down began 4 min before and usually comes first: 9 of 11 times within 20 min (chance would give 0.6)"
    )
    (warning,) = warnings_for([DB], "db-down")
    assert warning_sentence(warning) == (
        "shop-errors may follow within 12 min: it did 9 of 12 times, mostly after 3 min (chance would give 0.6)"
    )
    assert precursor_sentence(DISK, str.upper) == (
        "DISK-FULL often comes before SHOP-ERRORS: 3 of 11 times within 20 min (chance would give 0.8)"
    )


@pytest.mark.parametrize(
    ("precursor", "part"),
    [
        (replace(DB, lift=5000.0), "(chance would give less than 0.1)"),
        (replace(DB, recall=0.1), "sometimes comes before"),
        (replace(DB, within=timedelta(hours=1)), "within 60 min"),
        (replace(DB, within=timedelta(hours=2)), "within 2 h"),
        (replace(DB, within=timedelta(seconds=40)), "within 40 s"),
        (
            replace(DB, preceded=900, after_count=1000, lift=10.0),
            "900 of 1000 times within 20 min (chance would give 90)",
        ),
    ],
)
def test_numbers_are_rounded_for_people(precursor: Precursor, part: str) -> None:
    assert part in precursor_sentence(precursor)
