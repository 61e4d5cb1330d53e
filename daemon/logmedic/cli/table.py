"""Tables on a terminal: as wide as that, with cells wrapped at words; where that makes rows tall, a block a row."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from logmedic.cli.cells import placed, width_of
from logmedic.cli.styled import Piece, Text, wrapped

GAP = 2
WHOLE = 40
"""Columns of a first cell that is not broken: it is what people copy."""
LONGEST_WORD = 24
"""Columns: a longer word (a path, a URL) may be broken."""
TALLEST = 4
"""Lines of a row: what is taller reads better as a block."""
Line = tuple[Piece, ...]

STYLES: Mapping[str, str] = {
    "critical": "bad",
    "high": "bad",
    "medium": "wait",
    "failed": "bad",
    "open": "wait",
    "resolved": "good",
    "fixed": "good",
    "not fixed": "bad",
    "unknown": "wait",
    "dead": "bad",
    "sent": "good",
}
"""Of a cell that says just that."""


def laid_out(
    headings: Sequence[str], rows: Sequence[Sequence[str]], width: int, right: Collection[str] = ()
) -> Iterator[Line]:
    """`rows`: cells without control characters. No line is wider than `width`."""
    columns = list(zip(headings, *rows, strict=True))
    widths = _widths(columns, width)
    broken = [] if widths is None else [_broken_row(cells, widths) for cells in rows]
    if widths is None or any(len(part) > TALLEST for parts in broken for part in parts):
        yield from _blocks(headings, rows, width)
        return
    flush = [heading in right for heading in headings]
    yield _row(headings, widths, flush, ["head"] * len(headings))
    for cells, parts in zip(rows, broken, strict=True):
        yield from _wrapped_row(cells, parts, widths, flush)


def _widths(columns: Sequence[Sequence[str]], width: int) -> list[int] | None:
    """Of each column. None: not even the words fit beside one another."""
    room = width - GAP * (len(columns) - 1)
    natural = [max(map(width_of, column)) for column in columns]
    if sum(natural) <= room:
        return natural
    least = [_least(column, is_first=number == 0) for number, column in enumerate(columns)]
    if sum(least) > room:
        return None
    return _shared(least, natural, room)


def _least(column: Sequence[str], *, is_first: bool) -> int:
    if is_first:
        return min(max(map(width_of, column)), WHOLE)
    words = (word for cell in column[1:] for word in cell.split())
    return max([width_of(column[0]), *(min(width_of(word), LONGEST_WORD) for word in words)])


def _shared(least: Sequence[int], natural: Sequence[int], room: int) -> list[int]:
    """What is left goes where the most is missing, by as much as is missing."""
    missing = [want - have for want, have in zip(natural, least, strict=True)]
    free = room - sum(least)
    given = [have + free * lacks // sum(missing) for have, lacks in zip(least, missing, strict=True)]
    widest = max(range(len(given)), key=lambda number: missing[number])
    given[widest] += room - sum(given)
    return given


def _wrapped_row(
    cells: Sequence[str], parts: Sequence[Sequence[str]], widths: Sequence[int], flush: Sequence[bool]
) -> Iterator[Line]:
    styles = [STYLES.get(cell, "") for cell in cells]
    for number in range(max(map(len, parts))):
        yield _row([each[number] if number < len(each) else "" for each in parts], widths, flush, styles)


def _broken_row(cells: Sequence[str], widths: Sequence[int]) -> list[list[str]]:
    return [_broken(cell, width) for cell, width in zip(cells, widths, strict=True)]


def _broken(cell: str, width: int) -> list[str]:
    return ["".join(each.text for each in row) for row in wrapped(Text((Piece(cell),)), width)]


def _row(cells: Sequence[str], widths: Sequence[int], flush: Sequence[bool], styles: Sequence[str]) -> Line:
    """What stands last is not filled up with spaces."""
    last = max((number for number, cell in enumerate(cells) if cell), default=0)
    pieces: list[Piece] = []
    for number, cell in enumerate(cells[: last + 1]):
        told = placed(cell, widths[number], right=flush[number]) if number < last or flush[number] else cell
        pieces += [Piece(" " * GAP)] if number else []
        pieces.append(Piece(told, styles[number] if cell else ""))
    return tuple(pieces)


def _blocks(headings: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Iterator[Line]:
    """A row under the other: its first cell, then what else it has, each behind its heading."""
    widest = max(map(width_of, headings))
    for cells in rows:
        yield from wrapped(Text((Piece(cells[0], "head"),)), width)
        for heading, cell in list(zip(headings, cells, strict=True))[1:]:
            if cell:
                named = Piece(f"  {heading:<{widest}}  ", "faint")
                yield from wrapped(Text((named, Piece(cell, STYLES.get(cell, ""))), hang=widest + 4), width)
