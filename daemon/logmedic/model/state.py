"""The engine's state: a fold over what is stored. The engine task alone writes it, through `apply`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from typing import TypeVar

from logmedic.model.alert import UNDELIVERED, Alert, AlertStatus, ReceiverState
from logmedic.model.changeset import Changeset
from logmedic.model.diagnosis import Diagnosis
from logmedic.model.fix import AttemptStatus, Breaker, FixAttempt
from logmedic.model.gap import SourceEventKind
from logmedic.model.grove import Grove
from logmedic.model.issue import UNDER_WAY, Incident, IncidentStatus, KnownIssue, Template, Window, reporter_of
from logmedic.model.learned import Release
from logmedic.model.notice import AlertGroup, Notice, Silence
from logmedic.model.precursor import Precursor
from logmedic.model.record import Checkpoint
from logmedic.model.trust import Earned, Pause, PauseOrigin, Trust

T = TypeVar("T")

ATTEMPT_MEMORY = timedelta(hours=24)
"""How long finished attempts are kept in the state, for cooldowns and hourly limits. No cooldown may be longer."""


RELEASES_KEPT = 200
"""Versions of one source (I6)."""
DEAD_KEPT = 500
"""Dead letters that can be sent again (I6): the newest. The store lists older ones too."""


@dataclass(slots=True)
class EngineState:
    """Issues by fingerprint; open incidents by id, and their ids by rule id and group; windows by (rule_id, group_key),
    and their groups by rule id; breakers by their keys; attempts (unfinished, or of the last 24 h) by id; templates by
    fingerprint, those that were not written for longest first; undelivered alerts by id; checkpoints by source and
    origin; sources that are quiet, with the time when that was noticed; the keys of windows that wait for a time;
    incidents whose fix is under way, by id;
    versions by source, the first seen first; ordinary lines by source and slot; the last diagnosis by issue id;
    trust by rule id; what was earned by rule id and step; pauses by who made them; notices by subject, and the subjects
    of those that others are told instead of; groups of them, and the subjects in each, by key; silences that are not
    over by id; receivers by name."""

    issues: dict[str, KnownIssue] = field(default_factory=dict)
    incidents: dict[str, Incident] = field(default_factory=dict)
    open_of_rule: dict[str, dict[str, str]] = field(default_factory=dict)
    windows: dict[tuple[str, str], Window] = field(default_factory=dict)
    groups_of_rule: dict[str, dict[str, None]] = field(default_factory=dict)
    breakers: dict[tuple[str, str, str], Breaker] = field(default_factory=dict)
    attempts: dict[str, FixAttempt] = field(default_factory=dict)
    templates: dict[str, Template] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    checkpoints: dict[tuple[str, str], Checkpoint] = field(default_factory=dict)
    quiet_sources: dict[str, datetime] = field(default_factory=dict)
    waits: set[tuple[str, str]] = field(default_factory=set)
    under_way: dict[str, Incident] = field(default_factory=dict)
    fingerprints: dict[str, str] = field(default_factory=dict)
    """Of known issues, by id."""
    reporters: Counter[str] = field(default_factory=Counter)
    """How many known issues each user made by reports alone."""
    releases: dict[str, dict[str, Release]] = field(default_factory=dict)
    ordinary: dict[str, dict[int, str]] = field(default_factory=dict)
    precursors: tuple[Precursor, ...] = ()
    diagnoses: dict[str, Diagnosis] = field(default_factory=dict)
    trust: dict[str, Trust] = field(default_factory=dict)
    earned: dict[tuple[str, str], Earned] = field(default_factory=dict)
    pauses: dict[PauseOrigin, Pause] = field(default_factory=dict)
    notices: dict[str, Notice] = field(default_factory=dict)
    groups: dict[str, AlertGroup] = field(default_factory=dict)
    members: dict[str, dict[str, None]] = field(default_factory=dict)
    inhibited: dict[str, None] = field(default_factory=dict)
    silences: dict[str, Silence] = field(default_factory=dict)
    receivers: dict[str, ReceiverState] = field(default_factory=dict)
    dead: dict[str, Alert] = field(default_factory=dict)
    """Alerts that were given up, by id: the last DEAD_KEPT."""
    heard_since: datetime | None = field(default=None, compare=False)
    """When the engine went on after it had stood still; not stored. What was written meanwhile may still be unread."""
    set_ahead: tuple[tuple[datetime, timedelta], ...] = field(default=(), compare=False)
    """What the clock said whenever it was set ahead, the oldest first, and how far behind of today's clock it was; not
    stored. Lines of that clock may still be unread."""
    set_since_start: timedelta = field(default=timedelta(), compare=False)
    """How far the clock was set since the daemon's start: Policy.started_at is what it said then. Not stored."""
    stopping: bool = field(default=False, compare=False)
    """The daemon stops: no step is begun any more; not stored."""
    grove: Grove = field(default_factory=Grove, compare=False)
    """Of `templates`."""
    templates_of: Counter[str] = field(default_factory=Counter)
    """How many of `templates` each source brought."""

    def apply(self, changeset: Changeset) -> None:
        """Take over what was committed."""
        for issue in changeset.issues:
            if issue.fingerprint not in self.issues and (reporter := reporter_of(issue.fingerprint)):
                self.reporters[reporter] += 1
            self.issues[issue.fingerprint] = issue
            self.fingerprints[issue.id] = issue.fingerprint
        for incident in changeset.incidents:
            self._apply_incident(incident)
        for window in changeset.windows:
            self._apply_window(window)
        for key in changeset.forgotten_windows:
            self._forget_window(key)
        self.breakers.update((breaker.key, breaker) for breaker in changeset.breakers)
        self.attempts.update((attempt.id, attempt) for attempt in changeset.attempts)
        self._apply_templates(changeset)
        for alert in changeset.alerts:
            self._apply_alert(alert)
        for checkpoint in changeset.checkpoints:
            self._apply_checkpoint(checkpoint)
        for event in changeset.source_events:
            if event.kind is SourceEventKind.QUIET:
                self.quiet_sources[event.source] = event.at
            elif event.kind is SourceEventKind.SPEAKING:
                self.quiet_sources.pop(event.source, None)

        for release in sorted(changeset.releases, key=attrgetter("first_seen")):
            self._apply_release(release)
        for diagnosis in changeset.diagnoses:
            self.diagnoses[diagnosis.issue_id] = diagnosis
        self.trust.update((each.rule_id, each) for each in changeset.trust)
        self.earned.update(((each.rule_id, each.step), each) for each in changeset.earned)
        self.pauses.update((each.origin, each) for each in changeset.pauses)
        for notice in changeset.notices:
            self._apply_notice(notice)
        for group in changeset.groups:
            if group.done:
                self.groups.pop(group.key, None)
            else:
                self.groups[group.key] = group
        self.silences.update((each.id, each) for each in changeset.silences)
        self.receivers.update((each.name, each) for each in changeset.receivers)
        for line in changeset.ordinary:
            self.ordinary.setdefault(line.source, {})[line.slot] = line.text
        if changeset.precursors is not None:
            self.precursors = changeset.precursors

    def _apply_release(self, release: Release) -> None:
        known = self.releases.setdefault(release.source, {})
        known[release.version] = release
        if len(known) > RELEASES_KEPT:
            del known[min(known.values(), key=lambda each: each.since or each.first_seen).version]

    def _apply_templates(self, changeset: Changeset) -> None:
        for fingerprint in changeset.forgotten_templates:
            self._drop_template(fingerprint)
            self.grove.drop(fingerprint)
        for template in changeset.templates:
            self._drop_template(template.fingerprint)
            self.templates[template.fingerprint] = template
            self.templates_of[template.source] += 1
            self.grove.put(template)

    def _drop_template(self, fingerprint: str) -> None:
        known = self.templates.pop(fingerprint, None)
        if known is not None:
            self.templates_of[known.source] -= 1

    def _apply_checkpoint(self, checkpoint: Checkpoint) -> None:
        if checkpoint.is_over:
            self.checkpoints.pop(checkpoint.key, None)
        else:
            self.checkpoints[checkpoint.key] = checkpoint

    def checkpoints_of(self, source: str) -> dict[str, Checkpoint]:
        """By origin."""
        return {each.origin: each for each in self.checkpoints.values() if each.source == source}

    def _apply_window(self, window: Window) -> None:
        key = (window.rule_id, window.group_key)
        if key not in self.windows:
            self.groups_of_rule.setdefault(window.rule_id, {})[window.group_key] = None
        self.windows[key] = window
        (self.waits.add if window.due_at is not None else self.waits.discard)(key)

    def _forget_window(self, key: tuple[str, str]) -> None:
        self.windows.pop(key, None)
        self.waits.discard(key)
        _drop(self.groups_of_rule, *key)

    def _apply_incident(self, incident: Incident) -> None:
        if incident.status in UNDER_WAY:
            self.under_way[incident.id] = incident
        else:
            self.under_way.pop(incident.id, None)
        if incident.status is IncidentStatus.RESOLVED:
            self.incidents.pop(incident.id, None)
            _drop(self.open_of_rule, incident.rule_id, incident.group_key)
            return
        if incident.id not in self.incidents:
            self.open_of_rule.setdefault(incident.rule_id, {})[incident.group_key] = incident.id
        self.incidents[incident.id] = incident

    def _apply_notice(self, notice: Notice) -> None:
        known = self.notices.pop(notice.subject, None)
        for key in known.groups if known is not None else ():
            _drop(self.members, key, notice.subject)
        self.inhibited.pop(notice.subject, None)
        if notice.done:
            return
        self.notices[notice.subject] = notice
        for key in notice.groups:
            self.members.setdefault(key, {})[notice.subject] = None
        if notice.suppressed_by:
            self.inhibited[notice.subject] = None

    def _apply_alert(self, alert: Alert) -> None:
        self.dead.pop(alert.id, None)
        if alert.status in UNDELIVERED:
            self.alerts[alert.id] = alert
            return
        self.alerts.pop(alert.id, None)
        if alert.status is AlertStatus.DEAD:
            self.dead[alert.id] = alert
            if len(self.dead) > DEAD_KEPT:
                del self.dead[next(iter(self.dead))]

    def forget_old(self, now: datetime) -> None:
        """Drop finished attempts that no limit can ask for any more, silences that are over, and breakers that have
        been well for long: each target has one (I6). How fast they grow, the budgets of fixes bound. Attempts of a time
        that is more than that ahead are of a clock that was wrong: they would use budgets up until then (F33)."""
        for key in [key for key, each in self.breakers.items() if each.is_forgotten(now)]:
            del self.breakers[key]
        for silence_id in [each.id for each in self.silences.values() if each.until <= now]:
            del self.silences[silence_id]
        old = [
            attempt.id
            for attempt in self.attempts.values()
            if attempt.status is AttemptStatus.FINISHED and abs(now - attempt.started_at) > ATTEMPT_MEMORY
        ]
        for attempt_id in old:
            del self.attempts[attempt_id]


def _drop(groups: dict[str, dict[str, T]], rule_id: str, group: str) -> None:
    """Rules without any group are left out: rules come and go."""
    of_rule = groups.get(rule_id, {})
    of_rule.pop(group, None)
    if not of_rule:
        groups.pop(rule_id, None)
