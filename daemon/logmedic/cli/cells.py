"""How wide a text is on a terminal. What is shown is made visible before (cli/output.py)."""

from __future__ import annotations

import unicodedata

CUT = "…"
_WIDE = frozenset("WF")


def width_of(text: str) -> int:
    """In columns: two for what East Asian fonts draw wide, none for what is drawn over the character before."""
    if text.isascii():
        return len(text)
    return sum(_columns(each) for each in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1


def fitting(text: str, width: int) -> int:
    """How many of its characters fit into so many columns."""
    if text.isascii():
        return min(len(text), width)
    used = 0
    for number, each in enumerate(text):
        used += _columns(each)
        if used > width:
            return number
    return len(text)


def cut(text: str, width: int) -> str:
    """At most so wide; what is cut off is told by its last character."""
    if width_of(text) <= width:
        return text
    return text[: fitting(text, max(width - 1, 0))] + (CUT if width > 0 else "")


def placed(text: str, width: int, *, right: bool = False) -> str:
    """Exactly so wide."""
    told = cut(text, width)
    space = " " * (width - width_of(told))
    return space + told if right else told + space
