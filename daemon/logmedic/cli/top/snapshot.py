"""What the live view shows at one moment, of what the daemon answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from logmedic.model.severity import Severity

Row = Mapping[str, Any]
SOURCES_ASKED = 200
"""Of more sources only those are shown that want attention."""
_ENDED = "finished"


@dataclass(frozen=True, slots=True)
class Answers:
    """As the API gives them: `status`, `sources`, `fixes` (the newest attempts), `alerts` (that wait)."""

    at: datetime
    status: Row
    sources: Sequence[Row] = ()
    fixes: Sequence[Row] = ()
    alerts: Sequence[Row] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """`lines_s`, `bytes_s`: a second; None: not known yet."""

    row: Row
    lines_s: float | None = None
    bytes_s: float | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`incidents`: open, the most severe first, then the newest. `fixes`: attempts under way. `live`: the daemon tells
    of changes by itself. `problem`: why what is shown is older than it should be, or empty."""

    at: datetime
    status: Row
    incidents: Sequence[Row] = ()
    fixes: Sequence[Row] = ()
    alerts: Sequence[Row] = ()
    sources: Sequence[Source] = ()
    lines_s: float | None = None
    live: bool = False
    problem: str = ""
    titles: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_paused(self) -> bool:
        return bool(self.status.get("pauses"))


def snapshot(answers: Answers, before: Answers | None = None, *, live: bool = False) -> Snapshot:
    """`before`: an earlier moment of the same daemon, from which rates are."""
    same = before is not None and before.status.get("started_at") == answers.status.get("started_at")
    known = {_key(row): row for row in before.sources} if before is not None and same else {}
    seconds = (answers.at - before.at).total_seconds() if before is not None and same else 0.0
    sources = [_source(row, known.get(_key(row)), seconds) for row in answers.sources]
    rates = [each.lines_s for each in sources if each.lines_s is not None]
    incidents = sorted(answers.status["open_incidents"], key=lambda row: str(row["id"]), reverse=True)
    incidents.sort(key=lambda row: -Severity(row["severity"]).rank)
    return Snapshot(
        at=answers.at,
        status=answers.status,
        incidents=incidents,
        fixes=[row for row in answers.fixes if row["status"] != _ENDED],
        alerts=list(answers.alerts),
        sources=sorted(sources, key=_by_attention),
        lines_s=sum(rates) if rates else None,
        live=live,
        titles={row["id"]: row["title"] for row in incidents},
    )


def _key(row: Row) -> tuple[str, str]:
    return str(row["source"]), str(row["origin"])


def _source(row: Row, before: Row | None, seconds: float) -> Source:
    if before is None or seconds <= 0:
        return Source(row)
    return Source(row, *(max(row[name] - before[name], 0) / seconds for name in ("lines", "bytes")))


def _by_attention(each: Source) -> tuple[bool, float, float, str, str]:
    """What is wrong, what is behind, what is busy; then by name."""
    row = each.row
    return not row["problem"], -(row["lag_bytes"] or 0), -round(each.lines_s or 0), *_key(row)
