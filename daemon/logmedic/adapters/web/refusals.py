"""What an error of ours is in HTTP."""

from __future__ import annotations

from logmedic.adapters.web.parameters import BadRequest, Forbidden
from logmedic.model.errors import LogmedicError, NotFound, OrderRefused, QueryRefused, TransientError


def status_of(error: LogmedicError) -> int:
    match error:
        case NotFound():
            return 404
        case BadRequest() | QueryRefused():
            return 400
        case Forbidden():
            return 403
        case TransientError():
            return 503
        case OrderRefused():
            return 409
    return 500
