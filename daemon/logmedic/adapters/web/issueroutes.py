"""The part of the API that is about known issues and what is learned."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request

from logmedic.adapters.web import bodies, parameters
from logmedic.model.issue import IssueSource, IssueStatus, PatternType
from logmedic.ports import Control

Answers = dict[str, Callable[[Request], Awaitable[Any]]]
"""By path."""


def reads(control: Control) -> Answers:
    async def issues(request: Request) -> Any:
        return await control.ask(
            "issues",
            source=parameters.choice(request, "source", IssueSource),
            status=parameters.choice(request, "status", IssueStatus),
            component=request.query_params.get("component", ""),
            limit=parameters.limit(request, 100),
        )

    async def issue(request: Request) -> Any:
        return await control.issue(request.path_params["id"])

    async def templates(request: Request) -> Any:
        component = request.query_params.get("component", "")
        return await control.ask("templates", component=component, limit=parameters.limit(request, 100))

    async def learnings(request: Request) -> Any:
        kind, least = parameters.choice(request, "kind", PatternType), parameters.share(request, "min_confidence")
        return await control.ask("learnings", kind=kind, min_confidence=least, limit=parameters.limit(request, 100))

    async def learned(request: Request) -> Any:
        return await control.ask("learned", issue_id=request.path_params["id"])

    async def precursors(request: Request) -> Any:
        return await control.precursors(request.query_params.get("issue_id", ""))

    return {
        "/v1/issues": issues,
        "/v1/issues/{id}": issue,
        "/v1/templates": templates,
        "/v1/learnings": learnings,
        "/v1/learned/{id}": learned,
        "/v1/precursors": precursors,
    }


def acts(control: Control) -> Answers:
    async def mute(request: Request) -> Any:
        actor, now = parameters.actor(request), datetime.now(UTC)
        asked = bodies.mute_of(await parameters.body(request), now)
        return await control.mute_issue(request.path_params["id"], actor, **asked)

    async def unmute(request: Request) -> Any:
        actor = parameters.actor(request)
        bodies.nothing_of(await parameters.body(request))
        return await control.unmute_issue(request.path_params["id"], actor)

    async def resolve(request: Request) -> Any:
        actor = parameters.actor(request)
        asked = bodies.resolution_of(await parameters.body(request))
        return await control.resolve_issue(request.path_params["id"], actor, **asked)

    async def merge(request: Request) -> Any:
        actor = parameters.actor(request)
        return await control.merge_issue(
            request.path_params["id"], bodies.merge_of(await parameters.body(request)), actor
        )

    return {
        "/v1/issues/{id}/mute": mute,
        "/v1/issues/{id}/unmute": unmute,
        "/v1/issues/{id}/resolve": resolve,
        "/v1/issues/{id}/merge": merge,
    }
