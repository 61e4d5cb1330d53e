"""One thing that happened to an incident, and what its kind is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from logmedic.cli.styled import Text


class Stage(NamedTuple):
    """`name` of at most 8 characters. `mark` says it without colour: ✓ well, ✗ badly, ? nobody knows, ! people are
    needed or it waits, ▸ something was done, · a note. `style`: of cli/styled.py."""

    name: str
    mark: str = "·"
    style: str = ""


GOOD, BAD, WAITS = "good", "bad", "wait"
SEEN = Stage("seen", "▸", WAITS)
UNKNOWN = Stage("result", "?", WAITS)
STAGES: Mapping[str, Stage] = {
    "opened": SEEN,
    "history": Stage("before"),
    "request": Stage("request"),
    "held": Stage("held", "!", WAITS),
    "would_run": Stage("would"),
    "ranked": Stage("decided"),
    "approved": Stage("decided", "✓", GOOD),
    "rejected": Stage("decided", "✗", BAD),
    "approval_expired": Stage("decided", "!", WAITS),
    "checked": Stage("checks"),
    "observed": Stage("observed"),
    "step_skipped": Stage("fix"),
    "fix_started": Stage("fix", "▸"),
    "step_finished": Stage("fix"),
    "retry": Stage("fix"),
    "waits": Stage("fix"),
    "not_begun": Stage("fix"),
    "rollback_started": Stage("undo", "▸"),
    "rolled_back": Stage("undo", "✓", GOOD),
    "probed": Stage("verify"),
    "settling": Stage("verify"),
    "made_worse": Stage("verify", "✗", BAD),
    "fix_failed": Stage("result", "✗", BAD),
    "fix_unknown": UNKNOWN,
    "unknown_outcome": UNKNOWN,
    "breaker_open": Stage("breaker", "✗", BAD),
    "breaker_trial": Stage("breaker"),
    "breaker_closed": Stage("breaker", "✓", GOOD),
    "breaker_reset": Stage("breaker"),
    "alerted": Stage("told", "▸"),
    "not_told": Stage("not told", "·", WAITS),
    "acknowledged": Stage("ack", "✓", GOOD),
    "ack_over": Stage("ack", "!", WAITS),
    "silenced": Stage("silence"),
    "cleared": Stage("cleared", "✓", GOOD),
    "resolved": Stage("over", "✓", GOOD),
}
"""By the kind of an incident's event. Others are called by their own name."""


def stage_of(kind: str) -> Stage:
    return STAGES.get(kind) or Stage(kind.replace("_", " "))


@dataclass(frozen=True, slots=True)
class Entry:
    """`more`: lines below it."""

    at: datetime
    stage: Stage
    told: str
    more: tuple[Text, ...] = ()
