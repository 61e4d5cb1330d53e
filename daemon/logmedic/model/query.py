"""Questions in SQL: what they may cost."""

from __future__ import annotations

from dataclasses import dataclass

ROWS, ROWS_MAX = 10_000, 100_000
TIME_S, TIME_MAX_S = 10.0, 60.0
SQL_MAX = 32 * 1024
"""Characters. Longer SQL takes DuckDB long to plan, and nothing interrupts that."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`rows` of the answer, and `answer_bytes` of it as JSON: beyond either it is cut. `time_s` for all of it."""

    rows: int = ROWS
    time_s: float = TIME_S
    answer_bytes: int = 16 * 1024 * 1024
