"""What may stand in a query: each kind of value reads a text, and says in JSON Schema what it takes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import QueryParams

from logmedic.adapters.web.fields import Field, shown, values_of, wrong
from logmedic.adapters.web.parameters import BadRequest
from logmedic.yamldoc import meant
from logmedic.yamldoc import moment as moment_of

LIMIT_MAX = 10_000
LONGEST = 500
"""Characters of a text."""
LONGEST_CURSOR = 1000
MOMENT: Mapping[str, Any] = {
    "anyOf": [
        {"type": "string", "pattern": r"^[0-9]{1,4}(\.[0-9]{1,3})?(ms|s|m|h|d)$"},
        {"type": "string", "format": "date-time"},
        {"type": "string", "format": "date"},
        {"type": "string", "maxLength": 0},
    ]
}
"""A duration before now, or a time."""


def query_of(fields: Sequence[Field], query: QueryParams) -> dict[str, Any]:
    """Raises BadRequest, also for a name that nobody knows, or that is there twice."""
    several = {each.name for each in fields if each.several}
    sent: dict[str, Any] = {}
    for name in query:
        texts = query.getlist(name)
        if len(texts) > 1 and name in {each.name for each in fields} - several:
            raise BadRequest(f"`{shown(name)}` is there {len(texts)} times", "name it once")
        sent[name] = texts if name in several else texts[0]
    return values_of(fields, sent, kind="parameter", none="leave it out: nothing can be asked for here")


def text(name: str, about: str, *, example: str | None = None, longest: int = LONGEST, needed: str = "") -> Field:
    """Empty: it asks for nothing. `needed`: it says something then."""

    def read(name: str, sent: str) -> str:
        if len(sent) > longest:
            raise BadRequest(f"`{name}` has {len(sent)} characters", f"{longest} at most")
        if needed and not sent.strip():
            raise BadRequest(f"`{name}` is missing", needed)
        return sent

    schema: dict[str, Any] = {"type": "string", "maxLength": longest}
    return Field(name, about, {**schema, "pattern": r"\S"} if needed else schema, read, "", example, needed)


def choice(name: str, about: str, known: Iterable[str], *, example: str | None = None) -> Field:
    """Empty: any of them."""
    names = [str(each) for each in known]

    def read(name: str, sent: str) -> str:
        if sent and sent not in names:
            raise wrong(name, sent, meant(sent, names))
        return sent

    return Field(name, about, {"type": "string", "enum": ["", *names]}, read, "", example)


def flag(name: str, about: str) -> Field:
    def read(name: str, sent: str) -> bool:
        if sent not in ("true", "false"):
            raise wrong(name, sent, f"{name}=true or {name}=false")
        return sent == "true"

    return Field(name, about, {"type": "boolean", "default": False}, read, False)


def whole(name: str, about: str, default: int, least: int, most: int) -> Field:
    def read(name: str, sent: str) -> int:
        digits = sent.lstrip("0") or "0"
        told = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else -1
        if not sent or not least <= told <= most:
            raise wrong(name, sent, f"a whole number from {least} to {most}")
        return told

    schema = {"type": "integer", "minimum": least, "maximum": most, "default": default}
    return Field(name, about, schema, read, default)


def limit(default: int) -> Field:
    return whole("limit", "How many at most.", default, 1, LIMIT_MAX)


def share(name: str, about: str) -> Field:
    """From 0 to 1."""

    def read(name: str, sent: str) -> float:
        try:
            told = float(sent)
        except ValueError:
            told = -1.0
        if not 0 <= told <= 1:
            raise wrong(name, sent, "a number from 0 to 1")
        return told

    return Field(name, about, {"type": "number", "minimum": 0, "maximum": 1, "default": 0}, read, 0.0, 0.7)


def moment(name: str, about: str, *, example: str = "24h") -> Field:
    """A duration before now (24h), or a time (ISO 8601, UTC unless it says otherwise). Empty: None."""

    def read(name: str, sent: str) -> datetime | None:
        if not sent:
            return None
        try:
            return moment_of(sent, datetime.now(UTC)).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            words, _, hint = str(error).partition("; ")
            raise BadRequest(f"`{name}`: {shown(words)}" if not hint else f"`{name}`: {words}", hint) from None

    return Field(name, about, MOMENT, read, None, example)


def several(
    name: str, about: str, known: Iterable[str] = (), *, example: str | None = None, pattern: str = ""
) -> Field:
    """`name=a,b` as well as `name=a&name=b`. `known` empty: any text. `pattern`: what each looks like, which the caller
    checks."""
    names = [str(each) for each in known]

    def read(name: str, sent: Sequence[str]) -> tuple[str, ...]:
        told = tuple(each for text in sent for each in text.split(","))
        if "" in told and (names or pattern):
            raise BadRequest(f"`{name}` names nothing somewhere", f"{name}=a,b, or leave it out")
        told = tuple(each for each in told if each)
        for each in told:
            if names and each not in names:
                raise wrong(name, each, meant(each, names))
        return told

    item = {"type": "string", "enum": names} if names else {"type": "string", "maxLength": LONGEST}
    item = {**item, "pattern": pattern} if pattern else item
    schema = {"type": "array", "items": item}
    return Field(name, about, schema, read, (), [example] if example else None, several=True)


def texts(name: str, about: str, hint: str, *, example: Mapping[str, str]) -> Field:
    """A JSON object of texts. None: it was left out."""

    def read(name: str, sent: str) -> dict[str, str]:
        try:
            told = json.loads(sent)
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict) or not all(isinstance(each, str) for each in told.values()):
            raise BadRequest(f"`{name}` is no JSON object of texts", hint)
        return told

    schema = {"type": "object", "additionalProperties": {"type": "string"}}
    return Field(name, about, schema, read, None, example, as_json=True)


CURSOR = text(
    "cursor",
    "Where the page begins: as the `Link` header of the page before says it.",
    longest=LONGEST_CURSOR,
)
SINCE = moment("since", "Not before: a duration (24h, 7d) or a time.")
UNTIL = moment("until", "Before: a duration (1h) or a time.", example="1h")
