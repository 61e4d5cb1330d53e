"""What a fix itself brings about: its own lines in the log, and the incidents of others (F64)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from logmedic.core.draft import Draft
from logmedic.core.targets import target_of
from logmedic.model.fix import FixAttempt, Verdict
from logmedic.model.rule import Rule

OWN_CAUSE = timedelta(seconds=3)
"""A service that was restarted still complains for so long; lines are read a moment after they were written."""
FOLLOWS_WITHIN = timedelta(seconds=30)
"""An incident on the target of a fix so soon after it may be the fix's doing."""
CHAIN = 5
"""A loop goes on for as long as its fixes let it (I6)."""
_CUT = timedelta(seconds=1)
"""Log times are often cut to the second."""


def is_own(draft: Draft, rule: Rule, group: str, at: datetime) -> bool:
    """Whether a line of the rule and group, written at `at`, is of the time in which its own fix worked."""
    return any(_covers(each, at, draft.now, OWN_CAUSE) for each in draft.attempts.of_group(rule.id, group))


def mended_by(draft: Draft, rule: Rule, group: str, at: datetime) -> FixAttempt | None:
    """The newest attempt that verifiably fixed, in whose time, or just behind it, a line written at `at` is."""
    own = (each for each in draft.attempts.of_group(rule.id, group) if _covers(each, at, draft.now, OWN_CAUSE))
    return max((each for each in own if each.verdict is Verdict.FIXED), key=lambda each: each.id, default=None)


def chain_of(draft: Draft, rule: Rule, captures: Mapping[str, str], at: datetime) -> tuple[str, ...]:
    """Ids of the rules whose fixes seem to have brought about an incident of `rule` at `at`, the first first: the last
    fix of another rule on the same target, or one that an incident of this rule brought about itself, with what had
    brought it about, the last CHAIN of them. Empty: none. Its own fix is no cause: its cooldown is for that."""
    if rule.fix is None:
        return ()
    possible = draft.attempts.may_have_caused(rule.id, target_of(rule, captures))
    causes = [each for each in possible if _covers(each, at, draft.now, FOLLOWS_WITHIN)]
    if not causes:
        return ()
    last = max(causes, key=lambda each: each.id)
    return (*last.chain, last.rule_id)[-CHAIN:]


def grace(quiet: timedelta) -> timedelta:
    """How long after a step its own lines do not spoil its quiet time: never a large part of it."""
    return min(OWN_CAUSE, quiet / 4)


def _covers(attempt: FixAttempt, at: datetime, now: datetime, after: timedelta) -> bool:
    return attempt.started_at - _CUT <= at <= (attempt.finished_at or now) + after
