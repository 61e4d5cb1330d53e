"""The part of the API that is about fixes: attempts, breakers, trust, the kill switch, dry runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request

from logmedic.adapters.web import bodies, parameters
from logmedic.ports import Control

Answers = dict[str, Callable[[Request], Awaitable[Any]]]
"""By path."""


def reads(control: Control) -> Answers:
    async def fixes(request: Request) -> Any:
        rule, limit = request.query_params.get("rule", ""), parameters.limit(request, 100)
        return await control.ask("fixes", since=parameters.since(request), rule=rule, limit=limit)

    async def breakers(_: Request) -> Any:
        return await control.ask("breakers")

    async def trust(_: Request) -> Any:
        return await control.trust()

    async def trust_of(request: Request) -> Any:
        return await control.trust_of(request.path_params["id"])

    async def trust_changes(request: Request) -> Any:
        rule, limit = request.query_params.get("rule", ""), parameters.limit(request, 100)
        return await control.ask("trust_changes", rule=rule, limit=limit)

    async def why(request: Request) -> Any:
        return await control.why(request.path_params["id"])

    return {
        "/v1/fixes": fixes,
        "/v1/breakers": breakers,
        "/v1/trust": trust,
        "/v1/trust/{id}": trust_of,
        "/v1/trust_changes": trust_changes,
        "/v1/incidents/{id}/why": why,
    }


def acts(control: Control) -> Answers:
    async def approve(request: Request) -> Any:
        return await control.approve(request.path_params["id"], parameters.actor(request))

    async def reject(request: Request) -> Any:
        return await control.reject(request.path_params["id"], parameters.actor(request))

    async def reset(request: Request) -> Any:
        actor = parameters.actor(request)
        rule, target = bodies.reset_of(await parameters.body(request))
        return await control.reset_breaker(rule, actor, target)

    async def set_trust(request: Request) -> Any:
        actor = parameters.actor(request)
        level, why = bodies.trust_of(await parameters.body(request))
        return await control.set_trust(request.path_params["id"], level, actor, why)

    async def pause(request: Request) -> Any:
        actor, now = parameters.actor(request), datetime.now(UTC)
        return await control.pause(actor, **bodies.pause_of(await parameters.body(request), now))

    async def resume(request: Request) -> Any:
        actor = parameters.actor(request)
        bodies.nothing_of(await parameters.body(request))
        return await control.resume(actor)

    async def rehearse(request: Request) -> Any:
        parameters.actor(request)
        captures = bodies.captures_of(await parameters.body(request))
        return await control.rehearse(request.path_params["id"], captures)

    return {
        "/v1/incidents/{id}/approve": approve,
        "/v1/incidents/{id}/reject": reject,
        "/v1/breakers/reset": reset,
        "/v1/trust/{id}": set_trust,
        "/v1/pause": pause,
        "/v1/resume": resume,
        "/v1/rules/{id}/rehearse": rehearse,
    }
