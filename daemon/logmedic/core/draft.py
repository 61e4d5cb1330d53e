"""What one decision changes so far: reads through to the state, writes to itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from itertools import chain
from operator import itemgetter

from logmedic.core.attempts import Attempts
from logmedic.core.draftofnews import DraftOfNews
from logmedic.model.changeset import Changeset, Intent, RunStep
from logmedic.model.diagnosis import Diagnosis
from logmedic.model.fix import AttemptKind, Breaker, FixAttempt
from logmedic.model.gap import SourceEvent, SourceEventKind
from logmedic.model.grove import Grove
from logmedic.model.issue import (
    UNDER_WAY,
    Incident,
    IncidentEvent,
    IncidentStatus,
    KnownIssue,
    Learning,
    PatternType,
    Tally,
    Template,
    Window,
    reporter_of,
)
from logmedic.model.learned import Onset, OrdinaryLine, Release
from logmedic.model.match import IncidentStage
from logmedic.model.policy import Policy
from logmedic.model.precursor import Precursor
from logmedic.model.record import Checkpoint
from logmedic.model.report import Placed
from logmedic.model.state import EngineState
from logmedic.model.trust import Earned, Pause, PauseOrigin, Trust, TrustChange, TrustChangeKind

Mint = Callable[[], str]
"""Gives a new, globally unique, sortable id."""


class Draft(DraftOfNews):
    """Owned by one call of `decide`. The state is never written; `changeset` closes the draft."""

    def __init__(self, state: EngineState, policy: Policy, now: datetime, mint: Mint) -> None:
        super().__init__(state, now)
        self.policy = policy
        self.mint = mint
        self._issues: dict[str, KnownIssue] = {}
        self._fingerprints: dict[str, str] = {}
        self._reporters: Counter[str] = Counter()
        """Of those, by id."""
        self._incidents: dict[str, Incident] = {}
        self._under_way: dict[str, Incident] = {}
        """Those whose fix is, or was."""
        self._open: dict[str, dict[str, str | None]] = {}
        """By rule id and group, as below: None is for what is over, or forgotten."""
        self._opened: Counter[str] = Counter()
        """By rule id: how many more are open than in the state."""
        self._windows: dict[str, dict[str, Window | None]] = {}
        self._attempts: dict[str, FixAttempt] = {}
        self._breakers: dict[tuple[str, str, str], Breaker] = {}
        self._trust: dict[str, Trust] = {}
        self._trust_changes: list[TrustChange] = []
        self._trust_told = 0
        self._earned: dict[tuple[str, str], Earned] = {}
        self._pauses: dict[PauseOrigin, Pause] = {}
        self._templates: dict[str, Template] = {}
        self._forgotten_templates: dict[str, None] = {}
        self._templates_more: Counter[str] = Counter()
        """By source: how many more it brought than in the state."""
        self.templates_full: set[str] = set()
        """Sources of whose templates none can be forgotten any more, "" for all of them: to look for one again costs a
        walk over all."""
        self._releases: dict[tuple[str, str], Release] = {}
        self._onsets: list[Onset] = []
        self._ordinary: dict[tuple[str, int], OrdinaryLine] = {}
        self._precursors: tuple[Precursor, ...] | None = None
        self._diagnoses: list[Diagnosis] = []
        self._events: list[IncidentEvent] = []
        self._source_events: list[SourceEvent] = []
        self._learnings: dict[str, Learning] = {}
        self._tallies: Counter[str] = Counter()
        self._checkpoints: dict[tuple[str, str], Checkpoint] = {}
        self._intents: list[Intent] = []
        self._placed: list[Placed] = []
        self._announced: list[tuple[Incident, IncidentStage]] = []

    def issue(self, fingerprint: str) -> KnownIssue | None:
        return self._issues.get(fingerprint) or self.state.issues.get(fingerprint)

    def issue_of_id(self, issue_id: str) -> KnownIssue | None:
        fingerprint = self._fingerprints.get(issue_id) or self.state.fingerprints.get(issue_id, "")
        return self.issue(fingerprint)

    def issues(self) -> list[KnownIssue]:
        return list({**self.state.issues, **self._issues}.values())

    def reported_by(self, user: str) -> tuple[int, int]:
        """How many known issues that user, and how many all users, made by reports alone."""
        known = self.state.reporters
        return known[user] + self._reporters[user], known.total() + self._reporters.total()

    def put_issue(self, issue: KnownIssue) -> None:
        reporter = reporter_of(issue.fingerprint)
        if reporter and self.issue(issue.fingerprint) is None:
            self._reporters[reporter] += 1
        self._issues[issue.fingerprint] = issue
        self._fingerprints[issue.id] = issue.fingerprint

    def incident(self, incident_id: str) -> Incident | None:
        """An open incident, or one that this decision resolved."""
        return self._incidents.get(incident_id) or self.state.incidents.get(incident_id)

    def open_incident(self, rule_id: str, group: str) -> Incident | None:
        ours = self._open.get(rule_id, {})
        incident_id = ours[group] if group in ours else self.state.open_of_rule.get(rule_id, {}).get(group)
        return self.incident(incident_id) if incident_id else None

    def open_incidents(self) -> list[Incident]:
        merged = {**self.state.incidents, **self._incidents}
        return [each for each in merged.values() if each.status is not IncidentStatus.RESOLVED]

    def under_way(self) -> list[Incident]:
        """Those with an execution of their fix that is not over."""
        merged = {**self.state.under_way, **self._under_way}
        return [each for each in merged.values() if each.status in UNDER_WAY]

    def put_incident(self, incident: Incident) -> None:
        known = self.incident(incident.id)
        was_open = known is not None and known.status is not IncidentStatus.RESOLVED
        is_open = incident.status is not IncidentStatus.RESOLVED
        self._incidents[incident.id] = incident
        if incident.status in UNDER_WAY or incident.id in self.state.under_way or incident.id in self._under_way:
            self._under_way[incident.id] = incident
        if is_open is not was_open:
            self._opened[incident.rule_id] += 1 if is_open else -1
            self._open.setdefault(incident.rule_id, {})[incident.group_key] = incident.id if is_open else None

    def open_count(self, rule_id: str) -> int:
        """How many groups of the rule have an open incident."""
        return len(self.state.open_of_rule.get(rule_id, ())) + self._opened[rule_id]

    def has_incident(self, rule_id: str) -> bool:
        """Whether any group of the rule has an open one."""
        return self.open_count(rule_id) > 0

    def open_groups(self, rule_id: str) -> list[str]:
        """Those with an open incident."""
        merged = {**self.state.open_of_rule.get(rule_id, {}), **self._open.get(rule_id, {})}
        return [group for group, incident_id in merged.items() if incident_id is not None]

    def announce(self, incident: Incident, stage: IncidentStage) -> None:
        """For rules that are about incidents; taken by `announced`."""
        if (incident.rule_id, stage) in self.policy.listeners:
            self._announced.append((incident, stage))

    def announced(self) -> list[tuple[Incident, IncidentStage]]:
        """What was announced since the last call."""
        taken, self._announced = self._announced, []
        return taken

    def event(self, incident_id: str, kind: str, text: str) -> None:
        """An entry of the incident's timeline."""
        self._events.append(IncidentEvent(self.mint(), incident_id, self.now, kind, text))

    def source_event(
        self, source: str, kind: SourceEventKind, detail: str, *, origin: str = "", lost_bytes: int = 0
    ) -> None:
        self._source_events.append(SourceEvent(self.mint(), self.now, source, origin, kind, lost_bytes, detail))

    def quiet_since(self, source: str) -> datetime | None:
        """When its silence was noticed; None: it speaks."""
        for each in reversed(self._source_events):
            if each.source == source and each.kind in (SourceEventKind.QUIET, SourceEventKind.SPEAKING):
                return each.at if each.kind is SourceEventKind.QUIET else None
        return self.state.quiet_sources.get(source)

    def window(self, rule_id: str, group: str) -> Window | None:
        of_rule = self._windows.get(rule_id, {})
        return of_rule[group] if group in of_rule else self.state.windows.get((rule_id, group))

    def groups_of(self, rule_id: str) -> list[str]:
        """The groups that the rule remembers something of, or has an open incident of."""
        merged = {**dict.fromkeys(self.state.groups_of_rule.get(rule_id, ()), True), **self._windows.get(rule_id, {})}
        remembered = (group for group, window in merged.items() if window is not None)
        return list(dict.fromkeys((*remembered, *self.open_groups(rule_id))))

    def waiting(self, until: datetime | None = None) -> list[Window]:
        """Windows with a `due_at`, of those that are due by `until` if it is given; the earliest first."""
        ours = {(rule, group): each for rule, of_rule in self._windows.items() for group, each in of_rule.items()}
        merged = {**{key: self.state.windows[key] for key in self.state.waits}, **ours}
        due = [
            (each.due_at, key, each)
            for key, each in merged.items()
            if each is not None and each.due_at is not None and (until is None or each.due_at <= until)
        ]
        return [each for _, _, each in sorted(due, key=itemgetter(0, 1))]

    def put_window(self, window: Window) -> None:
        self._windows.setdefault(window.rule_id, {})[window.group_key] = window

    def forget_window(self, rule_id: str, group: str) -> None:
        self._windows.setdefault(rule_id, {})[group] = None

    def attempt(self, attempt_id: str) -> FixAttempt | None:
        return self._attempts.get(attempt_id) or self.state.attempts.get(attempt_id)

    @cached_property
    def attempts(self) -> Attempts:
        """Those of the state, as this decision leaves them so far."""
        return Attempts({**self.state.attempts, **self._attempts}.values(), self.now)

    def put_attempt(self, attempt: FixAttempt) -> None:
        self._attempts[attempt.id] = attempt
        self.attempts.put(attempt)

    def breaker(self, key: tuple[str, str, str]) -> Breaker:
        """Of a rule's fix on a target, see Breaker.key."""
        return self._breakers.get(key) or self.state.breakers.get(key) or Breaker(*key)

    def breakers_of(self, rule_id: str) -> list[Breaker]:
        merged = {**self.state.breakers, **self._breakers}
        return [each for each in merged.values() if each.rule_id == rule_id]

    def put_breaker(self, breaker: Breaker) -> None:
        if breaker != self.breaker(breaker.key):
            self._breakers[breaker.key] = breaker

    def trust(self, rule_id: str) -> Trust | None:
        """None: as the rule's file says."""
        return self._trust.get(rule_id) or self.state.trust.get(rule_id)

    def put_trust(self, trust: Trust) -> None:
        self._trust[trust.rule_id] = trust

    def trust_moved(self) -> set[str]:
        """Ids of the rules whose level this decision changed."""
        moved = (TrustChangeKind.RAISED, TrustChangeKind.LOWERED, TrustChangeKind.FILE)
        return {each.rule_id for each in self._trust_changes if each.kind in moved}

    def trust_lowered(self) -> set[str]:
        """Ids of the rules that this decision, as it stands, lets go less far."""
        last = {each.rule_id: each for each in self._trust_changes}
        return {rule_id for rule_id, each in last.items() if each.after.rank < each.before.rank}

    def trust_news(self) -> list[TrustChange]:
        """What was recorded since the last call."""
        fresh, self._trust_told = self._trust_changes[self._trust_told :], len(self._trust_changes)
        return fresh

    def record_trust(self, change: TrustChange) -> None:
        self._trust_changes.append(change)

    def earned(self, rule_id: str, step: str = "", action: str = "") -> Earned:
        """Of a step with that fingerprint; without `step`: the baseline."""
        key = rule_id, step
        known = self._earned.get(key) or self.state.earned.get(key)
        fresh = Earned(rule_id, step, 0.0, 0.0, self.now, action)
        return known if known is not None and known.action == action else fresh

    def put_earned(self, earned: Earned) -> None:
        self._earned[earned.rule_id, earned.step] = earned

    def pauses(self) -> list[Pause]:
        """Those that are on now."""
        merged = {**self.state.pauses, **self._pauses}
        return [each for each in merged.values() if each.on and (each.until is None or self.now < each.until)]

    def pause(self, origin: PauseOrigin) -> Pause | None:
        """The last of that origin, on or not."""
        return self._pauses.get(origin) or self.state.pauses.get(origin)

    def put_pause(self, pause: Pause) -> None:
        self._pauses[pause.origin] = pause

    @cached_property
    def grove(self) -> Grove:
        """Of all templates, as this decision leaves them so far."""
        return self.state.grove.over()

    def template(self, fingerprint: str) -> Template | None:
        if fingerprint in self._forgotten_templates:
            return None
        return self._templates.get(fingerprint) or self.state.templates.get(fingerprint)

    def put_template(self, template: Template) -> None:
        if (known := self.template(template.fingerprint)) is not None:
            self._templates_more[known.source] -= 1
        self._templates_more[template.source] += 1
        self._forgotten_templates.pop(template.fingerprint, None)
        self._templates[template.fingerprint] = template
        self.grove.put(template)

    def all_templates(self) -> Iterator[Template]:
        return chain(self.stored_templates(), self._templates.values())

    def stored_templates(self) -> Iterator[Template]:
        """Those of the state that this decision did not write, not written for longest first."""
        written = self._templates.keys() | self._forgotten_templates.keys()
        return (each for fingerprint, each in self.state.templates.items() if fingerprint not in written)

    def template_count(self) -> int:
        return len(self.state.templates) + self._templates_more.total()

    def templates_of(self, source: str) -> int:
        """How many that source brought."""
        return self.state.templates_of[source] + self._templates_more[source]

    def forget_template(self, fingerprint: str) -> None:
        if (known := self.template(fingerprint)) is not None:
            self._templates_more[known.source] -= 1
        self._templates.pop(fingerprint, None)
        self._forgotten_templates[fingerprint] = None
        self.grove.drop(fingerprint)

    def releases(self, source: str) -> list[Release]:
        """Those of `source`, the first seen first."""
        ours = {version: each for (of, version), each in self._releases.items() if of == source}
        return list({**self.state.releases.get(source, {}), **ours}.values())

    def put_release(self, release: Release) -> None:
        self._releases[release.source, release.version] = release

    def begin(self, issue_id: str, at: datetime) -> None:
        """An episode of the issue."""
        self._onsets.append(Onset(issue_id, at))

    def ordinary(self, source: str) -> Mapping[int, str]:
        """Ordinary lines of `source` that are kept, by their places."""
        ours = {slot: each.text for (of, slot), each in self._ordinary.items() if of == source}
        return {**self.state.ordinary.get(source, {}), **ours}

    def keep_ordinary(self, line: OrdinaryLine) -> None:
        self._ordinary[line.source, line.slot] = line

    def diagnosis(self, issue_id: str) -> Diagnosis | None:
        """The last one."""
        ours = [each for each in self._diagnoses if each.issue_id == issue_id]
        return ours[-1] if ours else self.state.diagnoses.get(issue_id)

    def put_diagnosis(self, diagnosis: Diagnosis) -> None:
        self._diagnoses.append(diagnosis)

    @property
    def precursors(self) -> tuple[Precursor, ...]:
        return self.state.precursors if self._precursors is None else self._precursors

    def put_precursors(self, precursors: tuple[Precursor, ...]) -> None:
        self._precursors = precursors

    def learn(self, kind: PatternType, lesson: str, confidence: float, **context: str) -> str:
        """Record a learning, and answer its id. `confidence` is cut to [0, 1]."""
        bounded = max(0.0, min(1.0, confidence))
        learning = Learning(self.mint(), kind, lesson, bounded, self.now, context)
        self.put_learning(learning)
        return learning.id

    def put_learning(self, learning: Learning) -> None:
        self._learnings[learning.id] = learning

    def tally(self, kind: str, n: int = 1) -> None:
        self._tallies[kind] += n

    def reached(self, checkpoint: Checkpoint) -> None:
        self._checkpoints[checkpoint.key] = checkpoint

    def intend(self, intent: Intent) -> None:
        self._intents.append(intent)

    def take_back_steps(self, which: Callable[[FixAttempt], bool]) -> list[FixAttempt]:
        """Those of the steps that this decision was to begin, in order: they are not intended any more. What undoes a
        step stays."""
        back: list[FixAttempt] = []
        kept: list[Intent] = []
        for each in self._intents:
            match each:
                case RunStep(attempt) if attempt.kind is AttemptKind.STEP and which(attempt):
                    back.append(attempt)
                case _:
                    kept.append(each)
        self._intents = kept
        return back

    def place(self, placed: Placed) -> None:
        self._placed.append(placed)

    def changeset(self) -> Changeset:
        minute = self.now.astimezone(UTC).replace(second=0, microsecond=0)
        windows = [(rule, group, each) for rule, of_rule in self._windows.items() for group, each in of_rule.items()]
        return Changeset(
            issues=tuple(self._issues.values()),
            incidents=tuple(self._incidents.values()),
            events=tuple(self._events),
            learnings=tuple(self._learnings.values()),
            templates=tuple(self._templates.values()),
            windows=tuple(each for _, _, each in windows if each is not None),
            forgotten_windows=tuple((rule, group) for rule, group, each in windows if each is None),
            attempts=tuple(self._attempts.values()),
            breakers=tuple(self._breakers.values()),
            alerts=tuple(self._alerts.values()),
            tallies=tuple(Tally(minute, kind, n) for kind, n in self._tallies.items() if n),
            checkpoints=tuple(self._checkpoints.values()),
            source_events=tuple(self._source_events),
            onsets=tuple(self._onsets),
            releases=tuple(self._releases.values()),
            ordinary=tuple(self._ordinary.values()),
            diagnoses=tuple(self._diagnoses),
            forgotten_templates=tuple(self._forgotten_templates),
            trust=tuple(self._trust.values()),
            trust_changes=tuple(self._trust_changes),
            earned=tuple(self._earned.values()),
            pauses=tuple(self._pauses.values()),
            notices=tuple(self._notices.values()),
            groups=tuple(self._groups.values()),
            silences=tuple(self._silences.values()),
            receivers=tuple(self._receivers.values()),
            precursors=self._precursors,
            placed=tuple(self._placed),
            intents=tuple(self._intents),
        )
