"""Moments and spans as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.core.moments import moment_text, span_text, with_zone

AT = datetime(2026, 11, 24, 3, 12, 41, 999_999, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("zone", "wanted"),
    [
        (None, "2026-11-24 03:12:41 UTC"),
        (UTC, "2026-11-24 03:12:41 UTC"),
        (ZoneInfo("Etc/UTC"), "2026-11-24 03:12:41 UTC"),
        (BERLIN, "2026-11-24 03:12:41 UTC (04:12:41 CET)"),
        (ZoneInfo("Europe/London"), "2026-11-24 03:12:41 UTC (03:12:41 GMT)"),
        (ZoneInfo("America/New_York"), "2026-11-24 03:12:41 UTC (2026-11-23 22:12:41 EST)"),
        (ZoneInfo("Asia/Kathmandu"), "2026-11-24 03:12:41 UTC (08:57:41 +0545)"),
        (timezone(timedelta(hours=2)), "2026-11-24 03:12:41 UTC (05:12:41 UTC+02:00)"),
    ],
    ids=str,
)
def test_a_moment_is_told_in_utc_and_on_the_readers_clock(zone: tzinfo | None, wanted: str) -> None:
    assert moment_text(AT, zone) == wanted


@pytest.mark.parametrize(
    ("at", "wanted"),
    [
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "2026-10-25 00:30:00 UTC (02:30:00 CEST)"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "2026-10-25 01:30:00 UTC (02:30:00 CET)"),
        (datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC), "2026-03-29 00:59:59 UTC (01:59:59 CET)"),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "2026-03-29 01:00:00 UTC (03:00:00 CEST)"),
    ],
    ids=["the hour that comes twice, first", "and again", "before the hour that is left out", "behind it"],
)
def test_clocks_that_change_leave_no_doubt(at: datetime, wanted: str) -> None:
    assert moment_text(at, BERLIN) == wanted


def test_the_last_day_of_all_is_told_in_utc() -> None:
    assert moment_text(datetime.max.replace(tzinfo=UTC), BERLIN) == "9999-12-31 23:59:59 UTC"
    assert moment_text(datetime.min.replace(tzinfo=UTC), ZoneInfo("America/New_York")) == "0001-01-01 00:00:00 UTC"


def test_each_moment_in_a_sentence_gets_the_readers_clock_once() -> None:
    said = "From 2026-11-24 03:12:41 UTC to 2026-11-24 23:30:00 UTC."
    wanted = "From 2026-11-24 03:12:41 UTC (04:12:41 CET) to 2026-11-24 23:30:00 UTC (2026-11-25 00:30:00 CET)."
    assert with_zone(said, BERLIN) == wanted
    assert with_zone(wanted, BERLIN) == wanted
    assert with_zone(said, None) == said


def test_a_sentence_for_one_reader_becomes_one_for_another() -> None:
    zones = [None, BERLIN, ZoneInfo("Pacific/Auckland"), ZoneInfo("Asia/Kathmandu"), timezone(timedelta(hours=-3))]
    told = [f"Not before {moment_text(AT, each)}; then again." for each in zones]
    assert [with_zone(one, zone) for one in told for zone in zones] == told * len(zones)


@pytest.mark.parametrize(
    "said", ["2026-13-41 03:12:41 UTC", "0000-00-00 00:00:00 UTC", "9999-99-99 99:99:99 UTC", "UTC"]
)
def test_what_only_looks_like_a_moment_is_left_alone(said: str) -> None:
    assert with_zone(said, BERLIN) == said


@given(st.datetimes(timezones=st.just(UTC)), st.sampled_from(["Pacific/Apia", "America/Lima"]))
def test_a_sentence_says_what_a_moment_says(at: datetime, zone: str) -> None:
    assert with_zone(moment_text(at), ZoneInfo(zone)) == moment_text(at.replace(microsecond=0), ZoneInfo(zone))


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (89, "89 s"),
        (90, "2 min"),
        (900, "15 min"),
        (5399, "1.5 h"),
        (4 * 3600, "4 h"),
        (47 * 3600, "47 h"),
        (7 * 86400, "7 days"),
    ],
)
def test_a_span_is_told_in_the_unit_that_people_use(seconds: float, wanted: str) -> None:
    assert span_text(timedelta(seconds=seconds)) == wanted
