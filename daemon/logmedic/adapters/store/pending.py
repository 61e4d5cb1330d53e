"""What is committed and not in its tables yet.

An upsert into a wide table costs 3 to 5 ms, a row of the table `changes` 0.7 ms, and a changeset touches five tables.
So a commit is one row: the changeset as JSON. What came since is brought into the tables now and then, all at once, and
of each entity the last version alone (docs/adr/0006-a-commit-is-one-row.md).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, Field, dataclass, field, fields
from functools import cache
from typing import Any

import duckdb

from logmedic.adapters.store import rows
from logmedic.adapters.store.rows import Row, Table
from logmedic.model.changeset import Changeset

FOLD_ROWS = 2000
FOLD_BYTES = 4 * 1024 * 1024
FOLD_CHANGES = 256
"""Whichever is reached first. It takes some 50 us a row, in which the next commit waits; a start after a crash reads so
much again."""

CREATE = "CREATE TABLE changes (seq BIGINT, body VARCHAR)"
TABLES: Mapping[str, Table[Any]] = {table.name: table for table in rows.TABLES}
_MIGRATED: Mapping[str, Callable[[Row], Row]] = {
    "windows": lambda _: {"kind": "threshold"},
    "fix_attempts": lambda row: {"first": row["step"] == 0 and row["try_no"] == 1},
}
"""Where a migration gives a column something else than its field's default."""
_FORGET = {
    "windows": """
DELETE FROM windows WHERE (rule_id, group_key) IN
(SELECT (each[1], each[2]) FROM (SELECT unnest(from_json_strict(?::JSON, '[["VARCHAR"]]')) AS each))
""",
    "templates": """
DELETE FROM templates WHERE fingerprint IN
(SELECT each[1] FROM (SELECT unnest(from_json_strict(?::JSON, '[["VARCHAR"]]')) AS each))
""",
}
"""By table: each takes a list of keys, each a list."""


@dataclass(frozen=True, slots=True)
class Change:
    """A changeset as rows, each as JSON, by table and key. `sums`: rows whose columns are added to. `forgotten`: the
    keys to delete, by table, before all else."""

    rows: dict[str, dict[Any, str]] = field(default_factory=dict)
    sums: dict[str, list[Row]] = field(default_factory=dict)
    forgotten: dict[str, list[Sequence[str]]] = field(default_factory=dict)

    @property
    def body(self) -> str:
        tables = [f'"{name}":[{",".join(mine.values())}]' for name, mine in self.rows.items()]
        tables += [f'"{name}":{json.dumps(mine)}' for name, mine in self.sums.items()]
        return f'{{"forgotten":{json.dumps(self.forgotten)},"rows":{{{",".join(tables)}}}}}'


def change_of(changeset: Changeset) -> Change:
    """Raises ValueError for a number that no column takes."""
    forgotten: dict[str, list[Sequence[str]]] = {}
    if changeset.forgotten_windows:
        forgotten["windows"] = list(changeset.forgotten_windows)
    if changeset.forgotten_templates:
        forgotten["templates"] = [(each,) for each in changeset.forgotten_templates]
    made = Change(forgotten=forgotten)
    for name, table in rows.OF_CHANGESET.items():
        if entities := getattr(changeset, name):
            _put(made, table, map(table.encoded, entities))
    return made


def _parsed(body: str) -> Change:
    told = json.loads(body)
    gone = told["forgotten"]
    made = Change(forgotten=gone if isinstance(gone, dict) else {"windows": gone})  # a list: of a form before the sixth
    for name, mine in told["rows"].items():
        table = TABLES[name]
        _put(made, table, [_completed(table, row) for row in mine if row.keys() >= set(table.key)])
    return made


def _completed(table: Table[Any], row: Row) -> Row:
    """With what it lacks that a version before wrote, and did not bring into its table. (One without all of its key is
    of a form whose rows the migration dropped: breakers before the seventh.)"""
    migrated = _MIGRATED.get(table.name)
    return {**_usual(table.name), **(migrated(row) if migrated is not None else {}), **row}


@cache
def _usual(name: str) -> Row:
    """The defaults of its fields."""
    table = TABLES[name]
    defaults = {each.name: _default(each) for each in fields(table.kind)}
    return {each.name: each.write(defaults[each.name]) for each in table.columns if defaults[each.name] is not MISSING}


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _put(change: Change, table: Table[Any], mine: Iterable[Row]) -> None:
    if table.sums:
        change.sums[table.name] = list(mine)
    else:
        change.rows[table.name] = {table.key_of(row): json.dumps(row) for row in mine}


