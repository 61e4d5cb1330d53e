"""Read-only questions, answered from the tables."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from logmedic.adapters.store import activity, happened, lanes, learned, likeness, metrics, rows, rulestats
from logmedic.adapters.store.lists import ALWAYS, EVER, LESSONS_BY, TELLS, UNREAD, Lists, alert_row, telling
from logmedic.adapters.store.rows import Table, utc
from logmedic.model.errors import NotFound
from logmedic.model.fix import Verdict
from logmedic.model.learned import FixedBefore

SHORTEST_ID = 4
ONSETS_SHOWN, INCIDENTS_SHOWN, LESSONS_SHOWN = 20, 10, 20
"""Of one issue, the newest."""
MOST_ONSETS = 50_000


class DuckQueries(Lists):
    """Implements ports.Queries."""

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
        told = self._rows(rows.ALERTS, TELLS, telling(incident_id), "id", unread=UNREAD)
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

    def onsets(self, since: datetime, limit: int = MOST_ONSETS) -> str:
        line, newest = "issue_id || ' ' || epoch_us(\"at\") || chr(10)", 'WHERE "at" >= ? ORDER BY "at" DESC LIMIT ?'
        sql = (
            f"SELECT coalesce(string_agg({line}, '' ORDER BY \"at\", issue_id), '') "  # noqa: S608  constants
            f'FROM (SELECT issue_id, "at" FROM onsets {newest})'
        )
        return str(self._one(sql, [utc(since), limit])[0])

    def events(
        self,
        *,
        after: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        kinds: Collection[str] = (),
        incident: str = "",
        limit: int = 100,
        newest: bool = False,
    ) -> list[dict[str, Any]]:
        return happened.events(
            self._connection,
            after=after,
            since=since,
            until=until,
            kinds=kinds,
            incident=incident,
            limit=limit,
            newest=newest,
        )

    def activity(self, *, since: datetime, until: datetime, slots: int = 60) -> dict[str, Any]:
        return activity.activity(self._connection, since=since, until=until, slots=slots)

    def sparks(
        self, *, rules: Sequence[str], since: datetime, until: datetime, slots: int = 24
    ) -> dict[str, list[int]]:
        return activity.sparks(self._connection, rules=rules, since=since, until=until, slots=slots)

    def similar(self, incident_id: str, limit: int = 5) -> list[dict[str, Any]]:
        found = self._by_end(rows.INCIDENTS, "incident", incident_id, "logmedic incidents --all")
        return likeness.similar(self._connection, found, limit)

    def rule_stats(self, *, since: datetime | None = None) -> list[dict[str, Any]]:
        return rulestats.rule_stats(self._connection, since or EVER)

    def lanes(self, *, since: datetime, until: datetime, limit: int = 500) -> list[dict[str, Any]]:
        return lanes.lanes(self._connection, since, until, limit)

    def alert(self, alert_id: str) -> dict[str, Any]:
        return alert_row(self._by_end(rows.ALERTS, "message", alert_id, "logmedic alerts list"))

    def deliveries(self, since: datetime | None = None) -> list[dict[str, Any]]:
        sql = (
            "SELECT receiver, status, count(*) FROM alerts WHERE created_at >= ? AND event <> 'test' "
            "GROUP BY receiver, status ORDER BY receiver, status"
        )
        answer = self._connection.execute(sql, [utc(since or EVER)]).fetchall()
        return [{"receiver": receiver, "status": status, "n": n} for receiver, status, n in answer]

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

    def counts(self) -> dict[str, int]:
        sql = (
            "SELECT kind, sum(n)::BIGINT FROM tallies WHERE NOT starts_with(kind, 'past_') GROUP BY kind ORDER BY kind"
        )
        return dict(self._connection.execute(sql).fetchall())

    def _one(self, sql: str, given: list[Any]) -> tuple[Any, ...]:
        row = self._connection.execute(sql, given).fetchone()
        return tuple(row) if row is not None else ()
