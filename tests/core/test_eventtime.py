"""The time that is written in a record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.core.eventtime import FUTURE, event_time

at = partial(datetime, tzinfo=UTC)
READ = datetime(2026, 11, 24, 3, 30, tzinfo=UTC)
EAST = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-11-23T03:12:41Z app up", at(2026, 11, 23, 3, 12, 41)),
        ("2026-11-23T03:12:41.123456+01:00 host app[1]: x", at(2026, 11, 23, 2, 12, 41, 123456)),
        ("2026-11-23 03:12:41,123 ERROR shop: x", at(2026, 11, 23, 1, 12, 41, 123000)),
        ("2026-11-23 03:12:41.250 UTC [7] FATAL:  x", at(2026, 11, 23, 3, 12, 41, 250000)),
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


BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-24T03:12:41Z x", "2026-11-24T03:12:41+00:00"),
        ("2026-11-24T03:12:41.5+01:00 x", "2026-11-24T02:12:41.500000+00:00"),
        ("2026-11-24 03:12:41,123 ERROR app: x", "2026-11-24T02:12:41.123000+00:00"),
        ("2026-11-24 03:12:41.123 UTC [77] FATAL: x", "2026-11-24T03:12:41.123000+00:00"),
        ("2026-11-24 03:12:41 -0500 x", "2026-11-24T08:12:41+00:00"),
        ("2026-11-24T03:12:41+05:30 x", "2026-11-23T21:42:41+00:00"),
        ("2026-11-24 03:12:41.123-0330 x", "2026-11-24T06:42:41.123000+00:00"),
        ("<165>1 2026-11-24T03:12:41+01:00 web1 app 7 ID - x", "2026-11-24T02:12:41+00:00"),
        ("<165>Nov 24 03:12:41 web1 app: x", "2026-11-24T02:12:41+00:00"),
        ("2026-11-24 03:12:41,123 [main] WARN  c.e.Shop - x", "2026-11-24T02:12:41.123000+00:00"),
        ("2026-11-24 03:12:41,123 - shop.pay - ERROR - x", "2026-11-24T02:12:41.123000+00:00"),
        ("ERROR:shop:2026-11-24 03:12:41: x", "2026-11-24T02:12:41+00:00"),
        ('198.51.100.7 - bob [24/Nov/2026:03:12:41 +0000] "GET / HTTP/2.0" 200 1', "2026-11-24T03:12:41+00:00"),
        ("[Tue Nov 24 03:12:41 2026] [error] [client 198.51.100.7] x", "2026-11-24T02:12:41+00:00"),
        ("<34>1 2026-11-24T03:12:41.003Z web1 app - - - x", "2026-11-24T03:12:41.003000+00:00"),
        ("Nov 24 03:12:41 web1 sshd[7]: x", "2026-11-24T02:12:41+00:00"),
        ("<13>Nov  4 03:12:41 web1 sshd[7]: x", "2026-11-04T02:12:41+00:00"),
        ("2026/11/24 03:12:41 [error] 611#611: *9 x", "2026-11-24T02:12:41+00:00"),
        ('203.0.113.7 - - [24/Nov/2026:03:12:41 +0200] "GET / HTTP/1.1" 502', "2026-11-24T01:12:41+00:00"),
        ("[Tue Nov 24 03:12:41.123456 2026] [core:error] x", "2026-11-24T02:12:41.123456+00:00"),
        ("24 Nov 2026 03:12:41,123 WARN x", "2026-11-24T02:12:41.123000+00:00"),
        ("77:M 24 Nov 2026 03:12:41.123 # x", "2026-11-24T02:12:41.123000+00:00"),
        ("E1124 03:12:41.123456 1 server.go:7] x", "2026-11-24T02:12:41.123456+00:00"),
        ("1795489961 x", "2026-11-24T03:12:41+00:00"),
        ("1795489961.25 x", "2026-11-24T03:12:41.250000+00:00"),
        ("1795489961123 x", "2026-11-24T03:12:41.123000+00:00"),
        ("1795489961123456789 x", "2026-11-24T03:12:41.123456+00:00"),
        ('{"level":"error","ts":1795489961.5,"msg":"x"}', "2026-11-24T03:12:41.500000+00:00"),
        ('{"@timestamp":"2026-11-24T03:12:41.5Z","msg":"x"}', "2026-11-24T03:12:41.500000+00:00"),
        ('{"msg":"after 2020-01-01 00:00:00","time":"2026-11-24T03:12:41Z"}', "2026-11-24T03:12:41+00:00"),
        ("level=error time=2026-11-24T03:12:41Z msg=x", "2026-11-24T03:12:41+00:00"),
        ("[12345.678901] Out of memory", "2026-11-23T03:25:45.678901+00:00"),
    ],
)
def test_the_usual_forms(text: str, expected: str) -> None:
    read_at = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    boot_at = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
    assert event_time(text, read_at, BERLIN, boot_at).isoformat() == expected


def test_a_count_from_the_boot_is_nothing_where_the_boot_is_not_known() -> None:
    read_at = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    assert event_time("[12345.678901] x", read_at, UTC) == read_at


@pytest.mark.parametrize(
    ("zone", "text", "read_at", "expected"),
    [
        # the hour that occurs twice: the later one, unless that has not come yet
        (BERLIN, "2026-10-25 02:30:00 x", "2026-10-25T01:31:00", "2026-10-25T01:30:00"),
        (BERLIN, "2026-10-25 02:30:00 x", "2026-10-25T00:31:00", "2026-10-25T00:30:00"),
        (BERLIN, "2026-10-25 02:30:00 CEST x", "2026-10-25T05:00:00", "2026-10-25T00:30:00"),
        (NEW_YORK, "Nov  1 01:30:00 db1 x", "2026-11-01T05:31:00", "2026-11-01T05:30:00"),
        (NEW_YORK, "Nov  1 01:30:00 db1 x", "2026-11-01T06:31:00", "2026-11-01T06:30:00"),
        # the hour that is left out
        (BERLIN, "2026-03-29 02:30:00 x", "2026-03-29T02:00:00", "2026-03-29T01:30:00"),
        # winter and summer
        (BERLIN, "2026-07-01 12:00:00 x", "2026-07-01T12:00:00", "2026-07-01T10:00:00"),
        (BERLIN, "2026-01-01 12:00:00 x", "2026-01-01T12:00:00", "2026-01-01T11:00:00"),
        (NEW_YORK, "2026-03-08 02:30:00 x", "2026-03-08T08:00:00", "2026-03-08T07:30:00"),
        (NEW_YORK, "Mar  8 02:30:00 db1 x", "2026-03-08T08:00:00", "2026-03-08T07:30:00"),
        (BERLIN, "[Sun Oct 25 02:30:00 2026] [error] x", "2026-10-25T05:00:00", "2026-10-25T01:30:00"),
        (BERLIN, "2026/03/29 03:30:00 [error] 6#6: x", "2026-03-29T01:31:00", "2026-03-29T01:30:00"),
        (BERLIN, "E1025 02:30:00.000000 1 server.go:7] x", "2026-10-25T00:31:00", "2026-10-25T00:30:00"),
        # a summer time far away from its change, in the year before
        (BERLIN, "Jul  1 12:00:00 db1 x", "2026-11-24T03:00:00", "2026-07-01T10:00:00"),
        # the turn of the year, and leap days
        (NEW_YORK, "Dec 31 21:59:00 db1 x", "2027-01-01T03:00:00", "2027-01-01T02:59:00"),
        (ZoneInfo("Asia/Tokyo"), "Jan  1 08:00:00 db1 x", "2026-12-31T23:00:01", "2026-12-31T23:00:00"),
        (UTC, "E1231 23:59:59.000000 1 server.go:7] x", "2027-01-01T00:00:05", "2026-12-31T23:59:59"),
        (UTC, "Dec 31 23:59:59 db1 x", "2026-12-31T23:59:59", "2026-12-31T23:59:59"),
        (UTC, "E0229 12:00:00.000000 1 server.go:7] x", "2028-03-01T00:00:00", "2028-02-29T12:00:00"),
        (UTC, "Feb 29 12:00:00 db1 x", "2028-02-29T12:00:01", "2028-02-29T12:00:00"),
        (BERLIN, '1.2.3.4 - - [29/Feb/2028:12:00:00 +0100] "GET /"', "2028-03-01T00:00:00", "2028-02-29T11:00:00"),
        (BERLIN, "Dec 31 23:59:59 db1 x", "2027-01-01T00:00:05", "2026-12-31T22:59:59"),
        (UTC, "Jan  1 00:00:01 db1 x", "2026-12-31T23:59:59", "2027-01-01T00:00:01"),
        (UTC, "Feb 29 12:00:00 db1 x", "2026-03-01T00:00:00", "2024-02-29T12:00:00"),
        (UTC, "2028-02-29 12:00:00 x", "2028-03-01T00:00:00", "2028-02-29T12:00:00"),
        (UTC, "2016-12-31T23:59:60Z x", "2017-01-01T00:00:01", "2016-12-31T23:59:59"),
        # what makes no sense
        (UTC, "2026-02-30 12:00:00 x", "2026-03-01T00:00:00", "2026-03-01T00:00:00"),
        (UTC, "2126-01-01 12:00:00 x", "2026-03-01T00:00:00", "2026-03-01T00:00:00"),
        (UTC, "2026-01-01 25:00:00 x", "2026-03-01T00:00:00", "2026-03-01T00:00:00"),
    ],
)
def test_years_and_zones_are_guessed_soundly(zone: tzinfo, text: str, read_at: str, expected: str) -> None:
    def utc(written: str) -> datetime:
        return datetime.fromisoformat(written).replace(tzinfo=UTC)

    assert event_time(text, utc(read_at), zone) == utc(expected)


@given(
    st.text(max_size=80)
    | st.from_regex(r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d([.,]\d{1,9})?( ?(Z|[+-]\d\d:?\d\d))?", fullmatch=True)
    | st.from_regex(r"(<\d{1,3}>)?[JFMASOND][a-z]{2} [ \d]\d \d\d:\d\d:\d\d", fullmatch=True)
    | st.from_regex(r"\[?\d{9,20}(\.\d+)?", fullmatch=True),
    st.sampled_from([UTC, BERLIN, NEW_YORK]),
)
def test_any_text_has_a_time_and_none_is_in_the_future(text: str, zone: tzinfo) -> None:
    read_at = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    found = event_time(text, read_at, zone, read_at)
    assert found.utcoffset() == timedelta(0)
    assert found - read_at <= FUTURE


@given(
    st.from_regex(
        r"20(25|26)([-/])(0[1-9]|1[012])\2(0[1-9]|[12]\d|30)[T ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d{1,9})?"
        r"( ?(Z|UTC|CEST|[+-]0\d:?\d0))?( web1| ERROR|:|,|)",
        fullmatch=True,
    )
    | st.from_regex(r"(Jan|Mar|Oct|Nov|Dec) ([ 12]\d|30) ([01]\d|2[0-3]):[0-5]\d:[0-5]\d( web1| CEST|)", fullmatch=True)
    | st.from_regex(
        r'\{"(time|ts|@timestamp)":"2026-(03|10|11)-2\dT0[0-5]:[0-5]\d:[0-5]\d(\.\d{3})?(Z|[+-]0\d:00)?"(,"ts":1)?\}',
        fullmatch=True,
    ),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 5)),  # noqa: DTZ001  made aware below
    st.sampled_from([UTC, BERLIN, NEW_YORK]),
)
def test_what_is_read_quickly_is_what_a_closer_look_finds(text: str, read_at: datetime, zone: tzinfo) -> None:
    read_at = read_at.replace(tzinfo=UTC)
    assert event_time(text, read_at, zone) == event_time(f" {text}", read_at, zone)
