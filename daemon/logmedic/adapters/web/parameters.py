"""What a request says: who sends it, its parameters, its body."""

from __future__ import annotations

import json
import os
import pwd
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from starlette.requests import Request

from logmedic.model.errors import LogmedicError
from logmedic.yamldoc import meant
from logmedic.yamldoc import moment as moment_of

BODY_LIMIT = 64 * 1024
LIMIT_MAX = 10_000


class BadRequest(LogmedicError):
    """The request does not say what is wanted."""


class Forbidden(LogmedicError):
    """The peer may read, and not act."""


def actor(request: Request) -> str:
    """The name of whom the peer's process belongs to. Raises Forbidden."""
    uid = request.state.peer_uid
    if uid not in (0, os.geteuid()):
        raise Forbidden("this user may look, and not act", "use sudo, or become the daemon's user")
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


async def body(request: Request) -> dict[str, Any]:
    """Raises BadRequest."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > BODY_LIMIT:
            raise BadRequest(f"the body is larger than {BODY_LIMIT} bytes")
    try:
        told = json.loads(content or b"{}")
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise BadRequest("the body is no JSON object", 'send {"name": "value"}, or nothing')
    return told


def match(request: Request) -> dict[str, Any] | None:
    """The match that is asked about; None when none is. Raises BadRequest."""
    query = request.query_params
    if "captures" not in query:
        return None
    try:
        captures = json.loads(query["captures"])
    except ValueError:
        captures = None
    if not isinstance(captures, dict) or not all(isinstance(each, str) for each in captures.values()):
        raise BadRequest("`captures` is no JSON object of texts", 'captures={"client": "192.0.2.7"}, or captures={}')
    return {
        "captures": captures,
        "part": query.get("part", ""),
        "source": query.get("source", ""),
        "at": moment(request, "at"),
    }


def choice(request: Request, name: str, kind: type[StrEnum]) -> str:
    """One of its values, or empty for none. Raises BadRequest."""
    text = request.query_params.get(name, "")
    known = [each.value for each in kind]
    if text and text not in known:
        raise BadRequest(f"`{name}` is `{text[:40]}`", meant(text, known))
    return text


def flag(request: Request, name: str) -> bool:
    text = request.query_params.get(name, "false")
    if text not in ("true", "false"):
        raise BadRequest(f"`{name}` is `{text[:40]}`", f"{name}=true or {name}=false")
    return text == "true"


def limit(request: Request, default: int) -> int:
    text = request.query_params.get("limit", str(default))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= LIMIT_MAX:
        raise BadRequest(f"`limit` is `{text[:40]}`", f"a whole number from 1 to {LIMIT_MAX}")
    return int(text)


def share(request: Request, name: str) -> float:
    """From 0 to 1."""
    text = request.query_params.get(name, "0")
    try:
        told = float(text[:20])
    except ValueError:
        told = -1.0
    if not 0 <= told <= 1:
        raise BadRequest(f"`{name}` is `{text[:40]}`", "a number from 0 to 1")
    return told


def since(request: Request) -> datetime | None:
    return moment(request, "since")


def moment(request: Request, name: str) -> datetime | None:
    """From a duration (24h), or from a time (ISO 8601, UTC unless it says otherwise)."""
    text = request.query_params.get(name)
    if not text:
        return None
    try:
        return moment_of(text, datetime.now(UTC))
    except ValueError as error:
        words, _, hint = str(error).partition("; ")
        raise BadRequest(f"`{name}`: {words}", hint) from None
