"""What can be wrong with the daemon itself, looked at from outside the engine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from logmedic.core.trust import level_of
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Ailing
from logmedic.model.policy import Policy
from logmedic.model.rule import Mode
from logmedic.model.state import EngineState
from logmedic.runtime.supervisor import Part

LOG_COMMAND = "journalctl -u logmedic -n 50"
ARMING_PATIENCE_S = 10.0
STEADY = timedelta(minutes=1)
"""A part that was started again is well once it has run for so long."""
PART_PATIENCE_S = 120.0
"""A part that fails once and then runs is not told of: it is twice as long."""
DISK_PATIENCE_S = 30.0
SCARCE_BYTES = 256 << 20
SCARCE_SHARE = 20
"""The disk is nearly full when less is left than one part in so many of it, and less than SCARCE_BYTES."""
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Symptom:
    """It is told once it has lasted for `patience_s`."""

    ailing: Ailing
    patience_s: float


Look = Callable[[], Iterable[Symptom]]
"""What is wrong now."""


def disarmed(state: EngineState, policy: Policy) -> Iterable[Symptom]:
    """No fix can run that otherwise could: where all is observed, nobody waits for one."""
    arming = policy.arming
    if arming.armed:
        return
    waiting = [
        rule.id
        for rule in policy.rules.values()
        if rule.enabled and rule.fix is not None and _may_run(state, rule.id, policy)
    ]
    if waiting:
        names = ", ".join(sorted(waiting)[:3]) + (f" and {len(waiting) - 3} more" if len(waiting) > 3 else "")
        yield Symptom(
            Ailing(
                "fixes",
                AlertEvent.DISARMED,
                f"{arming.reason or 'the sandbox does not hold'}. That holds the fixes of {names}",
                "Install what the sandbox needs, then load the rules again.",
                "logmedic status && sudo logmedic install fixes && logmedic reload",
            ),
            ARMING_PATIENCE_S,
        )


def _may_run(state: EngineState, rule_id: str, policy: Policy) -> bool:
    return level_of(policy.rules[rule_id], state.trust.get(rule_id), policy).mode is not Mode.OBSERVE


def failing_parts(parts: Mapping[str, Part], now: datetime) -> Iterable[Symptom]:
    """Those that end again and again. One that ended for good is the engine's, and with it the daemon ends."""
    for part in parts.values():
        running_s = now - part.started_at if part.started_at is not None else timedelta(0)
        if part.state == "restarting" or (part.restarts and part.state == "running" and running_s < STEADY):
            yield Symptom(
                Ailing(
                    part.name,
                    AlertEvent.PART_FAILED,
                    part.last_error,
                    "Correct what the error names.",
                    LOG_COMMAND,
                ),
                PART_PATIENCE_S,
            )


def disk(path: Path) -> Iterable[Symptom]:
    """Of the directory at `path`, which holds the store."""
    try:
        usage = shutil.disk_usage(path)
        writable = os.access(path, os.W_OK)
    except OSError as error:
        yield _disk(f"the store's directory {path} cannot be looked at: {error.strerror}", f"ls -ld {path}")
        return
    if not writable:
        yield _disk(f"the store's directory {path} cannot be written to", f"ls -ld {path}; findmnt -T {path}")
    elif is_scarce(free=usage.free, total=usage.total):
        yield _disk(
            f"the store's disk is nearly full: {usage.free // MIB} MiB are left for {path}",
            f"df -h {path}; logmedic storage",
        )


def is_scarce(*, free: int, total: int) -> bool:
    return free < min(SCARCE_BYTES, total // SCARCE_SHARE)


def _disk(what: str, command: str) -> Symptom:
    to_do = "Make room, or make it writable. Once nothing can be stored, log lines wait, and no fix runs."
    return Symptom(Ailing("disk", AlertEvent.STORE, what, to_do, command), DISK_PATIENCE_S)


def given_up(notices: Sequence[str]) -> Iterable[Symptom]:
    """What the keeper had to delete before its time."""
    if notices:
        to_do = "Raise storage.max_size, or let less be kept (storage.keep)."
        yield Symptom(Ailing("storage", AlertEvent.STORE, notices[0], to_do, "logmedic storage"), 0.0)
