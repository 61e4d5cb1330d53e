"""Maintenance windows: over midnight, over changes of clocks, of which rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import RULE
from logmedic.core.maintenance import open_window
from logmedic.model.policy import MaintenanceWindow

BERLIN = ZoneInfo("Europe/Berlin")
EVERY_DAY = frozenset(range(7))
MON, TUE, WED, THU, FRI, SAT, SUN = range(7)
MINUTE = timedelta(minutes=1)


def window(start: str, end: str, *days: int, zone: tzinfo = BERLIN, **changes: object) -> MaintenanceWindow:
    """`start`, `end`: as `02:30`; without `days` every day."""
    begins, ends = time.fromisoformat(start), time.fromisoformat(end)
    made = MaintenanceWindow("backups", frozenset(days) or EVERY_DAY, begins, ends, zone)
    return replace(made, **changes)  # type: ignore[arg-type]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ends(at: str, *windows: MaintenanceWindow) -> str | None:
    """Until when a window is open at a time, both in UTC."""
    found = open_window(windows, RULE, utc(at))
    return f"{found[1]:%Y-%m-%d %H:%M}" if found else None


@pytest.mark.parametrize(
    ("at", "wanted"),
    [
        ("2026-11-24 00:59", None),
        ("2026-11-24 01:00", "2026-11-24 03:00"),
        ("2026-11-24 02:59:59.999999", "2026-11-24 03:00"),
        ("2026-11-24 03:00", None),
    ],
    ids=["before", "at its start", "at its last instant", "at its end"],
)
def test_a_window_is_on_the_clock_of_its_zone(at: str, wanted: str | None) -> None:
    assert ends(at, window("02:00", "04:00")) == wanted


@pytest.mark.parametrize(
    ("at", "wanted"),
    [
        ("2026-11-28 20:59", None),
        ("2026-11-28 21:00", "2026-11-29 05:00"),
        ("2026-11-29 04:59", "2026-11-29 05:00"),
        ("2026-11-29 05:00", None),
        ("2026-11-29 21:30", None),
        ("2026-11-28 03:00", None),
    ],
    ids=["before", "saturday night", "sunday morning", "over", "sunday night", "saturday morning"],
)
def test_a_window_over_midnight_is_of_the_day_on_which_it_begins(at: str, wanted: str | None) -> None:
    assert ends(at, window("22:00", "06:00", SAT)) == wanted


def test_a_window_that_ends_when_it_starts_lasts_a_day() -> None:
    whole = window("06:00", "06:00", SUN)
    assert ends("2026-11-29 05:00", whole) == ends("2026-11-30 04:59", whole) == "2026-11-30 05:00"
    assert ends("2026-11-29 04:59", whole) is ends("2026-11-30 05:00", whole) is None


SPRING = "2026-03-29"
"""In Berlin clocks go from 02:00 to 03:00, at 01:00 UTC."""
AUTUMN = "2026-10-25"
"""In Berlin clocks go from 03:00 to 02:00, at 01:00 UTC."""


@pytest.mark.parametrize(
    ("day", "start", "end", "begins", "is_over"),
    [
        (SPRING, "01:00", "04:00", "00:00", "02:00"),
        (SPRING, "02:30", "04:00", "01:00", "02:00"),
        (SPRING, "02:00", "04:00", "01:00", "02:00"),
        (SPRING, "01:30", "02:30", "00:30", "01:00"),
        (SPRING, "01:30", "02:00", "00:30", "01:00"),
        (SPRING, "02:15", "02:45", "01:00", "01:30"),
        (SPRING, "02:00", "03:00", "01:00", "02:00"),
        (SPRING, "03:00", "04:00", "01:00", "02:00"),
        (AUTUMN, "01:00", "04:00", "23:00", "03:00"),
        (AUTUMN, "02:30", "04:00", "00:30", "03:00"),
        (AUTUMN, "01:00", "02:30", "23:00", "01:30"),
        (AUTUMN, "02:15", "02:45", "00:15", "01:45"),
        (AUTUMN, "02:00", "03:00", "00:00", "02:00"),
        (AUTUMN, "01:00", "02:00", "23:00", "00:00"),
        (AUTUMN, "03:00", "04:00", "02:00", "03:00"),
    ],
)
def test_clocks_that_change_make_no_window_shorter_than_what_they_show(
    day: str, start: str, end: str, begins: str, is_over: str
) -> None:
    first = utc(f"{day} {begins}")
    if begins > is_over:
        first -= timedelta(days=1)
    last = utc(f"{day} {is_over}")
    one = window(start, end, SUN)
    assert open_window([one], RULE, first - MINUTE) is None
    assert open_window([one], RULE, first) == (one, last)
    assert open_window([one], RULE, last - MINUTE) == (one, last)
    assert open_window([one], RULE, last) is None


def test_a_window_over_the_night_of_a_change_ends_by_the_new_clock() -> None:
    night = window("22:00", "06:00", SAT)
    assert ends("2026-03-28 21:00", night) == "2026-03-29 04:00"
    assert ends("2026-10-24 20:00", night) == "2026-10-25 05:00"


def test_the_window_that_ends_last_is_told() -> None:
    short, long = window("02:00", "04:00", name="short"), window("01:00", "09:00", name="long")
    for windows in ((short, long), (long, short)):
        found = open_window(windows, RULE, utc("2026-11-24 02:00"))
        assert found is not None
        assert found[0].name == "long"


@pytest.mark.parametrize(
    ("rules", "tags", "is_about"),
    [
        ((), (), True),
        (("web-down",), (), True),
        (("web-*",), (), True),
        (("WEB-*", "db-*"), (), False),
        ((), ("web",), True),
        ((), ("db", "nginx"), True),
        ((), ("we*",), False),
        (("db-*",), ("web",), True),
        (("db-*",), ("db",), False),
    ],
)
def test_a_window_is_of_rules_by_their_ids_or_tags(
    rules: tuple[str, ...], tags: tuple[str, ...], is_about: bool
) -> None:
    rule = replace(RULE, id="web-down", tags=("web", "nginx"))
    one = window("00:00", "00:00", rules=rules, tags=tags)
    assert (open_window([one], rule, utc("2026-11-24 12:00")) is not None) is is_about


# -- against an oracle -------------------------------------------------------------------------------------------------

ZONES = [
    UTC,
    BERLIN,
    ZoneInfo("America/New_York"),
    ZoneInfo("America/Havana"),
    ZoneInfo("Australia/Lord_Howe"),
    ZoneInfo("Asia/Kolkata"),
    ZoneInfo("Pacific/Apia"),
]
CHANGES = [
    "2026-03-29",
    "2026-10-25",
    "2026-03-08",
    "2026-11-01",
    "2026-04-05",
    "2026-10-04",
    "2011-12-30",
    "2026-06-15",
]
"""Days on which clocks change in one of them (a whole day is left out in Apia), and one on which they do not."""
NIGHT = st.integers(0, 5 * 60 - 1).map(lambda minute: time(minute // 60, minute % 60))
ANY = st.integers(0, 24 * 60 - 1).map(lambda minute: time(minute // 60, minute % 60))


def naive(one: MaintenanceWindow, now: datetime) -> datetime | None:
    """When the window that `now` is in ends: by looking at a clock of its zone each minute of a week."""
    minutes = [now.replace(hour=0, minute=0) + n * MINUTE for n in range(-3 * 1440, 4 * 1440)]
    shown = [each.astimezone(one.zone).replace(tzinfo=None) for each in minutes]
    found = []
    for back in range(3):
        day = now.astimezone(one.zone).date() - timedelta(days=back)
        if day.weekday() not in one.days:
            continue
        start = datetime.combine(day, one.start)
        end = datetime.combine(day, one.end) + timedelta(days=one.end <= one.start)
        begins = next(at for at, clock in zip(minutes, shown, strict=True) if clock >= start)
        is_over = next(at for at, clock in zip(minutes[::-1], shown[::-1], strict=True) if clock < end) + MINUTE
        is_over = is_over if is_over > begins else begins + (end - start)
        if begins <= now < is_over:
            found.append(is_over)
    return max(found, default=None)


@pytest.mark.slow
@settings(deadline=None)
@given(
    st.sampled_from(ZONES),
    st.sampled_from(CHANGES),
    st.integers(-720, 1440 + 720),
    NIGHT | ANY,
    NIGHT | ANY,
    st.frozensets(st.integers(0, 6), min_size=1),
)
def test_a_window_is_open_as_a_clock_of_its_zone_shows(
    zone: tzinfo, day: str, minutes: int, start: time, end: time, days: frozenset[int]
) -> None:
    one = MaintenanceWindow("any", days, start, end, zone)
    now = utc(day) + minutes * MINUTE
    found = open_window([one], RULE, now)
    assert (found[1] if found else None) == naive(one, now)
