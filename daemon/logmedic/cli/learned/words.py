"""Known issues in words: how one stands, how often it comes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from logmedic.cli.output import Row

LEARNED_FROM = 24
"""Hours, before which nothing is usual (core/rates.py)."""
NO_VERSION = "-"
"""Of a mute until the next version, where nobody told this one (core/issues.py)."""
_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


def state_of(row: Row) -> str:
    """With its date, where it has one."""
    match row["status"]:
        case "resolved":
            version = f" in {row['resolved_version']}" if row.get("resolved_version") else ""
            return f"resolved {ago(row['resolved_at'])}{version}"
        case "regressed":
            return f"regressed {_came_back(row)}".rstrip()
        case "muted":
            return f"muted {muted_until(row)}".rstrip()
        case "merged":
            return f"merged into {row['merged_into'][-8:]}"
    return str(row["status"])


def _came_back(row: Row) -> str:
    """Where it came back within the episode that was resolved, nothing says when."""
    onset, resolved = row.get("onset_at"), row.get("resolved_at")
    return "" if not onset or (resolved and _moment(onset) <= _moment(resolved)) else ago(onset)


def muted_until(row: Row) -> str:
    """What ends the mute, whichever comes first; empty for nothing."""
    return " or ".join(_ends(row))


def _ends(row: Row) -> Iterator[str]:
    if row.get("muted_until"):
        yield f"until {day(row['muted_until'])}"
    if row.get("muted_count"):
        yield f"for {max(0, row['muted_count'] - row['occurrences'])} more"
    version = row.get("muted_version")
    if version:
        yield "until the next version" if version == NO_VERSION else f"until a version newer than {version}"


def rate_of(row: Row) -> str:
    """Its usual number, in the unit in which it is one or more; until there is a usual one, the mean since it was first
    seen."""
    hours = max(1.0, _hours_seen(row))
    usual = row["usual"] if row.get("usual_hours", 0) >= LEARNED_FROM else row["occurrences"] / hours
    for worth, unit in ((1, "h"), (24, "d"), (24 * 7, "week")):
        if usual * worth >= 1 or unit == "week":
            return f"{usual * worth:.0f}/{unit}" if usual * worth >= 10 else f"{usual * worth:.2g}/{unit}"
    raise AssertionError


def _hours_seen(row: Row) -> float:
    return (_moment(row["last_seen"]) - _moment(row["first_seen"])) / timedelta(hours=1)


def ago(text: str) -> str:
    """In one unit."""
    seconds = max(0.0, (datetime.now(UTC) - _moment(text)).total_seconds())
    for worth, unit in _UNITS:
        if seconds >= worth:
            return f"{seconds // worth:.0f} {unit} ago"
    return "just now"


def day(text: str) -> str:
    """A time to the minute."""
    return f"{_moment(text):%Y-%m-%d %H:%M}Z"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
