"""What rules would have done to the lines of the past: matches put in order, replayed through the daemon's own
decisions, and summed up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from operator import itemgetter
from typing import NamedTuple

from logmedic.core.alerting.inhibition import INCIDENT
from logmedic.core.rehearsal import Rehearsal
from logmedic.model.alert import Alert, Route
from logmedic.model.changeset import Changeset, RunStep, Send
from logmedic.model.fix import Arming
from logmedic.model.issue import HoldReason, Incident, IncidentStatus, Resolution
from logmedic.model.policy import Policy
from logmedic.model.record import Match, Record
from logmedic.model.rule import Mode, Rule
from logmedic.model.when import MATCH

TEXT_KEPT = 200
"""Characters of a record."""
MAX_LISTED = 1000
"""Incidents of one rule that are remembered one by one, the first ones; all of them are counted."""
NOBODY = "nobody"
"""The receiver of messages whose route the config does not have."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Kept(NamedTuple):
    """A match while it waits for its turn, of plain values. `at_us`: microseconds since the epoch; `log`, `rule`:
    their places in the lists that are replayed; `start`: where in the log the record begins."""

    at_us: int
    log: int
    start: int
    rule: int
    part: str
    group: str
    captures: dict[str, str]
    text: str


in_time = itemgetter(0, 1, 2)
"""The key by which matches are put in order. Those of one record stay as they were found."""


def kept(match: Match, log: int, rule: int) -> Kept:
    record = match.record
    at_us = (record.at - EPOCH) // _MICROSECOND
    text = record.text[:TEXT_KEPT]
    return Kept(at_us, log, record.start, rule, match.part, match.group, dict(match.captures), text)


@dataclass(frozen=True, slots=True)
class Log:
    """A file of the past, as far as it was read. `bytes` unpacked. `first`, `last`: the times in its first and last
    lines, None when they have none. `problem`: why it was not read, or not to its end."""

    path: str
    source: str
    bytes: int = 0
    lines: int = 0
    first: datetime | None = None
    last: datetime | None = None
    problem: str = ""


@dataclass(slots=True)
class Fired:
    """One incident that there would have been. `alerts`: messages by the event they tell of."""

    opened_at: datetime
    title: str
    evidence: str
    matches: int = 0
    ended_at: datetime | None = None
    resolution: Resolution = Resolution.NONE
    failed: bool = False
    held: list[HoldReason] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    alerts: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Story:
    """What one rule would have done. `ended`: incidents by how they ended; `failed`: those whose fix did not hold.
    `fixes`: executions, of `steps` by name; `held`: incidents by each reason that held their fix back. `fired_on`,
    `matched_on`: by day."""

    rule: Rule
    matches: int = 0
    fires: int = 0
    first: datetime | None = None
    last: datetime | None = None
    ended: Counter[Resolution] = field(default_factory=Counter)
    failed: int = 0
    fixes: int = 0
    steps: Counter[str] = field(default_factory=Counter)
    held: Counter[HoldReason] = field(default_factory=Counter)
    alerts: Counter[str] = field(default_factory=Counter)
    breaker_opens: int = 0
    fired_on: Counter[date] = field(default_factory=Counter)
    matched_on: Counter[date] = field(default_factory=Counter)
    incidents: list[Fired] = field(default_factory=list)

    @property
    def still_open(self) -> int:
        return self.fires - self.ended.total()

    @property
    def worst(self) -> tuple[date, int] | None:
        """The day on which it fired most often, the first of several."""
        return min(self.fired_on.items(), key=lambda each: (-each[1], each[0]), default=None)


