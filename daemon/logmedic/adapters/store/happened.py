"""What happened, as it is told live: read back out of the tables that hold it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

import duckdb

from logmedic.adapters.store import rows
from logmedic.adapters.store.lists import TELLS, Asked, conditions, telling, time_of
from logmedic.adapters.store.rows import Table
from logmedic.core.feed import row_of
from logmedic.core.happenings import ALERT, Happened, happening, of_incident_event
from logmedic.model.issue import IncidentEvent
from logmedic.model.live import LiveEvent

_ITS_LESSON = "contains(context, ?) AND json_extract_string(context, '$.incident') = ?"
"""JSON is only looked into where it may be."""


@dataclass(frozen=True, slots=True)
class _Origin:
    """A table whose rows are events. `kind`, `at`: SQL; `about`: SQL that says whether it is about an incident, whose
    id it takes `times` times, or as `telling`; None: it never is. `unread`: see Table.select."""

    table: Table[Any]
    at: str
    kind: str
    about: str | None = None
    times: int = 1
    unread: tuple[str, ...] = ()

    def asked_of(self, incident: str) -> Asked:
        if not incident or self.about is None:
            return {}
        return {self.about: telling(incident) if self.about == TELLS else [incident] * self.times}


_ORIGINS = (
    _Origin(rows.EVENTS, '"at"', "kind", "incident_id = ?"),
    _Origin(rows.SOURCE_EVENTS, '"at"', "kind"),
    _Origin(rows.TRUST_CHANGES, '"at"', "kind"),
    _Origin(rows.ALERTS, "created_at", f"'{ALERT}'", TELLS, unread=("content", "body")),
    _Origin(rows.LEARNINGS, "created_at", "pattern_type", _ITS_LESSON, times=2),
)
"""The longest first: what lies behind its last row is not read of the others."""


def events(
    connection: duckdb.DuckDBPyConnection,
    *,
    after: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    kinds: Collection[str] = (),
    incident: str = "",
    limit: int = 100,
    newest: bool = False,
) -> list[dict[str, Any]]:
    """As ports.Queries has it. Raises duckdb.Error."""
    found: list[Happened] = []
    for origin in _ORIGINS:
        if incident and origin.about is None:
            continue
        last = found[limit - 1].id if 0 < limit <= len(found) else ""
        asked = {
            "id > ?": after,
            "id >= ?" if newest else "id <= ?": last,
            f"{origin.at} >= ?": time_of(since),
            f"{origin.at} < ?": time_of(until),
            f"list_contains(?::VARCHAR[], {origin.kind})": [list(kinds)] if kinds else "",
            **origin.asked_of(incident),
        }
        where, given = conditions(asked)
        sql = origin.table.select(where, f"id {'DESC' if newest else 'ASC'}", limit, origin.unread)
        found += map(origin.table.decoded, connection.execute(sql, given).fetchall())
        found.sort(key=attrgetter("id"), reverse=newest)
    chosen = found[:limit]
    return [row_of(each) for each in _told(connection, chosen[::-1] if newest else chosen)]


def _told(connection: duckdb.DuckDBPyConnection, happened: Sequence[Happened]) -> list[LiveEvent]:
    wanted = sorted({each.incident_id for each in happened if isinstance(each, IncidentEvent)})
    sql = "SELECT id, title, severity FROM incidents WHERE id IN (SELECT unnest(?::VARCHAR[]))"
    known = {each: (title, severity) for each, title, severity in connection.execute(sql, [wanted]).fetchall()}
    return [
        of_incident_event(each, *known.get(each.incident_id, ("", "")))
        if isinstance(each, IncidentEvent)
        else happening(each)
        for each in happened
    ]
