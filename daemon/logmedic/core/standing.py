"""How an incident stands, for people: its outcome so far, what happens next, and what is wanted of them.

It follows from the incident itself and not from the event that is told: the message may be a reminder of hours later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from logmedic.core.durations import duration_text
from logmedic.core.moments import moment_text, span_text
from logmedic.core.phrases import said, sentence, sentences
from logmedic.core.shellwords import command, short
from logmedic.core.tries import steps_of
from logmedic.model.alertevent import AlertEvent
from logmedic.model.fix import AttemptKind, FixAttempt, Verdict
from logmedic.model.issue import UNDER_WAY, HoldReason, Incident, IncidentStatus, Resolution
from logmedic.model.rule import OnFailure, Rule
from logmedic.model.when import Absence

RESOLUTION_TOLD = 320
"""Characters of what a rule says that people do: one or two sentences, and one of the shipped rules' longest."""
_BY_HAND = "repair it by hand"
_NOTHING_YET = "Nothing yet."


@dataclass(frozen=True, slots=True)
class Standing:
    """As the fields of a Story have it."""

    outcome: str
    need: str
    following: str
    to_do: str
    command: str


def standing_of(incident: Incident, rule: Rule, attempts: Sequence[FixAttempt]) -> Standing:
    """`attempts` of this incident, oldest first."""
    case = _Case(incident, rule, attempts)
    if incident.status is IncidentStatus.RESOLVED:
        return _over(case)
    if incident.status in UNDER_WAY:
        return _under_way(case)
    by_itself = incident.hold in (None, HoldReason.COOLDOWN, HoldReason.BREAKER_OPEN)
    if incident.status is IncidentStatus.FAILED and by_itself:
        return _failed(case)
    return _held(case)


@dataclass(frozen=True, slots=True)
class _Case:
    incident: Incident
    rule: Rule
    attempts: Sequence[FixAttempt]

    @property
    def why(self) -> str:
        return said(self.incident.hold_detail)

    @property
    def due(self) -> str:
        """When it is looked at again; empty: nobody knows."""
        return moment_text(self.incident.due_at) if self.incident.due_at is not None else ""

    @property
    def id(self) -> str:
        return short(self.incident.id)

    @property
    def show(self) -> str:
        return command("show", self.id)

    @property
    def by_hand(self) -> str:
        """And how, where its rule says so."""
        return f"Repair it by hand. {sentence(said(self.rule.resolution, RESOLUTION_TOLD))}".strip()


# -- over --------------------------------------------------------------------------------------------------------------


def _over(case: _Case) -> Standing:
    incident = case.incident
    lasted = span_text((incident.resolved_at or incident.last_match_at) - incident.opened_at)
    outcomes = {
        Resolution.FIXED: f"fixed after {lasted}",
        Resolution.QUIET: f"quiet again after {lasted}",
        Resolution.CLEARED: f"over after {lasted}",
        Resolution.EXPIRED: "closed, its time was up",
        Resolution.BY_HAND: "closed by hand",
        Resolution.NONE: "over",
    }
    notes = said(incident.resolution_notes, 300)
    to_do = "Nothing."
    if incident.resolution is Resolution.EXPIRED:
        to_do = "Nothing. It was closed by the clock, as its rule says; nobody checked whether it is well."
    if incident.resolution is Resolution.FIXED:
        notes = "it was fixed, and that was checked"
    following = f"Nothing, it is over: {notes}" if notes else "Nothing, it is over"
    return Standing(outcomes[incident.resolution], "", sentence(following), to_do, case.show)


def _ends(case: _Case) -> str:
    """When it counts as over if no fix runs, and who hears of that. See core/endings.py."""
    clear = case.rule.when.clear
    ways = ["once a line says so"] if clear.match is not None else []
    if isinstance(case.rule.when.trigger, Absence):
        ways.append("once what is missing comes")
    if clear.after == timedelta(0):
        return "It is over with this one: each match is told by itself."
    if clear.after is not None:
        ways.append(f"{_long(clear.after)} after it was opened")
    elif clear.quiet is not None:
        ways.append(f"after {_long(clear.quiet)} of silence")
    told = " You are told then." if AlertEvent.RECOVERED in case.rule.alert.on else ""
    return f"The incident counts as over {' or '.join(ways) or 'after enough silence'}.{told}"


