"""Alerts in words: what became of a message, how a receiver does, what a status says of both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from logmedic.cli.output import Row, several, span, until

SHOWN = 5
"""Receivers in a status."""


def message_state(row: Row) -> str:
    """What became of it, or what it waits for."""
    tries = f" after {row['tries']} tries" if row["tries"] > 1 else ""
    match row["status"]:
        case "pending":
            return f"tried again{_within(row['next_at'])}{tries}" if row["tries"] else "to be sent"
        case "deferred":
            return f"waits {until(row['next_at'])}"
        case "folded":
            return f"told in {str(row.get('folded_into', ''))[-8:] or 'another one'}"
        case "sent":
            return f"sent{tries}"
        case "dead":
            return f"given up{tries}"
    return str(row["status"])


def _within(moment: Any) -> str:
    """How long until then; nothing of what is over."""
    left = (datetime.fromisoformat(str(moment)) - datetime.now(UTC)).total_seconds()
    return f" in {span(left)}" if left > 0 else ""


def receiver_state(row: Row) -> str:
    """What it does, and what ends that."""
    if row["state"] == "ok" and row.get("failures"):
        return f"failing, {row['failures']} in a row"
    if row["state"] != "breaker open":
        return str(row["state"])
    if row.get("trial"):
        return "breaker open, a trial is under way"
    return f"breaker open {until(row['open_until'])}" if row["open_until"] else "breaker open"


def nobody_to_tell(alerts: Mapping[str, Any]) -> bool:
    """Of a status: there are receivers, and none of them works (F72)."""
    return bool(0 < alerts.get("receivers_total", 0) == len(alerts["receivers"]))


def untold(alerts: Mapping[str, Any], unusable: Mapping[str, str]) -> Iterator[str]:
    """Of a status: whom nothing reaches, and what did not arrive."""
    rows = alerts.get("receivers", ())
    if nobody_to_tell(alerts):
        yield "NOBODY CAN BE TOLD: no receiver works"
    for row in rows[:SHOWN]:
        yield f"receiver {row['name']}: {receiver_state(row)}: {row['last_error']}"
    if len(rows) > SHOWN:
        yield f"and {several(len(rows) - SHOWN, 'other receiver')}: logmedic alerts receivers"
    known = {row["name"] for row in rows}
    yield from (f"receiver {name}: {problem}" for name, problem in unusable.items() if name not in known)
    if alerts["dead"]:
        yield f"{several(alerts['dead'], 'message')} could not be delivered: logmedic alerts list --dead"


def alerts_line(alerts: Mapping[str, Any]) -> str:
    """What waits, what is silent, what somebody takes care of."""
    parts = [f"{alerts['pending']:,} to be sent"]
    if alerts.get("deferred"):
        parts.append(f"{alerts['deferred']:,} wait for a digest, the end of quiet hours, or room")
    if alerts.get("silences"):
        parts.append(f"{several(alerts['silences'], 'silence')} in force: logmedic silence list")
    if alerts.get("acked"):
        parts.append(f"{alerts['acked']:,} acknowledged")
    return "; ".join(parts)
