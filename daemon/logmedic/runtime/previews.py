"""The messages that people would get now: written as the engine writes them, on a draft that nobody commits, and never
sent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from logmedic.core import calls, compose, letters
from logmedic.core.alerting import news
from logmedic.core.alerting.present import story_of
from logmedic.core.alerting.preview import held_back, preview
from logmedic.core.alerting.writing import write
from logmedic.core.draft import Draft
from logmedic.core.stories import short
from logmedic.model.alert import Alert, AlertPlan, Receiver
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import AddSilence
from logmedic.model.errors import NotFound, OrderRefused
from logmedic.model.message import MessageKind, Story
from logmedic.model.notice import SEPARATOR, Silence
from logmedic.model.policy import Policy
from logmedic.model.state import EngineState
from logmedic.ports import Sender
from logmedic.runtime.fixrows import Row, row_of
from logmedic.runtime.samples import Sample

PREVIEW = "preview"
"""Stands for the ids that a message would have."""
NO_KEY = b"links of previews open nothing"


@dataclass(frozen=True, slots=True)
class Said:
    """What there is to say; the messages that its routes make of it, one a receiver; `held`: why nobody would be told
    of it now, for people."""

    story: Story
    alerts: tuple[Alert, ...]
    held: str = ""


def draft_of(state: EngineState, policy: Policy, now: datetime) -> Draft:
    """To be thrown away."""
    return Draft(state, policy, now, lambda: PREVIEW)


def unsigned(policy: Policy) -> Policy:
    """With links that look as they do and open nothing: more people may look at messages than may act."""
    links = policy.alerts.links
    if links is None:
        return policy
    return replace(policy, alerts=replace(policy.alerts, links=replace(links, key=NO_KEY)))


def said(draft: Draft, row: Mapping[str, Any], event: AlertEvent | None) -> Said:
    """Of the incident of `row` (as of Queries.incident); `event` None: its last. Raises OrderRefused."""
    incident, rule = draft.state.incidents.get(row["id"]), draft.policy.rules.get(row["rule_id"])
    if incident is None or rule is None:
        return _past(draft, row, event)
    alerts = preview(draft, incident, rule, event)
    other = Draft(draft.state, draft.policy, draft.now, draft.mint)
    wanted = event or (alerts[0].event if alerts else calls.event_of(incident))
    return Said(story_of(draft, incident, rule, wanted), alerts, held_back(other, incident, rule, event))


def said_of(draft: Draft, sample: Sample) -> Said:
    """Of something that did not happen."""
    if sample.incident is not None:
        draft.put_incident(sample.incident)
    news.raise_(draft, sample.story, tags=sample.tags, labels=sample.labels)
    raised = draft.notice(sample.story.subject)
    return Said(sample.story, _alerts(draft, sample.story, raised.groups if raised is not None else (), sample.kind))


def _past(draft: Draft, row: Mapping[str, Any], event: AlertEvent | None) -> Said:
    notice, shown = row.get("notice"), short(row["id"])
    if notice is None or not notice["story"]:
        raise OrderRefused(f"{shown} is over, and there was no news of it", f"logmedic show {shown}")
    if event not in (None, notice["event"]):
        raise OrderRefused(
            f"{shown} is over: of it there is only its last news, {notice['event'].replace('_', ' ')}",
            f"logmedic alerts preview {shown}, or such a message of nothing: logmedic alerts preview --sample {event}",
        )
    story = letters.unpack_story(notice["story"])
    return Said(story, _alerts(draft, story, notice["groups"]), "it is over")


def _alerts(
    draft: Draft, story: Story, groups: Sequence[str], kind: MessageKind = MessageKind.NEWS
) -> tuple[Alert, ...]:
    """`groups`: keys of a notice's groups."""
    plan, found = draft.policy.alerts, dict[str, str]()
    for name in (key.partition(SEPARATOR)[0] for key in groups):
        route = plan.routes.get(name)
        called = (each for call in route.escalate for each in call.to) if route is not None else ()
        for receiver in (*route.to, *called) if route is not None else ():
            found.setdefault(receiver, name)
    return tuple(_alert(draft, story, receiver, route, kind) for receiver, route in found.items())


def _alert(draft: Draft, story: Story, receiver: str, route: str, kind: MessageKind = MessageKind.NEWS) -> Alert:
    subject = compose.subject_of(draft.policy.hostname, story)
    return write(draft, [story], receiver=receiver, route=route, thread=PREVIEW, subject=subject, kind=kind)


async def rendered(
    draft: Draft, what: Said, receiver: str, receivers: Mapping[str, Receiver], sender: Sender
) -> list[Row]:
    """As ports.Control.preview. `receiver` empty: all of them. Raises NotFound."""
    chosen = [each for each in what.alerts if receiver in ("", each.receiver) and each.receiver in receivers]
    if receiver and not chosen:
        known(receivers, receiver)
        chosen = [_alert(draft, what.story, receiver, "")]
    shown = await asyncio.gather(*(sender.render(each, receivers[each.receiver]) for each in chosen))
    return [
        {
            "receiver": alert.receiver,
            "scheme": draft.policy.alerts.receiver(alert.receiver).scheme,
            "route": alert.route,
            "event": alert.event.value,
            "format": each.format,
            "title": each.title,
            "body": each.body,
            "files": list(each.files),
            "held": what.held,
        }
        for alert, each in zip(chosen, shown, strict=True)
    ]


def known(names: Mapping[str, Any], name: str, what: str = "receiver") -> None:
    """Raises NotFound."""
    if name not in names:
        there = ", ".join(names) or "none"
        raise NotFound(f"no {what} is called {name[:80]}", f"there are: {there}")


def tested(plan: AlertPlan, receivers: Mapping[str, Receiver], route: str, receiver: str) -> tuple[str, ...]:
    """Who gets a test message: the receiver, all that the route may reach, or everybody. Raises NotFound."""
    if receiver:
        known(receivers, receiver)
        return (receiver,)
    if not route:
        return tuple(receivers)
    known(plan.routes, route, "route")
    chosen = plan.routes[route]
    called = (name for each in chosen.escalate for name in each.to)
    return tuple(dict.fromkeys((*chosen.to, *chosen.fallback, *called)))


def silence_of(given: AddSilence, now: datetime) -> Row:
    """The row that it would have."""
    silence = Silence(
        id="",
        starts_at=given.starts_at or now,
        until=given.until,
        by=given.by,
        why=given.why,
        created_at=now,
        severities=tuple(each.value for each in given.severities),
        tags=given.tags,
        labels=given.labels,
    )
    return row_of(silence)


def as_pattern(text: str) -> str:
    """A pattern (fnmatch) that only `text` fits."""
    return "".join(f"[{each}]" if each in "*?[" else each for each in text)
