"""How much happened when: counts by slots of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Any

import duckdb

from logmedic.adapters.store.rows import jsonable, utc
from logmedic.adapters.store.views import COUNTED

MINUTE = timedelta(minutes=1)
"""Counts are kept by minute."""
SERIES: Mapping[str, str] = {
    "lines": "kind = 'lines'",
    "matched": "kind = 'matched'",
    "unknown": "kind = 'unknown'",
    "suppressed": "kind = 'suppressed'",
    "incidents_opened": "kind = 'incidents_opened'",
    "resolved": "starts_with(kind, 'resolved_')",
    "held": "starts_with(kind, 'held_')",
    "fixes_worked": "kind = 'past_auto_fix_success'",
    "fixes_failed": "kind = 'past_auto_fix_failure'",
    "recovered": "kind = 'past_fixed'",
    "recovery_ms": "kind = 'past_recovery_ms'",
    "alerts_sent": "kind = 'alerts_sent'",
    "alerts_dead": "kind = 'alerts_dead'",
    "gaps": "kind = 'gaps'",
    "bytes_lost": "kind = 'bytes_lost'",
}
"""By name, which of views.COUNTED are added up."""
_NAMED = " ".join(f"WHEN {condition} THEN '{name}'" for name, condition in SERIES.items())
_BY_SLOT = f"""
SELECT CASE {_NAMED} END AS name, (epoch_us(began) - epoch_us($since::TIMESTAMP)) // $step AS slot, sum(n)::BIGINT
FROM ({COUNTED}) WHERE began >= $since AND began < $until GROUP BY ALL HAVING name IS NOT NULL
"""  # noqa: S608
_SPARKS = """
SELECT rule_id, (epoch_us(opened_at) - epoch_us($since::TIMESTAMP)) * $slots // $span AS slot, count(*)
FROM incidents WHERE opened_at >= $since AND opened_at < $until AND list_contains($rules::VARCHAR[], rule_id)
GROUP BY ALL
"""


def activity(
    connection: duckdb.DuckDBPyConnection, *, since: datetime, until: datetime, slots: int = 60
) -> dict[str, Any]:
    """As ports.Queries has it. Raises duckdb.Error."""
    since = since.replace(second=0, microsecond=0)
    minutes = max(ceil((until - since) / MINUTE), 1)
    step = ceil(minutes / max(slots, 1)) * MINUTE
    count = ceil(minutes * MINUTE / step)
    until = since + count * step
    given = {"since": utc(since), "until": utc(until), "step": _us(step)}
    found = connection.execute(_BY_SLOT, given).fetchall()
    return {
        "since": jsonable(since),
        "until": jsonable(until),
        "step_s": int(step.total_seconds()),
        "series": _filled(SERIES, count, found),
    }


def sparks(
    connection: duckdb.DuckDBPyConnection,
    *,
    rules: Sequence[str],
    since: datetime,
    until: datetime,
    slots: int = 24,
) -> dict[str, list[int]]:
    """As ports.Queries has it. Raises duckdb.Error."""
    if until <= since:
        return _filled(rules, slots, [])
    given = {
        "since": utc(since),
        "until": utc(until),
        "span": _us(until - since),
        "slots": slots,
        "rules": list(rules),
    }
    return _filled(rules, slots, connection.execute(_SPARKS, given).fetchall())


def _filled(
    names: Mapping[str, Any] | Sequence[str], slots: int, found: Sequence[tuple[Any, ...]]
) -> dict[str, list[int]]:
    """With the slots in which nothing was."""
    series = {name: [0] * slots for name in names}
    for name, slot, n in found:
        series[name][slot] += n
    return series


def _us(span: timedelta) -> int:
    return span // timedelta(microseconds=1)
