"""The views that `logmedic query` reads: names and columns that stay, whatever becomes of the tables behind them.
docs/questions.md says what each column means; a column may be added, none is renamed or taken away."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from hashlib import sha256

import duckdb

_NOW = "make_timestamp(epoch_us(now()))"
"""UTC, whatever time zone the session has."""
KNOWN_SINCE = "TIMESTAMP '1971-01-01'"
"""Counts that are dated before are sums over days that nobody knows any more."""
_TEXTS = """'["VARCHAR"]'"""
_PAIRS = """'"MAP(VARCHAR, VARCHAR)"'"""

COUNTED = """
SELECT minute AS began, minute + INTERVAL 1 MINUTE AS ended, kind, n FROM tallies
UNION ALL SELECT created_at, created_at + INTERVAL 1 MICROSECOND, 'past_' || pattern_type, 1 FROM learning_patterns
UNION ALL SELECT resolved_at, resolved_at + INTERVAL 1 MICROSECOND, unnest(['past_fixed', 'past_recovery_ms']),
  unnest([1, epoch_ms(resolved_at) - epoch_ms(opened_at)]) FROM incidents WHERE resolution = 'fixed'
"""
"""What metrics are sums of. Of days that left the store, sums are kept among the counts, under `past_`: what is there
is given the same name."""


def _sum(kind: str) -> str:
    return f"coalesce(sum(n) FILTER ({kind}), 0)::BIGINT"


SUMS = f"""
{_sum("kind = 'lines'")} AS lines, {_sum("kind = 'matched'")} AS matched, {_sum("kind = 'unknown'")} AS unknown,
{_sum("kind = 'suppressed'")} AS suppressed, {_sum("kind = 'incidents_opened'")} AS incidents_opened,
{_sum("starts_with(kind, 'resolved_')")} AS incidents_resolved, {_sum("kind = 'past_fixed'")} AS auto_fixed,
{_sum("kind = 'past_recovery_ms'")} / 1000 AS recovery_s,
{_sum("kind = 'past_auto_fix_success'")} AS fixes_worked, {_sum("kind = 'past_auto_fix_failure'")} AS fixes_failed,
{_sum("kind = 'past_circuit_breaker_open'")} AS circuit_breaker_opens,
{_sum("kind = 'past_issue_escalation'")} AS escalations, {_sum("kind = 'promoted'")} AS promoted,
{_sum("kind = 'alerts_sent'")} AS alerts_sent, {_sum("kind = 'alerts_dead'")} AS alerts_dead,
{_sum("kind = 'gaps'")} AS gaps, {_sum("kind = 'bytes_lost'")} AS bytes_lost
"""
"""Of rows of COUNTED."""
METRICS = """
matched + unknown AS total_errors, auto_fixed,
fixes_worked / nullif(fixes_worked + fixes_failed, 0) AS auto_fix_success_rate, circuit_breaker_opens, escalations,
recovery_s / nullif(auto_fixed, 0) AS avg_recovery_time_s
"""
"""The six of the design, of SUMS."""


def daily(counted: str) -> str:
    """The metrics by day, from the first that is known to today, of rows as of COUNTED."""
    return f"""
WITH counted AS ({counted}), days AS (
  SELECT unnest(generate_series(greatest(min(began)::DATE, {KNOWN_SINCE}), {_NOW}::DATE, INTERVAL 1 DAY))::DATE AS day
  FROM counted WHERE began >= {KNOWN_SINCE}
), sums AS (
  SELECT day, {SUMS} FROM days LEFT JOIN (SELECT began::DATE AS day, kind, n FROM counted) USING (day) GROUP BY day
)
SELECT day, {METRICS}, lines, matched, unknown, suppressed, incidents_opened, incidents_resolved, fixes_worked,
  fixes_failed, promoted, alerts_sent, alerts_dead, gaps, bytes_lost
FROM sums ORDER BY day
"""  # noqa: S608


VIEWS: Mapping[str, str] = {
    "v_issues": f"""
