"""Scenario 32: a store with 10,000 incidents and a million entries of their timelines: how long each question takes,
and what a reader that asks without a pause costs the commits."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.asking import high
from benchmarks.table import Row
from logmedic.adapters.store.duck import DuckStore
from logmedic.adapters.store.writer import Writer
from logmedic.core.paging import cursor_of
from logmedic.model.alert import Alert, AlertStatus
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Changeset
from logmedic.model.fix import AttemptStatus, FixAttempt, Verdict
from logmedic.model.issue import (
    Incident,
    IncidentEvent,
    IncidentStatus,
    IssueSource,
    KnownIssue,
    Learning,
    PatternType,
    Resolution,
    Tally,
    Template,
)
from logmedic.model.learned import Onset
from logmedic.model.notice import Notice
from logmedic.model.record import Checkpoint
from logmedic.model.severity import Severity

INCIDENTS, EVENTS_EACH, OPEN = 10_000, 100, 200
RULES, GROUPS, DAYS = 100, 50, 30
LEARNED = RULES
"""From this number on issues are learned, each from a template; before it they are of the rule of that number."""
LIMIT_MS = 200.0
TIMES = 30
"""How often each question is asked."""
SECONDS = 10.0
_SEED = "seed"
_TEMPLATE = "ERROR worker <n> failed on web1: it timed out"
_SAMPLES = ("ERROR worker 7 failed on web1: it timed out", "ERROR worker 12 failed on web1: it timed out")
_ID = """
CREATE TEMP MACRO uid("at", n) AS format('{:08x}-{:04x}-7000-8000-{:012x}', (epoch_ms("at") >> 16)::BIGINT,
  (epoch_ms("at") & 65535)::BIGINT, n::BIGINT)
"""
"""As the daemon's: they sort by time."""
_NOISE = "left(repeat(md5(({})::VARCHAR), {}), {})"
"""Text that does not compress to nothing."""


def load(_: int) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="logmedic-bench-") as room:
        found = asyncio.run(_measured(Path(room) / "store.duckdb"))
    size = f"{INCIDENTS:,} incidents, {INCIDENTS * EVENTS_EACH:,} entries, {found.store_bytes / 1e6:.0f} MB"
    for name, took in found.took_ms.items():
        median, worst = statistics.median(took), sorted(took)[int(len(took) * 0.95)]
        yield Row(
            "32",
            f"question: {name}",
            f"median {median:.1f} ms, p95 {worst:.1f} ms",
            size,
            f"{median / LIMIT_MS:.2f}",
            "200 ms",
            median <= LIMIT_MS,
        )
    alone, beside = found.waits["alone"], found.waits["beside"]
    yield Row(
        "32",
        "commits beside a reader that never rests",
        f"{_told(beside)} ({found.asked / SECONDS:.0f} questions/s)",
        f"{_told(alone)} alone",
        f"{len(beside) / len(alone):.2f}",
        "longest below 250 ms",
        max(beside) < 0.25,
    )


def _told(waits: list[float]) -> str:
    return f"{len(waits) / SECONDS:,.0f} commits/s, p99 {high(waits) * 1e3:.1f} ms, longest {max(waits) * 1e3:.0f} ms"


@dataclass(frozen=True, slots=True)
class Measured:
    """`took_ms`: by question. `waits`: of commits, in seconds. `asked`: questions in the same time."""

    store_bytes: int
    took_ms: dict[str, list[float]]
    waits: dict[str, list[float]]
    asked: int


async def _measured(path: Path) -> Measured:
    now, store = datetime.now(UTC), DuckStore(path)
    await store.open()
    try:
        await fill(store, now)
        asked = await _questions(store, now)
        took = {name: [await _timed(store, question, given) for _ in range(TIMES)] for name, question, given in asked}
        alone = await _commits(store, asyncio.create_task(asyncio.sleep(SECONDS)))
        reading = asyncio.create_task(_read_on(store, asked))
        beside = await _commits(store, reading)
        return Measured(path.stat().st_size, took, {"alone": alone, "beside": beside}, reading.result())
    finally:
        await store.close()


async def fill(store: DuckStore, now: datetime) -> None:
    """An empty one."""
    await store.commit(_seeds(now))
    await store.between_commits(lambda writer: _filled(writer, now))


async def _timed(store: DuckStore, question: str, given: dict[str, Any]) -> float:
    """Milliseconds."""
    begun = time.perf_counter()
    await store.ask(question, **given)
    return (time.perf_counter() - begun) * 1e3


async def _read_on(store: DuckStore, asked: list[tuple[str, str, dict[str, Any]]]) -> int:
    begun, times = time.monotonic(), 0
    while time.monotonic() - begun < SECONDS:
        _, question, given = asked[times % len(asked)]
        await store.ask(question, **given)
        times += 1
    return times


