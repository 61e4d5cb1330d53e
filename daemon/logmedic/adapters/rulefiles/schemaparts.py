"""The pieces that the schema of rule files is made of."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from logmedic.adapters.rulefiles.triggers import MAX_COUNT

Schema = dict[str, Any]

LABEL: Schema = {"type": ["string", "number"]}
"""A number that stands where text is wanted is text."""
TEXT: Schema = {"type": ["string", "number"], "minLength": 1}
FLAG: Schema = {"type": "boolean"}


def told(form: Schema, description: str) -> Schema:
    """With what editors show. Draft-07 reads nothing beside a reference."""
    if "$ref" in form:
        return {"allOf": [form], "description": description}
    return {**form, "description": description}


def ref(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def mapping(properties: Schema, required: Iterable[str] = ()) -> Schema:
    form = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**form, "required": list(required)} if required else form


def some(item: Schema, *, least: int = 0) -> Schema:
    """One, or a list of them."""
    many: Schema = {"type": "array", "items": item}
    return {"anyOf": [item, {**many, "minItems": least} if least else many]}


def texts(description: str, *, least: int = 0, item: Schema = LABEL) -> Schema:
    return told(some(item, least=least), description)


def one_of(kind: type[StrEnum]) -> Schema:
    return {"enum": [each.value for each in kind if each.value]}


def both(one: str, other: str) -> Schema:
    """Refuses the two together."""
    return {"not": {"required": [one, other]}}


def duration(description: str) -> Schema:
    form = {"type": "string", "pattern": r"^\s*\d{1,9}(\.\d{1,6})?\s*(ms|s|m|h|d)\s*$"}
    return told(form, f"{description} A number with its unit: 250ms, 30s, 5m, 2h, 7d.")


def size(description: str) -> Schema:
    form = {"type": ["string", "integer"], "pattern": r"^\s*\d{1,15}\s*[KMG]?(i?B)?\s*$"}
    return told(form, f"{description} A number with its unit: 64K, 64M, 1G.")


_PERCENT = r"\d{1,2}(\.\d{1,3})?\s*%"
_SOME_PERCENT = r"^\s*(?!0{1,2}(\.0{1,3})?\s*%)"


def percent(description: str) -> Schema:
    form = {"type": "string", "pattern": rf"{_SOME_PERCENT}{_PERCENT}\s*$"}
    return told(form, f"{description} A share: 10%.")


def room(description: str) -> Schema:
    form = {"type": ["string", "integer"], "pattern": rf"{_SOME_PERCENT}({_PERCENT}|\d{{1,15}}\s*[KMG]?(i?B)?)\s*$"}
    return told(form, f"{description} 10%, or 2G.")


def whole(least: int, most: int) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


def count(least: int, most: int = MAX_COUNT) -> Schema:
    return told(whole(least, most), "How many.")


def number(least: float, most: float) -> Schema:
    return {"type": "number", "minimum": least, "maximum": most}


def argv() -> Schema:
    form = {"type": "array", "minItems": 1, "items": LABEL}
    return told(form, "The program by its absolute path, and its arguments; no shell. {name} is a typed capture.")
