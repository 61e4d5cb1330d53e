"""Who looks at a page, and what every page shows beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request

from logmedic.adapters.web.callers import Caller
from logmedic.adapters.web.pages.page import View
from logmedic.ports import Control


async def view_of(control: Control, request: Request) -> View:
    brief: dict[str, Any] = await control.brief()
    caller: Caller = request.state.caller
    query = {name: value for name, value in request.query_params.items() if value}
    counts = {"/": brief["needs_you"], "/incidents": brief["open_incidents"], "/alerts": brief["alerts_waiting"]}
    return View(caller, datetime.now(UTC), brief["host"], request.url.path, query, counts)
