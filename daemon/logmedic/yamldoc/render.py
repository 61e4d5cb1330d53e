"""Mistakes as people see them: where, the line itself, a caret, what to write instead."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from logmedic.model.problem import RuleProblem

WIDTH = 100
"""Characters of a line that are shown around its place."""
_RED, _YELLOW, _BOLD, _DIM, _PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[1m", "\x1b[2m", "\x1b[0m"


def render_problems(problems: Sequence[RuleProblem], *, color: bool = False) -> str:
    """One paragraph a mistake, without a final newline."""
    return "\n".join(_paragraph(problem, color) for problem in problems)


def _paragraph(problem: RuleProblem, color: bool) -> str:
    kind, paint = ("warning", _YELLOW) if problem.warning else ("error", _RED)
    bold, tint, dim, plain = (_BOLD, paint, _DIM, _PLAIN) if color else ("", "", "", "")
    file = visible(problem.file)
    place = f"{file}:{problem.line}:{problem.column}" if problem.line else file
    rows = [f"{bold}{place}:{plain} {tint}{kind}:{plain} {visible(problem.text)}"]
    if problem.excerpt.strip():
        shown, caret = _window(problem.excerpt, problem.column)
        number = f"{problem.line:5} | "
        rows += [f"{dim}{number}{plain}{shown}", f"{' ' * (len(number) - 2)}| {' ' * caret}{tint}^{plain}"]
    if problem.hint:
        rows.append(f"        hint: {visible(problem.hint)}")
    return "\n".join(rows)


def _window(excerpt: str, column: int) -> tuple[str, int]:
    """The part of the line around `column`, and where the caret stands in it (0-based)."""
    start = max(0, column - 1 - WIDTH * 2 // 3) if len(excerpt) > WIDTH else 0
    head = visible(excerpt[start : max(column - 1, start)].replace("\t", " "))
    tail = visible(excerpt[max(column - 1, start) : start + WIDTH].replace("\t", " "))
    lead, rest = "..." if start else "", "..." if len(excerpt) > start + WIDTH else ""
    return f"{lead}{head}{tail}{rest}".rstrip(), len(lead) + _cells(head)


def _cells(text: str) -> int:
    """Columns of a terminal that `text` takes."""
    return sum((unicodedata.east_asian_width(each) in "WF") + (not unicodedata.combining(each)) for each in text)


def visible(text: str) -> str:
    """Control characters as escapes: a file must not steer the terminal of its reader."""
    return "".join(each if each.isprintable() else _escaped(ord(each)) for each in text)


def _escaped(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
