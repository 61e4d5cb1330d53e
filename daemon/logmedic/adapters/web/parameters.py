"""What a request says: who sends it, its body; and in which ways it can be wrong."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from logmedic.adapters.web.callers import Caller
from logmedic.model.errors import LogmedicError

BODY_LIMIT = 64 * 1024
SEEN_LIMIT = 1024 * 1024
"""So much of a body that is too large is still taken in: whoever sends it reads what is wrong only once it is sent."""
JSON_KINDS = ("", "application/json")
"""A body that says nothing of itself is taken for JSON."""


class BadRequest(LogmedicError):
    """The request does not say what is wanted."""


class Unauthorized(LogmedicError):
    """Nobody knows who sends it."""


class Forbidden(LogmedicError):
    """Whoever sends it may read, and not act; or may not come in through this door."""


class TooLarge(LogmedicError):
    """The body is longer than any that says something."""


class WrongKind(LogmedicError):
    """The body is no JSON, by what it says of itself."""


class TooOften(LogmedicError):
    """So much was wrong from there that nothing more is looked at for now."""


def actor(request: Request) -> str:
    """The name of who acts, as it is recorded. Raises Forbidden for who may only look."""
    caller: Caller = request.state.caller
    if caller.may_act:
        return caller.name
    if caller.door == "token":
        raise Forbidden(f"{caller.name} may look, and not act", "logmedic token new NAME --scope act")
    raise Forbidden(
        f"{caller.name} may look, and not act", "use sudo, or have yourself added to web.operators in the config"
    )


async def body(request: Request) -> dict[str, Any]:
    """Raises BadRequest, TooLarge, WrongKind."""
    content = await content_of(request, BODY_LIMIT)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content and kind not in JSON_KINDS:
        raise WrongKind(f"the body is `{kind[:60]}`, and not JSON", "send Content-Type: application/json")
    try:
        told = json.loads(content or b"{}", parse_constant=_refused)
        json.dumps(told, ensure_ascii=False).encode()  # an escaped half of a character is no text that can be kept
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise BadRequest("the body is no JSON object", 'send {"name": "value"}, or nothing')
    return told


async def content_of(request: Request, limit: int) -> bytes:
    """The whole body. Raises TooLarge."""
    told = request.headers.get("content-length", "")
    content, seen = bytearray(), 0
    too_large = TooLarge(f"the body is larger than {limit} bytes", "send less")
    if told.isascii() and told.isdigit() and int(told[:19]) > SEEN_LIMIT:
        raise too_large
    async for chunk in request.stream():
        seen += len(chunk)
        content += chunk if seen <= limit else b""
        if seen > SEEN_LIMIT:
            raise too_large
    if seen > limit:
        raise too_large
    return bytes(content)


def _refused(constant: str) -> None:
    """NaN and Infinity are no JSON."""
    raise ValueError(constant)
