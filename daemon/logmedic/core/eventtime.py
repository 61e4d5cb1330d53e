"""The time that is written in a record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

from logmedic.core.fields import fields_of

LOOK_CHARS = 200
"""Times further on belong to what the record tells of; those of named fields count wherever they stand."""
FUTURE = timedelta(days=1)
"""A time further ahead than this is wrong: the time of reading counts."""
SKEW = timedelta(seconds=5)
"""How far another host's clock may be ahead, where a local time that occurs twice has to be before the reading."""
TIME_FIELDS = ("@timestamp", "timestamp", "time", "ts", "datetime", "date")
_MOST_OF_A_YEAR = timedelta(days=300)
_YEARS_BACK = 8  # between the leap days of 1896 and 1904, 2096 and 2104

_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: n for n, name in enumerate(_NAMES, 1)}
_CLOCK = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?!\d)"
_FRACTION = r"(?:[.,](?P<fraction>\d{1,9}))?"
_WORD = r"(?P<word>[A-Z]{3,5})(?![A-Za-z])"
_OFFSET = rf"(?:[ ]?(?:(?P<offset>Z(?![A-Za-z])|[+-]\d\d(?::?\d\d)?(?![\d:.]))|{_WORD}))?"
_MONTH = "(?P<month>" + "|".join(_MONTHS) + ")"

_DATED = re.compile(
    r"(?<!\d)(?P<year>\d{4})(?P<mark>[-/])(?P<monthno>\d\d)(?P=mark)(?P<day>\d\d)(?:[Tt]|  ?)"
    rf"(?P<hour>\d?\d):(?P<minute>\d\d):(?P<second>\d\d)(?!\d){_FRACTION}{_OFFSET}",
    re.ASCII,
)
_ACCESS = re.compile(rf"(?<!\d)(?P<day>\d\d)/{_MONTH}/(?P<year>\d{{4}}):{_CLOCK}{_FRACTION}{_OFFSET}", re.ASCII)
_APACHE = re.compile(
    rf"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) {_MONTH} (?P<day>[ \d]?\d) {_CLOCK}{_FRACTION} (?:{_WORD} )?(?P<year>\d{{4}})",
    re.ASCII,
)
_SYSLOG = re.compile(
    rf"(?<![A-Za-z]){_MONTH} (?P<day>[ \d]?\d) (?:(?P<year>\d{{4}}) )?{_CLOCK}{_FRACTION}{_OFFSET}", re.ASCII
)
_DAY_FIRST = re.compile(
    rf"(?<!\d)(?P<day>\d?\d)[ -]{_MONTH}(?:[ -](?P<year>\d{{4}}))? {_CLOCK}{_FRACTION}{_OFFSET}", re.ASCII
)
_KLOG = re.compile(
    rf"(?<!\S)[DIWEF](?P<year>\d{{4}})?(?P<monthno>\d\d)(?P<day>\d\d) {_CLOCK}\.(?P<fraction>\d{{1,9}})", re.ASCII
)
_FORMS = (_DATED, _ACCESS, _APACHE, _SYSLOG, _DAY_FIRST, _KLOG)

_QUICK_DATED = re.compile(
    r"(\d{4}([-/])\d\d\2\d\d[Tt ]\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(?:[ ]?(Z(?![A-Za-z])|[+-]\d\d:?\d\d(?![\d:.])))?"
    r"(?!\d|:|[.,]\d|[ ]?(?:UTC|GMT|Z|[+-]\d\d))",
    re.ASCII,
)
_QUICK_SYSLOG = re.compile(rf"{_MONTH} (?P<day>[ \d]\d) (?P<clock>\d\d:\d\d:\d\d) (?![A-Z+-])", re.ASCII)
"""How most lines begin. What these say is what the forms below would say, but the lines of a second share the work."""
_QUICK_JSON = re.compile(r'\{"(?:@?timestamp|time|ts|datetime|date)":"(?=\d{4}-)')
_NAMED_TIMES = re.compile(r'"(?:@?timestamp|time|ts|datetime|date)"')