SELECT issues.id, issues.source, issues.issue_type, issues.title, issues.severity, issues.status, issues.occurrences,
  issues.first_seen, issues.last_seen, issues.onset_at, issues.episodes, issues.usual AS usual_per_hour,
  coalesce(seen.incidents, 0) AS incidents, issues.confidence, issues.description, issues.error_pattern,
  issues.resolution_strategy, from_json(issues.tags, {_TEXTS}) AS tags, issues.resolved_at, issues.resolution_notes,
  issues.escalation_level, issues.escalation_reason, issues.version, issues.first_version, issues.resolved_version,
  issues.muted_until, issues.decided_by, issues.merged_into, issues.fingerprint
FROM known_issues AS issues
LEFT JOIN (SELECT issue_id, count(*) AS incidents FROM incidents GROUP BY issue_id) AS seen ON seen.issue_id = issues.id
""",  # noqa: S608
    "v_incidents": f"""
SELECT id, issue_id, rule_id, group_key, title, severity, source, status, hold, hold_detail, opened_at, last_match_at,
  resolved_at, epoch(coalesce(resolved_at, {_NOW})) - epoch(opened_at) AS open_s, occurrences, resolution,
  resolution_notes, from_json(captures, {_PAIRS}) AS captures, evidence, acted, approved_by, escalated,
  from_json(chain, {_TEXTS}) AS chain, from_json(requests, {_TEXTS}) AS requests
FROM incidents
""",  # noqa: S608
    "v_fixes": f"""
SELECT fixes.id, fixes.incident_id, fixes.rule_id, incidents.issue_id, fixes.group_key, fixes.target, fixes.step,
  fixes.step_name, fixes.try_no, array_to_string(from_json(fixes.argv, {_TEXTS}), ' ') AS command, fixes.sandbox,
  fixes.status, fixes.started_at, fixes.finished_at, fixes.duration_s, fixes.exit_code, fixes.verdict, fixes.detail,
  fixes.output, fixes.kind, fixes."first" AS began, fixes.fix
FROM fix_attempts AS fixes LEFT JOIN incidents ON incidents.id = fixes.incident_id
""",  # noqa: S608
    "v_alerts": """
SELECT alerts.id, alerts.incident_id, incidents.rule_id, alerts.event, alerts.severity, alerts.route, alerts.receiver,
  alerts.title, alerts.status, alerts.tries, alerts.created_at, alerts.sent_at,
  epoch(alerts.sent_at) - epoch(alerts.created_at) AS delay_s, alerts.last_error, alerts.fallback_of,
  regexp_replace(alerts.body, '(/a/)[A-Za-z0-9_.~=-]+', '\\1...', 'g') AS body
FROM alerts LEFT JOIN incidents ON incidents.id = alerts.incident_id
""",
    "v_events": """
SELECT events.id, events.incident_id, incidents.rule_id, events."at" AS happened_at, events.kind, events.text
FROM incident_events AS events LEFT JOIN incidents ON incidents.id = events.incident_id
""",
    "v_templates": f"""
SELECT fingerprint, template, component, source, occurrences, first_seen, last_seen, trace, critical,
  issue_id <> '' AS promoted, issue_id, merged_into, sample, from_json(samples, {_TEXTS}) AS samples
FROM templates
""",  # noqa: S608
    "v_learnings": """
SELECT id, pattern_type, learnings AS lesson, confidence, created_at, updated_at,
  context ->> '$.rule' AS rule_id, context ->> '$.issue' AS issue_id, context ->> '$.incident' AS incident_id, context
FROM learning_patterns
""",
    "v_onsets": """
SELECT onsets.issue_id, issues.source, issues.issue_type, issues.title, issues.severity, onsets."at" AS began_at,
  epoch(onsets."at") - epoch(lag(onsets."at") OVER (PARTITION BY onsets.issue_id ORDER BY onsets."at")) AS since_last_s
FROM onsets LEFT JOIN known_issues AS issues ON issues.id = onsets.issue_id
""",
    "v_releases": "SELECT source, version, first_seen FROM releases",
    "v_breakers": """
