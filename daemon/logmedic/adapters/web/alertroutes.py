"""The part of the API that is about alerts: messages, receivers, silences, who takes care of what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request

from logmedic.adapters.web import bodies, parameters
from logmedic.adapters.web.parameters import BadRequest
from logmedic.model.alert import AlertStatus
from logmedic.ports import Control
from logmedic.yamldoc import meant

Answers = dict[str, Callable[[Request], Awaitable[Any]]]
"""By path."""
WAITING = "waiting"
"""Of alerts: whatever is still to be told."""


def reads(control: Control) -> Answers:
    async def alerts(request: Request) -> Any:
        return await control.ask(
            "alerts",
            status=_status(request),
            receiver=request.query_params.get("receiver", ""),
            since=parameters.since(request),
            limit=parameters.limit(request, 100),
        )

    async def receivers(_: Request) -> Any:
        return await control.receivers()

    async def silences(request: Request) -> Any:
        return await control.silences(parameters.flag(request, "all"))

    async def why(request: Request) -> Any:
        return await control.why_alert(request.path_params["id"])

    return {
        "/v1/alerts": alerts,
        "/v1/alerts/{id}/why": why,
        "/v1/receivers": receivers,
        "/v1/silences": silences,
    }


def _status(request: Request) -> str:
    told = request.query_params.get("status", "")
    known = [WAITING, *AlertStatus]
    if told and told not in known:
        raise BadRequest(f"`status` is `{told[:40]}`", meant(told, known))
    return told


def asks(control: Control) -> Answers:
    """What changes nothing, for whoever may connect."""

    async def preview(request: Request) -> Any:
        return await control.preview(**bodies.preview_of(await parameters.body(request)))

    return {"/v1/alerts/preview": preview}


def acts(control: Control) -> Answers:
    async def acknowledge(request: Request) -> Any:
        actor, subject = parameters.actor(request), request.path_params["id"]
        until, undo = bodies.ack_of(await parameters.body(request), datetime.now(UTC))
        if undo:
            return await control.unacknowledge(subject, actor)
        return await control.acknowledge(subject, actor, until)

    async def add_silence(request: Request) -> Any:
        actor, now = parameters.actor(request), datetime.now(UTC)
        return await control.add_silence(actor, **bodies.silence_of(await parameters.body(request), now))

    async def end_silence(request: Request) -> Any:
        actor = parameters.actor(request)
        bodies.nothing_of(await parameters.body(request))
        return await control.end_silence(request.path_params["id"], actor)

    async def resend(request: Request) -> Any:
        actor = parameters.actor(request)
        return await control.resend(bodies.resend_of(await parameters.body(request)), actor)

    async def test(request: Request) -> Any:
        parameters.actor(request)
        return await control.test_alert(**bodies.test_of(await parameters.body(request)))

    return {
        "/v1/incidents/{id}/ack": acknowledge,
        "/v1/silences": add_silence,
        "/v1/silences/{id}/end": end_silence,
        "/v1/alerts/resend": resend,
        "/v1/alerts/test": test,
    }
