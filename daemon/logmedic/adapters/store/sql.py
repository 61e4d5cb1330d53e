"""What may be asked in SQL: one SELECT over the documented views. Read by DuckDB's own parser, judged by what is in its
tree, and only what is known to be harmless passes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import duckdb

from logmedic.model.errors import QueryRefused
from logmedic.model.query import SQL_MAX

VIEWS_HINT = "logmedic query without SQL lists the views and their columns"
_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
"""Kinds of queries; the others write."""
_FUNCTIONS = frozenset({"range", "generate_series", "unnest"})
"""Those that may stand for a table; the others read files, settings, or SQL in texts."""
_SHOWN = frozenset({"DESCRIBE", "SUMMARY"})
_TABLES_MAX = 30
"""Tables in one query: to put 300 in order takes DuckDB minutes that nothing interrupts (measured)."""

Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Needs:
    """What a query reads: by view, the columns, None for all of them."""

    views: Mapping[str, Sequence[str] | None]


Columns = Mapping[str, Mapping[str, str]]
"""Of each view: the types of its columns, by name, in order."""


def needs_of(sql: str, columns: Columns) -> Needs:
    """Raises QueryRefused, with the place of what is wrong."""
    with duckdb.connect(config={"threads": 1}) as parser:
        needs = _judged(_tree(parser, sql), columns)
        _bind(parser, sql, columns)
    return needs


def _judged(tree: Any, columns: Columns) -> Needs:
    nodes = list(_nodes(tree))
    for node in nodes:
        _check(node)
    names = {each.casefold(): each for each in columns}
    tables = [_table(node, names, _named(nodes)) for node in nodes if node.get("type") == "BASE_TABLE"]
    if len(tables) > _TABLES_MAX:
        raise QueryRefused(f"the query reads {len(tables)} tables, and {_TABLES_MAX} are allowed", "ask in parts")
    wanted = None if _needs_all(nodes, names) else _mentioned(nodes)
    return Needs({name: _of_view(list(columns[name]), wanted) for name in tables if name})


def _bind(parser: duckdb.DuckDBPyConnection, sql: str, columns: Columns) -> None:
    """Names and types are right: found out on empty tables, before anything is read or run. Raises QueryRefused."""
    for name, types in columns.items():
        listed = ", ".join(f'"{column}" {kind}' for column, kind in types.items())
        parser.execute(f"CREATE TABLE {name} ({listed})")
    try:
        try:
            parser.execute(f"CREATE VIEW _bound AS\n{sql}")
        except duckdb.ParserException:  # it was parsed before: DuckDB 1.5 wants DESCRIBE in parentheses here
            parser.execute(f"CREATE VIEW _bound AS FROM (\n{sql.rstrip().rstrip(';')}\n)")
    except duckdb.Error as error:
        raise refused(error, lines_before=1) from None


def _tree(parser: duckdb.DuckDBPyConnection, sql: str) -> Any:
    """Raises QueryRefused."""
    if len(sql) > SQL_MAX:
        raise QueryRefused(f"the SQL has {len(sql):,} characters, and {SQL_MAX:,} are allowed", "ask in parts")
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise refused(error) from None
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:  # 1.5: no singleton
        found = ", ".join(each.type.name.replace("_", " ") for each in statements[:5])
        raise QueryRefused(
            f"a query is one SELECT, and this is {found or 'nothing'}", "the store is read and never changed by it"
        )
    try:
        (text,) = parser.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchone() or ("{}",)
        told = json.loads(text)
    except duckdb.Error as error:
        raise refused(error) from None
    except RecursionError:
        raise too_deep() from None
    if told.get("error"):
        raise QueryRefused(f"the query cannot be read: {told.get('error_message')}", VIEWS_HINT)
    return told["statements"]


def _nodes(tree: Any) -> Iterator[Node]:
    """Every object of the tree."""
    left = [tree]
    while left:
        each = left.pop()
        if isinstance(each, dict):
            yield each
            left.extend(each.values())
        elif isinstance(each, list):
            left.extend(each)


def _check(node: Node) -> None:
    """Raises QueryRefused."""
    kind = str(node.get("type", ""))
    if kind.endswith("_NODE") and kind not in _NODES:
        raise QueryRefused("a query reads, and this one would write", "leave out INSERT, UPDATE, DELETE, MERGE")
    if kind == "TABLE_FUNCTION" and (name := _function(node)) not in _FUNCTIONS:
        allowed = ", ".join(sorted(_FUNCTIONS))
        raise QueryRefused(f"`{name[:60]}` may not stand for a table", f"the views may, and {allowed}")
    if kind == "SHOW_REF" and (node.get("show_type") not in _SHOWN or not node.get("query")):
        raise QueryRefused("only views can be described", VIEWS_HINT)


def _function(node: Node) -> str:
    return ".".join(_path(node.get("function", {}), "catalog", "schema", "function_name")).casefold()


def _path(node: Node, *parts: str) -> list[str]:
    """The parts of a name, the outermost first. DuckDB 2 tells them as a path, 1.5 in `parts`."""
    path = node.get("qualified_name", {}).get("path") or [node[part] for part in parts if node.get(part)]
    return [str(each) for each in path] or ["?"]


def _named(nodes: Sequence[Node]) -> frozenset[str]:
    """What the query itself gives a name: WITH name AS (...)."""
    lists = [each["cte_map"]["map"] for each in nodes if isinstance(each.get("cte_map"), dict)]
    return frozenset(str(entry["key"]).casefold() for entries in lists for entry in entries)


def _table(node: Node, names: Mapping[str, str], named: frozenset[str]) -> str:
    """The view that it is; nothing for what the query names itself. Raises QueryRefused."""
    path = _path(node, "catalog_name", "schema_name", "table_name")
    name = path[-1].casefold()
    if len(path) == 1 and name in names:
        return names[name]
    if len(path) == 1 and name in named:
        return ""
    close = get_close_matches(f"v_{name.removeprefix('v_')}", names, n=1) if name.isidentifier() else ()
    hint = f"did you mean {names[close[0]]}? {VIEWS_HINT}" if close else VIEWS_HINT
    raise QueryRefused(f"no view is called `{'.'.join(path)[:60]}`", hint)


def _needs_all(nodes: Sequence[Node], names: Mapping[str, str]) -> bool:
    """Whether columns are meant that are not named: by a star, a place, a whole row, or an alias."""
    rows = {str(each.get("alias", "")).casefold() for each in nodes if each.get("type") == "BASE_TABLE"} | set(names)
    return any(_is_vague(each, rows) for each in nodes)


def _is_vague(node: Node, rows: set[str]) -> bool:
    match node.get("type"):
        case "STAR" | "POSITIONAL_REFERENCE" | "PIVOT" | "SHOW_REF":
            return True
        case "JOIN":
            return node.get("ref_type") == "NATURAL"
        case "BASE_TABLE":
            return bool(node.get("column_name_alias"))
        case "COLUMN_REF":
            parts = node.get("column_names") or ["?"]
            return len(parts) == 1 and str(parts[0]).casefold() in rows
    return False


def _mentioned(nodes: Sequence[Node]) -> frozenset[str]:
    named = [part for each in nodes for part in each.get("column_names") or ()]
    named += [part for each in nodes for part in each.get("using_columns") or ()]
    return frozenset(str(each).casefold() for each in named)


def _of_view(columns: Sequence[str], wanted: frozenset[str] | None) -> Sequence[str] | None:
    """One at least: a query may only count rows."""
    if wanted is None:
        return None
    return [each for each in columns if each.casefold() in wanted] or [columns[0]]


_LINE = re.compile(r"^LINE (\d+):", re.MULTILINE)
_USELESS = ("\n\nPossible solutions:", "\nStack Trace:", ' Use "SET ')


def refused(error: duckdb.Error, lines_before: int = 0) -> QueryRefused:
    """What DuckDB says of somebody's SQL, with the place that it points to. `lines_before`: those that were put before
    it."""
    text = _LINE.sub(lambda found: f"LINE {int(found[1]) - lines_before}:".ljust(len(found[0])), str(error))
    for each in _USELESS:
        text = text.partition(each)[0]
    if "expression depth" in text:
        return too_deep()
    match error:
        case duckdb.OutOfMemoryException():
            return out_of_memory()
        case duckdb.BinderException() | duckdb.CatalogException():
            return QueryRefused(text, VIEWS_HINT)
        case duckdb.ParserException():
            return QueryRefused(text, 'for example: logmedic query "SELECT title, opened_at FROM v_incidents"')
    return QueryRefused(text)


def too_deep() -> QueryRefused:
    return QueryRefused("the query is nested too deeply", "ask in parts")


def out_of_memory() -> QueryRefused:
    return QueryRefused("the query needs more memory than it may have", "ask for fewer rows, columns or days")


def too_slow(time_s: float) -> QueryRefused:
    return QueryRefused(f"the query took longer than {time_s:g} s", "--timeout 60 gives it more; or ask for less")
