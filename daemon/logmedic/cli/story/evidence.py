"""The lines that an incident began with, and what its rule captured of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from logmedic.cli.styled import Piece, Text, marked_up, text

LINES_SHOWN, LAST_SHOWN = 15, 6
"""Of longer evidence the middle is left out: a trace tells most at its ends."""


def evidence(story: Mapping[str, Any]) -> Iterator[Text]:
    """What was captured is set apart in it, and named below."""
    captures = {name: str(value) for name, value in story["captures"].items()}
    lines = story["evidence"].splitlines()
    more = len(lines) - LINES_SHOWN
    for number, line in enumerate(lines):
        if more > 0 and number == LINES_SHOWN - LAST_SHOWN:
            yield text(f"│ ({more} more lines; -o json has all that is kept)", "faint")
        if more <= 0 or not 0 <= number - (LINES_SHOWN - LAST_SHOWN) < more:
            yield Text((Piece("│ ", "faint"), *marked_up(line, captures.values(), "capture")), hang=2)
    if captures:
        yield text("captures: " + ", ".join(f"{name} = {value}" for name, value in captures.items()), hang=10)