class Pending:
    """Changes put together: of each row the last version, sums added up. Owned by the store's thread."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[Any, str]] = {}
        self._sums: dict[str, dict[Any, Row]] = {}
        self._forgotten: dict[str, dict[Any, None]] = {}
        self._changes = 0
        self._bytes = 0

    def __bool__(self) -> bool:
        return self._changes > 0

    @property
    def is_large(self) -> bool:
        count = sum(map(len, self._rows.values()))
        return count >= FOLD_ROWS or self._bytes >= FOLD_BYTES or self._changes >= FOLD_CHANGES

    def add(self, change: Change, size: int) -> None:
        """`size`: of its body."""
        self._changes += 1
        self._bytes += size
        for name, keys in change.forgotten.items():
            for key in keys:
                whole = tuple(key) if len(key) > 1 else key[0]
                self._forgotten.setdefault(name, {})[whole] = None
                self._rows.get(name, {}).pop(whole, None)
        for name, mine in change.rows.items():
            self._rows.setdefault(name, {}).update(mine)
        for name, added in change.sums.items():
            self._add_up(TABLES[name], added)

    def _add_up(self, table: Table[Any], added: Iterable[Row]) -> None:
        mine = self._sums.setdefault(table.name, {})
        for row in added:
            key = table.key_of(row)
            before = mine.get(key)
            mine[key] = row if before is None else {**row, **{name: row[name] + before[name] for name in table.sums}}

    def write(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Into the tables. Raises duckdb.Error."""
        for name, keys in self._forgotten.items():
            listed = [[key] if isinstance(key, str) else list(key) for key in keys]
            connection.execute(_FORGET[name], [json.dumps(listed)])
        for name, mine in self._rows.items():
            if mine:
                connection.execute(TABLES[name].upsert, [f"[{','.join(mine.values())}]"])
        for name, sums in self._sums.items():
            connection.execute(TABLES[name].upsert, [json.dumps(list(sums.values()))])

    @property
    def tables(self) -> set[str]:
        """Those that it changes."""
        return {*self._rows, *self._sums, *self._forgotten}


def append(connection: duckdb.DuckDBPyConnection, seq: int, body: str) -> None:
    """Make a change durable. Raises duckdb.Error."""
    connection.execute("INSERT INTO changes VALUES (?, ?)", [seq, body])


def load(connection: duckdb.DuckDBPyConnection) -> Pending:
    """What is committed and was not brought into its tables. Raises duckdb.Error."""
    pending = Pending()
    answer = connection.execute("SELECT body FROM changes ORDER BY seq")
    while found := answer.fetchmany(100):
        for (body,) in found:
            pending.add(_parsed(body), len(body))
    return pending


def fold(connection: duckdb.DuckDBPyConnection, pending: Pending, seq: int) -> None:
    """Bring `pending`, which ends with change `seq`, into the tables, all or nothing. Raises duckdb.Error; then the
    transaction may still be open."""
    connection.execute("BEGIN")
    pending.write(connection)
    connection.execute("DELETE FROM changes")
    connection.execute("UPDATE progress SET changes = ?", [seq])
    connection.execute("COMMIT")


@contextmanager
def overlaid(connection: duckdb.DuckDBPyConnection, pending: Pending) -> Iterator[None]:
    """A connection that cannot write sees what is pending all the same: temporary tables of the same names stand in
    front of the others. Raises duckdb.Error."""
    names = pending.tables
    try:
        for name in names:
            key = ", ".join(f'"{each}"' for each in TABLES[name].key)
            connection.execute(f"CREATE TEMP TABLE {name} AS FROM main.{name}")
            connection.execute(f"ALTER TABLE temp.{name} ADD PRIMARY KEY ({key})")
        pending.write(connection)
        yield
    finally:
        for name in names:
            connection.execute(f"DROP TABLE IF EXISTS temp.{name}")


def changes_of(connection: duckdb.DuckDBPyConnection) -> int:
    """How many changesets were committed. Raises duckdb.Error."""
    answer = connection.execute(
        "SELECT greatest(coalesce(max(changes), 0), (SELECT coalesce(max(seq), 0) FROM changes)) FROM progress"
    ).fetchone()
    return int(answer[0]) if answer else 0
