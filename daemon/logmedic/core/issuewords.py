"""Known issues in words: how one stands, how often it comes, its story. For the command line and for the pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from logmedic.core.phrases import several
from logmedic.model.issue import MUTE_ENDED, REPORTED

Row = Mapping[str, Any]
"""As the API answers a known issue."""

LEARNED_FROM = 24
"""Hours, before which nothing is usual (core/rates.py)."""
NO_VERSION = "-"
"""Of a mute until the next version, where nobody told this one (core/issues.py)."""
_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


def state_of(row: Row, now: datetime) -> str:
    """With its date, where it has one."""
    match row["status"]:
        case "resolved":
            version = f" in {row['resolved_version']}" if row.get("resolved_version") else ""
            return f"resolved {ago(row['resolved_at'], now)}{version}"
        case "regressed":
            return f"regressed {_came_back(row, now)}".rstrip()
        case "muted":
            return f"muted {muted_until(row)}".rstrip()
        case "merged":
            return f"merged into {row['merged_into'][-8:]}"
    return str(row["status"])


def _came_back(row: Row, now: datetime) -> str:
    """Where it came back within the episode that was resolved, nothing says when."""
    onset, resolved = row.get("onset_at"), row.get("resolved_at")
    return "" if not onset or (resolved and _moment(onset) <= _moment(resolved)) else ago(onset, now)


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


def ago(text: str, now: datetime) -> str:
    """In one unit."""
    seconds = max(0.0, (now - _moment(text)).total_seconds())
    for worth, unit in _UNITS:
        if seconds >= worth:
            return f"{seconds // worth:.0f} {unit} ago"
    return "just now"


def day(text: str) -> str:
    """A time to the minute."""
    return f"{_moment(text):%Y-%m-%d %H:%M}Z"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


# -- its story ---------------------------------------------------------------------------------------------------------

ONSETS_SHOWN = 10


def sentences(issue: Row, now: datetime) -> Iterator[str]:
    yield _what(issue)
    yield _how_often(issue, now)
    yield from filter(None, (_how_it_stands(issue), _versions(issue), _merged(issue)))


def is_reported(issue: Row) -> bool:
    """An application said it of itself: there is no line of a log that a rule could be drafted from."""
    return str(issue["fingerprint"]).startswith(REPORTED)


def _what(issue: Row) -> str:
    if is_reported(issue):
        return issue["description"] or "An application reported it."
    match issue["source"]:
        case "learned":
            return "No rule knows this error; it was learned because it came again and again."
        case "rule":
            return f"Rule {issue['issue_type']} knows it." + (
                f" {issue['description']}" if issue["description"] else ""
            )
    return issue["description"] or "A fix failed so often that it is held back."


def _how_often(issue: Row, now: datetime) -> str:
    episodes = f" in {several(issue['episodes'], 'episode')}" if issue["episodes"] else ""
    usual = "usually" if issue["usual_hours"] >= LEARNED_FROM else "on average"
    return (
        f"It was seen {several(issue['occurrences'], 'time')}{episodes}, {usual} {rate_of(issue)}; first "
        f"{ago(issue['first_seen'], now)}, last {ago(issue['last_seen'], now)}."
    )


def _how_it_stands(issue: Row) -> str:
    by = f" by {issue['decided_by']}" if issue["decided_by"] else ""
    notes = "" if issue["resolution_notes"] in ("", f"resolved{by}") else f": {issue['resolution_notes']}"
    match issue["status"]:
        case "new":
            return "It is new."
        case "escalating":
            hour = several(issue["slot_count"], "time")
            return (
                f"It comes far more often than usual: {hour} in the last hour counted, usual are {issue['usual']:.3g}."
            )
        case "resolved":
            version = f" from version {issue['resolved_version']} on" if issue["resolved_version"] else ""
            again = "report" if is_reported(issue) else "line"
            return f"It is over{version} since {day(issue['resolved_at'])}{by}{notes}. A later {again} brings it back."
        case "regressed":
            resolved = f" on {day(issue['resolved_at'])}" if issue["resolved_at"] else ""
            return f"It came back after it was resolved{resolved}{by}{notes}."
        case "muted":
            return f"Nobody is called for it: muted{by} {muted_until(issue) or 'until somebody unmutes it'}."
        case "merged":
            heard = " Its mute ended with that." if issue["resolution_notes"].endswith(MUTE_ENDED) else ""
            return f"It is part of issue {issue['merged_into'][-8:]} by now{by}, and counts there.{heard}"
    return ""


def _versions(issue: Row) -> str:
    first, last = issue["first_version"], issue["version"]
    if not last:
        return ""
    return f"It was seen in version {last}." if first in ("", last) else f"It was seen in versions {first} to {last}."


def _merged(issue: Row) -> str:
    parts = ", ".join(each["id"][-8:] for each in issue["merged"])
    return f"What was merged into it: {parts}." if parts else ""


def life(issue: Row) -> Iterator[str]:
    """Its dates, oldest first."""
    first, version = issue["first_seen"], issue["first_version"]
    dates = [(first, "first seen" + (f", in version {version}" if version else ""))]
    begun = [each["at"] for each in issue["onsets"]]
    if len(begun) >= issue["episodes"]:
        begun = begun[1:]  # that is when it was first seen
    dates += [(at, "came again") for at in begun[-ONSETS_SHOWN:]]
    hidden = issue["episodes"] - 1 - min(len(begun), ONSETS_SHOWN)
    if hidden > 0:
        dates.append((first, f"... and {several(hidden, 'episode')} before those below"))
    if issue["resolved_at"]:
        dates.append((issue["resolved_at"], "resolved"))
    dates.append((issue["last_seen"], "last seen"))
    yield from (f"{day(at)}  {what}" for at, what in sorted(dates, key=lambda each: each[0]))
