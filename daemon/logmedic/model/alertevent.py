"""What people can be told of."""

from __future__ import annotations

from enum import StrEnum


class AlertEvent(StrEnum):
    """What people can be told of. OPENED: an incident without a fix. HELD: a fix is not run and people are needed
    (observe, disarmed, budget). FIX_FAILED, BREAKER_OPEN and ESCALATED (a learned error that keeps coming) are
    escalations: they are recorded and raise the issue to at least high. REGRESSED: the same of a learned error that had
    been resolved. STILL_OPEN: of an incident that nobody was told of yet, because its fix works, or waits for its turn,
    and which is not over after `page_after`. FOREWARNED: what tends to follow an issue that has just begun. QUIET: a
    source stopped speaking. QUARANTINED, RULES_REFUSED: of rules that are not heard, or not loaded. TRUST: a fix has
    earned the next mode, or lost its own. DISARMED, STORE, RECEIVER_DEAD, PART_FAILED, DAEMON_FAILED: of the daemon
    itself: no fix can run; what it sees cannot be kept; messages do not arrive; one of its parts fails again and again;
    it does not run. DIGEST: what waited for this message."""

    OPENED = "opened"
    HELD = "held"
    APPROVAL_NEEDED = "approval_needed"
    FIX_FAILED = "fix_failed"
    BREAKER_OPEN = "breaker_open"
    STILL_OPEN = "still_open"
    RECOVERED = "recovered"
    ESCALATED = "escalated"
    REGRESSED = "regressed"
    FOREWARNED = "forewarned"
    QUIET = "quiet"
    QUARANTINED = "quarantined"
    RULES_REFUSED = "rules_refused"
    TRUST = "trust"
    DISARMED = "disarmed"
    STORE = "store"
    RECEIVER_DEAD = "receiver_dead"
    PART_FAILED = "part_failed"
    DAEMON_FAILED = "daemon_failed"
    DIGEST = "digest"
    TEST = "test"
