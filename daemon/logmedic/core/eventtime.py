"""The time that is written in a record."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

LOOK_CHARS = 200
"""Times further on belong to what the record tells of."""
FUTURE = timedelta(days=1)
"""A time further ahead than this is wrong: the time of reading counts."""

_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: n for n, name in enumerate(_NAMES, 1)}
_CLOCK = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_FRACTION = r"(?:[.,](?P<fraction>\d{1,9}))?"
_OFFSET = r"(?:[ ]?(?P<offset>Z(?![A-Za-z])|[+-]\d\d:?\d\d(?!\d)))?"
_MONTH = "(?P<month>" + "|".join(_MONTHS) + ")"

_DATED = re.compile(
    rf"(?<!\d)(?P<year>\d{{4}})(?P<mark>[-/])(?P<monthno>\d\d)(?P=mark)(?P<day>\d\d)[T ]{_CLOCK}{_FRACTION}{_OFFSET}",
    re.ASCII,
)
_ACCESS = re.compile(rf"(?<!\d)(?P<day>\d\d)/{_MONTH}/(?P<year>\d{{4}}):{_CLOCK}{_OFFSET}", re.ASCII)
_APACHE = re.compile(
    rf"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) {_MONTH} (?P<day>[ \d]\d) {_CLOCK}{_FRACTION} (?P<year>\d{{4}})", re.ASCII
)
_SYSLOG = re.compile(rf"(?:<\d{{1,3}}>)?{_MONTH} (?P<day>[ \d]\d) {_CLOCK}", re.ASCII)
_EPOCH = re.compile(r"\[?(?P<epoch>\d{10})(?:(?P<millis>\d{3})|\.(?P<part>\d{1,9}))?(?!\d)", re.ASCII)

_FORMS = (_DATED, _ACCESS, _APACHE, _SYSLOG)


def event_time(text: str, read_at: datetime, zone: tzinfo) -> datetime:
    """UTC. `zone` is for times that name no offset. Without a time that makes sense: `read_at`."""
    found = _written(text[:LOOK_CHARS], read_at, zone)
    return read_at.astimezone(UTC) if found is None or found - read_at > FUTURE else found


def _written(head: str, read_at: datetime, zone: tzinfo) -> datetime | None:
    """The first one in the line; an epoch counts at the start only."""
    try:
        if (match := _EPOCH.match(head)) is not None:
            return _epoch(match)
        matches = [
            (match.start(), n, match) for n, form in enumerate(_FORMS) if (match := form.search(head)) is not None
        ]
        if not matches:
            return None
        _, n, match = min(matches, key=lambda each: each[:2])
        return (_syslog(match, read_at, zone) if _FORMS[n] is _SYSLOG else _dated(match, zone)).astimezone(UTC)
    except (ValueError, OverflowError):  # the 30th of February, the year 9999 east of Greenwich
        return None


def _dated(match: re.Match[str], zone: tzinfo) -> datetime:
    parts = match.groupdict()
    month = int(parts["monthno"]) if parts.get("monthno") else _MONTHS[match["month"]]
    return datetime(
        int(match["year"]),
        month,
        int(match["day"]),
        int(match["hour"]),
        int(match["minute"]),
        min(int(match["second"]), 59),  # a leap second has no other place
        _micros(parts.get("fraction")),
        tzinfo=_zone(parts.get("offset"), zone),
    )


def _syslog(match: re.Match[str], read_at: datetime, zone: tzinfo) -> datetime:
    """The year is the one that brings it nearest before the time of reading."""
    local = read_at.astimezone(zone)
    clock = int(match["hour"]), int(match["minute"]), min(int(match["second"]), 59)
    for year in range(local.year + 1, local.year - 5, -1):
        try:
            at = datetime(year, _MONTHS[match["month"]], int(match["day"]), *clock, tzinfo=zone)
        except ValueError:  # the 29th of February
            continue
        if at - read_at <= FUTURE:
            return at
    raise ValueError("no such day")


def _epoch(match: re.Match[str]) -> datetime:
    fraction = match["millis"] or match["part"]
    return datetime.fromtimestamp(int(match["epoch"]), UTC).replace(microsecond=_micros(fraction))


def _micros(fraction: str | None) -> int:
    return int(fraction[:6].ljust(6, "0")) if fraction else 0


def _zone(offset: str | None, zone: tzinfo) -> tzinfo:
    if offset is None:
        return zone
    if offset == "Z":
        return UTC
    minutes = int(offset[1:3]) * 60 + int(offset[-2:])
    return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))
