"""The six metrics, over any period and by day."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import duckdb

from logmedic.adapters.store.rows import jsonable, utc
from logmedic.adapters.store.views import COUNTED, KNOWN_SINCE, METRICS, SUMS, daily

_BETWEEN = f"""
SELECT {METRICS} FROM (
  SELECT {SUMS} FROM ({COUNTED}) WHERE began >= $since - INTERVAL 1 MINUTE AND ended > $since AND began < $until
)
"""  # noqa: S608
"""Nothing is longer than a minute: what began before that is not even read."""
_OF_THE_DAYS = f"SELECT * FROM ({COUNTED}) WHERE began >= $since::DATE AND began < $until::DATE + INTERVAL 1 DAY"  # noqa: S608
_BY_DAY = f"""
SELECT * FROM unnest(generate_series($since::DATE, $until::DATE, INTERVAL 1 DAY)::DATE[]) AS asked(day)
LEFT JOIN ({daily(_OF_THE_DAYS)}) USING (day) ORDER BY day
"""  # noqa: S608
_KNOWN_SINCE = f"SELECT min(began) FROM ({COUNTED}) WHERE began >= {KNOWN_SINCE}"  # noqa: S608
_MAY_BE_NONE = frozenset({"auto_fix_success_rate", "avg_recovery_time_s"})


def between(connection: duckdb.DuckDBPyConnection, since: datetime, until: datetime) -> dict[str, Any]:
    """Over [since, until). Counts are kept by minute, old ones by day: each is taken whole that begins in that time,
    and the minute that `since` lies in. Raises duckdb.Error."""
    (row,) = _rows(connection, _BETWEEN, {"since": utc(since), "until": utc(until)})
    return row


def by_day(connection: duckdb.DuckDBPyConnection, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """A row a UTC day, from that of `since` to that of `until`. Raises duckdb.Error."""
    rows = _rows(connection, _BY_DAY, {"since": utc(since), "until": utc(until)})
    return [{name: _known(name, value) for name, value in row.items()} for row in rows]


def known_since(connection: duckdb.DuckDBPyConnection) -> datetime | None:
    """Raises duckdb.Error."""
    row = connection.execute(_KNOWN_SINCE).fetchone()
    return row[0].replace(tzinfo=UTC) if row and row[0] is not None else None


def _known(name: str, value: Any) -> Any:
    """Before the first day that anything is known of, nothing happened."""
    return 0 if value is None and name not in _MAY_BE_NONE else value


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, given: Any) -> list[dict[str, Any]]:
    answer = connection.execute(sql, given)
    names = [str(each[0]) for each in answer.description or ()]
    return [dict(zip(names, map(_as_json, row), strict=True)) for row in answer.fetchall()]


def _as_json(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") and not isinstance(value, datetime) else jsonable(value)
