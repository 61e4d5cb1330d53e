"""The protocol with the daemon, number 1: JSON, one object a line. What comes from the daemon's side is not trusted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from logmedic.client.answers import MAX_WAIT_S as MAX_WAIT_S
from logmedic.client.answers import Answer, State

PROTOCOL: Final = 1
MAX_LINE: Final = 64 * 1024
"""Bytes of a line, its newline included."""
MAX_MESSAGE, MAX_TRACEBACK, MAX_WORDS = 4000, 32_000, 200
"""Characters."""
MAX_TAGS, MAX_CONTEXT, MAX_VALUE, MAX_ATTEMPTS = 16, 32, 1000, 1000
MAX_NAMES = 100
"""Of one line that follows breakers: of 200 characters, each at most 6 bytes in JSON, they would be too much; see
`sharing.Board`, which cuts by size as well."""
KINDS: Final = ("error", "circuit_breaker_open", "circuit_breaker_closed", "graceful_degradation")
IMPACTS: Final = ("low", "medium", "high", "critical")
ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}\Z", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_STATES: Final = frozenset(each.value for each in State) - {State.AWAY.value}
_MAX_TOLD = 1000
_MAX_OPEN_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Hello:
    protocol: int


@dataclass(frozen=True, slots=True)
class Taken:
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """`id` may be empty: the daemon could not read it. `retry_after`: seconds; 0 where it does not say."""

    id: str
    reason: str
    error: str
    retry_after: float


@dataclass(frozen=True, slots=True)
class Told:
    """`final`: nothing more comes of this report."""

    answer: Answer
    final: bool


@dataclass(frozen=True, slots=True)
class BreakerNews:
    """`open_for`: seconds; 0 of one that is closed."""

    name: str
    is_open: bool
    open_for: float


Message = Hello | Taken | Refused | Told | BreakerNews


class Lines:
    """Cuts what comes into lines. Memory: one line of MAX_LINE bytes; a longer one is passed over."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._skipping = False

    def take(self, fresh: bytes) -> Iterator[bytes]:
        """Every line that is whole now, without its newline."""
        *whole, rest = fresh.split(b"\n")
        for part in whole:
            line = bytes(self._held) + part
            if not self._skipping and len(line) < MAX_LINE:
                yield line
            self._held.clear()
            self._skipping = False
        self._held += rest
        if len(self._held) >= MAX_LINE:
            self._skipping = True
        if self._skipping:
            self._held.clear()


def encoded(told: Mapping[str, Any]) -> bytes:
    """As one line without its newline. Halves of characters become question marks."""
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def message_of(line: bytes) -> Message | None:
    """None: it is not of this protocol, or of a newer one."""
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    match told.get("type"):
        case "hello":
            protocol = told.get("protocol")
            return Hello(protocol) if type(protocol) is int else None
        case "taken":
            ids = told.get("ids")
            return Taken(tuple(filter(_is_id, ids))) if isinstance(ids, list) else None
        case "refused":
            id, reason, error = (_text(told, key) for key in ("id", "reason", "error"))
            return Refused(id, reason, error, _seconds(told, "retry_after"))
        case "answer":
            return _told(told)
        case "breaker" if told.get("state") in ("open", "closed") and isinstance(told.get("name"), str):
            is_open = told["state"] == "open"
            return BreakerNews(told["name"][:MAX_WORDS], is_open, _seconds(told, "open_for") if is_open else 0.0)
    return None


def _told(told: Mapping[str, Any]) -> Told | None:
    state = told.get("state")
    if not isinstance(state, str) or state not in _STATES or not _is_id(told.get("id")):
        return None
    words = {key: _text(told, key) for key in ("issue", "incident", "rule", "hold", "detail")}
    return Told(Answer(State(state), report_id=told["id"], **words), told.get("final") is not False)


def _is_id(told: object) -> bool:
    return isinstance(told, str) and ID.match(told) is not None


def _text(told: Mapping[str, Any], key: str) -> str:
    """On one line, without what a terminal obeys: applications log it."""
    text = told.get(key)
    return _CONTROL.sub(" ", text[:_MAX_TOLD]) if isinstance(text, str) else ""


def _seconds(told: Mapping[str, Any], key: str) -> float:
    """0 for what is no number of seconds."""
    seconds = told.get(key)
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds < float("inf"):
        return 0.0
    return float(min(seconds, _MAX_OPEN_S))