async def _commits(store: DuckStore, beside: asyncio.Task[Any]) -> list[float]:
    """As the engine's: of an incident that goes on, with an entry, a count and a position."""
    waits: list[float] = []
    at = datetime.now(UTC)
    incident = Incident("ffffffff-0000", "issue-1", "rule-1", "g", "t", Severity.HIGH, at, at)
    while not beside.done():
        n, begun = len(waits), time.perf_counter()
        await store.commit(
            Changeset(
                incidents=(replace(incident, id=f"ffffffff-{n % 50:04}", occurrences=n),),
                events=(IncidentEvent(f"fffffffe-{at:%f}-{n:08}", incident.id, at, "opened", "seen 5 times"),),
                tallies=(Tally(at.replace(second=0, microsecond=0), "matched", 1),),
                checkpoints=(Checkpoint("/var/log/web.log", "web", n, at),),
            )
        )
        waits.append(time.perf_counter() - begun)
    return waits


async def _questions(store: DuckStore, now: datetime) -> list[tuple[str, str, dict[str, Any]]]:
    """What the pages and commands ask."""
    (newest,) = await store.ask("incidents", everything=True, limit=1)
    page = await store.ask("incidents", everything=True, limit=5000)
    event = (await store.ask("events", newest=True, limit=5000))[0]
    middle, day, month = page[-1], {"since": now - timedelta(days=1), "until": now}, {"since": now - timedelta(days=30)}
    of = {"incident_id": middle["id"]}
    return [
        ("incidents (open)", "incidents", {"limit": 50}),
        ("incidents (all)", "incidents", {"everything": True, "limit": 50}),
        ("incidents (page 100)", "incidents", {"everything": True, "cursor": cursor_of("incidents", middle)}),
        ("incidents (text)", "incidents", {"everything": True, "text": "CAFE"}),
        ("incidents (text, none)", "incidents", {"everything": True, "text": "nowhere at all"}),
        (
            "incidents (of a rule)",
            "incidents",
            {"everything": True, "rule": middle["rule_id"], "severity": middle["severity"]},
        ),
        ("incident", "incident", of),
        ("incident (by the end of its id)", "incident", {"incident_id": newest["id"][-8:]}),
        ("similar", "similar", of),
        ("issues", "issues", {}),
        ("issue", "issue", {"issue_id": "issue-7"}),
        ("templates", "templates", {}),
        ("learnings", "learnings", {}),
        ("fixes", "fixes", {}),
        ("fixes (of a target)", "fixes", {"target": "unit-7", "verdict": "fixed"}),
        ("lanes (a day)", "lanes", day),
        ("lanes (30 days)", "lanes", {**month, "until": now}),
        ("alerts", "alerts", {}),
        ("alerts (of an incident)", "alerts", {"incident": middle["id"]}),
        ("deliveries", "deliveries", month),
        ("events (newest)", "events", {"newest": True}),
        ("events (behind one)", "events", {"after": event["id"], "limit": 200}),
        ("events (of an incident)", "events", {"incident": middle["id"]}),
        ("events (of a kind)", "events", {"kinds": ("resolved",), "newest": True}),
        ("events (10,000)", "events", {"limit": 10_000, "newest": True}),
        ("activity (a day)", "activity", day),
        ("activity (30 days)", "activity", {**month, "until": now}),
        ("sparks", "sparks", {"rules": [f"rule-{n}" for n in range(50)], **day}),
        ("rule_stats", "rule_stats", {}),
        ("rule_stats (7 days)", "rule_stats", {"since": now - timedelta(days=7)}),
        ("stats (a day)", "stats", {"since": now - timedelta(days=1)}),
        ("trends (30 days)", "trends", {**month, "until": now}),
        ("counts", "counts", {}),
        ("gaps", "gaps", {}),
        ("trust_changes", "trust_changes", {}),
    ]


