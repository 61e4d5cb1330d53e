"""What must hold whatever happens: the invariants, asked after each commit, at each effect, after each step of a story.

It knows the daemon by its edges alone: what it made durable, started, and sent."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, time, timedelta
from fnmatch import fnmatch

from logmedic.core.trust import level_of
from logmedic.model.alert import UNDELIVERED, Alert, AlertStatus
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Changeset, Input, RunStep
from logmedic.model.circuit import BreakerStatus
from logmedic.model.fix import AttemptKind, AttemptStatus, Breaker, FixAttempt
from logmedic.model.issue import UNDER_WAY, Incident, IncidentStatus, Template
from logmedic.model.policy import MaintenanceWindow, Policy
from logmedic.model.rule import Mode
from logmedic.model.trust import Pause, PauseOrigin, Trust
from simulation.reckoning import Reckoning
from simulation.ruleset import KEPT, Said
from simulation.tidings import Tidings
from simulation.world import SERVICES, WIDTH, World

MAX_RUNNING, PER_TEN_MINUTES, PER_HOUR = 2, 6, 12
RULE_PER_HOUR = {"service-down": 6, "queue-slow": 3, "cache-stale": 6}
EVERY_DAY = frozenset(range(7))
WINDOWS = (
    MaintenanceWindow("patches", EVERY_DAY, time(0, 20), time(0, 35), UTC, silence=True),
    MaintenanceWindow("caches", EVERY_DAY, time(1, 0), time(1, 20), UTC, rules=("cache-*", "queue-*")),
)
MESSAGES_PER_HOUR = 20
MAX_TEMPLATES = 40
MAX_UNDELIVERED = 500
ACTS = frozenset({"restart", "reinstall", "renew", "undo", "drain", "flush", "rebuild"})
ASKED = ("guard", "up", "queue", "cache")
CAUSES = {"cache-stale": "disk-full"}
"""By rule: whose incidents are dealt with before its fix runs."""
HELD_UP_S = 10.0
"""What nothing is wrong with is read and stored by then, whatever happens beside it."""
AT_ONCE_S = 0.001
"""What was handed over in the very moment of a stop begins."""
GOES_ON_S = 300.0
"""The longest that a step, its checks or their silence take, with room."""
HOUR = timedelta(hours=1)
STORING = timedelta(minutes=3)
"""What lies between a decision, by which hours are counted, and its effect: slow commits."""
TEN_MINUTES = timedelta(minutes=10)


class Oracle:
    """`broken`: what did not hold, in order; empty as it should be. `exact_arrivals`: no message comes
    twice. `exact_errors`: nothing
    is lost and no rule goes, so that each error is counted somewhere. `exact_lags`: the store holds nobody up."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.broken: list[str] = []
        self.exact_arrivals = not (world.faults.send_unsure or world.faults.killed)
        self.exact_errors = not world.faults.lines_lost
        self.exact_lags = not (world.faults.commit_slow or world.faults.commit_full or world.faults.commit_unsure)
        self.policy: Callable[[], Policy | None] = lambda: None
        self.counts: Counter[str] = Counter()
        self.positions: dict[str, int] = {}
        self.attempts: dict[str, FixAttempt] = {}
        self.incidents: dict[str, Incident] = {}
        self.breakers: dict[tuple[str, str, str], Breaker] = {}
        self.pauses: dict[PauseOrigin, Pause] = {}
        self.trust: dict[str, Trust] = {}
        self.alerts: dict[str, Alert] = {}
        self.templates: dict[str, Template] = {}
        self.began: dict[str, int] = {}
        """Attempts whose step was started, with the life in which it was."""
        self.running: dict[str, FixAttempt] = {}
        self.arrivals: defaultdict[str, dict[str, float]] = defaultdict(dict)
        """By receiver: of each message that came, when it was handed over, in seconds of the loop (nobody sets it)."""
        self.stops_since: float | None = None
        """Since when the daemon is asked to stop, in seconds of the loop; None: it is not."""
        self.reckoning = Reckoning(world, self.check)
        self.tidings = Tidings(world, self.check)
        self.turned: Callable[[Incident], None] = lambda _: None
        """Hears of an incident that has come to another status."""
        self._handed: dict[str, float] = {}
        self._moved_s: dict[str, float] = {}
        """By incident: when it changed last, in seconds of the loop."""

    def check(self, holds: object, invariant: str, what: str) -> None:
        if not holds:
            self.broken.append(f"{invariant}: {what}")
            self._world.tell(f"BROKEN: {invariant}: {what}")

    # -- commits ---------------------------------------------------------------------------------------------------

    def decided(self, changeset: Changeset) -> None:
        """It is to be stored: what it begins is allowed by what is in force, and by what is stored, now."""
        self.reckoning.decided()
        for intent in changeset.intents:
            if isinstance(intent, RunStep):
                self._may_run(intent.attempt, changeset)

    def committed(self, changeset: Changeset) -> None:
        self.reckoning.committed(changeset, self.attempts, self.incidents)
        passed, before = dict(self.positions), dict(self.incidents)
        self._know(changeset)
        self.tidings.committed(changeset, passed, before, self.incidents)
        for each in changeset.incidents:
            self._tell_of(each, before.get(each.id))
            if each.id not in before or before[each.id].status is not each.status:
                self.turned(each)
        self._each_line_once()
        self._held_with_a_reason(changeset.incidents)
        self._bounded(changeset)

    def _tell_of(self, incident: Incident, before: Incident | None) -> None:
        if before is None:
            self._world.tell(f"opens {incident.rule_id or 'learned'}: {incident.id} {incident.title}")
        if incident.hold is not None and (before is None or before.hold is not incident.hold):
            self._world.happened[f"held {incident.hold.value}"] += 1

    def _know(self, changeset: Changeset) -> None:
        for each in changeset.tallies:
            self.counts[each.kind] += each.n
        self.positions.update((each.source, each.offset) for each in changeset.checkpoints)
        self.attempts.update((each.id, each) for each in changeset.attempts)
        self.incidents.update((each.id, each) for each in changeset.incidents)
        self._moved_s.update((each.id, self._world.loop.time()) for each in changeset.incidents)
        self.breakers.update((each.key, each) for each in changeset.breakers)
        self.pauses.update((each.origin, each) for each in changeset.pauses)
        self.trust.update((each.rule_id, each) for each in changeset.trust)
        self.alerts.update((each.id, each) for each in changeset.alerts)
        for fingerprint in changeset.forgotten_templates:
            self.templates.pop(fingerprint, None)
        self.templates.update((each.fingerprint, each) for each in changeset.templates)

    def _each_line_once(self) -> None:
        """Effects and positions are one transaction, so they agree in each of them."""
        reached = sum(self.positions.values())
        counted = self.counts["lines"] * WIDTH + self.counts["bytes_lost"]
        self.check(reached == counted, "I1", f"{reached} bytes are passed, and {counted} are counted or told as lost")
        errors = sum(log.errors_before(self.positions.get(log.name, 0)) for log in self._world.logs)
        known = self.counts["matched"] + self.counts["unknown"]
        if self.exact_errors:
            self.check(known == errors, "I1", f"of {errors} errors that are passed {known} are counted")
        else:
            self.check(known <= errors, "I1", f"{known} errors are counted, and there were {errors}")

    def _held_with_a_reason(self, incidents: Iterable[Incident]) -> None:
        for each in incidents:
            if each.status in (IncidentStatus.OPEN, IncidentStatus.FAILED):
                why = each.hold is not None and each.hold_detail
                self.check(why, "I5", f"incident {each.id} of {each.rule_id} waits, and nothing says why")

    def _bounded(self, changeset: Changeset) -> None:
        unknown = [each for each in self.templates.values() if not each.issue_id]
        self.check(len(unknown) <= MAX_TEMPLATES, "I6", f"{len(unknown)} templates, of {MAX_TEMPLATES} at most")
        if changeset.alerts:
            waiting = Counter(each.receiver for each in self.alerts.values() if each.status in UNDELIVERED)
            for receiver, n in waiting.items():
                self.check(n <= MAX_UNDELIVERED, "I6", f"{n} messages wait for {receiver}")

    # -- fixes -----------------------------------------------------------------------------------------------------

    def _may_run(self, attempt: FixAttempt, changeset: Changeset) -> None:
        policy, name = self.policy(), f"attempt {attempt.id} of {attempt.rule_id}"
        if policy is None:
            return
        rule = policy.rules.get(attempt.rule_id)
        begun_by = [changeset]
        if attempt.kind is AttemptKind.ROLLBACK:  # what was decided before a pause of the same decision stays (ADR 15)
            begun_by.append(Changeset())
        self.check(policy.arming.armed, "I8", f"{name} is to run, and fixes are disarmed")
        self.check(rule is not None and rule.fix is not None, "I8", f"{name} is to run, and no rule says so")
        if rule is not None:
            modes = [level_of(rule, self._trust(each).get(rule.id), policy).mode for each in begun_by]
            self.check(set(modes) != {Mode.OBSERVE}, "I8", f"{name} is to run, and is only to be observed")
        self.check(not all(map(self._is_paused, begun_by)), "I8", f"{name} is to run, and fixes are paused")
        key = (attempt.rule_id, attempt.fix, attempt.target)
        breaker = {**self.breakers, **{each.key: each for each in changeset.breakers}}.get(key)
        shut = breaker is not None and breaker.status is BreakerStatus.OPEN
        self.check(not shut, "I6", f"{name} is to run, and its breaker is open")
        self.reckoning.may_run(attempt, rule, self._trust(changeset), policy)
        if attempt.first:
            self._in_budget(attempt, changeset)
            self._at_its_time(attempt, changeset, name)

    def _trust(self, decided: Changeset) -> dict[str, Trust]:
        return {**self.trust, **{each.rule_id: each for each in decided.trust}}

    def _is_paused(self, decided: Changeset) -> bool:
        pauses, now = {**self.pauses, **{each.origin: each for each in decided.pauses}}, self._world.clock.now()
        return any(each.on and (each.until is None or now < each.until) for each in pauses.values())

    def _in_budget(self, attempt: FixAttempt, changeset: Changeset) -> None:
        known = {**self.attempts, **{each.id: each for each in changeset.attempts}}
        first = [each for each in known.values() if each.first]
        for span, most in ((TEN_MINUTES, PER_TEN_MINUTES), (HOUR, PER_HOUR)):
            n = sum(attempt.started_at - each.started_at < span for each in first)
            self.check(n <= most, "I6", f"{n} fixes began within {span}, and {most} may")
        mine = [each for each in first if each.rule_id == attempt.rule_id]
        n = sum(attempt.started_at - each.started_at < HOUR for each in mine)
        most = RULE_PER_HOUR[attempt.rule_id]
        self.check(n <= most, "I6", f"{n} fixes of {attempt.rule_id} began within an hour, and {most} may")

    def _at_its_time(self, attempt: FixAttempt, changeset: Changeset, name: str) -> None:
        """Not before what is its cause, where that was there first, and not while people work on the host."""
        over = {each.id for each in changeset.incidents if each.status is IncidentStatus.RESOLVED}
        over |= {each.id for each in self.incidents.values() if each.status is IncidentStatus.RESOLVED}
        cause = CAUSES.get(attempt.rule_id)
        causes = [key for key, each in self.incidents.items() if each.rule_id == cause and key not in over]
        self.check(not causes, "I8", f"{name} is to run, and {causes} of {cause} are fixed first")
        now = self._world.clock.now().time()
        for window in WINDOWS:
            about = not window.rules or any(fnmatch(attempt.rule_id, each) for each in window.rules)
            within = about and window.start <= now < window.end
            self.check(not within, "I8", f"{name} is to run at {now}, in the window {window.name}")

    def step_began(self, attempt: FixAttempt, argv: Sequence[str]) -> None:
        self._world.tell(f"step begins: {attempt.id} {' '.join(argv[1:])}")
        stored = self.attempts.get(attempt.id)
        durable = stored is not None and stored.status is AttemptStatus.RUNNING
        self.check(durable, "I3", f"the step of attempt {attempt.id} begins, and nothing durable says so")
        stops = self._world.loop.time() - self.stops_since if self.stops_since is not None else 0.0
        self.check(stops < AT_ONCE_S, "I3", f"the step of attempt {attempt.id} begins {stops:.2f} s into a stop")
        before = self.began.get(attempt.id)
        self.check(before is None, "I3", f"the step of attempt {attempt.id} begins again; first in life {before}")
        self.began[attempt.id] = self._world.life
        self.reckoning.began(attempt)
        self.tidings.ran(attempt)
        same = [each.id for each in self.running.values() if each.target == attempt.target]
        self.check(not same, "I6", f"the step of attempt {attempt.id} begins beside {same}, on {attempt.target}")
        self.running[attempt.id] = attempt
        self.check(len(self.running) <= MAX_RUNNING, "I6", f"{len(self.running)} steps run at once")
        typed = len(argv) == 3 and argv[1] in ACTS and argv[2] in SERVICES
        self.check(typed, "I7", f"a step is run as {list(argv)}")

    def step_ended(self, attempt: FixAttempt) -> None:
        self.running.pop(attempt.id, None)
        self.tidings.ran(attempt)

    def address_asked(self, url: str) -> None:
        typed = any(url == f"http://127.0.0.1:8000/{what}/{name}" for what in ASKED for name in SERVICES)
        self.check(typed, "I7", f"a probe asks {url!r}")

    # -- messages --------------------------------------------------------------------------------------------------

    def handed_over(self, alert: Alert) -> None:
        self._handed[alert.id] = self._world.loop.time()
        stored = self.alerts.get(alert.id)
        durable = stored is not None and stored.status is AlertStatus.SENDING
        self.check(durable, "I1", f"message {alert.id} is sent, and is not stored as being sent")
        for text in (alert.title, alert.body):
            odd = [each for each in text if unicodedata.category(each) in ("Cc", "Cf", "Cs") and each != "\n"]
            self.check(not odd, "I7", f"message {alert.id} has {odd} in it")

    def arrived(self, alert: Alert) -> None:
        self._world.tell(f"message arrives: {alert.id} at {alert.receiver}: {alert.title}")
        self.tidings.arrived(alert)
        if alert.event is AlertEvent.TEST:
            return
        now, came = self._handed[alert.id], self.arrivals[alert.receiver]
        came.setdefault(alert.id, now)
        recent = sum(now - at < (HOUR - STORING).total_seconds() for at in came.values())
        if self.exact_arrivals:
            self.check(recent <= MESSAGES_PER_HOUR, "I6", f"{alert.receiver} got {recent} messages within an hour")

    def known_to_have_arrived(self, alert: Alert) -> None:
        """Its sender says so."""

    # -- people, and the daemon's own log --------------------------------------------------------------------------

    def ordered(self, given: Input) -> None:
        self.reckoning.ordered(given)

    def rules_said(self, said: Said, *, at_start: bool = False) -> None:
        """From now on the daemon may load them."""
        if said is Said.FEWER:
            self.exact_errors = False
            self.tidings.exact &= KEPT
        elif said is Said.BROKEN and at_start:
            self.tidings.exact.clear()  # none were in force that could stay so

    def said(self, event: str, about: str) -> None:
        """A line of the daemon's log."""
        self.check(event != "input_given_up", "I2", f"the engine gave up an input: {about}")

    # -- steps of a story ------------------------------------------------------------------------------------------

    def look(self, *, reading_for_s: float) -> None:
        """After a step; the daemon has read without a break for so long."""
        now = self._world.loop.time()
        for log in self._world.logs if self.exact_lags else ():
            at = self.positions.get(log.name, 0) // WIDTH
            if log.may_fail or at >= len(log.written_s):
                continue
            waits = min(now - log.written_s[at], reading_for_s)
            self.check(
                waits <= HELD_UP_S,
                "I2",
                f"{log.name} has not been read for {waits:.0f} s, and nothing is wrong with it",
            )

        self.tidings.look(reading_for_s)
        for each in self.incidents.values() if self.exact_lags else ():
            stands = min(now - self._moved_s[each.id], reading_for_s) if each.status in UNDER_WAY else 0.0
            self.check(stands <= GOES_ON_S, "I2", f"incident {each.id} is {each.status} for {stands:.0f} s by now")

    def life_ended(self, life: int) -> None:
        """What it ran died with it."""
        self.stops_since = None
        self.running.clear()
        if self.reckoning.unnoticed:
            self.tidings.exact.clear()  # as for a clock that is set while no daemon runs
        self.reckoning.life_ended(self.attempts.values())

    def at_rest(self) -> None:
        """Everything is well again, and was for hours."""
        for log in self._world.logs:
            left = log.size - self.positions.get(log.name, 0)
            self.check(left == 0, "I1", f"{left} bytes of {log.name} were never read")
        for each in self.incidents.values():
            over = each.status is IncidentStatus.RESOLVED
            self.check(
                over, "I2", f"incident {each.id} of {each.rule_id} is {each.status} for ever: {each.hold_detail}"
            )
        unfinished = [each.id for each in self.attempts.values() if each.status is not AttemptStatus.FINISHED]
        self.check(not unfinished, "I3", f"attempts {unfinished} have no end")
        waiting = [each.id for each in self.alerts.values() if each.status in UNDELIVERED]
        self.check(not waiting, "I5", f"messages {waiting} never arrived, and nobody gave them up")
        self.tidings.at_rest(self.alerts.values())
