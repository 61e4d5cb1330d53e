"""Fixes by what they are done to: those that ran, and those that would have."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import duckdb

from logmedic.adapters.store.rows import answered, utc

RAN, WOULD = "ran", "would"
_SQL = f"""
SELECT * FROM (
  SELECT '{RAN}' AS kind, coalesce(nullif(fixes.target, ''), fixes.rule_id) AS target, fixes.rule_id, fixes.incident_id,
    coalesce(incidents.title, '') AS title, fixes.step_name, fixes.started_at, fixes.finished_at, fixes.verdict,
    incidents.hold, fixes.id AS id
  FROM fix_attempts AS fixes LEFT JOIN incidents ON incidents.id = fixes.incident_id
  WHERE fixes.started_at < $until AND coalesce(fixes.finished_at, $until) >= $since
  UNION ALL
  SELECT '{WOULD}', coalesce(nullif(incidents.target, ''), incidents.rule_id), incidents.rule_id, incidents.id,
    incidents.title, would.text, would."at", NULL, NULL, incidents.hold, would.id
  FROM (
    SELECT incident_id, min("at") AS "at", arg_min(text, id) AS text, min(id) AS id FROM incident_events
    WHERE kind = 'would_run' AND "at" >= $since AND "at" < $until GROUP BY incident_id
  ) AS would JOIN incidents ON incidents.id = would.incident_id
  WHERE NOT incidents.acted
) ORDER BY started_at DESC, id DESC LIMIT $limit
"""  # noqa: S608
_NAMES = (
    *("kind", "target", "rule_id", "incident_id", "title", "step_name", "started_at", "finished_at", "verdict"),
    "hold",
)


def lanes(connection: duckdb.DuckDBPyConnection, since: datetime, until: datetime, limit: int) -> list[dict[str, Any]]:
    """As ports.Queries has it. Raises duckdb.Error."""
    given = {"since": utc(since), "until": utc(until), "limit": limit}
    found = connection.execute(_SQL, given).fetchall()
    return [{name: answered(value) for name, value in zip(_NAMES, row[:-1], strict=True)} for row in found]
