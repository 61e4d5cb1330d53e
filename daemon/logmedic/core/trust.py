"""The trust ladder: observe, approve, auto. Verified successes propose the next level, a person grants it; failures
take a level away by themselves. Every change of trust is recorded, with who and why.

Successes count in a row: a fix that works every other time never earns more, however often it ran. What is counted is
of one level and of one fix: with either, it begins anew."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from logmedic.core.draft import Draft
from logmedic.core.targets import fingerprint
from logmedic.model.changeset import SetTrust
from logmedic.model.issue import Incident
from logmedic.model.policy import Policy
from logmedic.model.rule import Fix, Mode, Rule
from logmedic.model.trust import Trust, TrustChange, TrustChangeKind

BY_ITSELF = "logmedic"
"""Who changes trust when no person does."""
RECENT = 10
"""Outcomes that are looked at, to see whether a fix still deserves its level."""
ENOUGH = 5
"""With fewer outcomes at this level nothing is taken away: the breaker bounds what they may cost."""


class _Outcome(NamedTuple):
    """Words for what is counted: one that was won, and one that was lost."""

    won: str
    lost: str


_RUN = _Outcome("verified success", "an execution did not fix it")
_OBSERVED = _Outcome("would-have-been success", "it got well by itself, or there was nothing to fix")


@dataclass(frozen=True, slots=True)
class Level:
    """How far a fix may go now; `whose` says what keeps it from more (or gives it), as in "`whose` is observe"."""

    mode: Mode
    whose: str


def level_of(rule: Rule, trust: Trust | None, policy: Policy) -> Level:
    """The lower of what the rule is trusted with (its file's mode, unless `trust` is still about this file and fix) and
    the daemon's mode, which always holds."""
    fix = rule.fix
    level = Level(fix.mode if fix is not None else Mode.OBSERVE, "the rule's mode")
    if fix is not None and trust is not None and trust.level is not fix.mode and not _outdated(trust, fix):
        level = Level(trust.level, f"the trust set by {trust.by or BY_ITSELF}")
    if policy.mode.rank < level.mode.rank or policy.mode is Mode.OBSERVE:
        return Level(policy.mode, "the daemon's mode")
    return level


def on_verdict(draft: Draft, rule: Rule, *, won: bool) -> None:
    """An execution of the fix ended with a verdict (not with an unknown one). One that began before somebody put its
    rule under observation says nothing about what is observed."""
    if rule.fix is None:
        return
    trust = _follow(draft, rule, rule.fix)
    if trust.level is not Mode.OBSERVE:
        _count(draft, trust, rule.fix, _RUN, won=won)


def on_observed(draft: Draft, incident: Incident, rule: Rule, *, recovered: bool) -> None:
    """An incident that the fix was only observed for is over. A would-have-been success: its checks failed, so that
    there was something to fix (Incident.warranted), and it did not get well by itself in the time that the fix would
    have had (`recovered`; core/earned.horizon). It counts against the fix when it did, or when the checks passed;
    nothing is counted when nobody can say, or when it is the daemon's mode alone that observes."""
    if rule.fix is None:
        return
    trust = _follow(draft, rule, rule.fix)
    if trust.level is not Mode.OBSERVE or (incident.warranted is None and not recovered):
        return
    won = incident.warranted is True and not recovered
    _count(draft, trust, rule.fix, _OBSERVED, won=won)


def set_trust(draft: Draft, given: SetTrust) -> None:
    """Somebody decides. Nothing comes of it, but a count, when the rule is not in force or has no fix, when it is
    trusted so far already, and when it is more than its file says although the file does not let it graduate. To say
    the present level again is to turn a proposal down."""
    rule = draft.policy.rules.get(given.rule_id)
    if rule is None or rule.fix is None:
        draft.tally("trust_ignored")
        return
    trust = _follow(draft, rule, rule.fix)
    if given.level is trust.level and trust.proposed is not None:
        draft.put_trust(_without_proposal(draft, replace(trust, streak=0), given.by, given.why))
    elif given.level is trust.level or (given.level.rank > rule.fix.mode.rank and not rule.fix.graduate_after):
        draft.tally("trust_ignored")
    else:
        raised = given.level.rank > trust.level.rank
        kind = TrustChangeKind.RAISED if raised else TrustChangeKind.LOWERED
        draft.put_trust(_moved(draft, trust, kind, given.level, given.by, given.why))


def follow_files(draft: Draft) -> None:
    """The rules in force are others than before: where a rule's file or fix is not what its trust was decided on, the
    file counts, and what was counted begins anew. Rules that are gone keep theirs, for when they come back."""
    for rule_id in draft.state.trust:
        rule = draft.policy.rules.get(rule_id)
        if rule is not None and rule.fix is not None:
            _follow(draft, rule, rule.fix)


def _outdated(trust: Trust, fix: Fix) -> str:
    """Why the file counts and not `trust`; empty: it does not."""
    if trust.given is not fix.mode:
        return f"its file says mode: {fix.mode} by now"
    if trust.level.rank <= fix.mode.rank:
        return ""
    if not fix.graduate_after:
        return "its file does not let it graduate any more"
    return "its fix is another one by now, and has to earn that anew" if trust.fix != fingerprint(fix) else ""


def _follow(draft: Draft, rule: Rule, fix: Fix) -> Trust:
    """The rule's trust, as its file and fix leave it; recorded when that changed it. A level that was taken away stays
    so when the fix changes."""
    trust = draft.trust(rule.id)
    if trust is None:
        return Trust(rule.id, fix.mode, fix.mode, draft.now, fix=fingerprint(fix))
    followed = trust
    if why := _outdated(trust, fix):
        if trust.level is not fix.mode:
            followed = _moved(draft, trust, TrustChangeKind.FILE, fix.mode, BY_ITSELF, why)
        followed = replace(followed, given=fix.mode, by="", why="")
    if followed.fix != fingerprint(fix):
        followed = _without_proposal(draft, followed, BY_ITSELF, "its fix is another one by now")
        followed = _anew(draft, replace(followed, fix=fingerprint(fix)))
    if followed != trust:
        draft.put_trust(followed)
    return followed


def _count(draft: Draft, trust: Trust, fix: Fix, outcome: _Outcome, *, won: bool) -> None:
    counted = replace(
        trust,
        wins=trust.wins + won,
        losses=trust.losses + (not won),
        streak=trust.streak + 1 if won else 0,
        recent=(*trust.recent, won)[-RECENT:],
    )
    if won:
        counted = _propose(draft, counted, fix, outcome.won)
    else:
        counted = _demote(draft, _without_proposal(draft, counted, BY_ITSELF, outcome.lost))
    draft.put_trust(counted)


def _propose(draft: Draft, trust: Trust, fix: Fix, what: str) -> Trust:
    """The next level, once enough were won in a row; above the daemon's mode too, of which people decide as well."""
    earned = 0 < fix.graduate_after <= trust.streak
    if not earned or trust.proposed is not None or trust.level is Mode.AUTO:
        return trust
    following = list(Mode)[trust.level.rank + 1]
    why = f"{trust.streak} {what}es in a row" if trust.streak > 1 else f"1 {what}"
    _record(draft, trust, TrustChangeKind.PROPOSED, following, BY_ITSELF, why)
    return replace(trust, proposed=following)


def _demote(draft: Draft, trust: Trust) -> Trust:
    """From auto to approve, when fewer than half of the recent ones were won: then people look at each. Below that
    only people put it."""
    won, of = sum(trust.recent), len(trust.recent)
    if trust.level is not Mode.AUTO or of < ENOUGH or 2 * won >= of:
        return trust
    why = f"{won} of the last {of} executions fixed it"
    return _moved(draft, trust, TrustChangeKind.LOWERED, Mode.APPROVE, BY_ITSELF, why)


def _without_proposal(draft: Draft, trust: Trust, by: str, why: str) -> Trust:
    if trust.proposed is None:
        return trust
    _record(draft, trust, TrustChangeKind.WITHDRAWN, trust.proposed, by, why)
    return replace(trust, proposed=None)


def _moved(draft: Draft, trust: Trust, kind: TrustChangeKind, level: Mode, by: str, why: str) -> Trust:
    _record(draft, trust, kind, level, by, why)
    return _anew(draft, replace(trust, level=level, by=by, why=why))


def _anew(draft: Draft, trust: Trust) -> Trust:
    """Nothing is counted yet."""
    return replace(trust, since=draft.now, wins=0, losses=0, streak=0, recent=(), proposed=None)


def _record(draft: Draft, trust: Trust, kind: TrustChangeKind, after: Mode, by: str, why: str) -> None:
    draft.record_trust(TrustChange(draft.mint(), trust.rule_id, draft.now, kind, trust.level, after, by, why))
    draft.tally(f"trust_{kind}")
