"""Moments and spans as people read them: in UTC, and on their own clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

_DAY, _CLOCK = r"\d{4}-\d\d-\d\d", r"\d\d:\d\d:\d\d"
_STAMP = re.compile(rf"({_DAY} {_CLOCK}) UTC(?: \((?:{_DAY} )?{_CLOCK} [A-Za-z0-9+:-]+\))?", re.ASCII)
"""As `moment_text` writes it, for nobody in particular or for another reader."""


def moment_text(at: datetime, zone: tzinfo | None = None) -> str:
    """E.g. "2026-11-24 03:12:41 UTC (04:12:41 CET)", with the date in the brackets when it is another one there.
    `zone` None or UTC: UTC only."""
    utc = at.astimezone(UTC)
    told = f"{utc:%Y-%m-%d %H:%M:%S} UTC".rjust(len("2026-11-24 03:12:41 UTC"), "0")
    try:
        there = utc.astimezone(zone) if zone is not None else utc
    except OverflowError:  # the first or the last day of all
        return told
    name = there.tzname() or f"{there:%z}"
    if name == "UTC":
        return told
    clock = f"{there:%H:%M:%S}" if there.date() == utc.date() else f"{there:%Y-%m-%d %H:%M:%S}"
    return f"{told} ({clock} {name})"


def with_zone(text: str, zone: tzinfo | None) -> str:
    """`text` with this reader's clock, and no other's, behind each moment in it."""
    return _STAMP.sub(lambda found: _again(found, zone), text) if " UTC" in text else text


def _again(found: re.Match[str], zone: tzinfo | None) -> str:
    try:
        return moment_text(datetime.fromisoformat(f"{found[1]}+00:00"), zone)
    except ValueError:  # it looks like one, and is none
        return found[0]


def span_text(span: timedelta) -> str:
    """Rounded, in the unit that people would use."""
    seconds = span.total_seconds()
    if seconds < 90:
        return f"{max(0, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    return f"{seconds / 3600:.3g} h" if seconds < 48 * 3600 else f"{seconds / 86400:.3g} days"
