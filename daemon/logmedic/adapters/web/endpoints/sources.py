"""What is read: each origin of each source, and what was not read."""

from __future__ import annotations

from typing import Any

from logmedic.adapters.web import queries, shapes
from logmedic.adapters.web.endpoint import Asked, Endpoint
from logmedic.adapters.web.endpoints.shown import SOURCE
from logmedic.adapters.web.queries import CURSOR
from logmedic.adapters.web.shapes import listed
from logmedic.model.gap import SourceEvent
from logmedic.ports import Control


async def sources(control: Control, asked: Asked) -> Any:
    return await control.sources(asked.query["source"])


async def gaps(control: Control, asked: Asked) -> Any:
    return await control.ask("gaps", **asked.given("source", "limit", "cursor"))


_SOURCE = queries.text("source", "Of this source only.", example="nginx")
ENDPOINTS = (
    Endpoint("GET", "/v1/sources", "Each file or stream that is read", sources, listed(SOURCE), query=(_SOURCE,)),
    Endpoint(
        "GET",
        "/v1/gaps",
        "What was not read, and when sources were quiet",
        gaps,
        listed(shapes.row(SourceEvent)),
        query=(_SOURCE, queries.limit(100), CURSOR),
        pages="gaps",
    ),
)
