"""The six metrics in words: what each is, and how it went against as long a time before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from logmedic.core.moments import span_text

RATE, RECOVERY = "auto_fix_success_rate", "avg_recovery_time_s"
MEANINGS = {
    "total_errors": "lines that a rule matched, or that look like an error",
    "auto_fixed": "incidents ended by a fix that was verified",
    "auto_fix_success_rate": "fixes that worked, of those that were tried",
    "circuit_breaker_opens": "times a fix was stopped after failures in a row",
    "escalations": "times people were called",
    "avg_recovery_time_s": "from opened to verified, of incidents that a fix ended",
}
_MORE_IS_BETTER = ("auto_fixed", RATE)


def is_comparable(trends: Mapping[str, Any]) -> bool:
    """The time before is known as well; to the day, which is how old counts are kept. `trends`: as the question."""
    since, until = (datetime.fromisoformat(trends[name]) for name in ("since", "until"))
    known = trends["known_since"]
    return known is not None and datetime.fromisoformat(known).date() <= (since - (until - since)).date()


def metric_text(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0%}" if name == RATE else _span(value) if name == RECOVERY else f"{value:,}"


def _span(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else span_text(timedelta(seconds=seconds))


def change(name: str, now: float | None, before: float | None) -> str:
    """Against the time before: in percent of it, a rate in points of a percent."""
    if now is None or before is None or now == before:
        return "=" if now == before and now is not None else "-"
    if name == RATE:
        return f"{(now - before) * 100:+.0f} points"
    return f"{(now - before) / before:+.0%}" if before else "new"


def tone_of(name: str, now: float | None, before: float | None) -> str:
    """Whether that is good or bad news; soft: neither."""
    if now is None or before is None or now == before:
        return "soft"
    return "good" if (now > before) == (name in _MORE_IS_BETTER) else "bad"
