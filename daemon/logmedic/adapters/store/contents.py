"""What a database has: the number of its rows and a digest of them, by table. Two with the same are copies."""

from __future__ import annotations

import duckdb

Contents = dict[str, tuple[int, int]]


def contents_of(connection: duckdb.DuckDBPyConnection, database: str = "") -> Contents:
    """Reads every value of `database`, by default the one that was opened: damage shows only then. Raises
    duckdb.Error."""
    name = database or current(connection)
    return {
        table: _of_table(connection, f"{identifier(name)}.{identifier(table)}") for table in tables(connection, name)
    }


def current(connection: duckdb.DuckDBPyConnection) -> str:
    row = connection.execute("SELECT current_database()").fetchone()
    return str(row[0]) if row else ""


def tables(connection: duckdb.DuckDBPyConnection, database: str) -> list[str]:
    sql = "SELECT table_name FROM duckdb_tables() WHERE database_name = ? AND schema_name = 'main' ORDER BY 1"
    return [str(name) for (name,) in connection.execute(sql, [database]).fetchall()]


def _of_table(connection: duckdb.DuckDBPyConnection, table: str) -> tuple[int, int]:
    sql = f"SELECT count(*), coalesce(bit_xor(hash(each)), 0) FROM {table} AS each"  # noqa: S608
    rows, digest = connection.execute(sql).fetchone() or (0, 0)
    return int(rows), int(digest)


def count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
    return int(row[0]) if row else 0


def identifier(name: str) -> str:
    """As SQL writes a name."""
    return '"' + name.replace('"', '""') + '"'
