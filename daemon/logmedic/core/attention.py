"""Which origins people have to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

SHOWN = 20
"""Origins that a status tells of when all is well; of more, those that want attention."""
SLOW_S = 60.0
"""An origin that is so far behind wants attention."""


def wants_attention(row: Mapping[str, Any]) -> bool:
    """`row`: as ports.Control.sources."""
    return bool(row["problem"] or row["quiet_since"] or row["gaps"] or (row["lag_s"] or 0) >= SLOW_S)


def shown(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that a status tells of."""
    return list(rows) if len(rows) <= SHOWN else [row for row in rows if wants_attention(row)][:SHOWN]
