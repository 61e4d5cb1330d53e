"""query."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import click

from logmedic.cli.context import Context, pass_context, shared_with
from logmedic.cli.output import complain, field, print_json, print_table, several, visible
from logmedic.model.errors import PermanentError, QueryRefused
from logmedic.model.query import ROWS, ROWS_MAX, SQL_MAX, TIME_MAX_S, TIME_S, Limits

_CUT = {
    "rows": "only the first {rows} are here: --limit gives more (at most {most:,})",
    "bytes": "only the first {rows} are here, which is as much as one answer holds: ask for fewer columns",
}
Answer = Mapping[str, Any]
"""As of ports.Store.query, parsed."""


@click.command("query")
@click.argument("sql", required=False)
@click.option("-f", "--file", "file", type=click.File("r"), help="Read the SQL from a file; `-` is standard input.")
@click.option("--limit", default=ROWS, show_default=True, type=click.IntRange(1, ROWS_MAX), help="Rows at most.")
@click.option(
    "--timeout",
    "time_s",
    default=TIME_S,
    show_default=True,
    type=click.FloatRange(0, TIME_MAX_S, min_open=True),
    help="Seconds that it may take.",
)
@click.option("-w", "--write", "parquet", type=click.Path(path_type=Path), help="Write a new Parquet file instead.")
@shared_with("csv")
@pass_context
def query_command(
    context: Context, sql: str | None, file: IO[str] | None, limit: int, time_s: float, parquet: Path | None
) -> None:
    """Ask the past in SQL: one SELECT over views (docs/questions.md). Nothing is changed by it.

    Without SQL the views are listed. `-` reads it from standard input.

    For example: logmedic query "SELECT rule_id, count(*) FROM v_incidents GROUP BY ALL ORDER BY 2 DESC"
    """
    text = _text(sql, file)
    if text is None:
        _list_views(context)
        return
    if parquet is not None and parquet.exists():
        raise PermanentError(f"{parquet} exists already", "name a new file")
    if not text.strip():
        raise QueryRefused("there is no SQL", 'type one: logmedic query "SELECT title FROM v_issues"')
    if len(text) > SQL_MAX:
        raise QueryRefused(f"the SQL has {len(text):,} characters, and {SQL_MAX:,} are allowed", "ask in parts")
    answer = context.query(text, Limits(limit, time_s))
    if parquet is not None:
        _write(answer, parquet)
    else:
        _print(answer, context.output)
    if answer["cut"]:
        complain(_CUT[answer["cut"]].format(rows=several(len(answer["rows"]), "row"), most=ROWS_MAX))


def _text(sql: str | None, file: IO[str] | None) -> str | None:
    if file is not None and sql is not None:
        raise click.UsageError("SQL comes from the command line or from a file, not from both.")
    if file is not None:
        return file.read()
    return sys.stdin.read() if sql == "-" else sql


def _list_views(context: Context) -> None:
    from logmedic.adapters.store import reading, views

    columns = reading.documented()
    if context.output != "table":
        print_json(columns)
        return
    rows = [{"view": name, "about": views.ABOUT[name], "columns": ", ".join(columns[name])} for name in columns]
    print_table(rows, {"VIEW": field("view"), "WHAT": field("about"), "COLUMNS": field("columns")})
    complain("what each column means: docs/questions.md")


def _print(answer: Answer, output: str) -> None:
    match output:
        case "csv":
            _print_csv(answer)
        case "json":
            print_json(list(_objects(answer)))
        case "jsonl":
            for row in _objects(answer):
                print(json.dumps(row))
        case _:
            _print_table(answer)


def _objects(answer: Answer) -> Iterator[Mapping[str, Any]]:
    names = _unique(answer["columns"])
    return (dict(zip(names, row, strict=True)) for row in answer["rows"])


def _unique(names: Sequence[str]) -> list[str]:
    """Two columns may have one name in SQL."""
    found: list[str] = []
    for name in names:
        numbers = (f"{name}_{number}" for number in range(1, len(names) + 1))
        found.append(name if name not in found else next(each for each in numbers if each not in found))
    return found


def _print_csv(answer: Answer) -> None:
    """As RFC 4180 has it, with a line of names. On a terminal no text of a log steers it."""
    written = csv.writer(sys.stdout, lineterminator="\n")
    show = visible if sys.stdout.isatty() else str
    written.writerow([show(each) for each in answer["columns"]])
    for row in answer["rows"]:
        written.writerow([show(_plain(each)) for each in row])


def _plain(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list() | dict():
            return json.dumps(value, ensure_ascii=False)
    return str(value)


def _print_table(answer: Answer) -> None:
    names = _unique(answer["columns"])
    if not answer["rows"]:
        print("no row")
        return
    rows = [
        {name: _cell(value, kind) for name, value, kind in zip(names, row, answer["types"], strict=True)}
        for row in answer["rows"]
    ]
    print_table(rows, {name: field(name) for name in names}, right=_numbers(names, answer["types"]))


def _numbers(names: Sequence[str], types: Sequence[str]) -> frozenset[str]:
    numeric = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")
    return frozenset(name for name, kind in zip(names, types, strict=True) if kind.lstrip("U").startswith(numeric))


def _cell(value: Any, kind: str) -> str:
    """For people: times to the second, fractions to what can be told apart."""
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) >= 100 else f"{value:.4g}"
    if kind.startswith("TIMESTAMP") and isinstance(value, str):
        return f"{value[:19].replace('T', ' ')}Z"
    return _plain(value)


def _write(answer: Answer, path: Path) -> None:
    """With DuckDB's own types. Raises PermanentError."""
    import duckdb

    columns = list(zip(_unique(answer["columns"]), answer["types"], strict=True))
    values = ", ".join(f"{_value(number, kind)} AS {_quoted(name)}" for number, (name, kind) in enumerate(columns))
    rows = "(SELECT unnest(from_json(?::JSON, '[\"JSON\"]')) AS row)"
    try:
        with duckdb.connect() as connection:
            connection.execute(f"CREATE TABLE answer AS SELECT {values} FROM {rows}", [json.dumps(answer["rows"])])  # noqa: S608
            connection.table("answer").write_parquet(str(path))
    except duckdb.Error as error:
        raise PermanentError(f"{path} cannot be written: {error}", "name another file") from None
    complain(f"{several(len(answer['rows']), 'row')} written to {path}")


def _value(number: int, kind: str) -> str:
    nested = kind.endswith("]") or kind.startswith(("STRUCT(", "MAP(", "JSON"))
    return f"CAST(row {'->' if nested else '->>'} '$[{number}]' AS {kind})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
