"""An endpoint of the API as a value: routes, the OpenAPI document and docs/api.md are made of these."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request

from logmedic.adapters.web import parameters
from logmedic.adapters.web.bodies import body_of
from logmedic.adapters.web.fields import Field, Schema
from logmedic.adapters.web.queries import query_of
from logmedic.core.paging import cursor_of
from logmedic.ports import Control


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, read and checked. `by`: who acts; empty where nobody does."""

    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Mapping[str, Any]
    by: str
    now: datetime
    request: Request

    @property
    def id(self) -> str:
        """Of the path."""
        return self.path["id"]

    def given(self, *names: str, **renamed: str) -> dict[str, Any]:
        """Of the query what was asked for, for a question: by its own name, or by the one that the question has for
        it. What asks for nothing is left out."""
        wanted = {**{name: name for name in names}, **renamed}
        told = {ours: self.query[name] for ours, name in wanted.items()}
        return {name: value for name, value in told.items() if value not in (None, "", (), False)}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`summary`: a few words, `about`: sentences. `subject`: what `{id}` in the path stands for. `body` None: none is
    read; `together`: what its keys say about one another, as JSON Schema. `answer`: what a 200 holds; `media`: in which
    form. `acts`: for who may act. `pages`: the question whose rows are answered in pages (core/paging.py). `refused`:
    statuses that it can answer besides those of every endpoint. `call`: answers JSON, an Answer, or a Response."""

    method: str
    path: str
    summary: str
    call: Callable[[Control, Asked], Awaitable[Any]]
    answer: Schema
    about: str = ""
    subject: str = ""
    example: str = ""
    query: Sequence[Field] = ()
    body: Sequence[Field] | None = None
    together: Schema = field(default_factory=dict)
    acts: bool = False
    pages: str = ""
    refused: tuple[int, ...] = ()
    media: str = "application/json"

    @property
    def name(self) -> str:
        return self.call.__name__

    @property
    def statuses(self) -> tuple[int, ...]:
        """All that it can answer, besides 200."""
        found = {400, 401, 403, 414, 431, 503, *self.refused}
        if "{id}" in self.path:
            found.add(404)
        if self.body is not None:
            found |= {413, 415}
        return tuple(sorted(found))


@dataclass(frozen=True, slots=True)
class Answer:
    """`more`: the address of the next page; empty: there is none."""

    content: Any
    more: str = ""


async def answer(endpoint: Endpoint, control: Control, request: Request) -> Answer:
    """Raises what Control raises, BadRequest, Forbidden, TooLarge, WrongKind."""
    by = parameters.actor(request) if endpoint.acts else ""
    query = query_of(endpoint.query, request.query_params)
    body = body_of(endpoint.body, await parameters.body(request)) if endpoint.body is not None else {}
    asked = Asked(request.path_params, query, body, by, datetime.now(UTC), request)
    if not endpoint.pages:
        found = await endpoint.call(control, asked)
        return found if isinstance(found, Answer) else Answer(found)
    limit = asked.query["limit"]
    rows = await endpoint.call(control, replace(asked, query={**query, "limit": limit + 1}))
    if len(rows) <= limit:
        return Answer(rows)
    cursor = cursor_of(endpoint.pages, rows[limit - 1])
    return Answer(rows[:limit], str(request.url.include_query_params(cursor=cursor).replace(scheme="", netloc="")))
