"""What the bodies of requests say, checked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from logmedic.adapters.web.parameters import BadRequest
from logmedic.model.rule import Mode
from logmedic.yamldoc import meant, parse_duration

MOST_COUNT = 1_000_000_000
LONGEST_NOTE = 500
LONGEST_NAME = 80


Body = Mapping[str, Any]


def mute_of(body: Body, now: datetime) -> dict[str, Any]:
    """`for` (a duration) or `until` (a time), `count`, `next_version`, each may be missing: as MuteIssue has them."""
    _only(body, "for", "until", "count", "next_version")
    return {"until": _ends(body, now), "count": _count(body), "next_version": _flag(body, "next_version")}


def resolution_of(body: Body) -> dict[str, Any]:
    _only(body, "because", "in_version")
    return {"notes": _text(body, "because", LONGEST_NOTE), "version": _text(body, "in_version", LONGEST_NAME)}


def merge_of(body: Body) -> str:
    """The issue that it becomes a part of."""
    _only(body, "into")
    into = _text(body, "into", LONGEST_NAME)
    if not into:
        raise BadRequest("`into` is missing", 'send {"into": "the end of the id of an issue"}')
    return into


def reset_of(body: Body) -> tuple[str, str]:
    """The rule whose breakers are meant, and the target; empty: all of them."""
    _only(body, "rule", "target")
    rule = _text(body, "rule", LONGEST_NAME)
    if not rule:
        raise BadRequest("`rule` is missing", 'send {"rule": "the id of a rule"}')
    return rule, _text(body, "target", LONGEST_NOTE)


def trust_of(body: Body) -> tuple[Mode, str]:
    """The level, and why."""
    _only(body, "level", "why")
    told, why = _text(body, "level", LONGEST_NAME), _text(body, "why", LONGEST_NOTE)
    if told not in list(Mode):
        raise BadRequest(f"`level` is `{told[:40]}`", meant(told, list(Mode)))
    if not why:
        raise BadRequest("`why` is missing", "say why: it is recorded with your name")
    return Mode(told), why


def pause_of(body: Body, now: datetime) -> dict[str, Any]:
    """`for` (a duration) or `until` (a time), `why`, `stop`, each may be missing: as PauseFixes has them."""
    _only(body, "for", "until", "why", "stop")
    return {"until": _ends(body, now), "why": _text(body, "why", LONGEST_NOTE), "stop": _flag(body, "stop")}


def captures_of(body: Body) -> dict[str, str]:
    _only(body, "captures")
    given = body.get("captures", {})
    if not isinstance(given, dict) or not all(isinstance(each, str) for each in given.values()):
        raise BadRequest("`captures` is no JSON object of texts", 'send {"captures": {"client": "192.0.2.7"}}')
    return given


def nothing_of(body: Body) -> None:
    _only(body)


def route_of(body: Body) -> str:
    """Empty for every route."""
    _only(body, "route")
    return _text(body, "route", LONGEST_NOTE)


def _only(body: Body, *known: str) -> None:
    for name in body:
        if name not in known:
            hint = meant(str(name), known) if known else "send no body"
            raise BadRequest(f"unknown key `{str(name)[:40]}`", hint)


def _text(body: Body, name: str, longest: int) -> str:
    value = body.get(name, "")
    if not isinstance(value, str):
        raise BadRequest(f"`{name}` is no text", f'send {{"{name}": "..."}}, or leave it out')
    if len(value) > longest:
        raise BadRequest(f"`{name}` has {len(value)} characters", f"{longest} at most")
    return value.strip()


def _count(body: Body) -> int:
    value = body.get("count", 0)
    if isinstance(value, bool) or not isinstance(value, int) or ("count" in body and not 1 <= value <= MOST_COUNT):
        raise BadRequest(f"`count` is `{str(value)[:40]}`", f"a whole number from 1 to {MOST_COUNT}")
    return value


def _flag(body: Body, name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise BadRequest(f"`{name}` is `{str(value)[:40]}`", "true or false")
    return value


def _ends(body: Body, now: datetime) -> datetime | None:
    if "for" in body and "until" in body:
        raise BadRequest("`for` and `until` say the same thing", "leave one out")
    return _after(body, now) if "for" in body else _time(body, now) if "until" in body else None


def _after(body: Body, now: datetime) -> datetime:
    try:
        return now + parse_duration(_text(body, "for", LONGEST_NAME))
    except (ValueError, OverflowError) as error:
        words, _, hint = str(error).partition("; ")
        raise BadRequest(f"`for`: {words}", hint) from None


def _time(body: Body, now: datetime) -> datetime:
    told = _text(body, "until", LONGEST_NAME)
    try:
        at = datetime.fromisoformat(told)
    except ValueError:
        raise BadRequest(f"`until`: `{told[:40]}` is no time", "write 2026-11-24T03:00:00Z") from None
    at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    if at <= now:
        raise BadRequest(f"`until`: {at:%Y-%m-%d %H:%M:%S}Z is over", "name a time to come, in UTC")
    return at
