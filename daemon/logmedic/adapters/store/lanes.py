"""Fixes by what they are done to: those that ran, and those that would have."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import duckdb

from logmedic.adapters.store.rows import answered, utc

_SQL = """
WITH ran AS (
  SELECT 'ran' AS kind, target, rule_id, incident_id, step_name, started_at, finished_at, verdict, id
  FROM fix_attempts WHERE started_at < $until AND coalesce(finished_at, $until) >= $since
  ORDER BY started_at DESC, id DESC LIMIT $limit
), first AS (
  SELECT arg_min(rowid, id) AS entry FROM incident_events
  WHERE kind = 'would_run' AND "at" >= $since AND "at" < $until
  AND incident_id IN (SELECT id FROM incidents WHERE NOT acted)
  GROUP BY incident_id ORDER BY min("at") DESC, min(id) DESC LIMIT $limit
), would AS (
  SELECT 'would' AS kind, entries.incident_id, entries.text AS step_name, entries."at" AS started_at, entries.id
  FROM incident_events AS entries JOIN first ON entries.rowid = first.entry
)
SELECT found.kind,
  coalesce(nullif(if(found.kind = 'ran', found.target, incidents.target), ''), found.rule_id, incidents.rule_id),
  coalesce(found.rule_id, incidents.rule_id), found.incident_id, coalesce(incidents.title, ''), found.step_name,
  found.started_at, found.finished_at, found.verdict, incidents.hold
FROM (FROM ran UNION ALL BY NAME FROM would) AS found LEFT JOIN incidents ON incidents.id = found.incident_id
ORDER BY found.started_at DESC, found.id DESC LIMIT $limit
"""
"""What is read of the long table is found by its place: a join by id would read all of its ids."""
_NAMES = (
    *("kind", "target", "rule_id", "incident_id", "title", "step_name", "started_at", "finished_at", "verdict"),
    "hold",
)


def lanes(connection: duckdb.DuckDBPyConnection, since: datetime, until: datetime, limit: int) -> list[dict[str, Any]]:
    """As ports.Queries has it. Raises duckdb.Error."""
    given = {"since": utc(since), "until": utc(until), "limit": limit}
    found = connection.execute(_SQL, given).fetchall()
    return [{name: answered(value) for name, value in zip(_NAMES, row, strict=True)} for row in found]
