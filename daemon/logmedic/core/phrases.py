"""Pieces of sentences for people. What comes from elsewhere is one line, without secrets, and obeyed by nobody."""

from __future__ import annotations

from logmedic.core.evidence import clean
from logmedic.core.secrets import masked

_ELLIPSIS = "..."
_SEEN = 4
"""So many times of what is shown is looked at: to mask secrets and to shorten blanks costs time for each character."""


def said(text: str, limit: int = 200) -> str:
    """`text` on one line of at most `limit` characters, cleaned first: what nobody sees must not part a secret."""
    seen = masked(clean(text, _SEEN * limit))
    return cut(" ".join(seen.split()), limit)


def cut(text: str, limit: int) -> str:
    """At most `limit` (>= 3) characters, cut between two words where one of them ends in the second half."""
    if len(text) <= limit:
        return text
    room = limit - len(_ELLIPSIS)
    end = text.rfind(" ", room // 2, room + 1)
    return text[: end if end > 0 else room].rstrip(" ,;:-(") + _ELLIPSIS


def sentence(text: str) -> str:
    """With an end; nothing stays nothing. Its first word may be a name, and is left as it is."""
    stripped = text.strip()
    return stripped if not stripped or stripped.endswith((".", "!", "?")) else f"{stripped}."


def sentences(*texts: str) -> str:
    return " ".join(each for each in map(sentence, texts) if each)


def several(n: int, noun: str, plural: str = "") -> str:
    return f"1 {noun}" if n == 1 else f"{n} {plural or f'{noun}s'}"


def times(n: int) -> str:
    return "once" if n == 1 else f"{n} times"
