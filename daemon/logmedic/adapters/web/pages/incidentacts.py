"""What can be done about an incident, and about an issue that people are told of: answer, take care, keep quiet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from logmedic.adapters.web.html import Part, element, joined
from logmedic.adapters.web.pages import parts, timeline
from logmedic.adapters.web.pages.action import WHY, Action, Order, Outcome, Subject, lasting
from logmedic.core.rowwords import hold_of, state_of
from logmedic.core.shellwords import command, short
from logmedic.model.issue import HoldReason, IncidentStatus

Row = Mapping[str, Any]
UNTIL_OVER = "over"
ACK_LASTS = ((UNTIL_OVER, "until it is over"), ("1h", "1 hour"), ("4h", "4 hours"), ("24h", "24 hours"))
SILENCE_LASTS = (("1h", "1 hour"), ("4h", "4 hours"), ("24h", "24 hours"), ("7d", "7 days"))
_OPEN = ((HoldReason.AWAITING_APPROVAL, IncidentStatus.OPEN),)


async def _row(order: Order) -> Row:
    row: Row = await order.control.ask("incident", incident_id=order.path["id"])
    return row


def _page(row: Row) -> str:
    return f"/incidents/{quote(str(row['id']), safe='')}"


def _facts(row: Row, order: Order) -> tuple[tuple[str, Part], ...]:
    return (
        ("incident", joined(parts.short_id(row), " ", parts.severity(row))),
        ("state", parts.state(row)),
        ("rule", parts.line(row["rule_id"], 120)),
        ("on", parts.line(row["target"] or row["group_key"], 200)),
        ("opened", parts.ago(row["opened_at"], order.now)),
    )


# -- the fix that asks -------------------------------------------------------------------------------------------------


async def _asked_of(order: Order) -> Subject:
    row = await _row(order)
    waits = (row["hold"], row["status"]) in _OPEN
    why = row["hold_detail"] if hold_of(row) else ""
    refused = "" if waits else f"no fix of it waits for an answer: {state_of(row)}{f': {why}' if why else ''}"
    ends = parts.left(row["due_at"], order.now) if waits else None
    facts = (*_facts(row, order), ("answer within", ends))
    return Subject(row["title"], _page(row), facts, joined(_would(row), *timeline.evidence(row)), refused=refused)


def _would(row: Row) -> Part:
    """What it would run, as was told when it was held."""
    told = next((each["text"] for each in reversed(row["events"]) if each["kind"] == "would_run"), "")
    if not told:
        return None
    steps = (element("li", element("code", parts.line(each, 600))) for each in told.split("; then "))
    return joined(element("h2", "What the fix does"), element("ol", *steps))


async def _approve(order: Order) -> Outcome:
    row = await order.control.approve(order.path["id"], order.by)
    return Outcome(f"approved by {order.by}: {_stands(row)}", "its page shows how it goes", tone="good")


async def _reject(order: Order) -> Outcome:
    row = await order.control.reject(order.path["id"], order.by)
    return Outcome(f"rejected by {order.by}: {_stands(row)}", "the next match asks again")


def _stands(row: Row) -> str:
    detail = f": {row['hold_detail']}" if hold_of(row) and row["hold_detail"] else ""
    return f"the incident is {state_of(row)}{detail}"


# -- who takes care ----------------------------------------------------------------------------------------------------


async def _told_of(order: Order) -> Subject:
    row = await _row(order)
    notice = row["notice"] or {}
    over = "it is over" if row["status"] == IncidentStatus.RESOLVED else ""
    mine = (("taken care of by", parts.line(notice["acked_by"], 80)),) if notice.get("acked_by") else ()
    return Subject(row["title"], _page(row), (*_facts(row, order), *mine), refused=over)


async def _issue_told_of(order: Order) -> Subject:
    row = await order.control.ask("issue", issue_id=order.path["id"])
    return Subject(row["title"], f"/learned/{quote(str(row['id']), safe='')}")


async def _ack(order: Order) -> Outcome:
    until = order.ends()
    row = await order.control.acknowledge(order.path["id"], order.by, until)
    ends = f" until {until:%Y-%m-%d %H:%M} UTC" if until is not None else " until it is over"
    return Outcome(f"{row['acked_by']} takes care of it{ends}", "nobody is reminded of it, and nobody else is called")


async def _unack(order: Order) -> Outcome:
    await order.control.unacknowledge(order.path["id"], order.by)
    return Outcome("nobody takes care of it now", "people are reminded of it again")


# -- silence -----------------------------------------------------------------------------------------------------------


async def _silence(order: Order) -> Outcome:
    row = await _row(order)
    until = order.ends()
    assert until is not None  # noqa: S101  each choice has an end
    made = await order.control.add_silence(order.by, order.told("why"), until, incident=row["id"])
    covers = made["covers_total"]
    more = f"; it covers {covers:,} that are open" if covers else ""
    return Outcome(f"silent until {parts.moment(made['until'])}{more}", "end it on the page of alerts")


def _typed(*words: str) -> Callable[[Order], str]:
    """The command, with the end of the id behind the first words."""
    return lambda order: command(*words[:1], short(order.path["id"]), *words[1:])


_TAKE = "Nobody is reminded of it, and nobody else is called. Its fix goes on as before."
_LET_GO = "People are reminded of it again, and called in turn."

ACTIONS = (
    Action(
        "/incidents/{id}/approve",
        "Let this fix run?",
        "It runs once, within the limits that every fix has, and whether it helped is checked.",
        "Approve",
        _asked_of,
        _approve,
        tone="good",
        typed=_typed("approve"),
    ),
    Action(
        "/incidents/{id}/reject",
        "Keep this fix from running?",
        "It is not run, until the next match asks again.",
        "Reject",
        _asked_of,
        _reject,
        tone="bad",
        typed=_typed("reject"),
    ),
    Action(
        "/incidents/{id}/ack",
        "Take care of it?",
        _TAKE,
        "I take care of it",
        _told_of,
        _ack,
        fields=(lasting(*ACK_LASTS),),
        typed=_typed("ack"),
    ),
    Action(
        "/incidents/{id}/unack",
        "Give it back?",
        _LET_GO,
        "Give it back",
        _told_of,
        _unack,
        typed=_typed("ack", "--undo"),
    ),
    Action(
        "/incidents/{id}/silence",
        "Tell nobody of it for a while?",
        "Nobody is told of it, nor of those of the same rule and group that follow it. Fixes go on as before.",
        "Silence",
        _told_of,
        _silence,
        fields=(lasting(*SILENCE_LASTS), WHY),
        typed=_typed("silence", "--for", "1h", "--why", "WHY"),
    ),
    Action(
        "/issues/{id}/ack",
        "Take care of it?",
        "Nobody is reminded of it, and nobody else is called.",
        "I take care of it",
        _issue_told_of,
        _ack,
        fields=(lasting(*ACK_LASTS),),
        typed=_typed("ack"),
    ),
    Action(
        "/issues/{id}/unack",
        "Give it back?",
        _LET_GO,
        "Give it back",
        _issue_told_of,
        _unack,
        typed=_typed("ack", "--undo"),
    ),
)
"""Ids may be ends of ids: whoever holds one says which."""
