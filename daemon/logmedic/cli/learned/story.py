"""The story of a known issue, in plain words and in dates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from logmedic.cli.learned.words import LEARNED_FROM, ago, day, muted_until, rate_of
from logmedic.cli.output import several

ONSETS_SHOWN = 10

Issue = Mapping[str, Any]


def sentences(issue: Issue) -> Iterator[str]:
    yield _what(issue)
    yield _how_often(issue)
    yield from filter(None, (_how_it_stands(issue), _versions(issue), _merged(issue)))


def _what(issue: Issue) -> str:
    match issue["source"]:
        case "learned":
            return "No rule knows this error; it was learned because it came again and again."
        case "rule":
            return f"Rule {issue['issue_type']} knows it." + (
                f" {issue['description']}" if issue["description"] else ""
            )
    return issue["description"] or "A fix failed so often that it is held back."


def _how_often(issue: Issue) -> str:
    episodes = f" in {several(issue['episodes'], 'episode')}" if issue["episodes"] else ""
    usual = "usually" if issue["usual_hours"] >= LEARNED_FROM else "on average"
    return (
        f"It was seen {several(issue['occurrences'], 'time')}{episodes}, {usual} {rate_of(issue)}; first "
        f"{ago(issue['first_seen'])}, last {ago(issue['last_seen'])}."
    )


def _how_it_stands(issue: Issue) -> str:
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
            return f"It is over{version} since {day(issue['resolved_at'])}{by}{notes}. A later line brings it back."
        case "regressed":
            resolved = f" on {day(issue['resolved_at'])}" if issue["resolved_at"] else ""
            return f"It came back after it was resolved{resolved}{by}{notes}."
        case "muted":
            return f"Nobody is called for it: muted{by} {muted_until(issue) or 'until somebody unmutes it'}."
        case "merged":
            return f"It is part of issue {issue['merged_into'][-8:]} by now{by}, and counts there."
    return ""


def _versions(issue: Issue) -> str:
    first, last = issue["first_version"], issue["version"]
    if not last:
        return ""
    return f"It was seen in version {last}." if first in ("", last) else f"It was seen in versions {first} to {last}."


def _merged(issue: Issue) -> str:
    parts = ", ".join(each["id"][-8:] for each in issue["merged"])
    return f"What was merged into it: {parts}." if parts else ""


def life(issue: Issue) -> Iterator[str]:
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
