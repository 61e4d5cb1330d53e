"""Words for rows, as the API answers them: the same on the command line and on the pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
