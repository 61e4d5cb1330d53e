"""A report, from what an application says to a line that the daemon takes: cut and cleaned, never refused for its form.

`draft_of` runs in the application's thread and is short; `line_of` runs in the client's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final, Literal, NamedTuple, TypedDict

from logmedic.client import guarded
from logmedic.client.sending.captured import Captured, cut, name_of, taken_down, weight, written
from logmedic.client.sending.wire import (
    IMPACTS,
    KINDS,
    MAX_ATTEMPTS,
    MAX_CONTEXT,
    MAX_LINE,
    MAX_MESSAGE,
    MAX_TAGS,
    MAX_VALUE,
    MAX_WAIT_S,
    MAX_WORDS,
    encoded,
)

Impact = Literal["low", "medium", "high", "critical"]
MAX_BEGUN: Final = MAX_LINE - 64
"""Bytes of a line without its end: `finished` adds the rest."""
_COMPONENT, _KEY, _TAG = re.compile(r"[^A-Za-z0-9_.-]"), re.compile(r"[^A-Za-z0-9_.-]"), re.compile(r"[^A-Za-z0-9_.:-]")
_REQUEST_ID = re.compile(r"[^A-Za-z0-9._:/=+@-]")


class Draft(NamedTuple):
    """What was said, cut to length, and not cleaned yet. `at`: seconds since the epoch."""

    id: str
    at: float
    error: str
    message: str
    traceback: Captured
    component: str
    action: str
    impact: str
    environment: str
    request_id: str
    tags: tuple[str, ...]
    context: tuple[tuple[str, str], ...]
    kind: str
    name: str
    attempts: int
    strategy: str


class Words(TypedDict, total=False):
    """What may be said of an error. `kind`: of `wire.KINDS`; `name`: of the breaker or the feature that it is about.
    `attempts`, `strategy`: of a retry that gave up."""

    component: str
    action: str
    impact: Impact
    environment: str
    request_id: str
    tags: Iterable[str]
    context: Mapping[str, object] | None
    kind: str
    name: str
    attempts: int
    strategy: str


def draft_of(error: object, id: str, at: float, words: Words) -> Draft:
    """Words of other names are passed over. Nothing of `error` is kept but texts and places."""
    message = guarded.text_of(error, MAX_MESSAGE)
    attempts, tags, context = words.get("attempts", 0), words.get("tags"), words.get("context")
    return Draft(
        id,
        at,
        name_of(error) if isinstance(error, BaseException) else "",
        message,
        _captured(error, message) if isinstance(error, BaseException) else (),
        _text(words.get("component"), 64),
        _text(words.get("action"), MAX_WORDS),
        _text(words.get("impact"), 16),
        _text(words.get("environment"), 64),
        _text(words.get("request_id"), 128),
        guarded.quietly(lambda: _tags(tags), ()) if tags is not None else (),
        guarded.quietly(lambda: _context(context), ()) if context is not None else (),
        _text(words.get("kind"), 64),
        _text(words.get("name"), MAX_WORDS),
        attempts if type(attempts) is int else 0,
        _text(words.get("strategy"), MAX_WORDS),
    )


def weight_of(draft: Draft) -> int:
    """Bytes that it takes in memory, about."""
    return 500 + len(draft.message) + weight(draft.traceback) + sum(len(k) + len(v) for k, v in draft.context)


def line_of(draft: Draft) -> bytes:
    """Its line without the end; `finished` adds it. Never longer than MAX_BEGUN."""
    told = _cleaned(draft)
    trace = written(draft.traceback)
    if trace:
        told["traceback"] = trace
    line = encoded(told)
    return (line if len(line) - 1 <= MAX_BEGUN else _shortened(told))[:-1]


def finished(begun: bytes, wait: float) -> bytes:
    """`wait`: seconds its sender waits for answers yet; 0: it does not."""
    return begun + (b',"wait":%.3f}\n' % min(max(wait, 0.001), MAX_WAIT_S) if wait > 0 else b"}\n")


def component_of(said: str) -> str:
    """A name that the daemon takes: `shop.payments`, or `app` where nothing is left of what was said."""
    name = _COMPONENT.sub("_", said)[:64]
    if not name.strip("_.-"):
        return "app"
    return name if name[0].isascii() and name[0].isalpha() else f"app-{name}"[:64]


def _cleaned(draft: Draft) -> dict[str, Any]:
    kind = draft.kind if draft.kind in KINDS else KINDS[0]
    component = component_of(draft.component)
    told = {
        "type": "report",
        "id": draft.id,
        "component": component,
        "error": draft.error.strip(),
        "message": draft.message if draft.message.strip() or draft.error.strip() else "(nothing was said)",
        "kind": kind,
        "impact": draft.impact if draft.impact in IMPACTS else "medium",
        "at": datetime.fromtimestamp(draft.at, UTC).isoformat(),
        "action": draft.action,
        "environment": _TAG.sub("_", draft.environment),
        "request_id": _REQUEST_ID.sub("_", draft.request_id),
        "name": draft.name if draft.name.strip() or kind == KINDS[0] else component,
        "attempts": min(max(draft.attempts, 0), MAX_ATTEMPTS),
        "strategy": draft.strategy,
        "tags": list(dict.fromkeys(filter(None, (_TAG.sub("_", each) for each in draft.tags)))),
        "context": {_KEY.sub("_", key) or "_": value for key, value in draft.context},
    }
    return {key: value for key, value in told.items() if value}


def _shortened(told: dict[str, Any]) -> bytes:
    """JSON writes a control character with six bytes: what is short enough in characters may be too long."""
    for longest in (16_000, 8000, 4000, 2000, 0):
        told["traceback"] = cut(told.get("traceback", ""), longest)
        if longest <= 4000 and "context" in told:
            told["context"] = {key: value[: longest // 20] for key, value in told["context"].items()}
        if len(line := encoded(told)) - 1 <= MAX_BEGUN:
            break
    return line  # without traceback and values the rest has at most some 40 KB


def _captured(error: BaseException, message: str) -> Captured:
    nothing: Captured = ()
    return guarded.quietly(lambda: taken_down(error, message), nothing)


def _text(value: object, longest: int) -> str:
    return "" if value is None else guarded.text_of(value, longest)


def _tags(tags: Iterable[object]) -> tuple[str, ...]:
    given = (tags,) if isinstance(tags, str) else islice(tags, MAX_TAGS)
    return tuple(guarded.text_of(each, 64) for each in given)


def _context(context: Mapping[Any, object]) -> tuple[tuple[str, str], ...]:
    text = guarded.text_of
    return tuple((text(key, 64), text(value, MAX_VALUE)) for key, value in islice(context.items(), MAX_CONTEXT))
