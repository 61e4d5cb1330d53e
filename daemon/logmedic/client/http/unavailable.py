"""What a caller is told in place of the error: a general sentence and the request's id. Nothing of the error itself:
its text may hold what is not theirs to read."""

from __future__ import annotations

import json
import math

STATUS = 503
REASON = "Service Unavailable"
LEAST_S, MOST_S = 1, 600


def body(request_id: str) -> bytes:
    """JSON."""
    told = {
        "error": "service_unavailable",
        "message": "This request could not be answered. Try again later. If you ask about it, say the request_id.",
        "request_id": request_id,
    }
    return json.dumps(told).encode() + b"\n"


def headers(request_id: str, header: str, retry_after: float, length: int) -> list[tuple[str, str]]:
    """`header`: the name of the one that carries the request's id. `retry_after`: seconds, sent as whole ones."""
    return [
        ("content-type", "application/json"),
        ("content-length", str(length)),
        ("cache-control", "no-store"),
        ("retry-after", str(seconds(retry_after))),
        (header, request_id),
    ]


def seconds(retry_after: float) -> int:
    """Whole, at least 1 and at most 600: neither a storm of callers that come back at once, nor none for an hour."""
    return math.ceil(min(max(LEAST_S, retry_after), MOST_S))
