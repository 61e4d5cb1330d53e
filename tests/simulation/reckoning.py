"""The oracle's own reckoning of fixes: what proves one, who let it run, what it has to wait for. It is folded from what
was stored and what the edges saw, in seconds of the loop, which nobody sets; the daemon's own rows of breakers and
approvals are not asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from urllib.parse import urlsplit

from logmedic.core.trust import level_of
from logmedic.model.changeset import Approve, Changeset, Input, ResetBreaker
from logmedic.model.circuit import BreakerStatus
from logmedic.model.fix import AttemptKind, AttemptStatus, FixAttempt, Verdict
from logmedic.model.issue import Incident, IncidentStatus
from logmedic.model.policy import Policy
from logmedic.model.rule import Fix, Mode, Rule
from logmedic.model.trust import Trust
from simulation.world import World

PROOF = {"service-down": "up", "queue-slow": "queue", "cache-stale": "cache"}
"""What the checks of each rule ask for."""
SLACK_S = 2.5
"""A clock that is set by less than two seconds changes what waits by as much."""
Key = tuple[str, str, str]


class Reckoning:
    """`check` as Oracle.check. `exact_waits`: nobody set the clock ahead while no daemon looked, which is like a long
    absence to the next one."""

    def __init__(self, world: World, check: Callable[[object, str, str], None]) -> None:
        self._world = world
        self._check = check
        self.exact_waits = True
        self._decided_s = 0.0
        self._life_began_s = 0.0
        self._set: list[tuple[float, timedelta]] = []
        """How far the clock was set, and when, that the daemon has not noticed."""
        self._approved: dict[str, float] = {}
        """Incidents whose next execution somebody let run, and when, in seconds of the loop."""
        self._resets: set[Key] = set()
        self._began_s: dict[str, float] = {}
        self._proved_s: dict[tuple[str, str], float] = {}
        """By what was asked and of which service: when a check that passed was asked."""
        self._ended_s: dict[tuple[str, str], float] = {}
        """By rule and group: when its last attempt ended."""
        self._failures: dict[Key, tuple[int, float]] = {}
        """By rule, fix and target: executions that failed in a row, and when the last one did."""
        self._unknown: dict[str, tuple[str, str]] = {}
        """Incidents with a step of which nobody knows what came of it, and what has to be asked first."""

    # -- from outside ----------------------------------------------------------------------------------------------

    def life_began(self) -> None:
        self._life_began_s = self._world.loop.time()

    @property
    def unnoticed(self) -> bool:
        """Whether the clock was set, and the daemon has not seen it."""
        return bool(self._set)

    def life_ended(self, attempts: Iterable[FixAttempt]) -> None:
        for each in attempts:
            if each.status is AttemptStatus.RUNNING and each.kind is AttemptKind.STEP:
                self._unknown[each.incident_id] = (PROOF[each.rule_id], each.target)
        self.exact_waits &= all(by <= timedelta() for _, by in self._set)
        self._set.clear()

    def clock_set(self, by: timedelta, *, seen: bool) -> None:
        """`seen`: a daemon runs, which can notice it."""
        if seen:
            self._set.append((self._world.loop.time(), by))
        else:
            self.exact_waits &= by <= timedelta()

    def ordered(self, given: Input) -> None:
        if isinstance(given, Approve):
            self._approved[given.incident_id] = self._world.loop.time()
        elif isinstance(given, ResetBreaker):
            self._resets.add(given.key)

    def began(self, attempt: FixAttempt) -> None:
        self._began_s[attempt.id] = self._world.loop.time()

    def asked(self, url: str) -> None:
        what, name = _asked_of(url)
        self._unknown = {key: each for key, each in self._unknown.items() if each != (what, name)}

    def proved(self, url: str, asked_s: float) -> None:
        """Answers come in any order: the newest question counts."""
        self._proved_s[_asked_of(url)] = max(asked_s, self._proved_s.get(_asked_of(url), asked_s))

    # -- what is to run --------------------------------------------------------------------------------------------

    def decided(self) -> None:
        self._decided_s = self._world.loop.time()

    def may_run(self, attempt: FixAttempt, rule: Rule | None, trust: Mapping[str, Trust], policy: Policy) -> None:
        name = f"attempt {attempt.id} of {attempt.rule_id}"
        unknown = attempt.incident_id in self._unknown
        self._check(not unknown, "I3", f"{name} is to run, and nobody asked what came of the step before a stop")
        if not attempt.first or rule is None or rule.fix is None:
            return
        if level_of(rule, trust.get(rule.id), policy).mode is Mode.APPROVE:
            approved = attempt.incident_id in self._approved
            self._check(approved, "I8", f"{name} is to run, and nobody approved it since its incident last ran one")
        if self.exact_waits:
            self._has_waited(attempt, rule.fix, name)

    def _has_waited(self, attempt: FixAttempt, fix: Fix, name: str) -> None:
        now, limits = self._decided_s + SLACK_S, fix.limits
        cooled = now - self._ended_s.get((attempt.rule_id, attempt.group_key), -1e9)
        within = f"{name} is to run {cooled:.1f} s after the one before, within its cooldown"
        self._check(cooled >= limits.cooldown.total_seconds(), "I6", within)
        failures, failed_s = self._failures.get((attempt.rule_id, attempt.fix, attempt.target), (0, 0.0))
        opened = failures < fix.breaker.failures or now - failed_s >= fix.breaker.open_for.total_seconds()
        self._check(opened, "I6", f"{name} is to run {now - failed_s:.1f} s after {failures} failures in a row")
        up = now - self._life_began_s
        self._check(up >= limits.min_uptime.total_seconds(), "I6", f"{name} is to run {up:.1f} s after the start")

    # -- what came of it -------------------------------------------------------------------------------------------

    def committed(self, changeset: Changeset, attempts: Mapping[str, FixAttempt], was: Mapping[str, Incident]) -> None:
        """`attempts`, `was`: what was stored before it."""
        if any(each.kind == "clock_set" for each in changeset.tallies):
            self._set = [(at, by) for at, by in self._set if at > self._decided_s]
        for attempt in changeset.attempts:
            self._take_attempt(attempt, attempts.get(attempt.id))
        for incident in changeset.incidents:
            before = was.get(incident.id)
            if incident.status is IncidentStatus.FAILED and (before is None or before.status is not incident.status):
                key = (incident.rule_id, incident.fix, incident.target)
                self._failures[key] = (self._failures.get(key, (0, 0.0))[0] + 1, self._decided_s)
            elif incident.status is IncidentStatus.RESOLVED:
                self._approved.pop(incident.id, None)
                self._unknown.pop(incident.id, None)
        for breaker in changeset.breakers:
            if breaker.key in self._resets and breaker.status is BreakerStatus.CLOSED and not breaker.failures:
                self._resets.discard(breaker.key)
                self._failures.pop(breaker.key, None)

    def _take_attempt(self, attempt: FixAttempt, before: FixAttempt | None) -> None:
        if before is None and attempt.first and self._approved.get(attempt.incident_id, 1e9) <= self._decided_s:
            self._approved.pop(attempt.incident_id)  # what was decided and is not stored used none up
        if attempt.finished_at is not None and (before is None or before.finished_at is None):
            ago_s = (self._world.clock.now() - attempt.finished_at).total_seconds()
            ended_s = min(self._decided_s, self._world.loop.time() - ago_s)
            key = (attempt.rule_id, attempt.group_key)
            self._ended_s[key] = max(ended_s, self._ended_s.get(key, -1e9))
        if attempt.verdict is Verdict.FIXED and (before is None or before.verdict is not Verdict.FIXED):
            self._failures.pop((attempt.rule_id, attempt.fix, attempt.target), None)
            proved_s = self._proved_s.get((PROOF[attempt.rule_id], attempt.target), -1.0)
            proved = proved_s >= self._began_s.get(attempt.id, 0.0)
            self._check(proved, "I3", f"attempt {attempt.id} counts as fixed, and no check passed since its step began")


def _asked_of(url: str) -> tuple[str, str]:
    what, _, name = urlsplit(url).path.strip("/").partition("/")
    return what, name