SELECT rule_id, status, failures, opened_at, open_until, opens, target, fix, successes, streak, closed_at, failed_at
FROM breakers
""",
    "v_trust": """
SELECT rule_id, level, given AS file_mode, proposed, wins, losses, streak,
  from_json(recent, '["BOOLEAN"]') AS recent, since, "by" AS decided_by, why, fix
FROM trust
""",
    "v_trust_changes": """
SELECT id, "at" AS happened_at, rule_id, kind, before, after, "by" AS decided_by, why FROM trust_changes
""",
    "v_earned": """
SELECT rule_id, step = '' AS baseline, step AS step_name, tried, fixed, fixed / nullif(tried, 0) AS rate,
  "at" AS counted_at
FROM earned
""",
    "v_pauses": f"""
SELECT origin, "on" AND (until IS NULL OR until > {_NOW}) AS paused, "at" AS decided_at, "by" AS decided_by, why, until
FROM pauses
""",  # noqa: S608
    "v_gaps": """
SELECT id, "at" AS happened_at, source, origin, kind, lost_bytes, detail FROM source_events
""",
    "v_counts": f"SELECT minute, kind, n FROM tallies WHERE minute >= {KNOWN_SINCE}",  # noqa: S608
    "v_metrics_daily": daily(COUNTED),
}
"""SQL over the tables, by name."""

ABOUT: Mapping[str, str] = {
    "v_issues": "what keeps coming back: of rules, learned, of breakers",
    "v_incidents": "episodes of an issue, from trigger to resolved",
    "v_fixes": "executions of steps of fixes, with their verdict",
    "v_alerts": "messages to people",
    "v_events": "the timelines of incidents",
    "v_templates": "errors that no rule knows, with their variable parts masked",
    "v_learnings": "recorded lessons",
    "v_onsets": "when episodes of issues began",
    "v_releases": "versions of what writes the logs, and when each was first seen",
    "v_breakers": "breakers of fixes, one a target",
    "v_trust": "how far the fixes of rules are trusted",
    "v_trust_changes": "who changed that, and why",
    "v_earned": "what steps of fixes verifiably earned, beside what gets well by itself",
    "v_pauses": "the kill switch: who holds all fixes",
    "v_gaps": "what was not read, and when sources were quiet",
    "v_counts": "what was seen, dropped, held or lost, by minute; by day where it is old",
    "v_metrics_daily": "the metrics of each day (UTC), days without anything too",
}


def create(connection: duckdb.DuckDBPyConnection, names: Collection[str] = tuple(VIEWS)) -> None:
    """Put the views into the store; they are in its copies too, for whoever opens those. Each says which version of it
    this is. Raises duckdb.Error."""
    for name in names:
        connection.execute(f"CREATE OR REPLACE VIEW {name} AS {VIEWS[name]}")
        connection.execute(f"COMMENT ON VIEW {name} IS '{_version(name)}'")


def refresh(connection: duckdb.DuckDBPyConnection) -> None:
    """Those that another version of this program made, and those that a salvaged store lacks. Nothing is written where
    there are none. Raises duckdb.Error."""
    found = connection.execute("SELECT view_name, comment FROM duckdb_views() WHERE NOT internal").fetchall()
    known = dict(found)
    if stale := [name for name in VIEWS if known.get(name) != _version(name)]:
        connection.execute("BEGIN")
        create(connection, stale)
        connection.execute("COMMIT")


def _version(name: str) -> str:
    return sha256(VIEWS[name].encode()).hexdigest()[:16]


def lay_over(connection: duckdb.DuckDBPyConnection) -> None:
    """The same for a connection that cannot write, and that may see other tables than those in the file. Raises
    duckdb.Error where the store is of an older form."""
    for name, sql in VIEWS.items():
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {sql}")


def columns_of(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """The types of the columns, by name, in order; by view. Raises duckdb.Error."""
    return {name: _types(connection, sql) for name, sql in VIEWS.items()}


def _types(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, str]:
    return {each[0]: str(each[1]) for each in connection.execute(f"SELECT * FROM ({sql}) LIMIT 0").description or ()}  # noqa: S608
