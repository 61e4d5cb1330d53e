"""Hours of the week on a clock that people change twice a year. Whole windows: test_maintenance.py."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.core.hours import next_at, open_until
from logmedic.model.hours import Hours
from logmedic.model.policy import MaintenanceWindow

BERLIN, APIA = ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Apia")
WEEK = frozenset(range(7))
MON, TUE, WED, THU, FRI, SAT, SUN = range(7)
ZONES = [UTC, BERLIN, APIA, ZoneInfo("America/Havana"), ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Asia/Kolkata")]
DAY = timedelta(days=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "at", "now", "wanted"),
    [
        (WEEK, "08:00", "2026-11-24 06:59", "2026-11-24 07:00"),
        (WEEK, "08:00", "2026-11-24 07:00", "2026-11-25 07:00"),
        ({MON}, "08:00", "2026-11-24 12:00", "2026-11-30 07:00"),
        ({TUE}, "08:00", "2026-11-24 07:00", "2026-12-01 07:00"),
        ({TUE}, "00:00", "2026-11-23 22:59", "2026-11-23 23:00"),
        (WEEK, "08:00", "2026-03-28 12:00", "2026-03-29 06:00"),
        (WEEK, "02:30", "2026-03-28 12:00", "2026-03-29 01:00"),
        (WEEK, "02:30", "2026-03-29 01:00", "2026-03-30 00:30"),
        (WEEK, "02:30", "2026-10-24 12:00", "2026-10-25 00:30"),
        (WEEK, "02:30", "2026-10-25 00:30", "2026-10-26 01:30"),
    ],
    ids=[
        "today",
        "at its very time: tomorrow",
        "next week",
        "in a week",
        "the day is that of the zone",
        "by the summer's clock",
        "a time that is left out: when clocks are past it",
        "and the day after",
        "a time that comes twice: the first",
        "and once",
    ],
)
def test_the_next_time_is_on_the_clock_of_its_zone(days: set[int], at: str, now: str, wanted: str) -> None:
    assert next_at(frozenset(days), time.fromisoformat(at), BERLIN, utc(now)) == utc(wanted)


def test_a_day_that_a_zone_leaves_out_ends_when_it_would_have_begun() -> None:
    """In Apia there was no Friday 2011-12-30: clocks went to Saturday at 10:00 UTC."""
    assert next_at(frozenset({FRI}), time(8), APIA, utc("2011-12-29 12:00")) == utc("2011-12-30 10:00")
    assert next_at(frozenset({FRI}), time(8), APIA, utc("2011-12-30 10:00")) == utc("2012-01-05 18:00")


MOMENTS = st.integers(0, 11_000_000).map(lambda minutes: utc("2009-01-01") + minutes * timedelta(minutes=1))
CLOCKS = st.builds(time, st.integers(0, 23), st.integers(0, 59))
DAYS = st.frozensets(st.integers(0, 6), min_size=1)


@given(DAYS, CLOCKS, st.sampled_from(ZONES), MOMENTS)
def test_the_next_time_is_ahead_and_nothing_is_left_out(
    days: frozenset[int], at: time, zone: tzinfo, now: datetime
) -> None:
    found = next_at(days, at, zone, now)
    assert now < found <= now + 7 * DAY + timedelta(hours=25)
    shown = found.astimezone(zone)
    is_changed = shown.utcoffset() != (found - timedelta(minutes=1)).astimezone(zone).utcoffset()
    assert is_changed or ((shown.hour, shown.minute) == (at.hour, at.minute) and shown.weekday() in days)
    for between in (now + (found - now) * part / 7 for part in range(7)):
        assert next_at(days, at, zone, between) == found


@given(DAYS, CLOCKS, CLOCKS, st.sampled_from(ZONES), MOMENTS)
def test_hours_and_windows_are_open_alike_and_until_later(
    days: frozenset[int], start: time, end: time, zone: tzinfo, now: datetime
) -> None:
    until = open_until(Hours(days, start, end, zone), now)
    assert until == open_until(MaintenanceWindow("any", days, start, end, zone), now)
    assert until is None or now < until <= now + DAY + timedelta(hours=2)


@given(DAYS, CLOCKS, st.sampled_from(ZONES), MOMENTS)
def test_hours_begin_when_their_next_time_has_come(
    days: frozenset[int], start: time, zone: tzinfo, now: datetime
) -> None:
    begins = next_at(days, start, zone, now)
    end = time((start.hour + 1) % 24, start.minute)
    assert open_until(Hours(days, start, end, zone), begins) is not None