_OLD_MYSQL = re.compile(
    r"(?P<year>\d\d)(?P<monthno>\d\d)(?P<day>\d\d) [ ]?(?P<hour>\d?\d):(?P<minute>\d\d):(?P<second>\d\d)(?!\d)",
    re.ASCII,
)
_EPOCH = re.compile(
    r"(?:\[|type=\w+ msg=audit\()?(?P<epoch>\d{10})(?:(?P<rest>\d{9}|\d{6}|\d{3})|\.(?P<part>\d{1,12}))?(?![\d:-])"
    r"|type=\w+ msg=audit\((?P<audit>\d{10})\.(?P<millis>\d{3}):",
    re.ASCII,
)
_SINCE_BOOT = re.compile(r"(?:<\d{1,3}>)?\[ *(?P<seconds>\d{1,9})\.(?P<micros>\d{6})\]", re.ASCII)
_STRUCTURED = re.compile(r"\{\s*\"|[\w@]=")


def event_time(text: str, read_at: datetime, zone: tzinfo, boot_at: datetime | None = None) -> datetime:
    """UTC. `zone` is for times that name no offset, `boot_at` (aware) for those that count from the boot. Without a
    time that makes sense: `read_at`."""
    try:
        found = _written(text, read_at, zone, boot_at)
        if found is not None and found - read_at <= FUTURE:
            return found
    except (ValueError, OverflowError):  # the 30th of February, the year 9999 east of Greenwich
        pass
    return read_at.astimezone(UTC)


def _written(text: str, read_at: datetime, zone: tzinfo, boot_at: datetime | None) -> datetime | None:
    """What the line begins with; else a field that is named for it; else the first form in the line."""
    if (quick := _quick(text, read_at, zone)) is not None:
        return quick
    head = text[:LOOK_CHARS]
    if (match := _EPOCH.match(head)) is not None:
        return _epoch(match)
    if (match := _SINCE_BOOT.match(head)) is not None:
        return boot_at and boot_at.astimezone(UTC) + _since_boot(match)
    if (match := _OLD_MYSQL.match(head)) is not None:
        return _dated(match, read_at, zone)
    first = next((match for form in _FORMS if (match := form.match(head))), None) or min(
        (match for form in _FORMS if (match := form.search(head))), key=_start, default=None
    )
    if _STRUCTURED.search(head, 0, first.start() if first else len(head)) is not None:
        named = _in_fields(fields_of(text), read_at, zone)
        if named is not None:
            return named
    return None if first is None else _dated(first, read_at, zone)


def _quick(text: str, read_at: datetime, zone: tzinfo) -> datetime | None:
    """The time that the text begins with, or its JSON; None: look closer."""
    at = 0
    if text.startswith("{"):
        field = _QUICK_JSON.match(text)
        if field is None or len(_NAMED_TIMES.findall(text)) > 1:
            return None
        at = field.end()
    if (match := _QUICK_DATED.match(text, at)) is not None:
        written, _, fraction, offset = match.groups()
        instant = _instant(written, offset, zone)
        return instant.replace(microsecond=_micros(fraction)) if instant is not None and fraction else instant
    if (match := _QUICK_SYSLOG.match(text, at)) is not None:
        return _instant_near(
            match["month"], match["day"], match["clock"], zone, read_at.replace(second=0, microsecond=0)
        )
    return None


@lru_cache(maxsize=1024)
def _instant(written: str, offset: str | None, zone: tzinfo) -> datetime | None:
    """UTC; None for a local time that occurs twice or not at all, and for no time."""
    try:
        local = datetime.fromisoformat(written.replace("/", "-")).replace(tzinfo=_offset(offset, None) or zone)
        sooner, later = local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return sooner if sooner == later else None


