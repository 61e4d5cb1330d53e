"""Read-only questions, answered from the tables."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import duckdb

from logmedic.adapters.store import rows
from logmedic.adapters.store.rows import SOURCE_EVENTS, Table, utc
from logmedic.model.errors import NotFound
from logmedic.model.issue import IncidentStatus, PatternType, Resolution

SHORTEST_ID = 4
EVER = datetime(1900, 1, 1)  # noqa: DTZ001  as DuckDB keeps times


class DuckQueries:
    """Implements ports.Queries on one connection, which the caller owns, and in whose thread this is used."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def incidents(self, *, everything: bool = False, limit: int = 50) -> list[dict[str, Any]]:
        where = "" if everything else "status <> ?"
        given = [] if everything else [IncidentStatus.RESOLVED.value]
        return self._rows(rows.INCIDENTS, where, given, "id DESC", limit)

    def incident(self, incident_id: str) -> dict[str, Any]:
        found = self._found(incident_id)
        of_it, ordered = "incident_id = ?", "id"
        return {
            **found,
            "events": self._rows(rows.EVENTS, of_it, [found["id"]], ordered),
            "attempts": self._rows(rows.ATTEMPTS, of_it, [found["id"]], ordered),
            "alerts": self._rows(rows.ALERTS, of_it, [found["id"]], ordered),
            "issue": next(iter(self._rows(rows.ISSUES, "id = ?", [found["issue_id"]])), None),
        }

    def _found(self, incident_id: str) -> dict[str, Any]:
        exact = self._rows(rows.INCIDENTS, "id = ?", [incident_id])
        if exact:
            return exact[0]
        if len(incident_id) < SHORTEST_ID:
            raise NotFound(f"no incident {incident_id}", f"type at least {SHORTEST_ID} characters of the end of its id")
        ended = self._rows(rows.INCIDENTS, "ends_with(id, ?)", [incident_id], limit=2)
        if len(ended) > 1:
            raise NotFound(f"more than one incident ends with {incident_id}", "type more of its id")
        if not ended:
            raise NotFound(f"no incident {incident_id}", "logmedic incidents --all lists them")
        return ended[0]

    def issues(self, *, limit: int = 100) -> list[dict[str, Any]]:
        return self._rows(rows.ISSUES, order="last_seen DESC, id DESC", limit=limit)

    def learnings(self, *, limit: int = 100) -> list[dict[str, Any]]:
        return self._rows(rows.LEARNINGS, order="id DESC", limit=limit)

    def breakers(self) -> list[dict[str, Any]]:
        return self._rows(rows.BREAKERS, order="rule_id")

    def alerts(self, *, limit: int = 100) -> list[dict[str, Any]]:
        return self._rows(rows.ALERTS, order="id DESC", limit=limit)

    def stats(self, since: datetime | None = None) -> dict[str, Any]:
        start = utc(since) if since is not None else EVER
        fixed, recovery = self._one(
            "SELECT count(*), avg(epoch(resolved_at) - epoch(opened_at)) FROM incidents "
            "WHERE resolution = ? AND resolved_at >= ?",
            [Resolution.FIXED.value, start],
        )
        lessons = self._lessons(start)
        worked, failed = lessons.get("auto_fix_success", 0), lessons.get("auto_fix_failure", 0)
        return {
            "total_errors": self._errors(start),
            "auto_fixed": fixed,
            "auto_fix_success_rate": worked / (worked + failed) if worked + failed else None,
            "circuit_breaker_opens": lessons.get(PatternType.CIRCUIT_BREAKER_OPEN.value, 0),
            "escalations": lessons.get(PatternType.ISSUE_ESCALATION.value, 0),
            "avg_recovery_time_s": recovery,
        }

    def _errors(self, start: datetime) -> int:
        """Counts are kept by minute, so the first one is taken whole."""
        sql = "SELECT coalesce(sum(n), 0) FROM tallies WHERE kind IN ('matched', 'unknown') AND minute > ?"
        return int(self._one(sql, [start - timedelta(seconds=60)])[0])

    def _lessons(self, start: datetime) -> dict[str, int]:
        sql = "SELECT pattern_type, count(*) FROM learning_patterns WHERE created_at >= ? GROUP BY ALL"
        return dict(self._connection.execute(sql, [start]).fetchall())

    def gaps(self, *, source: str = "", limit: int = 100) -> list[dict[str, Any]]:
        where, given = ("source = ?", [source]) if source else ("", [])
        return self._rows(SOURCE_EVENTS, where, given, order="id DESC", limit=limit)

    def counts(self) -> dict[str, int]:
        sql = "SELECT kind, sum(n)::BIGINT FROM tallies GROUP BY kind ORDER BY kind"
        return dict(self._connection.execute(sql).fetchall())

    def _rows(
        self,
        table: Table[Any],
        where: str = "",
        given: list[Any] | None = None,
        order: str = "",
        limit: int | None = None,
    ) -> list[dict[str, Any]]:
        answer = self._connection.execute(table.select(where, order, limit), given or [])
        return [table.as_json(row) for row in answer.fetchall()]

    def _one(self, sql: str, given: list[Any]) -> tuple[Any, ...]:
        row = self._connection.execute(sql, given).fetchone()
        return tuple(row) if row is not None else ()
