"""`query` and `stats --since` as they are typed: output, errors, with a daemon and without."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import pty
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

import forked
from cli.surroundings import ENVIRONMENT
from contracts.test_store_contract import EVERYTHING
from fakes.served import serving
from logmedic.adapters.store.duck import DuckStore
from logmedic.cli.stats import _figure
from store.history import history

NOW = datetime.now(UTC)
BARS = set("▁▂▃▄▅▆▇█")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logmedic.sock"


def logmedic(
    *arguments: str, socket: Path, given: str | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    return forked.run(
        [sys.executable, "-m", "logmedic", *arguments, "--socket", str(socket)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        input=given,
        env={**ENVIRONMENT, **environment},
    )


def on_a_terminal(*arguments: str, socket: Path, **environment: str) -> str:
    """What is written to a terminal of 120 columns."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "logmedic", *arguments, "--socket", str(socket)]
    settings = {**ENVIRONMENT, "TERM": "xterm-256color", "COLUMNS": "120", **environment}
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.PIPE, env=settings) as process:
        os.close(theirs)
        written = b""
        while part := _read(ours):
            written += part
        assert process.wait(60) == 0
    os.close(ours)
    return written.decode()


def _undressed(shown: str) -> str:
    """Headings are bold."""
    return shown.replace("\x1b[1m", "").replace("\x1b[0m", "")


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the other side is gone
        return b""


SQL = """
SELECT rule_id, count(*) AS n, avg(open_s) AS mean, max(opened_at) AS last
FROM v_incidents WHERE status = 'resolved' GROUP BY ALL ORDER BY rule_id
"""


def test_a_table_is_for_people(path: Path) -> None:
    with serving(path, *history(NOW, days=2)):
        ran = logmedic("query", SQL, socket=path)
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["rule_id", "db-slow", "disk-full", "web-down"]
    assert lines[1].split()[1] == "3"
    assert lines[1].endswith("Z")
    assert "." not in lines[1].split()[4]  # no fraction of a second
    assert len({len(line) for line in lines[1:]}) == 1


def test_json_and_csv_are_for_programs(path: Path) -> None:
    with serving(path, *history(NOW, days=2)):
        rows = json.loads(logmedic("query", SQL, "-o", "json", socket=path).stdout)
        lines = logmedic("query", SQL, "-o", "jsonl", socket=path).stdout.splitlines()
        written = logmedic("query", SQL, "-o", "csv", socket=path).stdout
    assert [row["rule_id"] for row in rows] == ["db-slow", "disk-full", "web-down"]
    assert list(map(json.loads, lines)) == rows
    found = list(csv.DictReader(io.StringIO(written)))
    assert [(row["rule_id"], int(row["n"]), row["last"]) for row in found] == [
        (row["rule_id"], row["n"], row["last"]) for row in rows
    ]


def test_parquet_is_written_here_with_its_types(path: Path, tmp_path: Path) -> None:
    file = tmp_path / 'it\'s "new".parquet'
    with serving(path, EVERYTHING, *history(NOW, days=2)):
        ran = logmedic("query", "FROM v_incidents ORDER BY id", "-w", str(file), socket=path)
        again = logmedic("query", "FROM v_incidents", "-w", str(file), socket=path)
        odd = logmedic(
            *("query", "SELECT INTERVAL 1 DAY AS a, '\\xff'::BLOB AS b, NULL AS c, 2 AS a, [{'x': 1}] AS d, true AS e"),
            *("-w", str(tmp_path / "odd.parquet")),
            socket=path,
        )
    assert (ran.returncode, odd.returncode) == (0, 0), ran.stderr + odd.stderr
    assert (again.returncode, "exists already" in again.stderr) == (1, True)
    with duckdb.connect() as connection:
        read = connection.read_parquet(str(file))
        types = dict(zip(read.columns, map(str, read.types), strict=True))
        assert {types["opened_at"], types["captures"], types["open_s"], types["occurrences"]} == {
            *("TIMESTAMP", "MAP(VARCHAR, VARCHAR)", "DOUBLE", "BIGINT")
        }
        assert read.aggregate("count(*)").fetchall() == [(11,)]
        assert connection.read_parquet(str(tmp_path / "odd.parquet")).fetchall() == [
            (86400.0, "\\xFF", None, 2, [{"x": 1}], True)
        ]


def test_sql_comes_from_a_file_or_from_standard_input(path: Path, tmp_path: Path) -> None:
    (tmp_path / "question.sql").write_text("SELECT 41 + 1 AS answer; -- of a file\n")
    with serving(path):
        of_file = logmedic("query", "-f", str(tmp_path / "question.sql"), "-o", "jsonl", socket=path)
        of_input = logmedic("query", "-", "-o", "jsonl", socket=path, given="SELECT 42 AS answer")
        both = logmedic("query", "SELECT 1", "-f", str(tmp_path / "question.sql"), socket=path)
    assert of_file.stdout == of_input.stdout == '{"answer": 42}\n'
    assert both.returncode == 2


def test_a_cut_answer_says_so_beside_it(path: Path) -> None:
    with serving(path):
        ran = logmedic("query", "FROM range(5)", "--limit", "2", "-o", "csv", socket=path)
    assert ran.stdout == "range\n0\n1\n"
    assert ran.stderr == "only the first 2 rows are here: --limit gives more (at most 100,000)\n"


