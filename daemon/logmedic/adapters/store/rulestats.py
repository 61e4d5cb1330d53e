"""What each rule brought: how often it fired, whether its fix worked, how much of it nobody needed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import duckdb

from logmedic.adapters.store.rows import answered, utc

_SQL = """
WITH opened AS (SELECT * FROM incidents WHERE opened_at >= $since), executions AS (
  SELECT rule_id, incident_id, bool_or(verdict = 'fixed') AS fixed, arg_max(coalesce(verdict, ''), id) AS last FROM (
    SELECT *, sum("first"::INTEGER) OVER (PARTITION BY incident_id ORDER BY id) AS execution
    FROM fix_attempts WHERE kind = 'step' AND incident_id IN (SELECT id FROM opened)
  ) GROUP BY rule_id, incident_id, execution
), verdicts AS (
  SELECT rule_id, count(*) FILTER (fixed) AS fixed, count(*) FILTER (NOT coalesce(fixed, false) AND last = 'not_fixed')
    AS not_fixed
  FROM executions GROUP BY rule_id
), counted AS (
  SELECT rule_id, count(*) AS incidents, sum(occurrences)::BIGINT AS occurrences,
    count(*) FILTER (status = 'resolved') AS over,
    count(*) FILTER (status = 'resolved' AND resolution <> 'fixed') AS by_itself,
    count(*) FILTER (escalated) AS needed_people, max(opened_at) AS last_opened_at,
    avg(epoch_ms(resolved_at) - epoch_ms(opened_at)) FILTER (resolution = 'fixed') / 1000 AS mean_recovery_s
  FROM opened GROUP BY rule_id
)
SELECT rule_id, incidents, occurrences, coalesce(fixed, 0), coalesce(not_fixed, 0),
  fixed / nullif(fixed + not_fixed, 0), by_itself, by_itself / nullif(over, 0), needed_people,
  last_opened_at, mean_recovery_s
FROM counted LEFT JOIN verdicts USING (rule_id) ORDER BY incidents DESC, rule_id
"""
_NAMES = (
    *("rule_id", "incidents", "occurrences", "fixed", "not_fixed", "verified", "by_itself", "noise"),
    *("needed_people", "last_opened_at", "mean_recovery_s"),
)


def rule_stats(connection: duckdb.DuckDBPyConnection, since: datetime) -> list[dict[str, Any]]:
    """As ports.Queries has it. Raises duckdb.Error."""
    found = connection.execute(_SQL, {"since": utc(since)}).fetchall()
    return [dict(zip(_NAMES, map(answered, each), strict=True)) for each in found]
