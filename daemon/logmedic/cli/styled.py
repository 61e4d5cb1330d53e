"""Text in styles: on a terminal wrapped at words and in colour, plain and uncut elsewhere."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TextIO

from logmedic.cli.cells import fitting
from logmedic.cli.output import visible

NARROWEST = 40
"""Columns below which nothing is made to fit."""
HANG = 2
"""Columns by which the rest of a line is set in."""
_MARKS: Mapping[str, str] = {"✓": "good", "✗": "wait", "PAUSED": "bad"}
"""The style of a line by what stands first in it."""
_CODES: Mapping[str, str] = {
    "head": "1",
    "faint": "2",
    "good": "32",
    "bad": "1;31",
    "wait": "33",
    "capture": "1;4;36",
    "turned": "7",
}
"""Select Graphic Rendition (ECMA-48, 8.3.117). Of a capture the underline says it as well."""


@dataclass(frozen=True, slots=True)
class Piece:
    """`style`: one of _CODES, or none."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """One line. `hang`: columns by which what does not fit into it is set in."""

    pieces: tuple[Piece, ...]
    hang: int = 0


def text(told: str, style: str = "", hang: int = 0) -> Text:
    return Text((Piece(told, style),), hang)


def wrapped(line: Text, width: int) -> Iterator[tuple[Piece, ...]]:
    """Rows of at most `width` columns, broken at spaces; what has none in a whole row is broken where the row ends."""
    told = "".join(each.text for each in line.pieces)
    styles = [each.style for each in line.pieces for _ in each.text]
    start, hang = 0, 0
    while True:
        end = _end(told, start, width - hang)
        row = list(_pieces(told[start:end].rstrip(), styles[start:end]))
        yield (Piece(" " * hang), *row) if hang else tuple(row)
        start = end + len(told[end:]) - len(told[end:].lstrip(" "))
        if start >= len(told):
            return
        hang = min(line.hang, width // 2)


def _end(told: str, start: int, room: int) -> int:
    """Where the row that begins at `start` is broken."""
    end = start + max(fitting(told[start:], room), 1)
    if end >= len(told) or told[end] == " ":
        return min(end, len(told))
    indent = len(told[start:end]) - len(told[start:end].lstrip(" "))
    space = told.rfind(" ", start + indent, end)
    return space if space > start else end


def _pieces(told: str, styles: list[str]) -> Iterator[Piece]:
    begin = 0
    for at in range(1, len(told) + 1):
        if at == len(told) or styles[at] != styles[begin]:
            yield Piece(told[begin:at], styles[begin])
            begin = at


def painted(row: Iterable[Piece], *, colored: bool) -> str:
    return "".join(
        f"\x1b[{_CODES[each.style]}m{each.text}\x1b[0m" if colored and each.style and each.text else each.text
        for each in row
    )


def is_colored() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def columns(stream: TextIO | None = None) -> int | None:
    """Of the terminal that `stream` (or stdout) is; None: it is none, and nothing is to be wrapped."""
    return max(shutil.get_terminal_size().columns, NARROWEST) if (stream or sys.stdout).isatty() else None


def seen(line: Text) -> Text:
    """With control characters as escapes."""
    return Text(tuple(Piece(visible(each.text), each.style) for each in line.pieces), line.hang)


def say(told: str) -> None:
    """A line for people: on a terminal wrapped at words, set in as it begins, and coloured by its mark."""
    colored = is_colored()
    for row in rows_of(told, sys.stdout, _MARKS.get(told.strip().partition(" ")[0], "")):
        print(painted(row, colored=colored))


def rows_of(told: str, stream: TextIO, style: str = "") -> Iterator[tuple[Piece, ...]]:
    """One, where `stream` is no terminal."""
    shown = visible(told).rstrip()
    width = columns(stream)
    line = Text((Piece(shown, style),), len(shown) - len(shown.lstrip(" ")) + HANG)
    return wrapped(line, width) if width is not None else iter([line.pieces])


def tell(lines: Iterable[Text]) -> None:
    """Print them, control characters as escapes."""
    width, colored = columns(), is_colored()
    for line in lines:
        shown = seen(line)
        for row in wrapped(shown, width) if width is not None else (shown.pieces,):
            print(painted(row, colored=colored).rstrip(" "))


def marked_up(told: str, values: Iterable[str], style: str, rest: str = "") -> Iterator[Piece]:
    """`told` with every whole occurrence of the values set apart: not inside of a longer word or number."""
    begin = 0
    for first, last in _found(told, sorted({each for each in values if each}, key=lambda each: (-len(each), each))):
        if first > begin:
            yield Piece(told[begin:first], rest)
        yield Piece(told[first:last], style)
        begin = last
    if begin < len(told):
        yield Piece(told[begin:], rest)


def _found(told: str, values: list[str]) -> list[tuple[int, int]]:
    """In order, not overlapping; the longer value goes before the shorter one."""
    taken: list[tuple[int, int]] = []
    for value in values:
        at = told.find(value)
        while at >= 0:
            end = at + len(value)
            if _stands_alone(told, at, end) and all(end <= first or at >= last for first, last in taken):
                taken.append((at, end))
            at = told.find(value, end)
    return sorted(taken)


def _stands_alone(told: str, first: int, last: int) -> bool:
    before, after = told[first - 1 : first], told[last : last + 1]
    return not (before.isalnum() and told[first].isalnum()) and not (after.isalnum() and told[last - 1].isalnum())
