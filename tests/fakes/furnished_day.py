"""A day of a host that something goes on on, as the store would have it: varied incidents, what was done, who was told.
Some of its lines are as hostile as logs can be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import count
from typing import Any

import builders as make
from logmedic.model.alert import Alert, AlertStatus
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Changeset
from logmedic.model.circuit import BreakerStatus
from logmedic.model.fix import AttemptStatus, Breaker, FixAttempt, Verdict
from logmedic.model.gap import SourceEvent, SourceEventKind
from logmedic.model.issue import (
    HoldReason,
    Incident,
    IncidentEvent,
    IncidentStatus,
    IssueSource,
    IssueStatus,
    KnownIssue,
    Learning,
    PatternType,
    Resolution,
    Tally,
    Template,
)
from logmedic.model.learned import Onset
from logmedic.model.match import MatchSpec
from logmedic.model.notice import Notice, Silence
from logmedic.model.policy import Policy
from logmedic.model.rule import Fix, Mode, Rule
from logmedic.model.sample import Expectation, RuleTest, SampleLine
from logmedic.model.severity import Severity
from logmedic.model.step import Command, Step, UnitJob, UnitVerb
from logmedic.model.trust import Earned, Trust, TrustChange, TrustChangeKind

HOSTILE = (
    "</pre><script>document.title='owned'</script><img src=x onerror=alert(1)> "
    "\u202egnp.exe\u202c \x1b[31mred\x1b[0m \x00nul"
)
"""A title, and a line, of somebody who is not our friend."""
LONG = "x" * 5000
NAMES = ("approval", "failed", "fixing", "settling", "breaker", "no_fix", "observe", "unknown", "hostile")
"""Of open incidents, by what is special about them."""


def _restart(unit: str, mode: Mode) -> Fix:
    step = Step(f"restart {unit.removesuffix('.service')}", UnitJob(UnitVerb.RESTART, unit))
    clean = Step("clear its queue", Command(("/usr/local/lib/logmedic/clear-queue", unit)))
    return replace(make.FIX, mode=mode, steps=(step, clean), graduate_after=5)


_TEST = RuleTest("one line opens it", (SampleLine("down"),), Expectation(fires=1), line=12)


def _rule(rule_id: str, title: str, severity: Severity, fix: Fix | None, **more: Any) -> Rule:
    file = f"/etc/logmedic/rules/{rule_id.partition('-')[0]}.yaml"
    return Rule(rule_id, title, MatchSpec(("down",)), severity, fix=fix, file=file, line=4, tests=(_TEST,), **more)


RULES = (
    _rule(
        "nginx-upstream-down",
        "nginx cannot reach its upstream",
        Severity.CRITICAL,
        _restart("app.service", Mode.APPROVE),
    ),
    _rule(
        "postgres-connections",
        "PostgreSQL has no connection left",
        Severity.CRITICAL,
        _restart("pgbouncer.service", Mode.AUTO),
    ),
    _rule(
        "redis-memory", "Redis refuses writes: its memory is full", Severity.HIGH, _restart("redis.service", Mode.AUTO)
    ),
    _rule("disk-nearly-full", "a filesystem is nearly full", Severity.HIGH, _restart("logrotate.service", Mode.AUTO)),
    _rule("worker-oom", "the kernel killed a worker", Severity.HIGH, _restart("worker.service", Mode.AUTO)),
    _rule("certificate-expires", "a certificate expires soon", Severity.MEDIUM, None),
    _rule("queue-stuck", "nothing leaves the queue", Severity.MEDIUM, _restart("celery.service", Mode.OBSERVE)),
    _rule("ssh-guessing", "somebody guesses passwords", Severity.LOW, None),
)
_BY_ID = {each.id: each for each in RULES}


@dataclass(frozen=True)
class Furnished:
    """What is stored of a day that ends at `now`. Ids are UUIDv7, in the order of time."""

    now: datetime

    def id_at(self, at: datetime, number: int) -> str:
        millis = f"{int(at.timestamp() * 1000):012x}"
        return f"{millis[:8]}-{millis[8:]}-7{number % 4096:03x}-8{number % 4096:03x}-{number:012x}"

    def ago(self, **span: float) -> datetime:
        return (self.now - timedelta(**span)).replace(microsecond=0)

    # -- incidents -----------------------------------------------------------------------------------------------------

    @cached_property
    def open(self) -> Mapping[str, Incident]:
        """By NAMES."""
        line = (
            "2026/11/26 03:12:41 [error] 611#611: *9 connect() failed (111: Connection refused) while connecting to "
            'upstream, client: 203.0.113.7, server: shop.example, request: "GET /cart HTTP/1.1", upstream: '
            '"http://10.0.0.12:8080/cart"'
        )
        ends = {"due_at": self.ago(minutes=-17), "hold_detail": "waits for approval", "escalated": True}
        return {
            "approval": self._made(
                "nginx-upstream-down",
                "nginx cannot reach upstream 10.0.0.12:8080",
                4,
                evidence=line,
                group_key="10.0.0.12:8080",
                captures={"client": "203.0.113.7", "vhost": "shop.example", "upstream": "10.0.0.12:8080"},
                source="nginx-error",
                occurrences=37,
                hold=HoldReason.AWAITING_APPROVAL,
                target="app.service",
                **ends,
            ),
            "failed": self._made(
                "postgres-connections",
                "PostgreSQL on db1 has no connection left",
                26,
                evidence="FATAL:  sorry, too many clients already\nFATAL:  remaining connection slots are reserved",
                captures={"database": "shop"},
                source="postgres",
                occurrences=412,
                status=IncidentStatus.FAILED,
                hold=HoldReason.COOLDOWN,
                hold_detail="for another 3 min",
                target="pgbouncer.service",
                escalated=True,
                acted=True,
                requests=("checkout-41", "8f3c2b1e4d5a46c7b8d9e0f1a2b3c4d5"),
            ),
            "fixing": self._made(
                "redis-memory",
                "Redis refuses writes: used_memory 4.00G of 4.00G",
                1,
                evidence="OOM command not allowed when used memory > 'maxmemory'.",
                captures={"used": "4.00G"},
                source="redis",
                occurrences=9,
                status=IncidentStatus.FIXING,
                target="redis.service",
                acted=True,
            ),
            "settling": self._made(
                "disk-nearly-full",
                "/var is 97 % full",
                7,
                evidence="df: /var 97% 1.2G left",
                captures={"mount": "/var"},
                source="health",
                occurrences=3,
                status=IncidentStatus.SETTLING,
                target="logrotate.service",
                acted=True,
            ),
            "breaker": self._made(
                "worker-oom",
                "the kernel killed worker 4711 (2.1 GiB)",
                51,
                evidence="Out of memory: Killed process 4711 (python3) total-vm:2202012kB",
                captures={"pid": "4711"},
                source="journal",
                occurrences=6,
                hold=HoldReason.BREAKER_OPEN,
                hold_detail="3 failures in a row on worker.service",
                target="worker.service",
                escalated=True,
            ),
            "no_fix": self._made(
                "certificate-expires",
                "the certificate of shop.example expires in 6 days",
                190,
                evidence="certificate of shop.example expires in 6 days",
                captures={"name": "shop.example"},
                source="health",
                hold=HoldReason.NO_FIX,
                hold_detail="its rule has no fix",
                escalated=True,
            ),
            "observe": self._made(
                "queue-stuck",
                "nothing leaves the queue `mail`, 1,204 wait",
                33,
                evidence="celery: queue mail has 1204 messages, consumed 0 in 5 min",
                captures={"queue": "mail"},
                source="celery",
                occurrences=2,
                hold=HoldReason.OBSERVE,
                hold_detail="the rule's mode is observe",
                target="celery.service",
            ),
            "unknown": self._made(
                "ssh-guessing",
                "somebody guesses passwords from 198.51.100.23",
                95,
                evidence="sshd[811]: Failed password for invalid user admin from 198.51.100.23 port 52110 ssh2",
                captures={"client": "198.51.100.23", "user": "admin"},
                source="auth",
                occurrences=1893,
                hold=HoldReason.NO_FIX,
                hold_detail="its rule has no fix",
            ),
            "hostile": self._made(
                "ssh-guessing",
                f"login of {HOSTILE}",
                140,
                evidence=f"sshd[812]: Failed password for {HOSTILE} from 198.51.100.99\n{LONG}",
                captures={"user": HOSTILE},
                source="auth",
                hold=HoldReason.NO_FIX,
                hold_detail="its rule has no fix",
            ),
        }

    def _made(self, rule_id: str, title: str, minutes: float, **more: Any) -> Incident:
        at = self.ago(minutes=minutes)
        number = int(minutes * 10) + 1
        given = {"occurrences": 1, "last_match_at": self.ago(seconds=min(minutes * 30, 50)), **more}
        return Incident(
            self.id_at(at, number),
            f"issue-{rule_id}",
            rule_id,
            given.pop("group_key", ""),
            title,
            _BY_ID[rule_id].severity,
            at,
            **given,
        )

    @cached_property
    def over(self) -> tuple[Incident, ...]:
        """Ended in the last days, the newest first."""
        told = (
            (
                "nginx-upstream-down",
                "nginx cannot reach upstream 10.0.0.12:8080",
                200,
                Resolution.FIXED,
                "all checks passed",
            ),
            (
                "redis-memory",
                "Redis refuses writes: used_memory 4.00G of 4.00G",
                320,
                Resolution.FIXED,
                "all checks passed",
            ),
            ("worker-oom", "the kernel killed worker 4102 (2.0 GiB)", 410, Resolution.QUIET, "silent for 30 min"),
            (
                "postgres-connections",
                "PostgreSQL on db1 has no connection left",
                640,
                Resolution.BY_HAND,
                "alice: raised max_connections",
            ),
            (
                "nginx-upstream-down",
                "nginx cannot reach upstream 10.0.0.13:8080",
                900,
                Resolution.FIXED,
                "all checks passed",
            ),
            ("disk-nearly-full", "/var is 95 % full", 1200, Resolution.FIXED, "all checks passed"),
            (
                "nginx-upstream-down",
                "nginx cannot reach upstream 10.0.0.12:8080",
                2900,
                Resolution.CLEARED,
                "a line said so",
            ),
        )
        return tuple(
            replace(
                self._made(rule_id, title, minutes, occurrences=5, source=rule_id.partition("-")[0], acted=True),
                status=IncidentStatus.RESOLVED,
                resolution=how,
                resolution_notes=notes,
                resolved_at=self.ago(minutes=minutes - 3),
                last_match_at=self.ago(minutes=minutes - 1),
                evidence="connect() failed (111: Connection refused)",
            )
            for rule_id, title, minutes, how, notes in told
        )

    # -- what was done -------------------------------------------------------------------------------------------------

    @cached_property
    def attempts(self) -> tuple[FixAttempt, ...]:
        return tuple(self._attempts())

    def _attempts(self) -> Iterator[FixAttempt]:
        failed, fixing, settling = (self.open[name] for name in ("failed", "fixing", "settling"))
        output = "Job for pgbouncer.service failed because the control process exited with error code.\n"
        yield self._tried(failed, 0, 25, Verdict.NOT_FIXED, exit_code=1, output=output * 12, duration_s=4.21)
        yield self._tried(failed, 1, 23, Verdict.NOT_FIXED, output="cleared 0 of 0", detail="the checks still fail")
        yield self._tried(
            fixing, 0, 0.3, None, status=AttemptStatus.RUNNING, finished_at=None, duration_s=None, exit_code=None
        )
        yield self._tried(settling, 0, 6, None, status=AttemptStatus.VERIFYING, output="freed 11.4 GiB\n")
        for each in self.over:
            if each.resolution is Resolution.FIXED:
                minutes = (self.now - each.opened_at).total_seconds() / 60 - 1
                yield self._tried(each, 0, minutes, Verdict.FIXED, output="active (running)\n")

    def _tried(self, of: Incident, step: int, minutes: float, verdict: Verdict | None, **more: Any) -> FixAttempt:
        fix = _BY_ID[of.rule_id].fix
        assert fix is not None
        at = self.ago(minutes=minutes)
        action = fix.steps[step].action
        argv = action.argv if isinstance(action, Command) else ("systemctl", "restart", of.target or "app.service")
        given = {
            "status": AttemptStatus.FINISHED,
            "finished_at": at + timedelta(seconds=2),
            "exit_code": 0,
            "duration_s": 1.84,
            "sandbox": "unit" if step == 0 else "bubblewrap",
            **more,
        }
        number = int(minutes * 10) + 5000 + step
        return FixAttempt(
            self.id_at(at, number),
            of.id,
            of.rule_id,
            of.group_key,
            of.target or "app.service",
            step,
            fix.steps[step].name,
            1,
            tuple(argv),
            at,
            verdict=verdict,
            first=step == 0,
            **given,
        )

    @cached_property
    def events(self) -> tuple[IncidentEvent, ...]:
        return tuple(self._events())

    def _events(self) -> Iterator[IncidentEvent]:
        numbers = count(9000)

        def told(of: Incident, after: float, kind: str, text: str) -> IncidentEvent:
            at = min(of.opened_at + timedelta(seconds=after), self.now)
            return IncidentEvent(self.id_at(at, next(numbers)), of.id, at, kind, text)

        for each in (*self.open.values(), *self.over):
            yield told(each, 0, "opened", f"{each.title} (5 matches in 60 s from {each.source})")
            if each.hold in (HoldReason.AWAITING_APPROVAL, HoldReason.OBSERVE):
                yield told(each, 0.1, "held", f"the fix is held ({each.hold.words}): {each.hold_detail}")
                yield told(each, 0.2, "would_run", f"restart {each.target}; then clear-queue {each.target}")
            elif each.hold is not None and each.status is IncidentStatus.OPEN:
                yield told(each, 0.1, "held", f"the fix is held ({each.hold.words}): {each.hold_detail}")
        failed, fixing, settling = (self.open[name] for name in ("failed", "fixing", "settling"))
        yield told(
            self.open["approval"], 0.05, "history", "it began 4 times in the last 7 days; a restart fixed it 3 times"
        )
        for after, kind, text in (
            (0.5, "request", "request checkout-41 of checkout (charge), reported by shop[4711]: OperationalError"),
            (1, "checked", "before the step: http://127.0.0.1:6432/healthz did not answer"),
            (60, "fix_started", "step 1, 'restart pgbouncer', try 1"),
            (64, "step_finished", "'restart pgbouncer': exit 1 in 4.21 s"),
            (94, "probed", "http://127.0.0.1:6432/healthz: connection refused for 30 s"),
            (180, "fix_started", "step 2, 'clear its queue', try 1"),
            (182, "step_finished", "'clear its queue': exit 0 in 1.84 s"),
            (212, "probed", "http://127.0.0.1:6432/healthz: connection refused for 30 s"),
            (213, "fix_failed", "no step held"),
            (215, "alerted", "fix failed told to oncall-chat"),
        ):
            yield told(failed, after, kind, text)
        yield told(fixing, 42, "fix_started", "step 1, 'restart redis', try 1")
        yield told(settling, 60, "fix_started", "step 1, 'restart logrotate', try 1")
        yield told(settling, 62, "step_finished", "'restart logrotate': exit 0 in 1.84 s")
        yield told(settling, 63, "probed", "/var has more than 10 % left")
        yield told(settling, 64, "settling", "the rule has to stay silent for 600 s")
        for each in self.over:
            if each.resolution is Resolution.FIXED:
                yield told(each, 60, "fix_started", "step 1, try 1")
                yield told(each, 62, "step_finished", "exit 0 in 1.84 s")
                yield told(each, 70, "probed", "all checks passed")
            yield told(each, 180, "resolved", each.resolution_notes)

    # -- who was told --------------------------------------------------------------------------------------------------

    @cached_property
    def alerts(self) -> tuple[Alert, ...]:
        def message(name: str, event: AlertEvent, receiver: str, number: int, **more: Any) -> Alert:
            of = self.open[name]
            at = of.opened_at + timedelta(seconds=5)
            given = {"status": AlertStatus.SENT, "sent_at": at + timedelta(seconds=1), "tries": 1, **more}
            return Alert(
                self.id_at(at, number),
                of.id,
                event,
                of.severity,
                "oncall",
                receiver,
                f"[{of.severity}] {of.title}",
                of.title,
                at,
                at,
                tells=(f"incident:{of.id}",),
                **given,
            )

        refused = {"status": AlertStatus.DEAD, "sent_at": None, "tries": 9, "last_error": "550 5.1.1 no such user"}
        waits = {"status": AlertStatus.PENDING, "sent_at": None, "tries": 2, "last_error": "429 Too Many Requests"}
        return (
            message("approval", AlertEvent.APPROVAL_NEEDED, "oncall-chat", 7001),
            message("approval", AlertEvent.APPROVAL_NEEDED, "oncall-mail", 7002, **refused),
            message("failed", AlertEvent.FIX_FAILED, "oncall-chat", 7003),
            message("breaker", AlertEvent.BREAKER_OPEN, "oncall-chat", 7004),
            message("no_fix", AlertEvent.OPENED, "oncall-chat", 7005, **waits),
        )

    @cached_property
    def notices(self) -> tuple[Notice, ...]:
        acked = {"acked_by": "bob", "acked_at": self.ago(minutes=20)}
        events = {
            "approval": AlertEvent.APPROVAL_NEEDED,
            "failed": AlertEvent.FIX_FAILED,
            "breaker": AlertEvent.BREAKER_OPEN,
            "no_fix": AlertEvent.OPENED,
        }
        return tuple(
            Notice(
                f"incident:{of.id}",
                event,
                of.severity,
                of.title,
                of.opened_at,
                of.opened_at,
                story="{}",
                told={"oncall-chat": 1},
                labels={"rule": of.rule_id},
                **(acked if name == "breaker" else {}),
            )
            for name, event in events.items()
            for of in (self.open[name],)
        )

    @cached_property
    def silences(self) -> tuple[Silence, ...]:
        at = self.ago(minutes=50)
        labels = {"rule": "certificate-*"}
        return (
            Silence(
                self.id_at(at, 8001),
                at,
                self.ago(hours=-4),
                "alice",
                "the new certificate is on its way",
                at,
                labels=labels,
            ),
        )

    # -- what is known -------------------------------------------------------------------------------------------------

    @cached_property
    def issues(self) -> tuple[KnownIssue, ...]:
        of_rules = (
            KnownIssue(
                f"issue-{each.id}",
                IssueSource.RULE,
                each.id,
                each.id,
                each.title,
                each.severity,
                self.ago(days=21),
                self.ago(minutes=number),
                occurrences=40 * number + 3,
                status=IssueStatus.ONGOING,
                episodes=number + 1,
            )
            for number, each in enumerate(RULES)
        )
        learned = (
            ("shop: payment provider answered <num> for order <id>", Severity.HIGH, IssueStatus.ESCALATING, 731, 0.93),
            ("imap: session of <user> ended without logout", Severity.LOW, IssueStatus.MUTED, 18, 0.41),
            (f"cron: {HOSTILE}", Severity.MEDIUM, IssueStatus.NEW, 4, 0.6),
        )
        return (
            *of_rules,
            *(
                KnownIssue(
                    self.id_at(self.ago(days=2), 300 + number),
                    IssueSource.LEARNED,
                    f"{number:016x}",
                    "error",
                    title,
                    severity,
                    self.ago(days=2),
                    self.ago(minutes=3 + number),
                    occurrences=seen,
                    status=status,
                    confidence=sure,
                    tags=(title.partition(":")[0],),
                    version="4.2.0",
                    onset_at=self.ago(hours=5),
                )
                for number, (title, severity, status, seen, sure) in enumerate(learned)
            ),
        )

    @property
    def learned(self) -> tuple[KnownIssue, ...]:
        return tuple(each for each in self.issues if each.source is IssueSource.LEARNED)

    @cached_property
    def templates(self) -> tuple[Template, ...]:
        line = "ERROR payment provider answered 502 for order 9f31c2"
        samples = (
            line,
            "ERROR payment provider answered 503 for order 77ab01",
            "ERROR payment provider answered 502 for order 0c11d9",
        )
        of_issue = Template(
            f"{0:016x}",
            "ERROR payment provider answered <num> for order <hex>",
            "shop",
            line,
            731,
            self.ago(days=2),
            self.ago(minutes=3),
            issue_id=self.learned[0].id,
            samples=samples,
            source="shop",
        )
        new = Template(
            "e" * 16,
            "ERROR cannot write <path>: no space left",
            "report",
            "ERROR cannot write /srv/r.csv: no space left",
            2,
            self.ago(hours=3),
            self.ago(hours=1),
            source="report",
        )
        return (of_issue, new)

    @cached_property
    def learnings(self) -> tuple[Learning, ...]:
        def lesson(kind: PatternType, minutes: float, text: str, sure: float, number: int) -> Learning:
            at = self.ago(minutes=minutes)
            return Learning(self.id_at(at, number), kind, text, sure, at, {"rule": "nginx-upstream-down"})

        return (
            *(
                lesson(PatternType.AUTO_FIX_SUCCESS, 197 + 300 * n, "a restart of app.service fixed it", 0.8, 400 + n)
                for n in range(4)
            ),
            lesson(PatternType.AUTO_FIX_FAILURE, 22, "restart and clear-queue did not help", 0.7, 410),
            lesson(PatternType.CIRCUIT_BREAKER_OPEN, 48, "3 failures in a row on worker.service", 1.0, 411),
            lesson(PatternType.ISSUE_ESCALATION, 21, "people were called", 1.0, 412),
        )

    @cached_property
    def breakers(self) -> tuple[Breaker, ...]:
        opened = {"status": BreakerStatus.OPEN, "failures": 3, "opens": 2, "streak": 1}
        return (
            Breaker(
                "worker-oom",
                "f1",
                "worker.service",
                opened_at=self.ago(minutes=48),
                open_until=self.ago(minutes=-12),
                **opened,
            ),
            Breaker("postgres-connections", "f2", "pgbouncer.service", failures=1, failed_at=self.ago(minutes=22)),
        )

    @cached_property
    def trust(self) -> tuple[Trust, ...]:
        return (
            Trust(
                "nginx-upstream-down",
                Mode.APPROVE,
                Mode.APPROVE,
                self.ago(days=9),
                wins=6,
                losses=1,
                streak=5,
                proposed=Mode.AUTO,
                recent=(True, False, True, True, True, True, True),
            ),
            Trust("redis-memory", Mode.AUTO, Mode.AUTO, self.ago(days=20), wins=14, streak=14, recent=(True,) * 10),
        )

    @cached_property
    def trust_changes(self) -> tuple[TrustChange, ...]:
        at = self.ago(hours=2)
        why = "5 verified successes in a row"
        return (
            TrustChange(
                self.id_at(at, 501),
                "nginx-upstream-down",
                at,
                TrustChangeKind.PROPOSED,
                Mode.APPROVE,
                Mode.AUTO,
                "logmedic",
                why,
            ),
        )

    @cached_property
    def tallies(self) -> tuple[Tally, ...]:
        """Of each quarter of an hour of the day."""
        made = []
        for slot in range(96):
            minute = self.ago(minutes=15 * slot).replace(second=0)
            busy = 1 + (slot * 7) % 11
            for kind, n in (
                ("lines", 9000 * busy),
                ("matched", 3 * busy),
                ("unknown", busy % 4),
                ("alerts_sent", busy % 2),
            ):
                made.append(Tally(minute, kind, n))
        return tuple(each for each in made if each.n)

    @cached_property
    def source_events(self) -> tuple[SourceEvent, ...]:
        at, later = self.ago(hours=6), self.ago(minutes=70)
        return (
            SourceEvent(
                self.id_at(at, 601), at, "nginx-error", "/var/log/nginx/error.log", SourceEventKind.TRUNCATED, 4096
            ),
            SourceEvent(self.id_at(later, 602), later, "billing", "", SourceEventKind.QUIET, 0, "silent for 1 h"),
        )

    @property
    def changeset(self) -> Changeset:
        return Changeset(
            issues=self.issues,
            incidents=(*self.open.values(), *self.over),
            events=tuple(sorted(self.events, key=lambda each: each.id)),
            attempts=self.attempts,
            alerts=self.alerts,
            notices=self.notices,
            silences=self.silences,
            learnings=self.learnings,
            templates=self.templates,
            onsets=tuple(Onset(self.learned[0].id, self.ago(hours=5 * n)) for n in range(1, 6)),
            breakers=self.breakers,
            trust=self.trust,
            trust_changes=self.trust_changes,
            earned=(Earned("nginx-upstream-down", "restart app", 6.2, 5.5, self.now),),
            tallies=self.tallies,
            source_events=self.source_events,
        )

    @property
    def policy(self) -> Policy:
        return make.policy(*RULES)
