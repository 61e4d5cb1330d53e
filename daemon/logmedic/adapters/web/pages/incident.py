"""One incident: what happened, what was done, whether it worked, who was told, and what is wanted now."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from starlette.requests import Request

from logmedic.adapters.web.html import Html, element, joined
from logmedic.adapters.web.pages import beside, holding, parts, timeline, tried
from logmedic.adapters.web.pages.page import Answer, Page, View
from logmedic.model.errors import NotFound
from logmedic.model.issue import HoldReason, IncidentStatus
from logmedic.model.live import Topic
from logmedic.ports import Control

Row = parts.Row
SIMILAR_SHOWN = 5


async def gather(control: Control, request: Request) -> Answer:
    row = await control.ask("incident", incident_id=request.path_params["id"])
    full = row["id"]
    silences, similar = await asyncio.gather(
        control.silences(), control.ask("similar", incident_id=full, limit=SIMILAR_SHOWN)
    )
    subject = f"incident:{full}"
    return {
        "incident": row,
        "why": None if row["status"] == IncidentStatus.RESOLVED else await control.why(full),
        "similar": similar,
        "precursors": await _precursors(control, row["issue_id"]) if row["issue_id"] else [],
        "silences": [each for each in silences if any(one["subject"] == subject for one in each["covers"])],
    }


async def _precursors(control: Control, issue_id: str) -> list[dict[str, Any]]:
    """An issue may be forgotten before its incidents."""
    try:
        return await control.precursors(issue_id)
    except NotFound:
        return []


def title(answer: Answer) -> str:
    return parts.line(answer["incident"]["title"], 80)


def render(answer: Answer, view: View) -> Html:
    row = answer["incident"]
    main = joined(
        holding.card(row, answer["why"], view) if answer["why"] is not None else _over(row),
        parts.section("What happened", timeline.shown(timeline.moments(row)), id="story"),
        tried.card(row, view),
        parts.section("The log", *timeline.evidence(row), id="evidence", more=_source(row)),
    )
    return joined(_top(row, view), timeline.way(row), parts.columns(main, beside.cards(answer, view)))


def _top(row: Row, view: View) -> Html:
    above = joined(parts.severity(row), " ", parts.state(row), _acked(row))
    lead = joined(
        "incident ",
        parts.short_id(row),
        " of rule ",
        parts.rule_link(row["rule_id"]),
        ", opened ",
        parts.ago(row["opened_at"], view.now),
        joined(", its fix waits for you: ", element("span", parts.left(row["due_at"], view.now), class_="countdown"))
        if _waits(row) and row["due_at"]
        else None,
    )
    return parts.heading(parts.line(row["title"]), lead, above=above, more=joined(*_buttons(row)))


def _waits(row: Row) -> bool:
    return bool(row["hold"] == HoldReason.AWAITING_APPROVAL and row["status"] == IncidentStatus.OPEN)


def _acked(row: Row) -> Html | None:
    notice = row["notice"]
    if not notice or not notice["acked_by"] or notice["over"]:
        return None
    return joined(" ", parts.tag("soft", f"{parts.line(notice['acked_by'], 80)} takes care of it"))


def _buttons(row: Row) -> Iterator[Html]:
    if row["status"] == IncidentStatus.RESOLVED:
        return
    base, notice = f"/incidents/{quote(row['id'], safe='')}", row["notice"] or {}
    if _waits(row):
        yield parts.button("Approve", f"{base}/approve", "good")
        yield parts.button("Reject", f"{base}/reject")
    if notice.get("acked_by"):
        yield parts.button("Give it back", f"{base}/unack")
    elif notice and not notice["over"]:
        yield parts.button("I take care of it", f"{base}/ack", "" if _waits(row) else "main")
    yield parts.button("Silence", f"{base}/silence")


def _source(row: Row) -> str | None:
    return f"source {parts.line(row['source'], 80)}" if row["source"] else None


def _over(row: Row) -> Html:
    took = parts.seconds(row["opened_at"], row["resolved_at"])
    words = f"It is over: {parts.line(row['resolution_notes'] or row['resolution'] or 'resolved', 400)}."
    return element(
        "section",
        element("p", words),
        element("p", f"It took {parts.span(took)}.", class_="soft"),
        class_="card said good",
    )


PAGE = Page(
    path="/incidents/{id}",
    title=title,
    gather=gather,
    render=render,
    topics=frozenset({Topic.INCIDENTS, Topic.FIXES, Topic.ALERTS}),
)
