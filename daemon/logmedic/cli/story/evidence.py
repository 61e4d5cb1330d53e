"""The lines that an incident began with, and what its rule captured of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from logmedic.cli.styled import Piece, Text, marked_up, text

LINES_SHOWN = 15


def evidence(story: Mapping[str, Any]) -> Iterator[Text]:
    """What was captured is set apart in it, and named below."""
    captures = {name: str(value) for name, value in story["captures"].items()}
    lines = story["evidence"].splitlines()
    for line in lines[:LINES_SHOWN]:
        yield Text((Piece("│ ", "faint"), *marked_up(line, captures.values(), "capture")), hang=2)
    if len(lines) > LINES_SHOWN:
        yield text(f"│ ({len(lines) - LINES_SHOWN} more lines; -o json has all that is kept)", "faint")
    if captures:
        yield text("captures: " + ", ".join(f"{name} = {value}" for name, value in captures.items()), hang=10)
