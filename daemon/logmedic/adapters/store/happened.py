"""What happened, as it is told live: read back out of the tables that hold it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

import duckdb

from logmedic.adapters.store import rows
from logmedic.adapters.store.lists import TELLS as ALERT_TELLS
from logmedic.adapters.store.lists import Asked, conditions, telling, time_of
from logmedic.adapters.store.rows import Table
from logmedic.core.feed import row_of
from logmedic.core.happenings import ALERT, Happened, happening, incident_of
from logmedic.model.issue import Incident
from logmedic.model.live import LiveEvent


@dataclass(frozen=True, slots=True)
class _Origin:
    """A table whose rows are events. `kind`: SQL; `about`: SQL that says whether it is about an incident, None: it
    never is. `unread`: columns that an event does not tell, and that are long."""

    table: Table[Any]
    at: str
    kind: str
    about: str | None = None
    unread: tuple[str, ...] = ()

    def select(self, where: str, order: str) -> str:
        columns = ", ".join("''" if each.name in self.unread else f'"{each.name}"' for each in self.table.columns)
        return (
            f"SELECT {columns} FROM {self.table.name} {'WHERE ' + where if where else ''} "  # noqa: S608  constants
            f"ORDER BY id {order} LIMIT ?"
        )


_ORIGINS = (
    _Origin(rows.EVENTS, '"at"', "kind", "incident_id = ?"),
    _Origin(rows.SOURCE_EVENTS, '"at"', "kind"),
    _Origin(rows.TRUST_CHANGES, '"at"', "kind"),
    _Origin(rows.ALERTS, "created_at", f"'{ALERT}'", ALERT_TELLS, ("content", "body")),
    _Origin(rows.LEARNINGS, "created_at", "pattern_type", "json_extract_string(context, '$.incident') = ?"),
)


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
        asked = {
            "id > ?": after,
            f"{origin.at} >= ?": time_of(since),
            f"{origin.at} < ?": time_of(until),
            f"list_contains(?::VARCHAR[], {origin.kind})": [list(kinds)] if kinds else "",
            **_about(origin, incident),
        }
        where, given = conditions(asked)
        sql = origin.select(where, "DESC" if newest else "ASC")
        found += map(origin.table.decoded, connection.execute(sql, [*given, limit]).fetchall())
    found.sort(key=attrgetter("id"))
    chosen = (found[-limit:] if newest else found[:limit]) if limit else []
    return [row_of(each) for each in _told(connection, chosen)]


def _about(origin: _Origin, incident: str) -> Asked:
    if not incident or origin.about is None:
        return {}
    return {origin.about: telling(incident) if origin.about == ALERT_TELLS else incident}


def _told(connection: duckdb.DuckDBPyConnection, happened: Collection[Happened]) -> Iterator[LiveEvent]:
    wanted = sorted({incident_of(each) for each in happened} - {""})
    known = _incidents(connection, wanted)
    return (happening(each, known.get(incident_of(each))) for each in happened)


def _incidents(connection: duckdb.DuckDBPyConnection, wanted: list[str]) -> dict[str, Incident]:
    if not wanted:
        return {}
    sql = rows.INCIDENTS.select("id IN (SELECT unnest(?::VARCHAR[]))")
    found = map(rows.INCIDENTS.decoded, connection.execute(sql, [wanted]).fetchall())
    return {each.id: each for each in found}
