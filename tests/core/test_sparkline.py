"""Numbers as a line of bars."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.core.sparkline import days_each, share, sparkline

VALUES = st.lists(st.none() | st.floats(0, 1e9), max_size=100)


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        ([], ""),
        ([0, 0], "··"),
        ([1, 2, 4, 8], "▁▂▄█"),
        ([0.001, None, 1000.0], "▁·█"),
        ([180.0, 90.0], "█▄"),
    ],
)
def test_the_largest_is_the_highest_and_what_is_not_there_is_a_dot(values: list[float | None], drawn: str) -> None:
    assert sparkline(values) == drawn


def test_of_shares_nothing_is_told_from_none() -> None:
    assert share([None, 0.0, 0.5, 1.0]) == "·▁▄█"


@given(VALUES)
def test_there_is_one_sign_for_each_and_the_larger_is_never_lower(values: list[float | None]) -> None:
    drawn = sparkline(values)
    assert len(drawn) == len(values)
    rank = {sign: number for number, sign in enumerate("·▁▂▃▄▅▆▇█")}
    known = sorted((value, rank[sign]) for value, sign in zip(values, drawn, strict=True) if value is not None)
    assert [height for _, height in known] == sorted(height for _, height in known)


@given(st.integers(0, 5000), st.integers(1, 200))
def test_days_fit_into_their_columns(days: int, width: int) -> None:
    each = days_each(days, width)
    assert -(-days // each) <= width
