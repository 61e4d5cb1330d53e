"""Words for rows, as the API answers them: the same on the command line, on the pages and in messages. Commands are
made of this: what it imports is loaded for each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from logmedic.model.report import REQUESTS_KEPT

Row = Mapping[str, Any]


def state_of(row: Row) -> str:
    """What happens to an incident now."""
    if row["status"] == "resolved":
        return str(row["resolution"] or "resolved").replace("_", " ")
    hold = hold_of(row)
    return f"{row['status']} ({hold})" if hold else str(row["status"])


def hold_of(row: Row) -> str:
    """What holds its fix. The cooldown after a fix that failed is none: that people are needed outlasts it."""
    if not row["hold"] or (row["status"], row["hold"]) == ("failed", "cooldown"):
        return ""
    return str(row["hold"]).replace("_", " ")


def newest(requests: Sequence[str]) -> str:
    """The last of `requests`, whole, for it is looked for in logs; and how many more there are, as far as they are
    kept. Or nothing."""
    if not requests:
        return ""
    more = len(requests) - 1
    least = "at least " if len(requests) >= REQUESTS_KEPT else ""
    return requests[-1] + (f", and {least}{more} more" if more else "")


def requests_of(row: Row) -> str:
    """Requests of applications that failed of an incident: the newest, and how many more. Or nothing."""
    return newest(row.get("requests") or ())


def reports_of(row: Row) -> str:
    """How the report socket does, in a line; `row` as of Control.status."""
    refused = {reason: n for reason, n in row["refused"].items() if n}
    told = [f"{row['taken']} taken"]
    if refused:
        reasons = ", ".join(f"{n} {reason}" for reason, n in refused.items())
        told.append(f"{sum(refused.values())} refused ({reasons})")
    told.append("1 connection" if row["connections"] == 1 else f"{row['connections']} connections")
    if row["asking"]:
        told.append(f"{row['asking']} {'waits' if row['asking'] == 1 else 'wait'} for an answer")
    return ", ".join(told)
