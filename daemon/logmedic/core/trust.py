"""The trust ladder: observe, approve, auto. Verified successes propose the next level, a person grants it; failures
take a level away by themselves. Every change is recorded, with who and why."""

from __future__ import annotations

from dataclasses import dataclass

from logmedic.core.draft import Draft
from logmedic.model.changeset import SetTrust
from logmedic.model.issue import Incident
from logmedic.model.policy import Policy
from logmedic.model.rule import Mode, Rule
from logmedic.model.trust import Trust


@dataclass(frozen=True, slots=True)
class Level:
    """How far a fix may go now; `whose` says what keeps it from more, for people."""

    mode: Mode
    whose: str


def level_of(rule: Rule, trust: Trust | None, policy: Policy) -> Level:
    """The lowest of: what the rule is trusted with (its file's mode, unless `trust` says otherwise and the file's mode
    is the same as then), and the daemon's mode."""
    given = rule.fix.mode if rule.fix is not None else Mode.OBSERVE
    level = trust.level if trust is not None and trust.given is given else given
    if level.under(policy.mode) is not level:
        return Level(policy.mode, "the daemon's mode")
    return Level(level, "the rule's mode")


def on_verdict(draft: Draft, rule: Rule, *, won: bool) -> None:
    """An execution of the fix ended with a verdict (not with an unknown one)."""
    del draft, rule, won


def on_observed(draft: Draft, incident: Incident, rule: Rule, *, recovered: bool) -> None:
    """An incident that the fix was only observed for is over: a would-have-been success when there was something to
    fix (Incident.warranted) and it did not get well by itself in time (`recovered`)."""
    del draft, incident, rule, recovered


def set_trust(draft: Draft, given: SetTrust) -> None:
    """Somebody decides. Of a rule that is not in force, or has no fix, nothing comes."""
    del draft, given


def follow_files(draft: Draft) -> None:
    """Where a rule's file has another mode than when its trust was decided, the file counts: recorded as FILE."""
    del draft
