"""What does not have the form of the config, in words."""

from __future__ import annotations

import re
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from logmedic.settings.form import Settings
from logmedic.yamldoc import meant

KeyPath = tuple[str | int, ...]
Said = tuple[KeyPath, str, str]
"""Where, what is wrong, and what to do; the last may be empty."""


def mistake_of(error: Any) -> Said:
    """`error`: one of pydantic's."""
    path = tuple(error["loc"])
    name = ".".join(str(part) for part in path)
    match error["type"]:
        case "extra_forbidden":
            return path, f"unknown key `{path[-1]}`", meant(str(path[-1]), _keys_at(path[:-1]))
        case "missing":
            return path[:-1], f"`{name}` is missing", ""
        case "value_error":
            return path, f"`{name}`: {error['ctx']['error']}", ""
        case "tuple_type":
            return path, f"`{name}` has to be a list", "write it with brackets: [a, b]"
        case "model_type" | "dict_type":
            return path, f"`{name}` has to be a mapping", "write `key: value` lines, or { key: value }"
        case _:
            return path, f"`{name}`: {error['msg'][:1].lower()}{error['msg'][1:]}", _nearest(error)


def _nearest(error: Any) -> str:
    """Of the words that are allowed."""
    if error["type"] != "enum" or not isinstance(error["input"], str):
        return ""
    hint = meant(error["input"], re.findall(r"'([^']*)'", error["ctx"]["expected"]))
    return hint if hint.startswith("did") else ""


def _keys_at(path: KeyPath) -> set[str]:
    """The keys that the mapping at `path` may have."""
    form: Any = Settings
    for part in path:
        form = _below(form, part)
    return {each.alias or name for name, each in form.model_fields.items()} if _is_mapping(form) else set()


def _below(form: Any, part: str | int) -> Any:
    """What may stand at `part` of what has this form."""
    if _is_mapping(form):
        fields = {each.alias or name: each.annotation for name, each in form.model_fields.items()}
        return _plain(fields.get(str(part)))
    parts = get_args(form)
    return _plain(parts[1] if get_origin(form) is dict else parts[0]) if parts else None


def _plain(annotation: Any) -> Any:
    """Without what is said of it, and without the None that it may be."""
    if hasattr(annotation, "__metadata__"):
        return _plain(annotation.__origin__)
    if get_origin(annotation) is Union or type(annotation).__name__ == "UnionType":
        parts = [each for each in get_args(annotation) if each is not type(None)]
        return _plain(parts[0])
    return annotation


def _is_mapping(form: Any) -> bool:
    return isinstance(form, type) and issubclass(form, BaseModel)