def test_a_mistake_is_shown_at_its_place(path: Path) -> None:
    with serving(path):
        ran = logmedic("query", "SELECT tilte FROM v_issues", socket=path)
        view = logmedic("query", "SELECT * FROM v_isues", socket=path)
        long = logmedic("query", "-", socket=path, given="SELECT '" + "x" * 1_000_000 + "'")
        slow = logmedic("query", "SELECT count(*) FROM range(10000000000)", "--timeout", "0.4", socket=path)
    assert [each.returncode for each in (ran, view, long, slow)] == [1, 1, 1, 1]
    assert "LINE 1: SELECT tilte FROM v_issues\n               ^^^^^\nhint:" in ran.stderr
    assert "did you mean v_issues?" in view.stderr
    assert "1,000,009 characters" in long.stderr
    assert "longer than 0.4 s" in slow.stderr
    assert "--timeout 60" in slow.stderr


def test_without_sql_the_views_are_listed_and_no_daemon_is_asked(path: Path) -> None:
    table = logmedic("query", socket=path)
    assert table.returncode == 0, table.stderr
    assert "v_metrics_daily" in table.stdout
    assert json.loads(logmedic("query", "-o", "json", socket=path).stdout)["v_counts"]["n"] == "BIGINT"


def test_no_log_text_steers_the_terminal(path: Path) -> None:
    with serving(path, EVERYTHING):
        for output in ("table", "json", "csv"):
            shown = on_a_terminal("query", "SELECT title FROM v_incidents", "-o", output, socket=path, NO_COLOR="1")
            assert not set(_undressed(shown)) & {"\x1b", "\x00", "\u202e"}, output


def test_without_a_daemon_the_store_is_read_and_left_as_it_was(path: Path, tmp_path: Path) -> None:
    store_path = tmp_path / "state" / "logmedic.duckdb"

    async def fill() -> None:
        store = DuckStore(store_path)
        await store.open()
        for changeset in history(NOW, days=2):
            await store.commit(changeset)
        await store.close()

    asyncio.run(fill())
    before = store_path.read_bytes()
    ran = logmedic("query", SQL, "-o", "json", "--store", str(store_path), socket=path)
    empty = logmedic("query", "", "--store", str(store_path), socket=path)
    learned = logmedic("learned", "--store", str(store_path), socket=path)
    wrong = logmedic("query", "SELECT * FROM known_issues", "--store", str(store_path), socket=path)
    stats = logmedic("stats", "--since", "2d", "-o", "json", "--store", str(store_path), socket=path)
    ahead = logmedic("stats", "--since", "2100-01-01", "--store", str(store_path), socket=path)
    nothing = logmedic("query", "SELECT 1", "--store", str(tmp_path / "none"), socket=path)
    assert [row["n"] for row in json.loads(ran.stdout)] == [3, 3, 3]
    assert "no daemon is running" in ran.stderr
    assert (empty.returncode, empty.stderr.splitlines()[0]) == (1, "error: there is no SQL")
    assert learned.stderr.count("no daemon is running") == 1  # though it asks twice
    assert (wrong.returncode, "no view is called `known_issues`" in wrong.stderr) == (1, True)
    assert len(json.loads(stats.stdout)["days"]) == 3
    assert (ahead.returncode, nothing.returncode) == (2, 4)
    assert store_path.read_bytes() == before


def test_trends_stand_beside_the_time_before(path: Path) -> None:
    with serving(path, *history(NOW, days=40)):
        ran = logmedic("stats", "--since", "15d", socket=path)
        told = json.loads(logmedic("stats", "--since", "15d", "-o", "json", socket=path).stdout)
        days = logmedic("stats", "--since", "15d", "-o", "jsonl", socket=path).stdout.splitlines()
    assert ran.returncode == 0, ran.stderr
    lines = {line.split()[0]: line for line in ran.stdout.splitlines()[1:]}
    assert set(told["before"]) == set(lines) - {"METRIC"}
    assert "%" in lines["escalations"] or "=" in lines["escalations"]
    assert len(lines["escalations"].split()[-1]) == len(told["days"]) == len(days) == 16
    assert set(lines["total_errors"].split()[-1]) <= BARS
    assert told["total_errors"] == pytest.approx(sum(day["total_errors"] for day in told["days"]), rel=0.1)
    assert {"since", "until", "known_since", "total_errors", "avg_recovery_time_s"} <= set(told)


def test_what_is_not_known_is_not_compared(path: Path) -> None:
    with serving(path, *history(NOW, days=10)):
        ran = logmedic("stats", "--since", "10d", socket=path)
    with serving(path):
        nothing = logmedic("stats", "--since", "10d", socket=path)
    assert "too short to be compared" in ran.stdout
    assert "%" not in next(line for line in ran.stdout.splitlines() if line.startswith("escalations"))
    assert "nothing is known yet" in nothing.stdout


def test_a_year_fits_into_a_terminal(path: Path) -> None:
    with serving(path, *history(NOW, days=40)):
        shown = on_a_terminal("stats", "--since", "365d", socket=path)
        plain = on_a_terminal("stats", "--since", "365d", socket=path, NO_COLOR="1")
    assert "days a column" in shown
    assert all(len(line) <= 120 for line in _undressed(plain).splitlines())
    assert BARS & set(shown)
    assert "\x1b[31m" not in plain


def test_a_bad_time_is_told(path: Path) -> None:
    with serving(path):
        ran = logmedic("stats", "--since", "yesterday", socket=path)
    assert ran.returncode == 1
    assert "`yesterday` is no time" in ran.stderr


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"name": "logmedic_start_time_seconds", "value": 1795687399.2}, "2026-11-26 10:03:19Z"),
        ({"name": "logmedic_source_last_line_timestamp_seconds", "value": 0}, "0"),
        ({"name": "logmedic_commit_seconds", "value": 4, "sum": 2.0}, "4, mean 0.5"),
        ({"name": "process_resident_memory_bytes", "value": 212807680}, "212,807,680"),
    ],
)
def test_a_figure_that_is_a_moment_is_told_as_a_time(row: dict[str, object], text: str) -> None:
    assert _figure(row) == text
