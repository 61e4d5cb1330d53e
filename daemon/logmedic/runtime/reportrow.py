"""What a status says of the report socket."""

from __future__ import annotations

from typing import Any

from logmedic.model.report import REFUSALS, ReportCounts


def report_row(socket: str, counts: ReportCounts, problem: str) -> dict[str, Any]:
    """As of ports.Control.status."""
    return {
        "socket": socket,
        "taken": counts.taken,
        "repeated": counts.repeated,
        "refused": {reason: counts.refused.get(reason, 0) for reason in REFUSALS},
        "waiting": counts.waiting,
        "connections": counts.connections,
        "turned_away": counts.turned_away,
        "cut_off": counts.cut_off,
        "asking": counts.questions,
        "breakers": counts.breakers,
        "problem": problem,
    }