def _seeds(now: datetime) -> Changeset:
    """One row of each table, from which the others are made."""
    return Changeset(
        issues=(KnownIssue(_SEED, IssueSource.RULE, _SEED, "web", "t", Severity.HIGH, now, now, tags=("web",)),),
        incidents=(
            Incident(
                _SEED,
                "issue",
                "rule",
                "group",
                "title",
                Severity.HIGH,
                now,
                now,
                captures={"upstream": "10.0.0.12:8080", "client": "203.0.113.7"},
                source="web",
                status=IncidentStatus.RESOLVED,
                occurrences=5,
                told=("opened", "recovered"),
                resolved_at=now,
                resolution=Resolution.FIXED,
                resolution_notes="restart it: the http probe passed, and the rule was silent for 60 s",
                acted=True,
                plan=(0, 1),
            ),
        ),
        events=(IncidentEvent(_SEED, _SEED, now, "opened", ""),),
        learnings=(
            Learning(_SEED, PatternType.AUTO_FIX_SUCCESS, "restart it fixes it", 1.0, now, {"rule": "r", "issue": "i"}),
        ),
        templates=(Template(_SEED, _TEMPLATE, "shop", _SAMPLES[0], 9, now, now, samples=_SAMPLES, shape=("a", "<n>")),),
        attempts=(
            FixAttempt(
                _SEED,
                _SEED,
                "rule",
                "group",
                "unit",
                0,
                "restart it",
                1,
                ("/usr/bin/systemctl", "restart", "app.service"),
                now,
                "bubblewrap",
                AttemptStatus.FINISHED,
                now,
                0,
                2.5,
                verdict=Verdict.FIXED,
                first=True,
            ),
        ),
        alerts=(
            Alert(
                _SEED,
                _SEED,
                AlertEvent.FIX_FAILED,
                Severity.HIGH,
                "oncall",
                "chat",
                "t",
                "b",
                now,
                now,
                AlertStatus.SENT,
                1,
                now,
                tells=("incident:x",),
            ),
        ),
        tallies=(Tally(now.replace(second=0, microsecond=0), _SEED, 1),),
        onsets=(Onset(_SEED, now),),
        notices=(Notice(_SEED, AlertEvent.RECOVERED, Severity.HIGH, "t", now, now, over=True, done=True),),
    )


def _filled(writer: Writer, now: datetime) -> None:
    """By SQL: a million commits would take an hour."""
    writer.guarded(writer.fold)
    connection = writer.live()
    connection.execute(_ID)
    connection.execute(f"CREATE TEMP TABLE begin AS SELECT epoch_ms({int(now.timestamp() * 1000)}) AS now")
    connection.execute(_OPENED)
    for table, rows in _TABLES:
        connection.execute(f"INSERT INTO {table} {rows}")
        key = {"templates": "fingerprint", "tallies": "kind", "onsets": "issue_id", "notices": "subject"}.get(
            table, "id"
        )
        connection.execute(f"DELETE FROM {table} WHERE {key} = '{_SEED}'")
    connection.execute("CHECKPOINT")


