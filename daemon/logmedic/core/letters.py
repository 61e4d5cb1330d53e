"""Stories and messages as JSON, as they are kept until they are told. Keys that are not known are left alone, and what
is missing has its default: both come with other versions of the daemon."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from logmedic.model.message import Link, Message, Story

_T = TypeVar("_T")
_Reader = Callable[[Any], Any]


def pack_story(story: Story) -> str:
    return _packed(story)


def unpack_story(text: str) -> Story:
    """Raises ValueError for what is no story."""
    return _unpacked(Story, text)


def pack(message: Message) -> str:
    return _packed(message)


def unpack(text: str) -> Message:
    """Raises ValueError for what is no message."""
    return _unpacked(Message, text)


def _packed(value: Story | Message) -> str:
    """ASCII, on one line; the same for what is equal."""
    return json.dumps(_row(value), separators=(",", ":"), default=_plain)


def _row(value: Any) -> dict[str, Any]:
    return {each.name: getattr(value, each.name) for each in fields(value)}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else _row(value)


def _unpacked(kind: type[_T], text: str) -> _T:
    try:
        made: _T = _made(kind, json.loads(text))
    except RecursionError:
        raise ValueError("nested too deep") from None
    return made


def _made(kind: type[Any], row: object) -> Any:
    if not isinstance(row, Mapping):
        raise ValueError(f"no {kind.__name__.lower()}: an object was expected")
    found = {}
    for name, (read, required) in _READERS[kind].items():
        if name in row:
            found[name] = read(row[name])
        elif required:
            raise ValueError(f"no {kind.__name__.lower()}: {name} is missing")
    return kind(**found)


def _readers(kind: type[Any]) -> dict[str, tuple[_Reader, bool]]:
    """By field, what makes its value, and whether it has no default."""
    hints = get_type_hints(kind)
    return {each.name: (_reader(hints[each.name]), each.default is MISSING) for each in fields(kind)}


def _reader(hint: Any) -> _Reader:
    if get_origin(hint) is tuple:
        inner = _reader(get_args(hint)[0])
        return lambda given: tuple(inner(each) for each in _a(list, given))
    if is_dataclass(hint) and isinstance(hint, type):
        return lambda given: _made(hint, given)
    if issubclass(hint, StrEnum):
        return lambda given: hint(_a(str, given))
    return _moment if hint is datetime else lambda given: _a(hint, given)


def _moment(given: object) -> datetime:
    at = datetime.fromisoformat(_a(str, given))
    if at.tzinfo is None:
        raise ValueError(f"a time without a zone: {given}")
    return at


def _a(kind: type[_T], given: object) -> _T:
    """Exactly of that type: True is no number here."""
    if type(given) is not kind:
        raise ValueError(f"{kind.__name__} was expected, not {type(given).__name__}")
    return given


_READERS = {kind: _readers(kind) for kind in (Link, Story, Message)}
