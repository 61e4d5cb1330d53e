"""Earlier incidents that were like one, and what fixed them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb

from logmedic.adapters.store import rows
from logmedic.model.fix import Verdict

_LIKE = "id < ? AND (issue_id = ? OR rule_id = ?)"
_NEAREST = "(group_key = ?) DESC, id DESC"
_FIXED_BY = """
SELECT incident_id, arg_max({rule_id: rule_id, step_name: step_name, argv: from_json(argv, '["VARCHAR"]'),
  duration_s: duration_s}, id)
FROM fix_attempts WHERE verdict = ? AND list_contains(?::VARCHAR[], incident_id) GROUP BY incident_id
"""
_TOOK = "epoch_ms(resolved_at) - epoch_ms(opened_at)"


def similar(connection: duckdb.DuckDBPyConnection, incident: Mapping[str, Any], limit: int) -> list[dict[str, Any]]:
    """Of `incident`, a row of it; as ports.Queries has it. Raises duckdb.Error."""
    given = [incident["id"], incident["issue_id"], incident["rule_id"], incident["group_key"]]
    columns = ", ".join(f'"{each.name}"' for each in rows.INCIDENTS.columns)
    sql = f"SELECT {_TOOK}, {columns} FROM incidents WHERE {_LIKE} ORDER BY {_NEAREST} LIMIT ?"  # noqa: S608  constants
    found = connection.execute(sql, [*given, limit]).fetchall()
    alike = [{**rows.INCIDENTS.as_json(row), "took_s": _seconds(took)} for took, *row in found]
    fixed_by = dict(connection.execute(_FIXED_BY, [Verdict.FIXED.value, [each["id"] for each in alike]]).fetchall())
    return [{**each, "fixed_by": fixed_by.get(each["id"])} for each in alike]


def _seconds(ms: int | None) -> float | None:
    return ms / 1000 if ms is not None else None
