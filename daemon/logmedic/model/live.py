"""What happens, as people and programs follow it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Topic(StrEnum):
    """What a page, or a view in a terminal, is about. STATUS: of the daemon itself."""

    INCIDENTS = "incidents"
    FIXES = "fixes"
    ALERTS = "alerts"
    ISSUES = "issues"
    RULES = "rules"
    SOURCES = "sources"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """One thing that happened. `id`: a UUIDv7, of what is stored of it; they sort as they happened. `kind`: a constant,
    `topic`: a Topic's value; `subject`: `incident:ID`, `source:NAME`, `rule:ID`, `issue:ID` or `daemon`; `title`: of
    the subject; `severity`: of Severity, or empty; `text`: for people."""

    id: str
    at: datetime
    kind: str
    topic: str
    subject: str
    title: str = ""
    severity: str = ""
    text: str = ""
