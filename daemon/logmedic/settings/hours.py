"""Hours of the week, as people write them: of maintenance windows, quiet hours, digests and the route tree."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import time, tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

from logmedic.model.hours import Hours
from logmedic.settings.parts import Part, Words, listed
from logmedic.yamldoc import meant

WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS = {name: number for number, day in enumerate(WEEK) for name in (day, day[:3])}
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\Z", re.ASCII)
_MINUTES_A_DAY = 24 * 60


def _clock(value: object) -> object:
    if isinstance(value, time):
        return value
    shown = str(value)[:40]
    found = _CLOCK.match(shown.strip())
    if found is None:
        hint = 'write "00:00"' if shown.strip() == "24:00" else 'write hours and minutes: "02:00", "23:30"'
        raise ValueError(f"`{shown}` is no time of day; {hint}")
    return time(int(found[1]), int(found[2]))


def _clock_text(at: time) -> str:
    return f"{at:%H:%M}"


def _are_days(days: tuple[str, ...]) -> tuple[str, ...]:
    days_of(days)
    return days


def _is_a_zone(name: str) -> str:
    if name:
        zone_of(name)
    return name


Clock = Annotated[
    time,
    BeforeValidator(_clock, json_schema_input_type=str),
    PlainSerializer(_clock_text, return_type=str),
]
Days = Annotated[Words, AfterValidator(_are_days)]
Zone = Annotated[str, AfterValidator(_is_a_zone), Field(max_length=100)]
"""The name of a time zone, or empty: another one stands for it."""


class HoursSettings(Part):
    days: Days = ("mon-sun",)
    """On which it begins: sat; [mon-fri]; [mon-wed, sat]."""
    start: Clock = Field(alias="from")
    """When it begins: "02:00"."""
    end: Clock = Field(alias="to")
    """When it ends; of the next day, when it is not after `from`."""
    timezone: Zone = ""
    """Europe/Berlin. Default: that of the host; of a receiver's quiet hours and digest, the receiver's."""

    def hours(self, otherwise: tzinfo) -> Hours:
        """`otherwise`: the zone where it names none."""
        return Hours(days_of(self.days), self.start, self.end, zone_or(self.timezone, otherwise))


Hourly = Annotated[
    tuple[HoursSettings, ...],
    BeforeValidator(listed, json_schema_input_type=HoursSettings | list[HoursSettings]),
    Field(min_length=1),
]
"""One, or a list of them."""


def days_of(words: Iterable[str]) -> frozenset[int]:
    """0 (Monday) to 6, of days and of ranges, which may go over the end of the week. Raises ValueError."""
    return frozenset(day for each in words for day in _range(each))


def _range(text: str) -> list[int]:
    first, dash, last = text.strip().lower().partition("-")
    begins = _day(first)
    ends = _day(last) if dash else begins
    return [day % 7 for day in range(begins, ends + 1 if ends >= begins else ends + 8)]


def _day(text: str) -> int:
    day = _DAYS.get(text.strip())
    if day is None:
        short = [each[:3] for each in WEEK]
        raise ValueError(f"`{text[:40]}` is no day; write one of {', '.join(short)}, or a range: mon-fri")
    return day


def zone_or(name: str, otherwise: tzinfo) -> tzinfo:
    return zone_of(name) if name else otherwise


def zone_of(name: str) -> ZoneInfo:
    """Raises ValueError."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError, RecursionError):  # it looks for a package in a package for each `/`
        known = available_timezones()
        hint = meant(name, known) if known else ""
        hint = hint if hint.startswith("did") else "write one such as Europe/Berlin (timedatectl list-timezones)"
        raise ValueError(f"`{name[:60]}` is no time zone that this host knows; {hint}") from None


def never_end(hours: Iterable[HoursSettings]) -> bool:
    """Whether those of one zone leave no minute of the week free."""
    taken: dict[str, set[int]] = {}
    for each in hours:
        start, end = (at.hour * 60 + at.minute for at in (each.start, each.end))
        lasts = (end - start) % _MINUTES_A_DAY or _MINUTES_A_DAY
        for day in days_of(each.days):
            first = day * _MINUTES_A_DAY + start
            minutes = (minute % (7 * _MINUTES_A_DAY) for minute in range(first, first + lasts))
            taken.setdefault(each.timezone, set()).update(minutes)
    return any(len(minutes) == 7 * _MINUTES_A_DAY for minutes in taken.values())
