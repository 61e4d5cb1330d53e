"""SQL of operators: what it may ask, what it may cost, and that commits go on beside it."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.test_store_contract import EVERYTHING, INCIDENT, NASTY
from logmedic.adapters.store import reading, views
from logmedic.adapters.store.connection import queries_of
from logmedic.adapters.store.duck import DuckStore
from logmedic.adapters.store.sql import needs_of
from logmedic.model.changeset import Changeset
from logmedic.model.errors import QueryRefused, StoreBusy
from logmedic.model.issue import Tally
from logmedic.model.query import SQL_MAX, Limits
from store.history import history

COLUMNS = {
    "v_issues": {"id": "VARCHAR", "title": "VARCHAR", "first_seen": "TIMESTAMP"},
    "v_breakers": {"opens": "BIGINT"},
}
NOW = datetime.now(UTC)
TWO = int(duckdb.__version__.split(".")[0]) >= 2
"""DuckDB 1.5 refuses some things in other words, and earlier."""
WRITES = "would write" if TWO else "A CTE needs a SELECT"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "logmedic.duckdb"


def asking(path: Path, scenario: Callable[[DuckStore], Awaitable[Any]], *changesets: Changeset) -> Any:
    async def whole() -> Any:
        store = DuckStore(path)
        await store.open()
        try:
            for changeset in changesets:
                await store.commit(changeset)
            return await scenario(store)
        finally:
            await store.close()

    return asyncio.run(whole())


def answer(path: Path, sql: str, *changesets: Changeset, limits: Limits = Limits()) -> Any:  # noqa: B008  a value
    async def ask(store: DuckStore) -> Any:
        return json.loads(await store.query(sql, limits))

    return asking(path, ask, *changesets)


# -- what may be asked


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELECT * FROM read_text('/etc/passwd')", "`read_text` may not stand for a table"),
        ("SELECT * FROM read_blob('logmedic.duckdb')", "read_blob"),
        ("SELECT * FROM glob('/etc/*')", "glob"),
        ("SELECT * FROM query('SELECT 1')", "query"),
        ("SELECT * FROM duckdb_settings()", "duckdb_settings"),
        ("SELECT (SELECT count(*) FROM read_csv('/etc/passwd'))", "read_csv"),
        ("WITH a AS (SELECT 1), b AS (SELECT * FROM read_json('x')) SELECT * FROM a", "read_json"),
        ("SELECT * FROM '/etc/passwd'", "no view is called `/etc/passwd`"),
        ("SELECT * FROM 'archive/incidents.parquet'", "no view is called"),
        ("SELECT * FROM incidents", "no view is called `incidents`"),
        ("SELECT * FROM main.changes", "no view is called `main.changes`"),
        ("SELECT * FROM information_schema.tables", "no view is called"),
        ("SHOW TABLES", "only views can be described"),
        ("SET threads = 8", "a query is one SELECT, and this is SET"),
        ("ATTACH '/tmp/x'", "ATTACH"),
        ("COPY (SELECT 1) TO 'archive/x.parquet'", "COPY"),
        ("PRAGMA database_list", "PRAGMA" if TWO else "Only SELECT"),
        ("INSTALL httpfs", "one SELECT"),
        ("LOAD httpfs", "LOAD"),
        ("CALL pragma_version()", "CALL"),
        ("EXPLAIN ANALYZE SELECT 1", "EXPLAIN"),
        ("EXPORT DATABASE 'x'", "EXPORT"),
        ("DELETE FROM v_issues", "DELETE"),
        ("DROP VIEW v_issues", "DROP"),
        ("CREATE TABLE a AS SELECT 1", "CREATE"),
        ("WITH gone AS (DELETE FROM v_issues RETURNING *) SELECT * FROM gone", WRITES),
        ("WITH new AS (INSERT INTO v_issues VALUES (1) RETURNING *) SELECT * FROM new", WRITES),
        ("SELECT 1; SELECT 2", "SELECT, SELECT"),
        ("", "this is nothing"),
        ("-- nothing", "this is nothing"),
        ("\x00", "Parser Error" if TWO else "this is nothing"),
        ("SELECT 1" * 10_000, f"{SQL_MAX:,} are allowed"),
        ("SELECT 1 FROM " + ", ".join(f"v_issues a{n}" for n in range(31)), "31 tables"),
        *([("SELECT " + "(" * 5000 + "1" + ")" * 5000, "too deeply")] if TWO else []),  # 1.5 makes nothing of them
        ("SELECT " + "NOT " * 6000 + "true", "too deeply"),
        ("SELECT * FROM (" * 1500 + "SELECT 1" + ")" * 1500, "too deeply"),
    ],
)
def test_all_but_one_select_over_views_is_refused(sql: str, says: str) -> None:
    with pytest.raises(QueryRefused) as refused:
        needs_of(sql, COLUMNS)
    assert says in refused.value.text


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("SELECT title FROM v_issues", ["title"]),
        ("SELECT issues.title FROM V_ISSUES AS issues WHERE first_seen > now()", ["title", "first_seen"]),
        ("SELECT count(*) FROM v_issues", ["id"]),
        ("FROM v_issues", None),
        ("SELECT issues FROM v_issues AS issues", None),
        ("SELECT v_issues FROM v_issues", None),
        ("SELECT #2 FROM v_issues", None),
        ("SELECT COLUMNS('t.*') FROM v_issues", None),
        ("SELECT a FROM v_issues AS issues(a, b, c)", None),
        ("SELECT count(*) FROM v_issues NATURAL JOIN (SELECT 1 AS id)", None),
        ("SELECT count(*) FROM v_issues JOIN (SELECT '1' AS title) USING (title)", ["title"]),
        ("WITH v_issues AS (SELECT title FROM v_issues) SELECT * FROM v_issues", None),
        ("SELECT * FROM (PIVOT v_issues ON title IN ('a') USING count(*))", None),
        ("DESCRIBE v_issues", None),
        ("SELECT title FROM v_issues;  -- and a word", ["title"]),
    ],
)
def test_what_a_query_reads_is_found_in_it(sql: str, columns: list[str] | None) -> None:
    assert needs_of(sql, COLUMNS).views == {"v_issues": columns}


@given(st.text(max_size=200) | st.lists(st.sampled_from(["SELECT", "FROM", "v_issues", "(", ")", ",", "*", "'", "id"])))
def test_no_text_breaks_the_judge(sql: str | list[str]) -> None:
    with suppress(QueryRefused):
        needs_of(sql if isinstance(sql, str) else " ".join(sql), COLUMNS)


@pytest.mark.parametrize(
    ("sql", "place", "hint"),
    [
        ("SELECT tilte FROM v_issues", "LINE 1: SELECT tilte FROM v_issues\n               ^", ""),
        ("SELECT id\nFROM v_issues\nWHERE frist_seen > now()", "LINE 3: WHERE frist_seen", ""),
        ("SELCT 1", "LINE 1: SELCT 1\n        ^", "for example"),
        ("SELECT * FROM v_issue", "`v_issue`", "did you mean v_issues?"),
        ("SELECT * FROM breakers", "`breakers`", "did you mean v_breakers?"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_may_be_meant(sql: str, place: str, hint: str) -> None:
    with pytest.raises(QueryRefused) as refused:
        needs_of(sql, COLUMNS)
    assert place in refused.value.text
    assert hint in refused.value.hint


# -- what is answered


def test_what_was_committed_a_moment_ago_is_there_through_the_daemon_and_beside_it(path: Path) -> None:
    sql = "SELECT title, captures['upstream'] AS upstream FROM v_incidents"
    through = answer(path, sql, EVERYTHING)
    assert through["rows"] == [[NASTY, "10.0.0.1:80"]]

    async def killed(store: DuckStore) -> None:
        await store.commit(replace(EVERYTHING, incidents=(replace(INCIDENT, id="0193-i2", title="the last one"),)))
        store._writer.close_connection()  # as kill -9: nothing is brought into the tables

    asking(path, killed)
    beside = reading.query(path, f"{sql} ORDER BY id", Limits())
    assert [title for title, _ in beside["rows"]] == [NASTY, "the last one"]


def test_values_are_told_as_json_has_them(path: Path) -> None:
    told = answer(
        path,
        "SELECT TIMESTAMP '2026-01-02 03:04:05.5' AS a, DATE '2026-01-02' AS b, INTERVAL 90 SECOND AS c, 1.5 AS d, "
        "'nan'::DOUBLE AS e, [1, NULL] AS f, {'x': TIMESTAMP '2026-01-02'} AS g, NULL AS h, true AS i, "
        "170141183460469231731687303715884105727 AS j, '\\xff'::BLOB AS k, "
        "timezone('UTC', TIMESTAMP '2026-01-02') AS l, 1 AS m, 2 AS m",
    )
    assert told["columns"] == [*"abcdefghijkl", "m", "m"]
    assert told["rows"] == [
        [
            *("2026-01-02T03:04:05.500000Z", "2026-01-02", 90.0, 1.5, None, [1, None]),
            *({"x": "2026-01-02T00:00:00Z"}, None, True, 2**127 - 1, "\\xFF", "2026-01-02T00:00:00Z", 1, 2),
        ]
    ]


def test_an_answer_is_cut_at_its_limit_and_says_so(path: Path) -> None:
    some = answer(path, "FROM range(100)", limits=Limits(rows=7))
    assert ([row for (row,) in some["rows"]], some["cut"]) == (list(range(7)), "rows")
    all_of_them = answer(path, "FROM range(7)", limits=Limits(rows=7))
    assert (len(all_of_them["rows"]), all_of_them["cut"]) == (7, "")
    long = answer(path, "SELECT repeat('x', 1000) FROM range(100)", limits=Limits(answer_bytes=10_000))
    assert (len(long["rows"]), long["cut"]) == (9, "bytes")


def test_days_without_anything_are_rows_of_zeros(path: Path) -> None:
    minute = (NOW - timedelta(days=5)).replace(second=0, microsecond=0)
    told = answer(
        path, "SELECT day, total_errors FROM v_metrics_daily", Changeset(tallies=(Tally(minute, "matched", 3),))
    )
    days = [(NOW - timedelta(days=ago)).date().isoformat() for ago in range(5, -1, -1)]
    assert told["rows"][:6] == [[day, 3 if n == 0 else 0] for n, day in enumerate(days)]


def test_the_views_answer_whatever_columns_the_tables_have_besides(path: Path) -> None:
    asking(path, lambda store: store.ask("counts"), EVERYTHING)
    with duckdb.connect(str(path)) as later:
        before = {name: later.execute(f"FROM {name}").description for name in views.VIEWS}
        for table in ("known_issues", "incidents", "fix_attempts", "alerts", "templates", "learning_patterns"):
            later.execute(f"ALTER TABLE {table} ADD COLUMN of_a_later_form BIGINT DEFAULT 7")
        assert {name: later.execute(f"FROM {name}").description for name in views.VIEWS} == before


def test_the_views_are_in_the_file_for_whoever_opens_a_copy(path: Path) -> None:
    asking(path, lambda store: store.ask("counts"), EVERYTHING)
    with duckdb.connect(str(path), read_only=True) as other:
        assert other.execute("SELECT issue_id FROM v_incidents").fetchall() == [("s1",)]


def test_views_that_another_version_made_are_made_anew_and_others_are_not_touched(path: Path) -> None:
    asking(path, lambda store: store.ask("counts"), EVERYTHING)
    with duckdb.connect(str(path)) as other:
        other.execute("CREATE OR REPLACE VIEW v_issues AS SELECT 1 AS of_an_older_version")
        other.execute("DROP VIEW v_gaps")
        other.execute("CREATE VIEW mine AS SELECT 7 AS seven")
    asking(path, lambda store: store.ask("counts"))
    written = path.read_bytes()
    with duckdb.connect(str(path)) as same:
        assert {each[0] for each in same.execute("FROM v_issues").description or ()} > {"id", "title"}
        assert same.execute("SELECT (SELECT count(*) FROM v_gaps), (SELECT seven FROM mine)").fetchall() == [(2, 7)]
        views.refresh(same)
    assert path.read_bytes() == written


def test_metrics_of_days_that_have_left_the_store_are_sums_among_the_counts(path: Path) -> None:
    day = datetime(2026, 1, 2, tzinfo=UTC)
    gone = {"past_fixed": 2, "past_recovery_ms": 9000, "past_auto_fix_success": 2, "past_auto_fix_failure": 1}
    tallies = tuple(Tally(day, kind, n) for kind, n in {**gone, "matched": 40, "past_issue_escalation": 3}.items())

    async def ask(store: DuckStore) -> Any:
        sql = (
            "SELECT total_errors, auto_fixed, auto_fix_success_rate, escalations, avg_recovery_time_s "
            "FROM v_metrics_daily WHERE day = DATE '2026-01-02'"
        )
        return json.loads(await store.query(sql, Limits()))["rows"], await store.ask("stats"), await store.ask("counts")

    rows, stats, counts = asking(path, ask, Changeset(tallies=tallies))
    assert rows == [[40, 2, pytest.approx(2 / 3), 3, 4.5]]
    assert (stats["auto_fixed"], stats["avg_recovery_time_s"], stats["escalations"]) == (2, 4.5, 3)
    assert counts == {"matched": 40}


# -- what it may cost

HOSTILE = [
    "SELECT length(repeat('x', 1000000000))",
    "SELECT length(repeat('x', 100000000) || range) FROM range(5000)",
    "SELECT length(lpad('x', 2000000000, 'y'))",
    "SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE hash(a.range) = hash(b.range) + 1",
    "SELECT list(range) FROM range(1000000000)",
    "SELECT range(1000000000)",
    "SELECT * FROM range(100000000000) ORDER BY hash(range)",
    "WITH RECURSIVE t AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM t) SELECT sum(a) FROM t",
    "WITH RECURSIVE t AS (SELECT 'x' AS a UNION ALL SELECT a || a FROM t) SELECT length(a) FROM t",
    "SELECT x || x AS x FROM (" * 40 + "SELECT title AS x FROM v_incidents" + ")" * 40,
    "SELECT * FROM " + ", ".join(f"range(2) a{n}" for n in range(300)),
    "SELECT 1" + " UNION ALL SELECT 1" * 1500 + " ORDER BY 1",
]


@pytest.mark.slow
@pytest.mark.parametrize("sql", HOSTILE, ids=lambda sql: sql[:50])
def test_a_hostile_query_ends_and_the_daemon_lives_on(path: Path, sql: str) -> None:
    async def attack(store: DuckStore) -> Any:
        with suppress(QueryRefused):
            await store.query(sql, Limits(time_s=2))
        await store.commit(Changeset(tallies=(Tally(INCIDENT.opened_at, "matched", 1),)))
        assert _children() == []
        return await store.ask("counts")

    assert asking(path, attack, EVERYTHING)["matched"] >= 1
    assert not queries_of(path).exists()


def _children() -> list[str]:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


ENDLESS = "WITH RECURSIVE t AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM t) SELECT sum(a) FROM t"


def test_commits_go_on_while_a_query_runs(path: Path) -> None:
    async def beside(store: DuckStore) -> int:
        running = asyncio.create_task(store.query(ENDLESS, Limits(time_s=2)))
        committed = 0
        while not running.done():
            await store.commit(Changeset(tallies=(Tally(INCIDENT.opened_at, "matched", 1),)))
            committed += 1
        with pytest.raises(QueryRefused, match="longer than 2 s"):
            await running
        return committed

    assert asking(path, beside, EVERYTHING) > 20


def test_a_third_query_is_told_to_wait(path: Path) -> None:
    async def crowd(store: DuckStore) -> None:
        two = [asyncio.create_task(store.query(ENDLESS, Limits(time_s=30))) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(StoreBusy, match="2 queries are running already"):
            await store.query("SELECT 1", Limits())
        for task in two:
            task.cancel()
        await asyncio.gather(*two, return_exceptions=True)
        assert json.loads(await store.query("SELECT 1", Limits()))["rows"] == [[1]]

    asking(path, crowd)
    assert not queries_of(path).exists()


def test_one_sees_one_moment(path: Path) -> None:
    """Two views of one query are of the same time, however much is committed meanwhile."""

    async def beside(store: DuckStore) -> None:
        number = 0
        sql = "SELECT (SELECT count(*) FROM v_incidents), (SELECT count(*) FROM v_events)"
        for _ in range(3):
            asked = asyncio.create_task(store.query(sql, Limits()))
            while not asked.done():
                number += 1
                incident = replace(INCIDENT, id=f"i{number}")
                event = replace(EVERYTHING.events[0], id=f"e{number}", incident_id=incident.id)
                await store.commit(Changeset(incidents=(incident,), events=(event,)))
            ((incidents, events),) = json.loads(await asked)["rows"]
            assert incidents == events

    asking(path, beside)


def test_what_a_killed_daemon_left_of_a_query_goes_at_the_next_start(path: Path) -> None:
    left = queries_of(path) / "tmp1" / "v_issues.parquet"
    left.parent.mkdir(parents=True)
    left.write_text("x")
    asking(path, lambda store: store.ask("counts"))
    assert not queries_of(path).exists()


def test_without_a_daemon_a_query_ends_as_well(path: Path) -> None:
    asking(path, lambda store: store.ask("counts"), *_some_days())
    with pytest.raises(QueryRefused, match=r"longer than 0\.5 s"):
        reading.query(path, ENDLESS, Limits(time_s=0.5))
    with pytest.raises(QueryRefused, match="read_blob"):
        reading.query(path, f"SELECT * FROM read_blob('{path}')", Limits())


def _some_days() -> Iterator[Changeset]:
    return history(NOW, days=2)
