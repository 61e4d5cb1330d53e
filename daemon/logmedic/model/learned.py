"""What is noticed beside the errors themselves: when episodes begin, which versions run, what ordinary lines look
like, which fixes worked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Onset:
    """An episode of a known issue began: it came after a silence, or for the first time. `at`: event time, UTC."""

    issue_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Release:
    """A version of what writes to `source`. `first_seen`: when its first line was written, or its file first named it;
    `since`: when it was last deployed, after a rollback again; None where only lines name it."""

    source: str
    version: str
    first_seen: datetime
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class OrdinaryLine:
    """A line of `source` that is no error and that no rule knows, kept in place `slot` of its reservoir."""

    source: str
    slot: int
    text: str


@dataclass(frozen=True, slots=True)
class FixedBefore:
    """A step of a rule's fix that worked: its probes passed, `worked` times, last at `last_at`. `title`, `source`,
    `evidence`: of the incident that it ended last; `argv`: as it was run then."""

    rule_id: str
    title: str
    source: str
    evidence: str
    step_name: str
    argv: tuple[str, ...]
    worked: int
    last_at: datetime
