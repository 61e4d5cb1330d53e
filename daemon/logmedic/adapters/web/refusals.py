"""What an error of ours is in HTTP."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse

from logmedic.adapters.web.parameters import BadRequest, Forbidden, TooLarge, TooOften, Unauthorized, WrongKind
from logmedic.model.errors import LogmedicError, NotFound, OrderRefused, QueryRefused, TransientError

_HEADERS: Mapping[int, Mapping[str, str]] = {
    401: {"WWW-Authenticate": 'Bearer realm="logmedic"'},
    429: {"Retry-After": "60"},
    503: {"Retry-After": "1"},
}


def status_of(error: LogmedicError) -> int:
    match error:
        case NotFound():
            return 404
        case BadRequest() | QueryRefused():
            return 400
        case Unauthorized():
            return 401
        case Forbidden():
            return 403
        case OrderRefused():
            return 409
        case TooLarge():
            return 413
        case WrongKind():
            return 415
        case TooOften():
            return 429
        case TransientError():
            return 503
    return 500


def refusal(error: LogmedicError) -> JSONResponse:
    """As the API tells it."""
    return told(status_of(error), error.text, error.hint)


def told(status: int, error: str, hint: str = "", headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": error, "hint": hint}, status, {**_HEADERS.get(status, {}), **(headers or {})})