def _long(span: timedelta) -> str:
    """Exactly; rounded where the exact one has no unit that people use."""
    text = span_text(span)
    return text if span.total_seconds() % 60 == 0 or span < timedelta(seconds=90) else duration_text(span)


# -- a fix is under way ------------------------------------------------------------------------------------------------


def _under_way(case: _Case) -> Standing:
    outcome, following = _progress(case)
    alert, fix = case.rule.alert.on, case.rule.fix
    told = ["when it is over"] if AlertEvent.RECOVERED in alert else []
    if AlertEvent.FIX_FAILED in alert and fix is not None and fix.on_failure is OnFailure.ESCALATE:
        told.append("when the fix does not hold")
    promise = f"You are told {' and '.join(told)}" if told else ""
    return Standing(outcome, "", sentences(following, promise), "Nothing yet: the fix is under way.", case.show)


def _progress(case: _Case) -> tuple[str, str]:
    incident, attempts = case.incident, case.attempts
    step = said(attempts[-1].step_name, 80) if attempts else ""
    match incident.status:
        case IncidentStatus.FIXING if attempts and attempts[-1].kind is AttemptKind.ROLLBACK:
            return "a step is being undone", "What the last step did is undone first"
        case IncidentStatus.FIXING:
            named = f"Step {step!r}, try {incident.try_no}," if step else "A step"
            return "the fix is running", f"{named} runs now; then it is checked whether it worked"
        case IncidentStatus.RETRYING if incident.waits_for_turn:
            return "waits for its turn", "As many steps of other fixes run as may: it goes on after one of them"
        case IncidentStatus.RETRYING:
            at = f" at {case.due}" if case.due else " soon"
            return "the fix tries again", f"Step {step!r} is tried again{at}" if step else f"It is tried again{at}"
        case IncidentStatus.CHECKING:
            return "checked before a step", "What the fix needs is checked now; then it goes on"
        case IncidentStatus.VERIFYING:
            return "the fix is checked", "The checks after the fix run now: they say whether it worked"
        case _:
            until = f" until {case.due}" if case.due else ""
            return "fix done, watched", f"The fix counts as good when nothing more of this is logged{until}"


# -- a fix failed ------------------------------------------------------------------------------------------------------


def _failed(case: _Case) -> Standing:
    steps = steps_of(case.attempts)
    is_open = case.incident.hold is HoldReason.BREAKER_OPEN
    if not steps and not case.incident.acted:
        outcome = "no step of the fix applies"
    elif steps and steps[-1].verdict is Verdict.UNKNOWN:
        outcome = "nobody knows if the fix worked"
    else:
        outcome = "fix failed, breaker open" if is_open else "fix failed"
    early = f", not before {case.due}" if case.due else ""
    if is_open:
        following = f"The breaker is open. If this comes again, one trial of the fix is let through{early}"
        to_do = f"{case.by_hand} Once that is done, close the breaker (logmedic breakers reset)."
    else:
        following, to_do = f"If this comes again, the fix is run again{early}", case.by_hand
    return Standing(outcome, _BY_HAND, sentences(following, _ends(case)), to_do, case.show)


# -- a fix is held -----------------------------------------------------------------------------------------------------


