"""What the address of a page asks for, checked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from starlette.requests import Request

from logmedic.adapters.web.parameters import BadRequest
from logmedic.yamldoc import meant, parse_duration

LONGEST = 200
PERIODS = (("", "any time"), ("1h", "the last hour"), ("24h", "24 hours"), ("7d", "7 days"), ("30d", "30 days"))
"""Choices for `since`, with their words."""
LONGEST_PERIOD = timedelta(days=3660)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Before anything that is stored."""


def text(request: Request, name: str) -> str:
    """Raises BadRequest for what is too long to be meant."""
    told = request.query_params.get(name, "").strip()
    if len(told) > LONGEST:
        raise BadRequest(f"`{name}` has {len(told)} characters", f"{LONGEST} at most")
    return told


def one_of(request: Request, name: str, known: Sequence[str]) -> str:
    """Empty for none. Raises BadRequest."""
    told = request.query_params.get(name, "")
    if told and told not in known:
        raise BadRequest(f"`{name}` is `{told[:40]}`", meant(told, [each for each in known if each]))
    return told


def period(request: Request, usual: str = "") -> datetime | None:
    """When `since` began, a duration as 24h; None for any time. Raises BadRequest."""
    told = request.query_params.get("since", usual)
    if not told:
        return None
    try:
        span = parse_duration(told[:40])
    except (ValueError, OverflowError) as error:
        words, _, hint = str(error).partition("; ")
        raise BadRequest(f"`since`: {words}", hint) from None
    if not timedelta(0) < span <= LONGEST_PERIOD:
        raise BadRequest(f"`since` is `{told[:40]}`", "since=24h")
    return datetime.now(UTC) - span