@lru_cache(maxsize=1024)
def _instant_near(month: str, day: str, clock: str, zone: tzinfo, read_at: datetime) -> datetime | None:
    """As `_instant`, of the year that fits the minute of reading."""
    for year in (read_at.year, read_at.year - 1):
        instant = _instant(f"{year}-{_MONTHS[month]:02d}-{int(day):02d}T{clock}", None, zone)
        if instant is not None and read_at - instant <= _MOST_OF_A_YEAR and instant - read_at <= FUTURE:
            return instant
    return None


def _start(match: re.Match[str]) -> int:
    return match.start()


def _in_fields(fields: Mapping[str, str], read_at: datetime, zone: tzinfo) -> datetime | None:
    for name in TIME_FIELDS:
        value = fields.get(name, "")
        try:
            if (match := _EPOCH.fullmatch(value)) is not None:
                return _epoch(match)
            if (found := next(filter(None, (form.match(value) for form in _FORMS)), None)) is not None:
                return _dated(found, read_at, zone)
        except (ValueError, OverflowError):
            continue
    return None


def _dated(match: re.Match[str], read_at: datetime, zone: tzinfo) -> datetime:
    parts = match.groupdict()
    month = int(parts["monthno"]) if parts.get("monthno") else _MONTHS[match["month"]]
    clock = timedelta(
        hours=_below(int(match["hour"]), 24),
        minutes=_below(int(match["minute"]), 60),
        seconds=min(_below(int(match["second"]), 61), 59),  # a leap second has no other place
        microseconds=_micros(parts.get("fraction")),
    )
    offset, word = _offset(parts.get("offset"), parts.get("word")), parts.get("word") or ""
    if parts.get("year"):
        year = int(match["year"])
        day = datetime(2000 + year if year < 100 else year, month, int(match["day"]), tzinfo=offset or zone)
        return _placed(day + clock, word, read_at)
    return _with_a_year(month, int(match["day"]), clock, offset or zone, word, read_at)


def _below(value: int, limit: int) -> int:
    if value >= limit:
        raise ValueError("no such time of day")
    return value


def _with_a_year(month: int, day: int, clock: timedelta, zone: tzinfo, word: str, read_at: datetime) -> datetime:
    """The year is the one that brings it nearest before the time of reading."""
    this_year = read_at.astimezone(zone).year
    for year in range(this_year + 1, this_year - _YEARS_BACK - 1, -1):
        try:
            at = _placed(datetime(year, month, day, tzinfo=zone) + clock, word, read_at)
        except ValueError:  # the 29th of February
            continue
        if at - read_at <= FUTURE:
            return at
    raise ValueError("no such day")


def _placed(local: datetime, word: str, read_at: datetime) -> datetime:
    """UTC. A local time that the zone leaves out is as much later as the clocks were put forward. Of one that occurs
    twice: the one that `word` names (CEST), else the later one that is not ahead of the time of reading."""
    first, second = (local.replace(fold=fold) for fold in (0, 1))
    sooner, later = first.astimezone(UTC), second.astimezone(UTC)
    if sooner >= later:
        return sooner
    if word in (first.tzname(), second.tzname()) and first.tzname() != second.tzname():
        return sooner if word == first.tzname() else later
    return later if later - read_at <= SKEW else sooner


def _epoch(match: re.Match[str]) -> datetime:
    seconds = int(match["epoch"] or match["audit"])
    fraction = match["rest"] or match["part"] or match["millis"]
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=_micros(fraction))


def _since_boot(match: re.Match[str]) -> timedelta:
    return timedelta(seconds=int(match["seconds"]), microseconds=int(match["micros"]))


def _micros(fraction: str | None) -> int:
    return int(fraction[:6].ljust(6, "0")) if fraction else 0


def _offset(offset: str | None, word: str | None) -> tzinfo | None:
    """None: the writer's zone is not told. Other words than these stand for several zones (IST, CST, EST)."""
    if offset == "Z" or word in ("UTC", "GMT"):
        return UTC
    if not offset:
        return None
    minutes = int(offset[1:3]) * 60 + int(offset[3:].lstrip(":") or 0)
    return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))
