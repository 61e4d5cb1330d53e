"""What is wrong, told as the one who asks reads it: programs JSON, people a page."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from logmedic.adapters.web import refusals
from logmedic.adapters.web.pages import layout
from logmedic.adapters.web.refusals import status_of
from logmedic.model.errors import LogmedicError


def is_of_api(path: str) -> bool:
    """It answers programs."""
    return path == "/metrics" or path == "/v1" or path.startswith("/v1/") or path.endswith(".json")


def reads_pages(request: Request) -> bool:
    return not is_of_api(request.url.path) and "text/html" in request.headers.get("accept", "")


def trouble(request: Request, error: LogmedicError) -> Response:
    return told(request, status_of(error), error.text, error.hint)


def told(
    request: Request, status: int, error: str, hint: str = "", headers: Mapping[str, str] | None = None
) -> Response:
    if not reads_pages(request):
        return refusals.told(status, error, hint, headers)
    return Response(layout.trouble(error, hint), status, dict(headers or {}), media_type="text/html")
