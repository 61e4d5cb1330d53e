"""What the bodies of requests say, checked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from logmedic.adapters.web.parameters import BadRequest
from logmedic.model.rule import AlertEvent, Mode
from logmedic.model.severity import Severity
from logmedic.yamldoc import meant, parse_duration

MOST_COUNT = 1_000_000_000
LONGEST_NOTE = 500
LONGEST_NAME = 80
MOST_WORDS = 50
"""In a list."""


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


def ack_of(body: Body, now: datetime) -> tuple[datetime | None, bool]:
    """`for` (a duration) or `until` (a time), or none: until it is over. And whether it is taken back (`undo`)."""
    _only(body, "for", "until", "undo")
    until, undo = _ends(body, now), _flag(body, "undo")
    if undo and until is not None:
        raise BadRequest("`undo` takes no time", "leave out `for` and `until`")
    return until, undo


def silence_of(body: Body, now: datetime) -> dict[str, Any]:
    """As ports.Control.add_silence takes it, but for `by`."""
    _only(body, *("for", "until", "from", "why", "severity", "tag", "labels", "incident", "everything", "dry_run"))
    begins, why = _moment(body, "from") if "from" in body else None, _text(body, "why", LONGEST_NOTE)
    until = _ends(body, begins or now)
    if until is None:
        raise BadRequest("a silence has an end", 'send {"for": "2h"} or {"until": "2026-12-01T08:00:00Z"}')
    if not why:
        raise BadRequest("`why` is missing", "say why: it is recorded with your name")
    return {
        "why": why,
        "until": until,
        "starts_at": begins,
        "severities": tuple(map(Severity, _each_of(body, "severity", list(Severity)))),
        "tags": tuple(_words(body, "tag")),
        "labels": _patterns(body),
        "incident": _text(body, "incident", LONGEST_NAME),
        "everything": _flag(body, "everything"),
        "rehearse": _flag(body, "dry_run"),
    }


def resend_of(body: Body) -> list[str] | None:
    """Ids, or ends of them; None: every dead letter (`dead`)."""
    _only(body, "ids", "dead")
    ids, dead = _words(body, "ids"), _flag(body, "dead")
    if bool(ids) == dead:
        raise BadRequest("name messages, or all that were given up", 'send {"ids": ["..."]} or {"dead": true}')
    return None if dead else ids


def preview_of(body: Body) -> dict[str, str]:
    _only(body, "incident", "event", "receiver")
    incident, event = _text(body, "incident", LONGEST_NAME), _text(body, "event", LONGEST_NAME)
    if not incident:
        raise BadRequest("`incident` is missing", 'send {"incident": "the end of the id of an incident"}')
    if event and event not in list(AlertEvent):
        raise BadRequest(f"`event` is `{event[:40]}`", meant(event, list(AlertEvent)))
    return {"incident_id": incident, "event": event, "receiver": _text(body, "receiver", LONGEST_NAME)}


def test_of(body: Body) -> dict[str, str]:
    """Both empty: everybody."""
    _only(body, "route", "receiver")
    return {"route": _text(body, "route", LONGEST_NOTE), "receiver": _text(body, "receiver", LONGEST_NOTE)}


def _words(body: Body, name: str) -> list[str]:
    """A text, or a list of them."""
    value = body.get(name, [])
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(each, str) and each for each in listed):
        raise BadRequest(f"`{name}` is no list of texts", f'send {{"{name}": ["..."]}}')
    if len(listed) > MOST_WORDS or any(len(each) > LONGEST_NAME for each in listed):
        raise BadRequest(f"`{name}` is too long", f"{MOST_WORDS} at most, each of {LONGEST_NAME} characters")
    return listed


def _each_of(body: Body, name: str, allowed: list[Any]) -> list[str]:
    told = _words(body, name)
    for each in told:
        if each not in allowed:
            raise BadRequest(f"`{name}` is `{each[:40]}`", meant(each, allowed))
    return told


def _patterns(body: Body) -> dict[str, str]:
    given = body.get("labels", {})
    if not isinstance(given, dict) or not all(isinstance(each, str) and each for each in given.values()):
        raise BadRequest("`labels` is no JSON object of texts", 'send {"labels": {"rule": "pg-*"}}')
    if len(given) > MOST_WORDS or any(len(each) > LONGEST_NOTE for pair in given.items() for each in pair):
        raise BadRequest("`labels` is too long", f"{MOST_WORDS} at most, each of {LONGEST_NOTE} characters")
    return given


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
    at = _moment(body, "until")
    if at <= now:
        raise BadRequest(f"`until`: {at:%Y-%m-%d %H:%M:%S}Z is over", "name a time to come, in UTC")
    return at


def _moment(body: Body, name: str) -> datetime:
    told = _text(body, name, LONGEST_NAME)
    try:
        at = datetime.fromisoformat(told)
    except ValueError:
        raise BadRequest(f"`{name}`: `{told[:40]}` is no time", "write 2026-11-24T03:00:00Z") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
