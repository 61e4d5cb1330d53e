"""What may stand in a body: each kind of value reads what JSON holds, and says in JSON Schema what it takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from logmedic.adapters.web.fields import Field, values_of, wrong
from logmedic.adapters.web.parameters import BadRequest
from logmedic.yamldoc import meant, parse_duration

MOST_COUNT = 1_000_000_000
LONGEST_NOTE = 500
LONGEST_NAME = 80
MOST_WORDS = 50
"""In a list."""

Body = Mapping[str, Any]


def body_of(fields: Sequence[Field], sent: Body) -> dict[str, Any]:
    """Raises BadRequest."""
    return values_of(fields, sent, kind="key", none="send no body")


def text(name: str, about: str, longest: int, *, needed: str = "", example: str | None = None) -> Field:
    """Without the spaces around it. `needed`: it says something then."""

    def read(name: str, sent: Any) -> str:
        told = _text(name, sent, longest)
        if needed and not told:
            raise BadRequest(f"`{name}` is missing", needed)
        return told

    schema: dict[str, Any] = {"type": "string", "maxLength": longest}
    if needed:
        schema |= {"minLength": 1, "pattern": r"\S"}
    return Field(name, about, schema, read, "", example, needed)


def choice(name: str, about: str, known: Iterable[str], *, needed: str = "", example: str | None = None) -> Field:
    """Empty is as good as left out."""
    names = [str(each) for each in known]

    def read(name: str, sent: Any) -> str:
        told = _text(name, sent, LONGEST_NAME)
        if (told or needed) and told not in names:
            raise wrong(name, told, meant(told, names))
        return told

    schema = {"type": "string", "enum": names if needed else ["", *names]}
    return Field(name, about, schema, read, "", example, needed)


def flag(name: str, about: str) -> Field:
    def read(name: str, sent: Any) -> bool:
        if not isinstance(sent, bool):
            raise wrong(name, sent, "true or false")
        return sent

    return Field(name, about, {"type": "boolean", "default": False}, read, False)


def count(name: str, about: str) -> Field:
    """0: it was left out."""

    def read(name: str, sent: Any) -> int:
        told = whole(sent)
        if told is None or not 1 <= told <= MOST_COUNT:
            raise wrong(name, sent, f"a whole number from 1 to {MOST_COUNT}")
        return told

    return Field(name, about, {"type": "integer", "minimum": 1, "maximum": MOST_COUNT}, read, 0, 10)


def words(name: str, about: str, known: Iterable[str] = (), *, example: Sequence[str] | None = None) -> Field:
    """A text, or a list of them. `known` empty: any."""
    names = [str(each) for each in known]

    def read(name: str, sent: Any) -> tuple[str, ...]:
        listed = [sent] if isinstance(sent, str) else sent
        if not isinstance(listed, list) or not all(isinstance(each, str) and each for each in listed):
            raise BadRequest(f"`{name}` is no list of texts", f'send {{"{name}": ["..."]}}')
        if len(listed) > MOST_WORDS or any(len(each) > LONGEST_NAME for each in listed):
            raise BadRequest(f"`{name}` is too long", f"{MOST_WORDS} at most, each of {LONGEST_NAME} characters")
        for each in listed:
            if names and each not in names:
                raise wrong(name, each, meant(each, names))
        return tuple(listed)

    item = {"type": "string", "enum": names} if names else {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME}
    schema = {"anyOf": [{"type": "array", "items": item, "maxItems": MOST_WORDS}, item]}
    return Field(name, about, schema, read, (), list(example) if example else None)


def texts(name: str, about: str, *, example: Mapping[str, str]) -> Field:
    """An object of texts, none of them empty."""

    def read(name: str, sent: Any) -> dict[str, str]:
        if not isinstance(sent, dict) or not all(isinstance(each, str) and each for each in sent.values()):
            told = ", ".join(f'"{key}": "{value}"' for key, value in example.items())
            raise BadRequest(f"`{name}` is no JSON object of texts", f'send {{"{name}": {{{told}}}}}')
        if len(sent) > MOST_WORDS or any(len(each) > LONGEST_NOTE for pair in sent.items() for each in pair):
            raise BadRequest(f"`{name}` is too long", f"{MOST_WORDS} at most, each of {LONGEST_NOTE} characters")
        return sent

    value = {"type": "string", "minLength": 1, "maxLength": LONGEST_NOTE}
    schema = {
        "type": "object",
        "additionalProperties": value,
        "propertyNames": {"maxLength": LONGEST_NOTE},
        "maxProperties": MOST_WORDS,
    }
    return Field(name, about, schema, read, {}, dict(example))


def span(name: str, about: str, *, example: str = "2h") -> Field:
    """A duration. None: it was left out."""

    def read(name: str, sent: Any) -> timedelta:
        try:
            return parse_duration(_text(name, sent, LONGEST_NAME))
        except (ValueError, OverflowError) as error:
            told, _, hint = str(error).partition("; ")
            raise BadRequest(f"`{name}`: {told}", hint) from None

    schema = {"type": "string", "pattern": r"^[0-9]{1,4}(\.[0-9]{1,3})?(ms|s|m|h|d)$"}
    return Field(name, about, schema, read, None, example)


def moment(name: str, about: str, *, example: str = "2026-12-01T08:00:00Z") -> Field:
    """ISO 8601, UTC unless it says otherwise. None: it was left out."""

    def read(name: str, sent: Any) -> datetime:
        told = _text(name, sent, LONGEST_NAME)
        try:
            at = datetime.fromisoformat(told)
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            raise BadRequest(f"`{name}`: `{told[:40]}` is no time", "write 2026-11-24T03:00:00Z") from None

    return Field(name, about, {"type": "string", "format": "date-time"}, read, None, example)


FOR = span("for", "So long from now on. Instead of `until`.")
UNTIL = moment("until", "Until then. Instead of `for`.")


ONE_END = {"not": {"required": ["for", "until"]}}
"""Of a body's schema: only one of them."""


def ends(body: Body, now: datetime) -> datetime | None:
    """As `for` or `until` say it, counted from `now`; None where neither does. Raises BadRequest."""
    span: timedelta | None = body["for"]
    until: datetime | None = body["until"]
    if span is not None and until is not None:
        raise BadRequest("`for` and `until` say the same thing", "leave one out")
    if until is not None and until <= now:
        raise BadRequest(f"`until`: {until:%Y-%m-%d %H:%M:%S}Z is over", "name a time to come, in UTC")
    try:
        return until if span is None else now + span
    except OverflowError:
        raise BadRequest("`for`: so long no calendar goes", "write less: 2h, 7d") from None


def whole(sent: Any) -> int | None:
    """JSON knows one kind of number: 5.0 is whole. None: it is none."""
    if isinstance(sent, float) and sent.is_integer():
        return int(sent)
    return sent if isinstance(sent, int) and not isinstance(sent, bool) else None


def _text(name: str, sent: Any, longest: int) -> str:
    if not isinstance(sent, str):
        raise BadRequest(f"`{name}` is no text", f'send {{"{name}": "..."}}, or leave it out')
    if len(sent) > longest:
        raise BadRequest(f"`{name}` has {len(sent)} characters", f"{longest} at most")
    return sent.strip()
