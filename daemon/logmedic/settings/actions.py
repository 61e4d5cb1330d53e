"""`actions`: what fixes may do on this host, and when."""

from __future__ import annotations

import re
from datetime import time, tzinfo
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BeforeValidator, Field, PlainSerializer, field_validator

from logmedic.model.policy import MaintenanceWindow
from logmedic.settings.parts import Part, Words
from logmedic.settings.places import pause_file
from logmedic.yamldoc import meant

WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS = {name: number for number, day in enumerate(WEEK) for name in (day, day[:3])}
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\Z", re.ASCII)


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


Clock = Annotated[
    time,
    BeforeValidator(_clock, json_schema_input_type=str),
    PlainSerializer(_clock_text, return_type=str),
]


class SandboxTier(StrEnum):
    """AUTO: the unit tier where it is installed, else bubblewrap. Neither takes the place of one that does not hold."""

    AUTO = "auto"
    UNIT = "unit"
    BUBBLEWRAP = "bubblewrap"


class MaintenanceSettings(Part):
    """A window in which people work on the host themselves, and no fix starts."""

    name: str = Field(min_length=1, max_length=80)
    """What holds and messages call it."""
    days: Words = ("mon-sun",)
    """On which it begins: sat; [mon-fri]; [mon-wed, sat]."""
    start: Clock = Field(alias="from")
    """When it begins: "02:00"."""
    end: Clock = Field(alias="to")
    """When it ends; of the next day, when it is not after `from`."""
    timezone: str = Field(default="", max_length=100)
    """Europe/Berlin. Default: that of the host."""
    rules: tuple[str, ...] = ()
    """Only rules with these ids; patterns (web-*) are allowed."""
    tags: tuple[str, ...] = ()
    """Only rules with one of these tags."""

    @field_validator("days")
    @classmethod
    def _are_days(cls, days: tuple[str, ...]) -> tuple[str, ...]:
        for each in days:
            _days_of(each)
        return days

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        if name:
            _zone_of(name)
        return name

    def window(self, host: tzinfo) -> MaintenanceWindow:
        """`host`: its zone."""
        days = frozenset(day for each in self.days for day in _days_of(each))
        zone = _zone_of(self.timezone) if self.timezone else host
        return MaintenanceWindow(self.name, days, self.start, self.end, zone, self.rules, self.tags)


def _days_of(text: str) -> list[int]:
    """0 (Monday) to 6, of a day or of a range, which may go over the end of the week. Raises ValueError."""
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


def _zone_of(name: str) -> ZoneInfo:
    """Raises ValueError."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        known = available_timezones()
        hint = meant(name, known) if known else ""
        hint = hint if hint.startswith("did") else "write one such as Europe/Berlin (timedatectl list-timezones)"
        raise ValueError(f"`{name[:60]}` is no time zone that this host knows; {hint}") from None


class Actions(Part):
    concurrency: int = Field(default=2, ge=1, le=64)
    """Fixes that run at the same time."""
    max_per_hour: int = Field(default=30, ge=0, le=10_000)
    """All fixes of this host together."""
    max_per_ten_minutes: int = Field(default=10, ge=0, le=10_000)
    """The same for ten minutes: when much breaks at once, people look first."""
    user: str = "logmedic-fix"
    """Whom fixes run as, when the daemon is root and the user exists."""
    sandbox: SandboxTier = SandboxTier.AUTO
    """Where steps run: `unit` (systemd starts each, after logmedic install fixes), `bubblewrap`, or auto: `unit` where
    fixes are installed, else `bubblewrap`. When that one does not hold, nothing runs."""
    allow_unsandboxed: bool = False
    """Let steps run that ask for `sandbox: {kind: none}`."""
    allow_root: bool = False
    """Let steps run that ask for `sandbox: {user: root}`."""
    pause_file: Path = Field(default_factory=pause_file)
    """While this file is there, no fix starts."""
    maintenance: tuple[MaintenanceSettings, ...] = ()
    """When people work on the host themselves, and no fix starts."""

    @field_validator("pause_file")
    @classmethod
    def _is_absolute(cls, path: Path) -> Path:
        if not path.is_absolute():
            raise ValueError(f"`{path}` is no absolute path; write /etc/logmedic/paused, from the root on")
        return path