_OPENED = f"""
CREATE TEMP TABLE opened AS SELECT n, "at", uid("at", n) AS id, 'rule-' || (n * 7 % {RULES}) AS rule_id,
  'host' || (n % {GROUPS}) AS group_key, n >= {INCIDENTS - OPEN} AS is_open
FROM (SELECT n, now - INTERVAL {DAYS} DAY + n * INTERVAL {DAYS * 86_400_000_000 // INCIDENTS} MICROSECOND AS "at"
  FROM range({INCIDENTS}) AS numbers(n), begin)
"""
_ISSUE = "replace(rule_id, 'rule', 'issue')"
_KINDS = ("opened", "held", "fix_started", "step_finished", "probed", "settling", "fix_failed", "checked", "resolved")
_TABLES = (
    (
        "known_issues",
        f"""SELECT seed.* REPLACE ('issue-' || n AS id,
  CASE WHEN n < {LEARNED} THEN 'rule' ELSE 'learned' END AS source,
  CASE WHEN n < {LEARNED} THEN 'rule:' || n ELSE left(md5(n::VARCHAR), 16) END AS fingerprint,
  now - n * INTERVAL 1 MINUTE AS last_seen, {_NOISE.format("n", 9, 250)} AS description,
  'known issue ' || n || ' ' || {_NOISE.format("n", 2, 40)} AS title)
FROM known_issues AS seed, range(500) AS numbers(n), begin WHERE seed.id = '{_SEED}'""",
    ),
    (
        "incidents",
        f"""SELECT seed.* REPLACE (opened.id AS id, {_ISSUE.replace("rule_id", "opened.rule_id")} AS issue_id,
  opened.rule_id AS rule_id, opened.group_key AS group_key,
  opened.rule_id || ' on ' || opened.group_key || ' ' || {_NOISE.format("n", 1, 20)} AS title,
  {_NOISE.format("n", 13, 400)} AS evidence, "at" AS opened_at, "at" + INTERVAL 2 MINUTE AS last_match_at,
  CASE WHEN is_open THEN 'open' ELSE 'resolved' END AS status, CASE WHEN is_open THEN 'observe' END AS hold,
  CASE WHEN NOT is_open THEN "at" + INTERVAL 5 MINUTE END AS resolved_at,
  CASE WHEN is_open THEN '' WHEN n % 3 = 0 THEN 'quiet' ELSE 'fixed' END AS resolution, n % 3 <> 0 AS acted,
  n % 11 = 0 AS escalated, 'unit-' || (n % 40) AS target, ['low', 'medium', 'high', 'critical'][n % 4 + 1] AS severity)
FROM incidents AS seed, opened WHERE seed.id = '{_SEED}' ORDER BY opened.id""",
    ),
    (
        "incident_events",
        f"""SELECT uid(happened, {INCIDENTS} + n * {EVENTS_EACH} + k) AS id, opened.id, happened,
  CASE WHEN k = 1 AND n % 3 = 0 THEN 'would_run' ELSE {list(_KINDS)}[k % {len(_KINDS)} + 1] END,
  {_NOISE.format("n * 1000 + k", 4, 110)}
FROM (
  SELECT n, id, k, "at" + k * INTERVAL 36 SECOND AS happened FROM opened, range({EVENTS_EACH}) AS entries(k)
) AS opened ORDER BY 1""",
    ),
    (
        "fix_attempts",
        f"""SELECT seed.* REPLACE (uid("at" + k * INTERVAL 1 MINUTE, n * 2 + k) AS id, opened.id AS incident_id,
  opened.rule_id AS rule_id, opened.group_key AS group_key, 'unit-' || (n % 40) AS target, k AS step,
  ['restart it', 'fail over'][k + 1] AS step_name, "at" + k * INTERVAL 1 MINUTE AS started_at,
  "at" + (k + 1) * INTERVAL 1 MINUTE AS finished_at, {_NOISE.format("n * 2 + k", 63, 2000)} AS output, k = 0 AS "first",
  CASE WHEN k = 0 AND n % 2 = 0 THEN 'not_fixed' ELSE 'fixed' END AS verdict)
FROM fix_attempts AS seed, opened, range(2) AS steps(k) WHERE seed.id = '{_SEED}' AND (k = 0 OR n % 2 = 0)
ORDER BY 1""",
    ),
    (
        "alerts",
        f"""SELECT seed.* REPLACE (uid("at" + k * INTERVAL 1 MINUTE, n * 3 + k) AS id, opened.id AS incident_id,
  ['opened', 'fix_failed', 'recovered'][k + 1] AS event, ['chat', 'mail', 'pager'][k + 1] AS receiver,
  "at" + k * INTERVAL 1 MINUTE AS created_at, {_NOISE.format("n * 3 + k", 20, 600)} AS body,
  {_NOISE.format("n * 5 + k", 63, 2000)} AS content, '["incident:' || opened.id || '"]' AS tells)
FROM alerts AS seed, opened, range(3) AS told(k) WHERE seed.id = '{_SEED}' ORDER BY 1""",
    ),
    (
        "learning_patterns",
        f"""SELECT seed.* REPLACE (uid("at", n) AS id, "at" AS created_at,
  CASE WHEN n % 3 = 0 THEN 'auto_fix_failure' ELSE 'auto_fix_success' END AS pattern_type,
  {_NOISE.format("n", 4, 120)} AS learnings, '{{"rule":"' || rule_id || '","incident":"' || opened.id || '","issue":"'
  || {_ISSUE} || '"}}' AS context)
FROM learning_patterns AS seed, opened WHERE seed.id = '{_SEED}' ORDER BY 1""",
    ),
    (
        "templates",
        f"""SELECT seed.* REPLACE (left(md5(n::VARCHAR), 16) AS fingerprint,
  CASE WHEN promoted THEN seed.template ELSE {_NOISE.format("n", 4, 120)} END AS template,
  CASE WHEN promoted THEN seed.sample ELSE {_NOISE.format("n", 9, 250)} END AS sample,
  CASE WHEN promoted THEN 'issue-' || n ELSE '' END AS issue_id, now - n * INTERVAL 1 MINUTE AS last_seen)
FROM templates AS seed, (SELECT n, n BETWEEN {LEARNED} AND 499 AS promoted FROM range(3000) AS numbers(n)), begin
WHERE seed.fingerprint = '{_SEED}'""",
    ),
    (
        "tallies",
        f"""SELECT date_trunc('minute', now) - n * INTERVAL 1 MINUTE, kind, 1 + (n * 31 % 977)
FROM range({DAYS * 1440}) AS numbers(n), begin, (SELECT unnest(['lines', 'matched', 'unknown', 'suppressed',
  'incidents_opened', 'resolved_fixed', 'resolved_quiet', 'held_observe', 'alerts_sent', 'promoted']) AS kind)
ORDER BY 1""",
    ),
    (
        "onsets",
        f"""SELECT {_ISSUE}, "at" FROM opened ORDER BY 2""",
    ),
    (
        "notices",
        f"""SELECT seed.* REPLACE ('incident:' || opened.id AS subject, {_NOISE.format("n", 32, 1000)} AS story,
  opened."at" AS "at", NOT is_open AS done)
FROM notices AS seed, opened WHERE seed.subject = '{_SEED}'""",
    ),
)
"""In an order in which each only needs what is before it."""
