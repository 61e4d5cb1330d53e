"""Read-only questions, answered from the tables."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import duckdb

from logmedic.adapters.store import learned, metrics, rows
from logmedic.adapters.store.rows import SOURCE_EVENTS, Table, utc
from logmedic.model.alert import UNDELIVERED
from logmedic.model.errors import NotFound
from logmedic.model.fix import Verdict
from logmedic.model.issue import IncidentStatus
from logmedic.model.learned import FixedBefore

SHORTEST_ID = 4
ONSETS_SHOWN, INCIDENTS_SHOWN, LESSONS_SHOWN = 20, 10, 20
"""Of one issue, the newest."""
MOST_ONSETS = 50_000
_TAGGED = "list_contains(from_json(tags, '[\"VARCHAR\"]'), ?)"
_UNDELIVERED = f"status IN ({', '.join(repr(each.value) for each in sorted(UNDELIVERED))})"
_TELLS = "contains(coalesce(tells, ''), ?)"
WAITING = "waiting"
"""Of alerts: whatever is still to be told."""
_SIGNED = re.compile(r"(/a/)[\w.~=-]+")
"""A link of a message: whoever has it may act with it, and reading is for more people than acting."""
LESSONS_BY = "coalesce(updated_at, created_at) DESC, id DESC"
EVER, ALWAYS = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


def alert_row(row: dict[str, Any]) -> dict[str, Any]:
    """As it is answered: without what its message is made of, and without what its links are signed with."""
    shown = {name: value for name, value in row.items() if name != "content"}
    return {**shown, "body": _SIGNED.sub(r"\1...", str(row["body"]))}


class DuckQueries:
    """Implements ports.Queries on one connection, which the caller owns, and in whose thread this is used."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def incidents(self, *, everything: bool = False, limit: int = 50) -> list[dict[str, Any]]:
        where = "" if everything else "status <> ?"
        given = [] if everything else [IncidentStatus.RESOLVED.value]
        return self._rows(rows.INCIDENTS, where, given, "id DESC", limit)

    def incident(self, incident_id: str) -> dict[str, Any]:
        found = self._by_end(rows.INCIDENTS, "incident", incident_id, "logmedic incidents --all")
        of_it, ordered = "incident_id = ?", "id"
        return {
            **found,
            "events": self._rows(rows.EVENTS, of_it, [found["id"]], ordered),
            "attempts": self._rows(rows.ATTEMPTS, of_it, [found["id"]], ordered),
            "alerts": self._told(found["id"]),
            "issue": next(iter(self._rows(rows.ISSUES, "id = ?", [found["issue_id"]])), None),
            "notice": next(iter(self._rows(rows.NOTICES, "subject = ?", [f"incident:{found['id']}"])), None),
        }

    def _told(self, incident_id: str) -> list[dict[str, Any]]:
        """Messages that tell of it, also beside others."""
        told = self._rows(
            rows.ALERTS, f"incident_id = ? OR {_TELLS}", [incident_id, json.dumps(f"incident:{incident_id}")], "id"
        )
        return [alert_row(each) for each in told]

    def _by_end(self, table: Table[Any], noun: str, entity_id: str, lists: str) -> dict[str, Any]:
        """That of this id, or the only one whose id ends so. `lists`: where people see the ids. Raises NotFound."""
        exact = self._rows(table, "id = ?", [entity_id])
        if exact:
            return exact[0]
        if len(entity_id) < SHORTEST_ID:
            raise NotFound(f"no {noun} {entity_id}", f"type at least {SHORTEST_ID} characters of the end of its id")
        ended = self._rows(table, "ends_with(id, ?)", [entity_id], limit=2)
        if len(ended) > 1:
            raise NotFound(f"more than one {noun} ends with {entity_id}", "type more of its id")
        if not ended:
            raise NotFound(f"no {noun} {entity_id}", f"{lists} lists them")
        return ended[0]

    def issues(
        self, *, source: str = "", status: str = "", component: str = "", limit: int = 100
    ) -> list[dict[str, Any]]:
        asked = {"source = ?": source, "status = ?": status, _TAGGED: component}
        return self._chosen(rows.ISSUES, asked, "last_seen DESC, id DESC", limit)

    def issue(self, issue_id: str) -> dict[str, Any]:
        found = self._by_end(rows.ISSUES, "issue", issue_id, "logmedic issues")
        given = [found["id"]]
        mine = "json_extract_string(context, '$.issue') = ?"
        return {
            **found,
            "templates": self._rows(rows.TEMPLATES, "issue_id = ?", given, "occurrences DESC, fingerprint"),
            "merged": self._rows(rows.ISSUES, "merged_into = ?", given, "id"),
            "onsets": self._rows(rows.ONSETS, "issue_id = ?", given, '"at" DESC', ONSETS_SHOWN)[::-1],
            "incidents": self._rows(rows.INCIDENTS, "issue_id = ?", given, "id DESC", INCIDENTS_SHOWN),
            "diagnoses": self._rows(rows.DIAGNOSES, "issue_id = ?", given, '"at" DESC', 1),
            "learnings": self._rows(rows.LEARNINGS, mine, given, LESSONS_BY, LESSONS_SHOWN),
        }

    def learned(self, issue_id: str) -> dict[str, Any]:
        return learned.story(self.issue(issue_id), self._ordinary, self._fixed_before())

    def _ordinary(self, source: str) -> list[str]:
        return [each["text"] for each in self._rows(rows.ORDINARY, "source = ?", [source], "slot")]

    def _fixed_before(self) -> list[dict[str, Any]]:
        last = "coalesce(arg_max({}, finished_at), '')".format
        sql = (
            f"SELECT a.rule_id, {last('title')} AS title, {last('source')} AS source, "  # noqa: S608  constants
            f"{last('evidence')} AS evidence, step_name, from_json({last('argv')}, '[\"VARCHAR\"]') AS argv, "
            "count(*) AS worked, max(finished_at) AS last_at "
            "FROM fix_attempts a LEFT JOIN incidents i ON i.id = a.incident_id "
            "WHERE verdict = ? AND finished_at IS NOT NULL GROUP BY a.rule_id, step_name "
            "ORDER BY last_at DESC, a.rule_id, step_name LIMIT ?"
        )
        names = [each.name for each in fields(FixedBefore)]
        answer = self._connection.execute(sql, [Verdict.FIXED.value, learned.FIXES_SHOWN]).fetchall()
        found = (dict(zip(names, row, strict=True)) for row in answer)
        return [{**row, "last_at": rows.jsonable(row["last_at"].replace(tzinfo=UTC))} for row in found]

    def templates(self, *, component: str = "", limit: int = 100) -> list[dict[str, Any]]:
        asked = {"component = ?": component, "issue_id = '' AND merged_into = ''": None}
        return self._chosen(rows.TEMPLATES, asked, "last_seen DESC, fingerprint", limit)

    def learnings(self, *, kind: str = "", min_confidence: float = 0.0, limit: int = 100) -> list[dict[str, Any]]:
        asked = {"pattern_type = ?": kind, "confidence >= ?": min_confidence or ""}
        return self._chosen(rows.LEARNINGS, asked, LESSONS_BY, limit)

    def onsets(self, since: datetime, limit: int = MOST_ONSETS) -> str:
        line, newest = "issue_id || ' ' || epoch_us(\"at\") || chr(10)", 'WHERE "at" >= ? ORDER BY "at" DESC LIMIT ?'
        sql = (
            f"SELECT coalesce(string_agg({line}, '' ORDER BY \"at\", issue_id), '') "  # noqa: S608  constants
            f'FROM (SELECT issue_id, "at" FROM onsets {newest})'
        )
        return str(self._one(sql, [utc(since), limit])[0])

    def fixes(self, since: datetime | None = None, *, rule: str = "", limit: int = 100) -> list[dict[str, Any]]:
        listed = [each for each in rows.ATTEMPTS.columns if each.name != "output"]
        columns = ", ".join(f'fixes."{each.name}"' for each in listed)
        asked = {"fixes.started_at >= ?": utc(since) if since else None, "fixes.rule_id = ?": rule or None}
        where = {condition: value for condition, value in asked.items() if value is not None}
        sql = (
            f"SELECT coalesce(incidents.title, ''), {columns} FROM fix_attempts AS fixes "  # noqa: S608  constants
            "LEFT JOIN incidents ON incidents.id = fixes.incident_id "
            f"{'WHERE ' + ' AND '.join(where) if where else ''} ORDER BY fixes.id DESC LIMIT ?"
        )
        found = self._connection.execute(sql, [*where.values(), limit]).fetchall()
        return [
            {**{each.name: each.as_json(value) for each, value in zip(listed, row, strict=True)}, "title": title}
            for title, *row in found
        ]

    def breakers(self) -> list[dict[str, Any]]:
        return self._rows(rows.BREAKERS, order="rule_id, fix, target")

    def trust(self) -> list[dict[str, Any]]:
        return self._rows(rows.TRUST, order="rule_id")

    def trust_changes(self, *, rule: str = "", limit: int = 100) -> list[dict[str, Any]]:
        return self._chosen(rows.TRUST_CHANGES, {"rule_id = ?": rule}, "id DESC", limit)

    def earned(self) -> list[dict[str, Any]]:
        return self._rows(rows.EARNED, order="rule_id, step")

    def pauses(self) -> list[dict[str, Any]]:
        return self._rows(rows.PAUSES, order="origin")

    def alerts(
        self, *, status: str = "", receiver: str = "", since: datetime | None = None, limit: int = 100
    ) -> list[dict[str, Any]]:
        waiting = status == WAITING
        asked = {
            _UNDELIVERED: None if waiting else "",
            "status = ?": "" if waiting else status,
            "receiver = ?": receiver,
            "created_at >= ?": utc(since) if since else "",
        }
        return [alert_row(each) for each in self._chosen(rows.ALERTS, asked, "id DESC", limit)]

    def alert(self, alert_id: str) -> dict[str, Any]:
        return alert_row(self._by_end(rows.ALERTS, "message", alert_id, "logmedic alerts list"))

    def deliveries(self, since: datetime | None = None) -> list[dict[str, Any]]:
        sql = (
            "SELECT receiver, status, count(*) FROM alerts WHERE created_at >= ? AND event <> 'test' "
            "GROUP BY receiver, status ORDER BY receiver, status"
        )
        answer = self._connection.execute(sql, [utc(since or EVER)]).fetchall()
        return [{"receiver": receiver, "status": status, "n": n} for receiver, status, n in answer]

    def silences(self, *, since: datetime | None = None, limit: int = 100) -> list[dict[str, Any]]:
        asked = {"until > ?": utc(since) if since else ""}
        return self._chosen(rows.SILENCES, asked, "id DESC", limit)

    def silence(self, silence_id: str) -> dict[str, Any]:
        return self._by_end(rows.SILENCES, "silence", silence_id, "logmedic silence list --all")

    def stats(self, since: datetime | None = None) -> dict[str, Any]:
        return metrics.between(self._connection, since or EVER, ALWAYS)

    def trends(self, *, since: datetime, until: datetime) -> dict[str, Any]:
        return {
            "since": rows.jsonable(since),
            "until": rows.jsonable(until),
            "known_since": rows.jsonable(metrics.known_since(self._connection)),
            "metrics": metrics.between(self._connection, since, until),
            "before": metrics.between(self._connection, since - (until - since), since),
            "days": metrics.by_day(self._connection, since, until),
        }

    def gaps(self, *, source: str = "", limit: int = 100) -> list[dict[str, Any]]:
        where, given = ("source = ?", [source]) if source else ("", [])
        return self._rows(SOURCE_EVENTS, where, given, order="id DESC", limit=limit)

    def counts(self) -> dict[str, int]:
        sql = (
            "SELECT kind, sum(n)::BIGINT FROM tallies WHERE NOT starts_with(kind, 'past_') GROUP BY kind ORDER BY kind"
        )
        return dict(self._connection.execute(sql).fetchall())

    def _chosen(self, table: Table[Any], asked: Mapping[str, Any], order: str, limit: int) -> list[dict[str, Any]]:
        """`asked`: conditions with their value; one whose value is empty is not asked, None: it takes none."""
        where = {condition: value for condition, value in asked.items() if value != ""}
        given = [value for value in where.values() if value is not None]
        return self._rows(table, " AND ".join(where), given, order, limit)

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
