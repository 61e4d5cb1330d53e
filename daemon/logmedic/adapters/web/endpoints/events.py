"""What happened, as a list and as a stream."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from logmedic.adapters.web import queries, shapes, stream
from logmedic.adapters.web.endpoint import Answer, Asked, Endpoint
from logmedic.adapters.web.queries import SINCE, UNTIL
from logmedic.adapters.web.shapes import TEXT, listed
from logmedic.model.live import LiveEvent, Topic
from logmedic.ports import Control


async def events(control: Control, asked: Asked) -> Any:
    limit, newest = asked.query["limit"], asked.query["newest"]
    wanted = asked.given("after", "since", "until", "newest", "incident", kinds="kind")
    rows = await control.ask("events", **wanted, limit=limit if newest else limit + 1)
    if newest or len(rows) <= limit:
        return Answer(rows)
    kept = [(name, value) for name, value in asked.request.query_params.multi_items() if name != "after"]
    return Answer(rows[:limit], f"{asked.request.url.path}?{urlencode([*kept, ('after', rows[limit - 1]['id'])])}")


async def events_stream(control: Control, asked: Asked) -> Any:
    return await stream.endpoint(control)(asked.request)


_AFTER = queries.text("after", "Those behind the event with this id.", longest=36)
_KINDS = queries.several("kind", "Of these kinds: `a,b`, or named again.", example="opened")
_INCIDENT = queries.text("incident", "Of this incident: its id, or at least 4 characters of its end.", longest=80)
ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/events",
        "What happened, oldest first",
        events,
        listed(shapes.row(LiveEvent)),
        about="Ids sort as things happened, and stay: ask with `after` for what came behind the last one you know.",
        query=(
            _AFTER,
            SINCE,
            UNTIL,
            _KINDS,
            queries.text("incident", "Of this incident: its whole id.", longest=80),
            queries.flag("newest", "The last ones, instead of the first."),
            queries.limit(100),
        ),
    ),
    Endpoint(
        "GET",
        "/v1/events/stream",
        "What happens, live",
        events_stream,
        TEXT,
        about="Server-sent events: `entry` (with its id), `changed` (topics that a view has to ask again about), "
        "`alive` every 5 s. Resumes behind `Last-Event-ID`, or `after`, without a gap.",
        query=(_AFTER, _KINDS, queries.several("topic", "Of these topics.", Topic, example="incidents"), _INCIDENT),
        media="text/event-stream",
    ),
)
