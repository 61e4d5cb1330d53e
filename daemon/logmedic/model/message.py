"""A message as it is written, before it becomes what a service shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from logmedic.model.alertevent import AlertEvent
from logmedic.model.severity import Severity


class MessageKind(StrEnum):
    """NEWS: something changed. REMINDER: it is still open. ESCALATION: nobody acknowledged. DIGEST: what waited."""

    NEWS = "news"
    REMINDER = "reminder"
    ESCALATION = "escalation"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class Story:
    """What is said of one subject. `symptom`, `outcome`, `need`: a few words each, the parts of a title; `need` empty:
    nothing. `broke`, `tried`, `following`, `to_do`: sentences that answer: what broke, what was tried, what happens
    next, what you do. `evidence`: the record, secrets masked; may have several lines. `history`: lines about what went
    before it, the likely cause first. `would`: what a held fix would do. `command`: one line for a shell. `effects`:
    how many others are not told apart because of it. `since_text`: `since` for its reader. `requests`: ids of the
    requests of applications that failed of it, the newest first. All text is cleaned of what
    terminals and chats obey (core/evidence.py), but not escaped for any format."""

    subject: str
    event: AlertEvent
    severity: Severity
    symptom: str
    outcome: str
    need: str
    broke: str
    tried: str
    following: str
    to_do: str
    since: datetime
    occurrences: int = 1
    evidence: str = ""
    history: tuple[str, ...] = ()
    would: tuple[str, ...] = ()
    runbook: str = ""
    command: str = ""
    rule: str = ""
    incident: str = ""
    source: str = ""
    tags: tuple[str, ...] = ()
    effects: int = 0
    over: bool = False
    since_text: str = ""
    requests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """`label`: a word or two, such as Approve."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Message:
    """`title`: at most 140 characters. `subject`: the same for every message of one `thread`. `stories`: the most
    urgent
    first; `more`: how many are left out. `matches`: of all of them. `note`: why it comes now; may be empty. `at_text`:
    when it was written, for its reader. `id` is the alert's."""

    id: str
    kind: MessageKind
    event: AlertEvent
    severity: Severity
    host: str
    title: str
    subject: str
    thread: str
    stories: tuple[Story, ...]
    more: int = 0
    matches: int = 0
    note: str = ""
    links: tuple[Link, ...] = ()
    at_text: str = ""
