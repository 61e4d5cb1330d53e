"""Who was told of it, who takes care of it, and why nobody is told now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from logmedic.cli.alertwords import message_state
from logmedic.cli.output import at, span, until
from logmedic.cli.story.entry import BAD, GOOD, WAITS, Stage

_MARKS = {"sent": ("✓", GOOD), "dead": ("✗", BAD), "pending": ("!", WAITS), "deferred": ("!", WAITS)}


def stage_of(alert: Mapping[str, Any]) -> Stage:
    mark, style = _MARKS.get(alert["status"], ("▸", ""))
    return Stage("told", mark, style)


def sentence(alert: Mapping[str, Any], receivers: Mapping[str, str]) -> str:
    """`receivers`: by the id of an alert, of this incident."""
    stands_in = receivers.get(alert["fallback_of"], "")
    who = f"{alert['receiver']}{f' instead of {stands_in}' if stands_in else ''}"
    told = f"{who}: {alert['event'].replace('_', ' ')}, {message_state(alert)}{_later(alert)}"
    return told + (f": {alert['last_error']}" if alert["last_error"] and not alert["sent_at"] else "")


def _later(alert: Mapping[str, Any]) -> str:
    """How long it took to arrive."""
    if not alert["sent_at"]:
        return ""
    took = (datetime.fromisoformat(alert["sent_at"]) - datetime.fromisoformat(alert["created_at"])).total_seconds()
    return f" {span(took)} later"


def now(story: Mapping[str, Any]) -> Iterator[str]:
    """How it stands with people: nothing of what is over."""
    notice = story.get("notice") or {}
    if not notice or notice["over"]:
        return
    if not story["alerts"] and not notice["told"]:
        yield "nobody was told of it so far"
    if notice["suppressed"]:
        yield f"nobody is told now: {notice['suppressed']}"
    if notice["acked_by"]:
        ends = f", {until(notice['acked_until'])}" if notice["acked_until"] else ""
        yield f"acknowledged by {notice['acked_by']} {at(notice['acked_at'])}{ends}"
