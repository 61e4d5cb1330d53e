"""The figures of `/metrics` as JSON, for `logmedic stats --all`."""

from __future__ import annotations

from typing import Any

from logmedic.ports import Control


async def rows(control: Control) -> list[dict[str, Any]]:
    """As Family.rows, and `help`."""
    return [{**row, "help": family.metric.help} for family in await control.metrics() for row in family.rows()]
