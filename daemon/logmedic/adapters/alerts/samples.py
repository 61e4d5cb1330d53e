"""Messages of every kind, with much and with little in them: what templates are tried on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from logmedic.model.alertevent import AlertEvent
from logmedic.model.message import Link, Message, MessageKind, Story
from logmedic.model.severity import Severity

_SINCE = datetime(2026, 11, 24, 3, 12, 41, tzinfo=UTC)
_AT = "2026-11-24 03:14:00 UTC (04:14:00 CET)"
_ID = "019ab3f0-7c11-7000-8000-0123456789ab"

_FULL = Story(
    subject=f"incident:{_ID}",
    event=AlertEvent.APPROVAL_NEEDED,
    severity=Severity.HIGH,
    symptom="the shop does not answer (10.0.0.12:8080)",
    outcome="a fix waits for your word",
    need="approve or reject it",
    broke="The shop does not answer: connection refused by 10.0.0.12:8080, 5 times within 60 s.",
    tried="Nothing yet: the fix needs an approval.",
    following="It is tried as soon as you approve it; without an answer nothing happens.",
    to_do="Look at the line below, then approve or reject the fix.",
    since=_SINCE,
    occurrences=5,
    evidence='2026/11/24 03:12:41 [error] connect() failed (111: Connection refused), upstream: "http://10.0.0.12:8080/"',
    history=("likely cause: the disk of db1 is full, open since 02:58 UTC",),
    would=("restart shop.service", "run /usr/local/lib/logmedic/failover 10.0.0.12"),
    runbook="https://wiki.example/runbooks/shop",
    command="logmedic approve 456789ab",
    rule="shop-down",
    incident=_ID,
    source="nginx-error",
    tags=("web", "shop"),
    effects=2,
    since_text=f"{_AT}",
    requests=("8f3c2b1e4d5a46c7b8d9e0f1a2b3c4d5", "checkout-41"),
)
_BARE = Story("rules", AlertEvent.RULES_REFUSED, Severity.LOW, "a rule", "", "", "", "", "", "", since=_SINCE)
_LINKS = tuple(
    Link(label, f"https://logmedic.example/a/{label.lower()}")
    for label in ("Open", "Approve", "Reject", "Acknowledge", "Silence")
)
_MESSAGE = Message(
    id="019ab3f1-0000-7000-8000-00000000abcd",
    kind=MessageKind.NEWS,
    event=AlertEvent.APPROVAL_NEEDED,
    severity=Severity.HIGH,
    host="web1",
    title="[APPROVE?] web1: the shop does not answer (10.0.0.12:8080) - a fix waits for your word",
    subject="[web1] the shop does not answer (10.0.0.12:8080)",
    thread="0123456789abcdef",
    stories=(_FULL,),
    matches=5,
    links=_LINKS,
    at_text=_AT,
)


def _news(event: AlertEvent) -> Message:
    over = event is AlertEvent.RECOVERED
    return replace(_MESSAGE, event=event, stories=(replace(_FULL, event=event, over=over),))


SAMPLES: tuple[Message, ...] = (
    *(_news(event) for event in AlertEvent),
    replace(_MESSAGE, kind=MessageKind.REMINDER, note="It is still open: the second reminder."),
    replace(_MESSAGE, kind=MessageKind.ESCALATION, note="Nobody acknowledged it within 15 minutes."),
    replace(
        _MESSAGE,
        kind=MessageKind.DIGEST,
        event=AlertEvent.DIGEST,
        stories=tuple(replace(_FULL, symptom=f"symptom {number}") for number in range(10)),
        more=4,
        matches=1234,
        links=(),
        note="What waited since yesterday 08:00.",
    ),
    replace(_MESSAGE, event=AlertEvent.RULES_REFUSED, severity=Severity.LOW, stories=(_BARE,), links=(), at_text=""),
)
