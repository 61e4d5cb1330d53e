"""Rows of answers as the values that they are of."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


def entity(kind: type[T], row: Mapping[str, Any]) -> T:
    """What a row of an answer says. Keys that `kind` does not have are left out; a field that the row
    does not have gets its default."""
    hints = get_type_hints(kind)
    names = [each.name for each in fields(kind) if each.name in row]  # type: ignore[arg-type]
    return kind(**{name: _value(hints[name], row[name]) for name in names})


def _value(hint: Any, value: Any) -> Any:
    if get_origin(hint) is types.UnionType:
        (hint,) = (each for each in get_args(hint) if each is not type(None))
    if value is None:
        return None
    if get_origin(hint) is tuple:
        return tuple(_value(get_args(hint)[0], each) for each in value)
    if not isinstance(hint, type):
        return value
    if issubclass(hint, datetime):
        return datetime.fromisoformat(value)
    return hint(value) if issubclass(hint, Enum) else value
