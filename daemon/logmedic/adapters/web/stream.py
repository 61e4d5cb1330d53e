"""GET /v1/events/stream: live events as text/event-stream (the HTML standard, 9.2), with resumption."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sse_starlette import EventSourceResponse
from sse_starlette.sse import SendTimeoutError
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from logmedic.adapters.web.callers import Caller
from logmedic.adapters.web.parameters import BadRequest
from logmedic.adapters.web.refusals import status_of
from logmedic.core.feed import row_of
from logmedic.model.errors import LogmedicError
from logmedic.model.frame import Alive, Began, Changed, Entries, Frame, Lagged
from logmedic.model.live import LiveEvent, Topic
from logmedic.ports import Control
from logmedic.yamldoc import meant

RETRY_MS = 1000
"""What a page waits before it connects again."""
SEND_S = 30.0
"""A client that takes nothing for so long has its stream ended: it connects again, and nothing is lost."""
REMEMBERED = 4096
"""Events whose bytes are kept, so that many listeners cost one encoding."""
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
INCIDENT = "incident:"
END_MIN = 4
"""Characters of an id's end that name it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of it is told; a part that is empty asks for nothing. `incident`: an id, or the end of one."""

    kinds: frozenset[str] = frozenset()
    topics: frozenset[Topic] = frozenset()
    incident: str = ""

    def means(self, event: LiveEvent) -> bool:
        return (
            (not self.kinds or event.kind in self.kinds)
            and (not self.topics or event.topic in self.topics)
            and (not self.incident or (event.subject.startswith(INCIDENT) and event.subject.endswith(self.incident)))
        )

    def changed(self, topics: frozenset[Topic]) -> frozenset[Topic]:
        return topics & self.topics if self.topics else topics


def endpoint(control: Control, send_s: float = SEND_S) -> Callable[[Request], Awaitable[Response]]:
    """Resumes behind `Last-Event-ID`, which browsers and `logmedic events` send when they connect again, or `?after=`.
    503 while too many listen."""

    async def stream(request: Request) -> Response:
        try:
            wanted, (after, forgotten) = wanted_by(request.query_params), _resumed(request)
            frames = control.live(after)
            first = await anext(frames)  # what is refused is refused before anything was answered
        except LogmedicError as error:
            return JSONResponse({"error": error.text, "hint": error.hint}, status_of(error))
        if forgotten and isinstance(first, Began):
            first = Began(first.last, reset=True)
        told = _told(first, frames, wanted, getattr(request.state, "again", None))
        return _Stream(told, ping=0, send_timeout=send_s, headers={"Cache-Control": "no-store"})

    return stream


class _Stream(EventSourceResponse):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A client that does not read is no error of ours. What was to be sent would keep its connection open."""
        try:
            await super().__call__(scope, receive, send)
        except SendTimeoutError:
            scope["state"]["abort"]()
            await asyncio.sleep(0)  # and its end is known


def wanted_by(query: QueryParams) -> Wanted:
    """Raises BadRequest."""
    topics = _several(query, "topic")
    known = [each.value for each in Topic]
    for each in topics:
        if each not in known:
            raise BadRequest(f"`topic` is `{each[:40]}`", meant(each, known))
    incident = query.get("incident", "")
    if incident and len(incident) < END_MIN:
        raise BadRequest(f"`incident` is `{incident}`", f"an id, or at least {END_MIN} characters of its end")
    return Wanted(frozenset(_several(query, "kind")), frozenset(map(Topic, topics)), incident)


def _several(query: QueryParams, name: str) -> list[str]:
    """`name=a,b` as well as `name=a&name=b`."""
    return [each for text in query.getlist(name) for each in text.split(",") if each]


def _resumed(request: Request) -> tuple[str | None, bool]:
    """What to resume behind, and whether there was something that nobody can resume behind. The header is of the same
    listener, later than the address. Raises BadRequest for the address."""
    told = request.headers.get("last-event-id", "")
    if _ID.fullmatch(told):
        return told, False
    after = request.query_params.get("after", "")
    if after and not _ID.fullmatch(after):
        raise BadRequest(f"`after` is `{after[:40]}`", "the id of an event, as /v1/events lists them")
    return (None, True) if told else (after or None, False)


async def _told(
    first: Frame, frames: AsyncGenerator[Frame, None], wanted: Wanted, again: Callable[[], Awaitable[object]] | None
) -> AsyncGenerator[bytes, None]:
    """Closes `frames`. What the store refuses on the way ends it: the client comes again. It ends as well once `again`
    (of guard.py; None where there is no door) would not let them in: their session is over, or their token."""
    async with aclosing(frames):
        yield wire(first, wanted)
        with suppress(LogmedicError):
            async for frame in frames:
                if isinstance(frame, Alive) and again is not None and not isinstance(await again(), Caller):
                    return
                if told := wire(frame, wanted):
                    yield told


def wire(frame: Frame, wanted: Wanted) -> bytes:
    """Nothing, when nothing of it is wanted."""
    match frame:
        case Began(last, reset):
            begin = f"retry: {RETRY_MS}\nid: {last}\n\n".encode()  # without data: only the id is taken over
            return begin + (_message("reset", {"after": last}) if reset else b"")
        case Entries(events):
            return b"".join(_entry(each) for each in events if wanted.means(each))
        case Changed(topics):
            told = wanted.changed(topics)
            return _message("changed", {"topics": sorted(told)}) if told else b""
        case Alive(at, last):
            return _message("alive", {"at": at.isoformat().replace("+00:00", "Z")}, last)
        case Lagged():
            return _message("lagged", {})


@lru_cache(maxsize=REMEMBERED)
def _entry(event: LiveEvent) -> bytes:
    return _message("entry", row_of(event), event.id)


def _message(event: str, data: Any, last_id: str = "") -> bytes:
    """JSON in ASCII: no line end of a log line can begin a line here."""
    mark = f"id: {last_id}\n" if last_id else ""
    return f"{mark}event: {event}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode("ascii")
