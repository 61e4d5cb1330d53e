"""Messages of every kind, as core writes them, and one whose every text is hostile."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime

from logmedic.core.letters import pack
from logmedic.core.plaintext import text_of
from logmedic.model.alert import Alert
from logmedic.model.alertevent import AlertEvent
from logmedic.model.message import Link, Message, MessageKind, Story
from logmedic.model.severity import Severity

SINCE = datetime(2026, 11, 24, 3, 12, 41, tzinfo=UTC)
SINCE_TEXT = "2026-11-24 03:12:41 UTC (04:12:41 CET)"
AT_TEXT = "2026-11-24 03:14:00 UTC (04:14:00 CET)"
INCIDENT = "019ab3f0-7c11-7000-8000-0123456789ab"
ALERT_ID = "019ab3f1-0000-7000-8000-00000000abcd"
THREAD = "9f2c4e6a8b0d1f3e"
TRACE = (
    "2026-11-24 03:12:41,118 ERROR shop.orders: order 4711 failed\n"
    "Traceback (most recent call last):\n"
    '  File "/srv/shop/orders.py", line 88, in place\n'
    "    self.pool.acquire(timeout=5)\n"
    "psycopg.errors.TooManyConnections: FATAL: sorry, too many clients already"
)
STORY = Story(
    subject=f"incident:{INCIDENT}",
    event=AlertEvent.APPROVAL_NEEDED,
    severity=Severity.HIGH,
    symptom="the shop gets no connection to its database",
    outcome="a fix waits for your word",
    need="approve or reject it",
    broke="The shop gets no connection to its database: 12 times within 60 s.",
    tried="Nothing yet: the rule asks before its fix runs.",
    following="The fix runs once you approve it, and is checked for 60 s. Nobody else is called for 15 minutes.",
    to_do="Read the line below, then approve the fix or reject it.",
    since=SINCE,
    occurrences=12,
    evidence=TRACE,
    history=("Likely cause: the disk of db1 is full (open since 02:58:02 UTC, incident 89abcdef).",),
    would=("restart pgbouncer.service", "run /usr/local/lib/logmedic/failover db1"),
    runbook="https://wiki.example/runbooks/shop-database",
    command="logmedic approve 456789ab",
    rule="shop-no-connection",
    incident=INCIDENT,
    source="shop",
    tags=("shop", "db"),
    effects=2,
    since_text=SINCE_TEXT,
    requests=("8f3c2b1e4d5a46c7b8d9e0f1a2b3c4d5", "checkout-42:7", "checkout-42:6"),
)
LINKS = tuple(
    Link(label, f"https://logmedic.example/a/{label.lower()}.v1.c2lnbmVk-{'x' * 40}")
    for label in ("Open", "Approve", "Reject", "Acknowledge", "Silence")
)
APPROVAL = Message(
    id=ALERT_ID,
    kind=MessageKind.NEWS,
    event=AlertEvent.APPROVAL_NEEDED,
    severity=Severity.HIGH,
    host="web1",
    title="[APPROVE?] web1: the shop gets no connection to its database - a fix waits - approve or reject it",
    subject="[web1] the shop gets no connection to its database (456789ab)",
    thread=THREAD,
    stories=(STORY,),
    matches=12,
    links=LINKS,
    at_text=AT_TEXT,
)
RECOVERED = replace(
    APPROVAL,
    event=AlertEvent.RECOVERED,
    title="[RECOVERED] web1: the shop gets no connection to its database - the fix worked",
    stories=(
        replace(
            STORY,
            event=AlertEvent.RECOVERED,
            outcome="the fix worked",
            need="",
            tried="restart pgbouncer.service: done in 1.2 s, and the check passed.",
            following="Nothing: it is over.",
            to_do="Nothing.",
            over=True,
            would=(),
            history=(),
            command="",
        ),
    ),
    links=LINKS[:1],
)
CRITICAL = replace(
    APPROVAL,
    kind=MessageKind.ESCALATION,
    event=AlertEvent.FIX_FAILED,
    severity=Severity.CRITICAL,
    note="nobody acknowledged it within 15 minutes",
    title="[ESCALATION] web1: the shop gets no connection to its database - its fix failed - look at it now",
    stories=(replace(STORY, event=AlertEvent.FIX_FAILED, severity=Severity.CRITICAL, would=()),),
)


def _of_many(number: int) -> Story:
    over = number % 3 == 2
    return replace(
        STORY,
        subject=f"incident:{number}",
        event=AlertEvent.RECOVERED if over else AlertEvent.OPENED,
        severity=Severity.MEDIUM,
        symptom=f"10.0.0.{number} does not answer",
        outcome="it answers again" if over else "nothing is done about it",
        need="" if over else "look at it",
        over=over,
        command="" if over else f"logmedic show 0000000{number}",
        evidence=f"connect() to 10.0.0.{number}:8080 failed (111: Connection refused)",
    )


DIGEST = replace(
    APPROVAL,
    kind=MessageKind.DIGEST,
    event=AlertEvent.DIGEST,
    severity=Severity.MEDIUM,
    title="[DIGEST] web1: 10 still open, 4 over, worst 10.0.0.0 does not answer",
    subject="[web1] digest of 2026-11-24",
    stories=tuple(_of_many(number) for number in range(10)),
    more=4,
    matches=1234,
    links=(),
    note="what waited since 2026-11-23 08:00",
)
BARE = Message(
    id=ALERT_ID,
    kind=MessageKind.NEWS,
    event=AlertEvent.TEST,
    severity=Severity.LOW,
    host="web1",
    title="[TEST] web1: a test message",
    subject="[web1] a test message",
    thread=THREAD,
    stories=(Story("", AlertEvent.TEST, Severity.LOW, "a test message", "", "", "", "", "", "", since=SINCE),),
)
MARKUP = (
    "x\r\nBcc: evil@example.com\r\n\r\n<!channel> <@U123> <#C1> @everyone @here <https://evil.example|click>\n"
    "```` *bold* _it_ ~no~ $(id) `id` [a](https://evil.example) **b** # h\n> quote\n~! id\n.\r\n"
    "</td></pre><script>alert(1)</script> {{ 7*7 }} \x1b[31mred\x1b]0;t\x07 \x00 \u202etxt.exe\u2066 "
    "& &lt; <b>\ufeff```"
)


def _hostile(story: Story) -> Story:
    kept = {"subject", "incident", "runbook"}
    texts = {each.name: MARKUP for each in fields(Story) if each.type == "str" and each.name not in kept}
    return replace(story, **texts, history=(MARKUP, MARKUP), would=(MARKUP,), tags=(MARKUP,), requests=(MARKUP, MARKUP))


HOSTILE = replace(
    APPROVAL, host=MARKUP, title=MARKUP, subject=MARKUP, note=MARKUP, at_text=MARKUP, stories=(_hostile(STORY),)
)
MESSAGES = {
    "approval": APPROVAL,
    "recovered": RECOVERED,
    "escalation": CRITICAL,
    "digest": DIGEST,
    "bare": BARE,
    "hostile": HOSTILE,
}


def alert_of(message: Message) -> Alert:
    return Alert(
        message.id,
        INCIDENT,
        message.event,
        message.severity,
        "oncall",
        "it",
        message.title,
        text_of(message),
        SINCE,
        SINCE,
        content=pack(message),
        group_id=message.thread,
    )
