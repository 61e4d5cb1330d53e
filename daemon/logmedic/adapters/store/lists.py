"""Lists: rows of one table, chosen by what they hold, newest first, in pages."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb

from logmedic.adapters.store import rows
from logmedic.adapters.store.rows import Table, utc
from logmedic.core.paging import ORDERS, Place, place_of
from logmedic.core.reported import begins
from logmedic.model.alert import UNDELIVERED
from logmedic.model.issue import IncidentStatus

WAITING = "waiting"
"""Of alerts: whatever is still to be told."""
EVER, ALWAYS = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
_TAGGED = "list_contains(from_json(tags, '[\"VARCHAR\"]'), ?)"
_UNDELIVERED = f"status IN ({', '.join(repr(each.value) for each in sorted(UNDELIVERED))})"
TELLS = "rowid IN (SELECT rowid FROM alerts WHERE incident_id = ? OR contains(coalesce(tells, ''), ?))"
"""Of alerts: it tells of that incident, also beside others. Two parameters: see `telling`. No other is read whole."""
UNREAD = ("content",)
"""Of alerts: what their message is made of."""
_FAILED_REQUEST = (
    "(contains(coalesce(requests, ''), ?) OR id IN "
    "(SELECT incident_id FROM incident_events WHERE kind = 'request' AND starts_with(text, ?)))"
)
"""Of incidents: one of the last requests that failed of it, or of the first, which are in its timeline."""
_HOLDS = "contains(lower({}), lower(?))"
_SIGNED = re.compile(r"(/a/)[\w.~=-]+")
"""A link of a message: whoever has it may act with it, and reading is for more people than acting."""
_WRITTEN_AT = "coalesce(updated_at, created_at)"
LESSONS_BY = f"{_WRITTEN_AT} DESC, id DESC"

Row = dict[str, Any]
Asked = Mapping[str, Any]
"""Conditions with their value, a list for several; one whose value is empty is not asked, None: it takes none."""


def alert_row(row: Row) -> Row:
    """As it is answered: without what its message is made of, and without what its links are signed with."""
    shown = {name: value for name, value in row.items() if name != "content"}
    return {**shown, "body": _SIGNED.sub(r"\1...", str(row["body"]))}


def telling(incident_id: str) -> list[str]:
    return [incident_id, json.dumps(f"incident:{incident_id}")] if incident_id else []


def _holding(text: str, *columns: str) -> Asked:
    """One of them has it as a part, in whatever case."""
    either = " OR ".join(_HOLDS.format(each) for each in columns)
    return {f"({either})": [text] * len(columns) if text else ""}


def time_of(at: datetime | None) -> Any:
    """As a value of Asked: none is not asked."""
    return utc(at) if at is not None else ""


def conditions(asked: Asked) -> tuple[str, list[Any]]:
    """As SQL, with their values in order."""
    where = {condition: value for condition, value in asked.items() if value not in ("", [])}
    given: list[Any] = []
    for value in where.values():
        given += value if isinstance(value, list) else [value] * (value is not None)
    return " AND ".join(where), given


def _column(name: str, table: str) -> str:
    return _WRITTEN_AT if name == "written_at" else f'{table}."{name}"'


def ordered(question: str, table: str) -> str:
    return ", ".join(f"{_column(name, table)} DESC" for name in ORDERS[question])


def behind(question: str, table: str, cursor: str) -> Asked:
    """Only what comes after that place. Raises BadCursor."""
    place: Place = place_of(question, cursor)
    columns = [_column(name, table) for name in ORDERS[question]]
    given = [utc(each) if isinstance(each, datetime) else each for each in place]
    if not given:
        return {}
    first, *rest = zip(columns, given, strict=True)
    if not rest:
        return {f"{first[0]} < ?": first[1]}
    (second,) = rest
    either = f"({first[0]} < ? OR ({first[0]} = ? AND {second[0]} < ?))"
    return {f"{first[0]} <= ?": first[1], either: [first[1], first[1], second[1]]}


class Lists:
    """Those of ports.Queries, on one connection, which the caller owns, and in whose thread this is used. Raises
    duckdb.Error."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def incidents(
        self,
        *,
        everything: bool = False,
        status: str = "",
        severity: str = "",
        rule: str = "",
        source: str = "",
        issue: str = "",
        group: str = "",
        hold: str = "",
        text: str = "",
        request: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
        cursor: str = "",
    ) -> list[Row]:
        asked = {
            "status <> ?": "" if everything or status or request else IncidentStatus.RESOLVED.value,
            "status = ?": status,
            "severity = ?": severity,
            "rule_id = ?": rule,
            "source = ?": source,
            "issue_id = ?": issue,
            "group_key = ?": group,
            "hold = ?": hold,
            **_holding(text, "title", "evidence"),
            _FAILED_REQUEST: [json.dumps(request), begins(request)] if request else "",
            "opened_at >= ?": time_of(since),
            "opened_at < ?": time_of(until),
        }
        return self._page("incidents", rows.INCIDENTS, asked, limit, cursor)

    def issues(
        self,
        *,
        source: str = "",
        status: str = "",
        component: str = "",
        severity: str = "",
        text: str = "",
        limit: int = 100,
        cursor: str = "",
    ) -> list[Row]:
        asked = {
            "source = ?": source,
            "status = ?": status,
            _TAGGED: component,
            "severity = ?": severity,
            **_holding(text, "title", "description"),
        }
        return self._page("issues", rows.ISSUES, asked, limit, cursor)

    def templates(self, *, component: str = "", limit: int = 100, cursor: str = "") -> list[Row]:
        asked = {"component = ?": component, "issue_id = '' AND merged_into = ''": None}
        return self._page("templates", rows.TEMPLATES, asked, limit, cursor)

    def learnings(
        self, *, kind: str = "", min_confidence: float = 0.0, limit: int = 100, cursor: str = ""
    ) -> list[Row]:
        asked = {"pattern_type = ?": kind, "confidence >= ?": min_confidence or ""}
        return self._page("learnings", rows.LEARNINGS, asked, limit, cursor)

    def fixes(
        self,
        since: datetime | None = None,
        *,
        rule: str = "",
        verdict: str = "",
        target: str = "",
        incident: str = "",
        limit: int = 100,
        cursor: str = "",
    ) -> list[Row]:
        listed = [each for each in rows.ATTEMPTS.columns if each.name != "output"]
        asked = {
            "fixes.started_at >= ?": time_of(since),
            "fixes.rule_id = ?": rule,
            "fixes.verdict = ?": verdict,
            "fixes.target = ?": target,
            "fixes.incident_id = ?": incident,
            **behind("fixes", "fixes", cursor),
        }
        where, given = conditions(asked)
        columns = ", ".join(f'fixes."{each.name}"' for each in listed)
        sql = (
            f"SELECT coalesce(incidents.title, ''), {columns} FROM fix_attempts AS fixes "  # noqa: S608  constants
            "LEFT JOIN incidents ON incidents.id = fixes.incident_id "
            f"{'WHERE ' + where if where else ''} ORDER BY {ordered('fixes', 'fixes')} LIMIT ?"
        )
        found = self._connection.execute(sql, [*given, limit]).fetchall()
        return [
            {**{each.name: each.as_json(value) for each, value in zip(listed, row, strict=True)}, "title": title}
            for title, *row in found
        ]

    def trust_changes(self, *, rule: str = "", limit: int = 100, cursor: str = "") -> list[Row]:
        return self._page("trust_changes", rows.TRUST_CHANGES, {"rule_id = ?": rule}, limit, cursor)

    def alerts(
        self,
        *,
        status: str = "",
        receiver: str = "",
        since: datetime | None = None,
        event: str = "",
        incident: str = "",
        limit: int = 100,
        cursor: str = "",
    ) -> list[Row]:
        waiting = status == WAITING
        asked = {
            _UNDELIVERED: None if waiting else "",
            "status = ?": "" if waiting else status,
            "receiver = ?": receiver,
            "created_at >= ?": time_of(since),
            "event = ?": event,
            TELLS: telling(incident),
        }
        return [alert_row(each) for each in self._page("alerts", rows.ALERTS, asked, limit, cursor, UNREAD)]

    def silences(self, *, since: datetime | None = None, limit: int = 100, cursor: str = "") -> list[Row]:
        return self._page("silences", rows.SILENCES, {"until > ?": time_of(since)}, limit, cursor)

    def gaps(self, *, source: str = "", limit: int = 100, cursor: str = "") -> list[Row]:
        return self._page("gaps", rows.SOURCE_EVENTS, {"source = ?": source}, limit, cursor)

    def breakers(self) -> list[Row]:
        return self._rows(rows.BREAKERS, order="rule_id, fix, target")

    def trust(self) -> list[Row]:
        return self._rows(rows.TRUST, order="rule_id")

    def earned(self) -> list[Row]:
        return self._rows(rows.EARNED, order="rule_id, step")

    def pauses(self) -> list[Row]:
        return self._rows(rows.PAUSES, order="origin")

    def _page(
        self, question: str, table: Table[Any], asked: Asked, limit: int, cursor: str, unread: Collection[str] = ()
    ) -> list[Row]:
        """Raises BadCursor."""
        where, given = conditions({**asked, **behind(question, table.name, cursor)})
        return self._rows(table, where, given, ordered(question, table.name), limit, unread)

    def _rows(
        self,
        table: Table[Any],
        where: str = "",
        given: Sequence[Any] = (),
        order: str = "",
        limit: int | None = None,
        unread: Collection[str] = (),
    ) -> list[Row]:
        answer = self._connection.execute(table.select(where, order, limit, unread), list(given))
        return [table.as_json(row) for row in answer.fetchall()]
