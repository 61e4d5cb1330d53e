"""The time that is written in a record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.core.eventtime import event_time

at = partial(datetime, tzinfo=UTC)
READ = datetime(2026, 11, 24, 3, 30, tzinfo=UTC)
EAST = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-11-23T03:12:41Z app up", at(2026, 11, 23, 3, 12, 41)),
        ("2026-11-23T03:12:41.123456+01:00 host app[1]: x", at(2026, 11, 23, 2, 12, 41, 123456)),
        ("2026-11-23 03:12:41,123 ERROR shop: x", at(2026, 11, 23, 1, 12, 41, 123000)),
        ("2026-11-23 03:12:41.250 UTC [7] FATAL:  x", at(2026, 11, 23, 1, 12, 41, 250000)),
        ("2026/11/23 03:12:41 [error] 611#611: x", at(2026, 11, 23, 1, 12, 41)),
        ("Nov 23 03:12:41 host kernel: x", at(2026, 11, 23, 1, 12, 41)),
        ("Nov  3 03:12:41 host kernel: x", at(2026, 11, 3, 1, 12, 41)),
        ("Dec 31 23:59:59 host cron[1]: x", at(2025, 12, 31, 21, 59, 59)),
        ('1.2.3.4 - - [23/Nov/2026:03:12:41 -0500] "GET /"', at(2026, 11, 23, 8, 12, 41)),
        ("[Mon Nov 23 03:12:41.5 2026] [core:error] x", at(2026, 11, 23, 1, 12, 41, 500000)),
        ("1795402361 x", at(2026, 11, 23, 2, 52, 41)),
        ("1795402361.25 x", at(2026, 11, 23, 2, 52, 41, 250000)),
        ("1795402361123 x", at(2026, 11, 23, 2, 52, 41, 123000)),
        ('{"ts": "2026-11-23T03:12:41Z", "until": "2026-12-01T00:00:00Z"}', at(2026, 11, 23, 3, 12, 41)),
    ],
)
def test_the_usual_forms_are_read(text: str, wanted: datetime) -> None:
    assert event_time(text, READ, EAST) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "no time at all",
        "",
        "2026-02-30T03:12:41Z no such day",
        "2031-01-01T00:00:00Z a clock far ahead",
        "9999-12-31T23:59:59-12:00 past the calendar",
        "Nov 31 03:12:41 host x",
        "x" * 250 + " 2026-11-23T03:12:41Z too far in the line",
        "[    0.000000] Linux version",
    ],
)
def test_f33_without_a_time_that_makes_sense_the_time_of_reading_counts(text: str) -> None:
    assert event_time(text, READ, EAST) == READ


@given(st.text(max_size=60))
def test_f33_no_time_is_far_ahead_and_none_is_without_a_zone(text: str) -> None:
    found = event_time(text, READ, EAST)
    assert found.utcoffset() == timedelta(0)
    assert found <= READ + timedelta(days=1)
