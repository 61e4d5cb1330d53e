"""From what is to be said to one message to one receiver."""

from __future__ import annotations

from collections.abc import Sequence

from logmedic.core import compose, letters, plaintext
from logmedic.core.draft import Draft
from logmedic.model.alert import Alert
from logmedic.model.message import MessageKind, Story


def write(
    draft: Draft,
    stories: Sequence[Story],
    *,
    receiver: str,
    route: str,
    thread: str,
    subject: str,
    kind: MessageKind = MessageKind.NEWS,
    still_open: int = 0,
    note: str = "",
) -> Alert:
    """Not in the outbox yet."""
    plan = draft.policy.alerts
    incident_id = next((each.incident for each in stories if each.incident), "")
    message = compose.write(
        alert_id=draft.mint(),
        kind=kind,
        host=draft.policy.hostname,
        stories=stories,
        thread=thread,
        subject=subject,
        receiver=plan.receiver(receiver),
        now=draft.now,
        links=plan.links,
        still_open=still_open,
        note=note,
        incident=draft.incident(incident_id),
    )
    return Alert(
        id=message.id,
        incident_id=incident_id,
        event=message.event,
        severity=message.severity,
        route=route,
        receiver=receiver,
        title=message.title,
        body=plaintext.text_of(message),
        created_at=draft.now,
        next_at=draft.now,
        group_id=thread,
        content=letters.pack(message),
        tells=tuple(each.subject for each in stories),
    )