@dataclass(slots=True)
class Replay:
    """Stories of `rules` out of changesets, by rule id. Days are those of `zone`."""

    rules: Sequence[Rule]
    zone: tzinfo = UTC
    stories: dict[str, Story] = field(default_factory=dict)
    suppressed: int = 0
    _open: dict[str, Fired] = field(default_factory=dict)
    _listed: dict[str, Fired] = field(default_factory=dict)
    _rule_of: dict[str, str] = field(default_factory=dict)
    """Of each incident: the message about its end comes after it."""

    def __post_init__(self) -> None:
        self.stories = {rule.id: Story(rule) for rule in self.rules}

    def matched(self, match: Match) -> None:
        if match.part == MATCH:
            story = self.stories[match.rule_id]
            story.matches += 1
            story.matched_on[self._day(match.record.at)] += 1

    def take(self, changeset: Changeset, now: datetime) -> None:
        """As Rehearsal.seen."""
        opened = {event.incident_id for event in changeset.events if event.kind == "opened"}
        for incident in changeset.incidents:
            if incident.id in opened:
                self._fired(incident, now)
            self._follow(incident)
        for intent in changeset.intents:
            match intent:
                case RunStep():
                    self._step(intent)
                case Send(alert):
                    self.message(alert)
        for incident in changeset.incidents:
            if incident.status is IncidentStatus.RESOLVED and (fired := self._open.pop(incident.id, None)):
                fired.ended_at, fired.resolution = now, incident.resolution
                self.stories[incident.rule_id].ended[incident.resolution] += 1
        for breaker in changeset.breakers:
            self.stories[breaker.rule_id].breaker_opens = breaker.opens
        self.suppressed += sum(tally.n for tally in changeset.tallies if tally.kind == "suppressed")

    def _fired(self, incident: Incident, now: datetime) -> None:
        story = self.stories[incident.rule_id]
        story.fires += 1
        story.first = story.first or now
        story.last = now
        story.fired_on[self._day(now)] += 1
        fired = self._open[incident.id] = Fired(now, incident.title, incident.evidence[:TEXT_KEPT])
        self._rule_of[incident.id] = incident.rule_id
        if len(story.incidents) < MAX_LISTED:
            story.incidents.append(fired)
            self._listed[incident.id] = fired

    def _follow(self, incident: Incident) -> None:
        """What holds its fix back, and whether it held."""
        fired, story = self._open.get(incident.id), self.stories[incident.rule_id]
        if fired is None:
            return
        fired.matches = incident.occurrences
        if incident.hold not in (None, HoldReason.NO_FIX, *fired.held):
            assert incident.hold is not None  # noqa: S101 - for mypy
            fired.held.append(incident.hold)
            story.held[incident.hold] += 1
        if incident.status is IncidentStatus.FAILED and not fired.failed:
            fired.failed = True
            story.failed += 1

    def _step(self, run: RunStep) -> None:
        story, attempt = self.stories[run.attempt.rule_id], run.attempt
        story.fixes += attempt.step == 0 and attempt.try_no == 1
        story.steps[attempt.step_name] += 1
        if (fired := self._open.get(attempt.incident_id)) is not None:
            fired.steps.append(attempt.step_name)

    def message(self, alert: Alert) -> None:
        """One message may tell of many incidents, and of several rules: it counts once for each of those."""
        told = [each.removeprefix(INCIDENT) for each in alert.tells if each.startswith(INCIDENT)]
        for rule_id in {self._rule_of[incident_id] for incident_id in told if incident_id in self._rule_of}:
            self.stories[rule_id].alerts[alert.event.value] += 1
        for incident_id in told:
            if (fired := self._listed.get(incident_id)) is not None:
                fired.alerts[alert.event.value] += 1

    def _day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()


def replay(matches: Iterable[Kept], logs: Sequence[Log], policy: Policy, seen: Replay, until: datetime | None) -> None:
    """Feed `matches`, in time's order, to the rules of `policy`, of which `seen` has each; `until`: when the logs
    end, where the clock is left."""
    rules, rehearsal = seen.rules, None
    for each in matches:
        at = EPOCH + each.at_us * _MICROSECOND
        rehearsal = rehearsal or Rehearsal(policy, at, seen.take)
        match = _match_of(each, logs[each.log], rules[each.rule], at)
        seen.matched(match)
        rehearsal.match(match, max(at, rehearsal.now))
    if rehearsal is None:
        return
    if until is not None:
        rehearsal.wait(until)
    for alert in rehearsal.end():
        seen.message(alert)


def _match_of(each: Kept, log: Log, rule: Rule, at: datetime) -> Match:
    record = Record(log.source, log.path, each.text, each.start, each.start, at)
    return Match(rule.id, record, each.captures, each.group, each.part)


def replayed(policy: Policy, rules: Sequence[Rule], mode: Mode) -> Policy:
    """The daemon's policy as it would have been long after a start, with `rules`, the ceiling `mode`, and a sandbox
    and a service manager that work. Routes that nobody configured lead to NOBODY: their messages count all the same."""
    wanted = {route for rule in rules for route in rule.alert.routes}
    default = policy.alerts.default_route or NOBODY
    missing = {name: Route(name, (NOBODY,)) for name in (*wanted, default) if name not in policy.alerts.routes}
    plan = replace(policy.alerts, routes={**policy.alerts.routes, **missing}, default_route=default)
    changed = replace(policy, mode=mode, started_at=None, alerts=plan)
    return changed.with_rules(rules, Arming(True, "rehearsed", units=True))


def with_causes(chosen: Sequence[Rule], configured: Mapping[str, Rule]) -> list[Rule]:
    """`chosen`, and behind them the rules whose incidents they are about, or that keep them or their fixes back."""
    rules = {rule.id: rule for rule in chosen}
    waiting = list(chosen)
    while waiting:
        rule = waiting.pop()
        heard = (each for _, spec in rule.parts for each in spec.incidents)
        waits_for = rule.fix.after if rule.fix is not None else ()
        for rule_id in (*heard, *rule.when.unless_incident, *waits_for):
            if rule_id not in rules and rule_id in configured:
                rules[rule_id] = configured[rule_id]
                waiting.append(configured[rule_id])
    return list(rules.values())


def span_of(logs: Iterable[Log], since: datetime | None, until: datetime | None) -> tuple[datetime, datetime] | None:
    """From the first to the last time in `logs`, as far as it was asked for; None when none of them has a time."""
    times = [at for log in logs for at in (log.first, log.last) if at is not None]
    if not times:
        return None
    begin, end = min(times), max(times)
    return max(begin, since or begin), min(end, until or end)


def days_of(span: tuple[datetime, datetime] | None, zone: tzinfo) -> list[date]:
    """Every day that the span touches."""
    if span is None or span[1] < span[0]:
        return []
    first, last = (at.astimezone(zone).date() for at in span)
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
