"""Long answers in pages: where the next one begins.

A cursor says which row was the last one that was seen, by the fields that its list is ordered by, and not how many
were: so rows that come in front meanwhile neither show one twice nor hide one."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from logmedic.model.errors import BadCursor

ORDERS: Mapping[str, tuple[str, ...]] = {
    "incidents": ("id",),
    "issues": ("last_seen", "id"),
    "templates": ("last_seen", "fingerprint"),
    "learnings": ("written_at", "id"),
    "fixes": ("id",),
    "trust_changes": ("id",),
    "alerts": ("id",),
    "silences": ("id",),
    "gaps": ("id",),
}
"""By question: what its rows are ordered by, all of it descending; the last one is unique. `written_at`: `updated_at`,
or `created_at`."""
LONGEST = 1000
"""Characters of a cursor."""
_TIMES = frozenset({"last_seen", "written_at"})
_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


Place = tuple[str | datetime, ...]
"""The values of ORDERS, in that order."""


def cursor_of(question: str, row: Mapping[str, Any]) -> str:
    """Of the last row of a page, as it was answered: what comes behind it. Only letters, digits, `-` and `_`. Raises
    KeyError for a question that has no pages."""
    text = json.dumps([question, *_fields(question, row)], separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place_of(question: str, cursor: str) -> Place:
    """What a cursor stands for; nothing for an empty one. Raises BadCursor."""
    if not cursor:
        return ()
    try:
        told = json.loads(urlsafe_b64decode(_whole(cursor)))
        if not isinstance(told, list) or told[0] != question or len(told) != len(ORDERS[question]) + 1:
            raise ValueError("of another question")
        return tuple(_value(name, each) for name, each in zip(ORDERS[question], told[1:], strict=True))
    except (ValueError, LookupError, RecursionError, OverflowError):
        hint = "ask without a cursor for the first page; each answer says where the next one begins"
        raise BadCursor(f"no page begins at `{cursor[:40]}`", hint) from None


def place_of_row(question: str, row: Mapping[str, Any]) -> Place:
    """Where a row stands, comparable with the others of its question: what is greater comes first."""
    return tuple(_value(name, each) for name, each in zip(ORDERS[question], _fields(question, row), strict=True))


def _whole(cursor: str) -> str:
    """With the padding that was left out. Raises ValueError."""
    if len(cursor) > LONGEST or not _ALPHABET.issuperset(cursor):
        raise ValueError("no cursor of ours")
    return cursor + "=" * (-len(cursor) % 4)


def _fields(question: str, row: Mapping[str, Any]) -> list[str]:
    return [row["updated_at"] or row["created_at"] if name == "written_at" else row[name] for name in ORDERS[question]]


def _value(name: str, told: Any) -> str | datetime:
    """Raises ValueError, also for what is no Unicode; OverflowError."""
    if not isinstance(told, str):
        raise ValueError("no text")
    told.encode()
    return told if name not in _TIMES else _time(told)


def _time(told: str) -> datetime:
    """Raises ValueError, also for a time of no zone; OverflowError."""
    at = datetime.fromisoformat(told)
    if at.tzinfo is None:
        raise ValueError("of no zone")
    return at.astimezone(UTC)
