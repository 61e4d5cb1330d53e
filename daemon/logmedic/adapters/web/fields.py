"""What a query or a body may hold, as values: one declaration reads it, refuses it, and describes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from logmedic.adapters.web.parameters import BadRequest
from logmedic.core.evidence import clean
from logmedic.yamldoc import meant

Schema = Mapping[str, Any]
"""JSON Schema 2020-12, as OpenAPI 3.1 has it."""
SHOWN = 40
"""Characters of what somebody sent, in what they are told."""


@dataclass(frozen=True, slots=True)
class Field:
    """`schema`: of what is sent. `read`: its value, of its name and what was sent (of a query: a text, or the list of
    them when `several`); raises BadRequest. `default`: when it is left out. `needed`: it must not be left out, and this
    says what to send. `as_json`: the text in the query is JSON."""

    name: str
    about: str
    schema: Schema
    read: Callable[[str, Any], Any]
    default: Any = None
    example: Any = None
    needed: str = ""
    several: bool = False
    as_json: bool = False


def values_of(fields: Sequence[Field], sent: Mapping[str, Any], *, kind: str, none: str) -> dict[str, Any]:
    """A value for each field. `kind`: what a name is called, `none`: the hint where no name is known. Raises
    BadRequest."""
    known = {each.name: each for each in fields}
    for name in sent:
        if name not in known:
            raise BadRequest(f"unknown {kind} `{shown(name)}`", meant(name, known) if known else none)
    for each in fields:
        if each.needed and each.name not in sent:
            raise BadRequest(f"`{each.name}` is missing", each.needed)
    return {each.name: each.read(each.name, sent[each.name]) if each.name in sent else each.default for each in fields}


def shown(sent: object) -> str:
    """What somebody sent, for an error's text."""
    return clean(str(sent), SHOWN, keep="")


def wrong(name: str, sent: object, hint: str) -> BadRequest:
    return BadRequest(f"`{name}` is `{shown(sent)}`", hint)
