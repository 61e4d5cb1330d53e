"""Running a query that was found harmless, and its rows as JSON."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any

import duckdb

from logmedic.adapters.store import views
from logmedic.adapters.store.sql import needs_of, out_of_memory, refused, too_slow
from logmedic.model.errors import QueryRefused
from logmedic.model.query import Limits

_AT_ONCE = 500
_PLAIN = ("BOOLEAN", "VARCHAR", "FLOAT", "DOUBLE", "DATE", "TIMESTAMP", "TINYINT", "SMALLINT", "INTEGER", "BIGINT")
_PLAIN_TOO = ("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "HUGEINT", "UHUGEINT", "JSON")
_ZONED = "TIMESTAMP WITH TIME ZONE"
ASKED = "_asked"
"""The view that a query becomes when values are to be turned over."""


def answer_of(connection: duckdb.DuckDBPyConnection, sql: str, limits: Limits) -> bytes:
    """JSON: `columns` and `types` (DuckDB's) in order, `rows` as lists, `cut`: "rows" or "bytes" when there are more.
    Times are ISO 8601 with a `Z`, intervals seconds, what is no finite number null. Raises QueryRefused."""
    with _errors(limits):
        result = _readable(connection, sql)
        columns = result.description or []
        head = {"columns": [str(each[0]) for each in columns], "types": [_type(str(each[1])) for each in columns]}
        rows, cut = _rows(result, limits)
    text = _encoded({**head, "cut": cut})
    return b"".join((text[:-1], b',"rows":[', b",".join(rows), b"]}\n"))


def answer_here(connection: duckdb.DuckDBPyConnection, sql: str, limits: Limits) -> Any:
    """The same, parsed, from a store that nobody else has open: the query is judged and run in this process. Raises
    QueryRefused."""
    connection.execute("SET TimeZone = 'UTC'")
    try:
        views.lay_over(connection)
    except duckdb.Error:
        raise QueryRefused(
            "the store has an older form, without what the views need", "start the daemon: it brings it up to date"
        ) from None
    needs_of(sql, views.columns_of(connection))
    with _interrupted(connection, limits):
        return json.loads(answer_of(connection, sql, limits))


@contextmanager
def _interrupted(connection: duckdb.DuckDBPyConnection, limits: Limits) -> Iterator[None]:
    timer = threading.Timer(limits.time_s, connection.interrupt)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def _errors(limits: Limits) -> Iterator[None]:
    try:
        yield
    except duckdb.InterruptException:
        raise too_slow(limits.time_s) from None
    except duckdb.Error as error:
        raise refused(error) from None
    except MemoryError:
        raise out_of_memory() from None


def _readable(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.DuckDBPyConnection:
    """Begun, with values of types that JSON has a word for. Rows are made as they are fetched. Raises duckdb.Error."""
    result = connection.execute(sql)
    types = [str(each[1]) for each in result.description or ()]
    turned = [_turned(number, each) for number, each in enumerate(types, 1)]
    if turned == [f"#{number}" for number in range(1, len(types) + 1)]:
        return result
    names = [str(each[0]).replace('"', '""') for each in result.description or ()]
    connection.execute(f"CREATE OR REPLACE TEMP VIEW {ASKED} AS {sql}")
    columns = ", ".join(f'{each} AS "{name}"' for each, name in zip(turned, names, strict=True))
    return connection.execute(f"SELECT {columns} FROM {ASKED}")  # noqa: S608


def _turned(number: int, kind: str) -> str:
    if kind == _ZONED:
        return f"#{number}::TIMESTAMP"
    if kind == "INTERVAL":
        return f"epoch(#{number})"
    if kind in (*_PLAIN, *_PLAIN_TOO) or kind.startswith("DECIMAL("):
        return f"#{number}"
    nested = kind.endswith("]") or kind.startswith(("STRUCT(", "MAP("))
    if nested and not any(each in kind for each in (_ZONED, "INTERVAL", "BLOB", "UNION(", "BIT")):
        return f"#{number}"
    return f"#{number}::VARCHAR"


def _type(kind: str) -> str:
    return "VARCHAR" if kind == '"NULL"' else kind


def _encoded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _rows(result: duckdb.DuckDBPyConnection, limits: Limits) -> tuple[list[bytes], str]:
    """As JSON each, and why there are not all of them."""
    rows: list[bytes] = []
    left = limits.answer_bytes
    while found := result.fetchmany(_AT_ONCE):
        for row in found:
            if len(rows) == limits.rows:
                return rows, "rows"
            text = _encoded([jsonable(each) for each in row])
            left -= len(text)
            if left < 0:
                return rows, "bytes"
            rows.append(text)
    return rows, ""


def jsonable(value: Any) -> Any:
    match value:
        case datetime():
            return f"{value.isoformat()}Z"
        case date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case float():
            return value if isfinite(value) else None
        case Decimal():
            return float(value)
        case bytes():
            return value.decode("utf-8", "backslashreplace")
        case list() | tuple():
            return [jsonable(each) for each in value]
        case Mapping():
            return {str(key): jsonable(each) for key, each in value.items()}
        case bool() | int() | str() | None:
            return value
    return str(value)
