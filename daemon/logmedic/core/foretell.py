"""What would come of one more match: the daemon's own decision on its own state, and nothing of it is kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import count

from logmedic.core.alerting.flush import Stages
from logmedic.core.decide import decide_in
from logmedic.core.draft import Draft
from logmedic.core.durations import duration_text
from logmedic.core.targets import argv_of, filled_action
from logmedic.core.windows import LEARNING_SPANS, stages
from logmedic.model.alert import Route
from logmedic.model.changeset import Changeset, Observed, RunChecks, RunStep
from logmedic.model.issue import HoldReason, Incident, IncidentStatus, Window
from logmedic.model.notice import Notice
from logmedic.model.policy import Policy
from logmedic.model.record import Findings, Match
from logmedic.model.rule import Rule
from logmedic.model.state import EngineState
from logmedic.model.when import Absence, Distinct, Rate, Sequence, Threshold

_TO_NOBODY = {"alerts_without_receiver": "no route takes it", "alerts_muted": "its issue is muted"}


class Outcome(StrEnum):
    """COUNTED: the trigger is not reached. OPENS: an incident. AGAIN: it is part of an open one. SUPPRESSED: another
    rule's incident keeps it from being one. ENDS: an open incident is over with it. NOTHING: it changes nothing."""

    COUNTED = "counted"
    OPENS = "opens"
    AGAIN = "again"
    SUPPRESSED = "suppressed"
    ENDS = "ends"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Forecast:
    """`progress`: how far the trigger is with this match. `hold`: why its fix would not run. `runs`: the name of the
    step that would, and its argv; `checked`: its checks are asked before. `told`: the receivers that would hear of it
    by `routes`, each at its time; `untold`: why nobody would, although there is news for people. `others`: ids of
    further rules that would have an incident because of it. `incident`: the id of the one that is open already;
    `cause`: the rule whose incident suppresses this one."""

    outcome: Outcome
    progress: str = ""
    hold: HoldReason | None = None
    hold_detail: str = ""
    runs: tuple[tuple[str, tuple[str, ...]], ...] = ()
    told: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    untold: str = ""
    others: tuple[str, ...] = ()
    incident: str = ""
    cause: str = ""
    checked: bool = False


def foretell(state: EngineState, policy: Policy, match: Match, now: datetime) -> Forecast:
    """`state` is only read. The rule of `match` is in `policy`."""
    rule = policy.rules[match.rule_id]
    numbers = count(1)
    draft = Draft(state, policy, now, lambda: f"new-{next(numbers)}")
    decide_in(draft, Observed(match.record.source, match.record.origin, Findings((match,), lines=1), None))
    changeset = draft.changeset()
    tallies = {each.kind: each.n for each in changeset.tallies}
    mine = [each for each in changeset.incidents if each.rule_id == rule.id]
    incident = mine[-1] if mine else None
    open_before = state.open_of_rule.get(rule.id, {}).get(match.group, "")
    told, routes, held = _telling(draft, changeset.notices)
    untold = "" if told else held or next((why for kind, why in _TO_NOBODY.items() if tallies.get(kind)), "")
    outcome = _outcome(incident, open_before, tallies)
    return Forecast(
        outcome,
        _progress(rule, changeset, match, outcome),
        incident.hold if incident is not None else None,
        incident.hold_detail if incident is not None else "",
        tuple(_runs(changeset, incident, rule)),
        told,
        routes,
        untold,
        tuple(dict.fromkeys(each.rule_id for each in changeset.incidents if each.rule_id != rule.id)),
        open_before,
        next((each for each in rule.when.unless_incident if each in state.open_of_rule), ""),
        incident is not None and incident.status is IncidentStatus.CHECKING,
    )


