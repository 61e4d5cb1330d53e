"""What answers hold, as JSON Schema: of our own values from their type hints, so that none of it can go stale."""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from logmedic.adapters.web.fields import Schema

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
FLAG: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}
ANYTHING: Schema = {}
_PLAIN: Mapping[Any, Schema] = {
    str: TEXT,
    int: WHOLE,
    float: NUMBER,
    bool: FLAG,
    datetime: TIME,
    timedelta: {"type": "number", "description": "Seconds."},
    Any: ANYTHING,
    object: ANYTHING,
}


def listed(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def by_name(value: Schema) -> Schema:
    """An object whose keys are not known beforehand."""
    return {"type": "object", "additionalProperties": value}


def maybe(schema: Schema) -> Schema:
    """Or null."""
    kind = schema.get("type")
    if isinstance(kind, str) and "enum" not in schema and "title" not in schema:
        return {**schema, "type": [kind, "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def named(title: str, about: str = "", /, *, maybe_absent: Mapping[str, Schema] | None = None, **of: Schema) -> Schema:
    """An object with all of these keys, and perhaps those that may be absent. More may come with a later version. A
    title makes it a component of the document; without one it stands where it is used."""
    schema: dict[str, Any] = {"type": "object"}
    if title:
        schema["title"] = title
    if about:
        schema["description"] = about
    return {**schema, "properties": {**of, **(maybe_absent or {})}, "required": sorted(of)}


def record(**of: Schema) -> Schema:
    return named("", **of)


def row(kind: type, *without: str, called: str = "", but: Mapping[str, Schema] | None = None, **more: Schema) -> Schema:
    """A dataclass as it is answered. `but`: fields that are answered otherwise."""
    hints = get_type_hints(kind)
    names = [each.name for each in fields(kind) if each.name not in without]
    own = {name: (but or {}).get(name) or of_hint(hints[name]) for name in names}
    return named(called or kind.__name__, _about(kind), **{**own, **more})


def _about(kind: type) -> str:
    return " ".join((inspect.getdoc(kind) or "").split())


@cache
def _choice(kind: type[Enum]) -> Schema:
    return {"type": "string", "title": kind.__name__, "enum": [each.value for each in kind]}


def choice(kind: type[Enum]) -> Schema:
    return _choice(kind)


def of_hint(hint: Any) -> Schema:
    """Raises KeyError for a type that no answer can hold."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is types.UnionType:
        (kind,) = (each for each in arguments if each is not type(None))
        return maybe(of_hint(kind))
    if origin in (tuple, frozenset):
        return listed(of_hint(arguments[0]))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return by_name(of_hint(arguments[1]))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return choice(hint)
    return _PLAIN[hint]
