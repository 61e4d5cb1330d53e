"""`logmedic query`: what is let through reads the views and nothing else."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from fuzz.target import Attempt, Target, claim
from fuzz.targets import PROJECT, by_name, words
from fuzz.targets.rulefiles import blocks_of
from logmedic.adapters.store import views
from logmedic.adapters.store.answers import answer_of
from logmedic.adapters.store.migrations import migrate
from logmedic.adapters.store.sql import needs_of
from logmedic.model.errors import QueryRefused
from logmedic.model.query import Limits

SECRET = "nobody-may-read-this"
_FEW = 9999
"""A query with a larger number in it is judged and not run: series and texts of that length are another bound's
affair, which needs a process (adapters/store/queryroom.py)."""
_TIME_S = 2.0
_STANDS = """
SELECT 'table', database_name, schema_name, table_name, sql FROM duckdb_tables() WHERE NOT temporary
UNION ALL SELECT 'view', database_name, schema_name, view_name, sql FROM duckdb_views()
  WHERE NOT internal AND NOT temporary
UNION ALL SELECT 'setting', '', '', name, value FROM duckdb_settings()
  WHERE name NOT IN ('profiling_output', 'TimeZone')
UNION ALL SELECT 'macro', database_name, schema_name, function_name, macro_definition FROM duckdb_functions()
  WHERE NOT internal
UNION ALL SELECT 'database', '', '', database_name, path FROM duckdb_databases()
UNION ALL SELECT 'sequence', '', '', sequence_name, sql FROM duckdb_sequences()
UNION ALL SELECT 'variable', '', '', name, value::VARCHAR FROM duckdb_variables()
ORDER BY ALL
"""


@contextmanager
def _query(room: Path) -> Iterator[Attempt]:
    """Beside a database with all views: files that it must not read, and a connection that could."""
    (room / "secret.csv").write_text(f"{SECRET}\n")
    with duckdb.connect(config={"threads": 1, "memory_limit": "100MB"}) as connection:
        migrate(connection)
        views.lay_over(connection)
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"SET file_search_path = '{room}'")
        columns = views.columns_of(connection)
        stands = connection.execute(_STANDS).fetchall()

        def attempt(given: bytes) -> None:
            sql = given.decode("utf-8", "replace")
            needs = needs_of(sql, columns)
            claim(set(needs.views) <= set(columns), f"it reads {set(needs.views) - set(columns)}")
            if any(int(each) > _FEW for each in re.findall(r"\d+", sql)):
                return
            answer = _run(connection, sql)
            claim(SECRET.encode() not in answer, "it read a file")
            claim(connection.execute(_STANDS).fetchall() == stands, "it changed something")
            claim([each.name for each in room.iterdir()] == ["secret.csv"], "it wrote a file")

        yield attempt


def _run(connection: Any, sql: str) -> bytes:
    timer = threading.Timer(_TIME_S, connection.interrupt)
    timer.start()
    try:
        return answer_of(connection, sql, Limits(100, _TIME_S))
    finally:
        timer.cancel()
        timer.join()


def _asked() -> Iterable[bytes]:
    yield from (
        part for part in blocks_of((PROJECT / "docs" / "questions.md").read_bytes(), b"sql") if len(part) < 4000
    )
    yield b"SELECT title, count(*) FROM v_incidents GROUP BY ALL ORDER BY 2 DESC"
    yield b"WITH a AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM range(3) t(x)) FROM a JOIN v_issues USING (id)"
    yield b"FROM v_issues SELECT id, list_transform([1], lambda x: x + 1), {'a': 1}, MAP {'k': [NULL]}, INTERVAL 1 DAY"
    yield b"PIVOT v_issues ON severity USING count(*)"
    yield b"SELECT unnest(generate_series(1, 3)), v_fixes FROM v_fixes WHERE exists (FROM v_alerts)"
    yield b"DESCRIBE v_issues"
    yield b"SUMMARIZE SELECT * FROM v_issues"


_TOKENS = words("query")
TARGETS = by_name(
    Target(
        "query",
        _query,
        _asked,
        _TOKENS,
        (QueryRefused,),
        most_bytes=3000,
        cpu_s=8.0,
        peak=512 * 1024 * 1024,
        growth=256 * 1024 * 1024,
    )
)
