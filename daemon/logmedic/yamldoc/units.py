"""Durations and sizes: a number and its unit."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from logmedic.core.sizes import UNITS

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*(ms|s|m|h|d)\Z", re.ASCII)
_SIZE = re.compile(r"(\d{1,15})\s*([KMG]?)(?:i?B)?\Z", re.ASCII)


def parse_duration(text: str) -> timedelta:
    """`250ms`, `30s`, `5m`, `2h`, `7d`. Raises ValueError, whose text says what to write."""
    hit = _DURATION.match(text.strip())
    if hit is None:
        raise ValueError(f"`{text[:40]}` is no duration; write a number with its unit: 250ms, 30s, 5m, 2h, 7d")
    return timedelta(seconds=float(hit[1]) * _SECONDS[hit[2]])


def parse_size(text: str) -> int:
    """Bytes from `4096`, `64K`, `64M`, `1G` (powers of 1024). Raises ValueError, whose text says what to write."""
    hit = _SIZE.match(text.strip())
    if hit is None:
        raise ValueError(f"`{text[:40]}` is no size; write a number with its unit: 64K, 64M, 1G")
    return int(hit[1]) * UNITS[hit[2]]


def moment(text: str, now: datetime) -> datetime:
    """A duration before `now` (24h, 7d), or a time (ISO 8601; UTC unless it says otherwise). Raises ValueError."""
    try:
        return now - parse_duration(text)
    except (ValueError, OverflowError):
        pass
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"`{text[:40]}` is no time; write a duration (24h, 7d) or 2026-11-24T03:00:00Z") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
