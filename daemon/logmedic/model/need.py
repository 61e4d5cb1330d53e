"""What waits for a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from logmedic.model.severity import Severity


class NeedKind(StrEnum):
    """APPROVAL: a fix asks. FIX_FAILED: it did not help. INCIDENT: people were called, and no fix will do it. ISSUE: an
    error that no rule knows keeps coming. PROPOSAL: a fix has earned the next mode. Others are of the daemon itself."""

    APPROVAL = "approval"
    FIX_FAILED = "fix_failed"
    INCIDENT = "incident"
    BREAKER_OPEN = "breaker_open"
    ISSUE = "issue"
    UNREACHABLE = "unreachable"
    RECEIVER_DEAD = "receiver_dead"
    STORE = "store"
    DISARMED = "disarmed"
    PART_FAILED = "part_failed"
    SOURCE_QUIET = "source_quiet"
    REFUSED_RELOAD = "refused_reload"
    QUARANTINED = "quarantined"
    PAUSED = "paused"
    PROPOSAL = "proposal"


@dataclass(frozen=True, slots=True)
class Need:
    """`title`: what it is about; `detail`, `to_do`: sentences, how it stands and what a person does; `command`: one
    line for a shell. `until`: then it is too late, or it comes to something by itself. `incident` and `issue` (ids),
    `rule`, `receiver`, `source`, `target`: what it is about, as far as it is about one. `acked_by`: who takes care of
    it."""

    kind: NeedKind
    severity: Severity
    title: str
    detail: str = ""
    to_do: str = ""
    command: str = ""
    since: datetime | None = None
    until: datetime | None = None
    incident: str = ""
    issue: str = ""
    rule: str = ""
    receiver: str = ""
    source: str = ""
    target: str = ""
    acked_by: str = ""
