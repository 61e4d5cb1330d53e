"""What commands print: tables for people, JSON for programs. Log text never reaches a terminal as it is."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

Row = Mapping[str, Any]
Cell = Callable[[Row], str]
Columns = Mapping[str, Cell]
"""Heading to what stands below it."""
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def print_rows(rows: Sequence[Row], columns: Columns, output: str, *, nothing: str) -> None:
    """`nothing`: what to say instead of an empty table."""
    if output == "json":
        print_json(list(rows))
    elif output == "jsonl":
        for row in rows:
            print(json.dumps(row))
    elif rows:
        print_table(rows, columns)
    else:
        print(nothing)


def print_json(value: Any) -> None:
    """One answer as the API gives it, set out; with `-o jsonl` in one line, and a list as a line a row."""
    if not _is_in_lines():
        print(json.dumps(value, indent=2))
        return
    for each in value if isinstance(value, list) else [value]:
        print(json.dumps(each))


def _is_in_lines() -> bool:
    """What the shared option says, wherever on the command line it stands."""
    import click

    from logmedic.cli.context import Context

    running = click.get_current_context(silent=True)
    return running is not None and running.ensure_object(Context).output == "jsonl"


def print_table(rows: Sequence[Row], columns: Columns, *, right: Collection[str] = ()) -> None:
    """`right`: headings whose column is set flush right."""
    cells = [[visible(cell(row)) for cell in columns.values()] for row in rows]
    if sys.stdout.isatty():
        _print_fitted(list(columns), cells, right)
    else:
        _print_plain(list(columns), cells, right)


def _print_plain(headings: list[str], cells: list[list[str]], right: Collection[str]) -> None:
    """A line a row, uncut: it is read by programs as often as by people."""
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    set_flush = [str.rjust if heading in right else str.ljust for heading in headings]
    for row in (headings, *cells):
        placed = (put(cell, width) for put, cell, width in zip(set_flush, row, widths, strict=True))
        print("  ".join(placed).rstrip())


def _print_fitted(headings: list[str], cells: list[list[str]], right: Collection[str]) -> None:
    from logmedic.cli.styled import columns, is_colored, painted
    from logmedic.cli.table import laid_out

    for line in laid_out(headings, cells, columns() or 0, right):
        print(painted(line, colored=is_colored()))


def field(name: str) -> Cell:
    """The value as it is; nothing for what is empty."""
    return lambda row: "" if row.get(name) is None else str(row[name])


def short(row: Row) -> str:
    """The end of an id is what tells two apart, and what people type."""
    return str(row["id"])[-8:]


def when(name: str) -> Cell:
    return lambda row: at(row.get(name))


def at(text: Any) -> str:
    """A time as people read it, with its age."""
    if not text:
        return ""
    moment = datetime.fromisoformat(str(text))
    return f"{moment:%Y-%m-%d %H:%M:%S}Z ({span((datetime.now(UTC) - moment).total_seconds())} ago)"


def until(text: Any) -> str:
    """A time to come."""
    moment = datetime.fromisoformat(str(text))
    left = (moment - datetime.now(UTC)).total_seconds()
    return f"until {moment:%Y-%m-%d %H:%M}Z" + (f", {span(left)} left" if left > 0 else "")


def span(seconds: float | None) -> str:
    """In its two largest units."""
    if seconds is None:
        return "-"
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    left = int(seconds)
    parts: list[str] = []
    for worth, unit in _UNITS:
        if left >= worth and len(parts) < 2:
            parts.append(f"{left // worth} {unit}")
            left %= worth
    return " ".join(parts)


def several(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count:,} {what}s"


def visible(text: str, *, lines: bool = False) -> str:
    """Control and direction characters as escapes; `lines` keeps line ends."""
    return "".join(
        each if each.isprintable() or (lines and each == "\n") else " " if each == "\t" else _escape(each)
        for each in text
    )


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def complain(text: str) -> None:
    """To stderr; on a terminal wrapped at words."""
    from logmedic.cli.styled import rows_of

    for line in text.split("\n"):
        for row in rows_of(line, sys.stderr):
            print("".join(each.text for each in row), file=sys.stderr)


def color_on_stderr() -> bool:
    return sys.stderr.isatty() and "NO_COLOR" not in os.environ