def _runs(changeset: Changeset, incident: Incident | None, rule: Rule) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The step that would be run, also when something is checked before."""
    for each in changeset.intents:
        match each:
            case RunStep(attempt):
                yield attempt.step_name, attempt.argv
            case RunChecks(of) if _is_checked(of, incident) and incident is not None and rule.fix is not None:
                step = rule.fix.steps[incident.step]
                yield step.name, argv_of(filled_action(step.action, incident.captures))
            case _:
                continue


def _telling(draft: Draft, news: Iterable[Notice]) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """Receivers, routes, and what keeps people from being told. An end is told to whoever was told before."""
    told: dict[str, None] = {}
    routes: dict[str, None] = {}
    held, stages = "", Stages(draft)
    for each in news:
        known = draft.state.notices.get(each.subject)
        if each.over:
            told.update(dict.fromkeys(each.told))
        elif known is None or known.version < each.version:
            passed, _ = stages.pass_(each)
            held = held or passed.suppressed
            ways = [] if passed.suppressed else list(_routes(draft, each))
            routes.update((route.name, None) for route in ways)
            told.update((name, None) for route in ways for name in route.to)
    return tuple(told), tuple(routes), held


def _routes(draft: Draft, notice: Notice) -> Iterator[Route]:
    known = draft.policy.alerts.routes
    for group in (draft.group(key) for key in notice.groups):
        if group is not None and group.route in known:
            yield known[group.route]


def _is_checked(incident_id: str, incident: Incident | None) -> bool:
    """Whether these are checks before a step of that incident."""
    return incident is not None and incident.id == incident_id and incident.status is IncidentStatus.CHECKING


def _outcome(incident: Incident | None, open_before: str, tallies: Mapping[str, int]) -> Outcome:
    if tallies.get("suppressed"):
        return Outcome.SUPPRESSED
    if incident is None:
        return Outcome.COUNTED if tallies.get("matched") else Outcome.NOTHING
    if incident.status is IncidentStatus.RESOLVED and incident.id == open_before:
        return Outcome.ENDS
    return Outcome.AGAIN if incident.id == open_before else Outcome.OPENS


def _progress(rule: Rule, changeset: Changeset, match: Match, outcome: Outcome) -> str:
    key = rule.id, match.group
    window = next((each for each in changeset.windows if (each.rule_id, each.group_key) == key), None)
    if outcome in (Outcome.OPENS, Outcome.SUPPRESSED) and not isinstance(rule.when.trigger, Rate):
        return f"reached: {wanted(rule)}"
    return progress(rule, window) if window is not None else f"wants {wanted(rule)}"


def progress(rule: Rule, window: Window) -> str:
    """How far the rule's trigger is in `window`."""
    match rule.when.trigger:
        case Threshold(number) | Distinct(_, number):
            return f"{len(window.times)} of {number}; wants {wanted(rule)}"
        case Sequence() as trigger:
            seen = [mark.partition("#")[0] for mark in window.marks]
            parts = (f"{part or 'match'} {seen.count(part)} of {n}" for part, n in stages(trigger).items())
            return f"{', '.join(parts)}; wants {wanted(rule)}"
        case Absence():
            until = f"waits until {window.due_at:%H:%M:%S} UTC" if window.due_at is not None else "waits for nothing"
            return f"{until}; wants {wanted(rule)}"
        case Rate():
            usual = f"usually {window.usual:.1f}" if window.learned >= LEARNING_SPANS else "the usual is being learned"
            return f"{sum(window.counts)} now, {usual}; wants {wanted(rule)}"


def wanted(rule: Rule) -> str:
    """What the trigger takes."""
    trigger = rule.when.trigger
    within = duration_text(trigger.within)
    match trigger:
        case Threshold(1):
            return "one match"
        case Threshold(number):
            return f"{number} matches within {within}"
        case Distinct(of, number):
            return f"{number} different values of `{of}` within {within}"
        case Sequence(then):
            return f"the match and then {len(then)} more, all within {within}"
        case Absence(of=None):
            return f"no next match within {within}"
        case Absence():
            return f"no answer within {within}"
        case Rate(times, at_least):
            return f"at least {at_least} within {within}, and more than {times:g} times the usual"


def sentences(forecast: Forecast, rule: Rule) -> list[str]:
    """The forecast for people, the outcome first."""
    match forecast.outcome:
        case Outcome.COUNTED:
            said = "it is counted; no incident yet"
        case Outcome.OPENS:
            said = "it opens an incident"
        case Outcome.AGAIN:
            said = f"it is part of the open incident {forecast.incident[-8:]}"
        case Outcome.SUPPRESSED:
            said = f"it opens none: {forecast.cause or 'another rule'} has an open incident"
        case Outcome.ENDS:
            said = f"it ends the open incident {forecast.incident[-8:]}"
        case Outcome.NOTHING:
            said = "nothing comes of it"
    return [said, *_fix_words(forecast, rule), *_further_words(forecast)]


def _fix_words(forecast: Forecast, rule: Rule) -> list[str]:
    if forecast.runs:
        runs = "runs, if its checks let it" if forecast.checked else "runs"
        return [f"step {name!r} {runs}: {' '.join(argv)}" for name, argv in forecast.runs]
    if forecast.hold is HoldReason.NO_FIX or (rule.fix is None and forecast.outcome is Outcome.OPENS):
        return ["the rule has no fix"]
    if forecast.hold is not None and forecast.outcome is not Outcome.ENDS:
        return [f"its fix is held ({forecast.hold.words}): {forecast.hold_detail}"]
    return []


def _further_words(forecast: Forecast) -> list[str]:
    by = f", by route {' and '.join(forecast.routes)}" if forecast.routes else ""
    told = [f"told: {', '.join(forecast.told)}{by}"] if forecast.told else []
    told += [f"nobody is told: {forecast.untold}"] if forecast.untold else []
    others = [f"it brings about: {', '.join(forecast.others)}"] if forecast.others else []
    return [*told, *others]