def _held(case: _Case) -> Standing:
    """Every HoldReason has its words."""
    again = _again(case)
    ask_why = command("why", case.id)
    match case.incident.hold:
        case HoldReason.AWAITING_APPROVAL:
            return _asked(case)
        case HoldReason.PAUSED:
            return _paused(case)
        case HoldReason.OBSERVE:
            return _observed(case)
        case HoldReason.BREAKER_OPEN:
            return _broken(case)
        case HoldReason.REJECTED:
            outcome = "the approval expired" if "expired" in case.why else "fix rejected"
            following = f"The fix is not run: {case.why}. The next match asks for approval anew"
            return _stands(case, outcome, _BY_HAND, following, case.by_hand)
        case HoldReason.COOLDOWN:
            return _stands(case, "the fix waits (cooldown)", "", f"The fix ran not long ago. {again}", _NOTHING_YET)
        case HoldReason.BUSY:
            return _stands(case, "the fix waits its turn", "", f"Not now: {case.why}. {again}", _NOTHING_YET)
        case HoldReason.WARMING_UP:
            return _stands(case, "the fix waits a little", "", f"Not now: {case.why}. {again}", _NOTHING_YET)
        case HoldReason.CAUSE:
            return _stands(case, "its cause comes first", "", f"Not now: {case.why}. {again}", _NOTHING_YET)
        case HoldReason.MAINTENANCE:
            following = f"No fix starts in a maintenance window. {again}"
            to_do = "Nothing, if this is your own work. If not: repair it by hand."
            return _stands(case, "maintenance, no fix starts", "", following, to_do)
        case HoldReason.BUDGET:
            to_do = f"See why so many fixes run. {case.by_hand}"
            return _stands(
                case,
                "fix held, budget used up",
                "see why so many fixes run",
                f"Not now: {case.why}. {again}",
                to_do,
                ask_why,
            )
        case HoldReason.DISARMED:
            following = f"Nothing by itself, the fix cannot run here: {case.why}"
            to_do = f"{case.by_hand} So that its fix can run, put that right, then: logmedic reload."
            return _stands(case, "the fix cannot run here", _BY_HAND, following, to_do, ask_why)
        case HoldReason.STALE:
            following = f"Nothing by itself: {case.why}, too old for a fix. The next match is looked at anew"
            return _stands(
                case, "old lines, fix not run", "see if it is still there", following, "See whether it is still there."
            )
        case HoldReason.OWN_CAUSE:
            to_do = "Look at what these fixes do to one another, and to their lines in the log."
            return _stands(
                case, "fixes set each other off", "look at these rules", f"Not now: {case.why}. {again}", to_do, ask_why
            )
        case HoldReason.NO_FIX:
            to_do = sentence(said(case.rule.resolution, RESOLUTION_TOLD)) or "Look at it, and repair it by hand."
            return _stands(case, "no fix", "look at it", "Nothing by itself", to_do)
        case None:
            return _stands(case, "just opened", "", "Whether a fix runs is decided now", _NOTHING_YET)


def _stands(case: _Case, outcome: str, need: str, following: str, to_do: str, to_type: str = "") -> Standing:
    return Standing(outcome, need, sentences(following, _ends(case)), to_do, to_type or case.show)


def _again(case: _Case) -> str:
    """What a hold with a time of its own comes to."""
    return f"The fix is looked at again at {case.due}, and runs then if nothing else holds it" if case.due else ""


def _asked(case: _Case) -> Standing:
    until = f" The request expires at {case.due}; then the fix is not run." if case.due else ""
    to_do = "See what the fix would do. Approve it, or turn it down (logmedic reject)."
    following = f"Nothing before you decide.{until}"
    return _stands(case, "the fix is ready", "approve or reject", following, to_do, command("approve", case.id))


def _paused(case: _Case) -> Standing:
    following = f"Fixes are paused. {_again(case)}" if case.due else f"Nothing by itself: {case.why}"
    if "paused by file " in case.incident.hold_detail:
        which = f"{following}. {case.why}" if case.due else following
        to_do = f"{case.by_hand} Or let fixes run again: remove that file."
        return _stands(case, "fixes are paused", "repair it or end the pause", which, to_do)
    to_do = f"{case.by_hand} Or let all fixes run again."
    return _stands(case, "fixes are paused", "repair it or end the pause", following, to_do, command("resume"))


def _observed(case: _Case) -> Standing:
    how = "(mode in the config)" if "daemon" in case.why else "(logmedic trust raise)"
    following = f"Nothing by itself: {case.why}, so the fix is not run"
    to_do = f"{case.by_hand} To let the fix run, raise the mode {how}."
    return _stands(case, "fix not run, only observed", _BY_HAND, following, to_do)


def _broken(case: _Case) -> Standing:
    following = f"The breaker of the fix is open: {case.why}. {_again(case)}"
    to_do = f"{case.by_hand} Once that is done, close the breaker (logmedic breakers reset)."
    return _stands(case, "breaker open, fix not run", _BY_HAND, following, to_do)
