"""What a decision may rely on besides the state: the rules in force and the operator's settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta, tzinfo

from logmedic.model.alert import AlertPlan
from logmedic.model.fix import Arming
from logmedic.model.match import IncidentStage
from logmedic.model.rule import Mode, Rule


@dataclass(frozen=True, slots=True)
class LearningPolicy:
    """`promote_after` and `escalate_after` count occurrences of one template; a further escalation comes at each ten
    times more. `max_templates` bounds the memory (I6). A learned issue is over after the silence `resolve_after`.
    `version_fields`: by source, the field of its records that names the version. `warn_route`: who is told, when an
    issue begins, of what tends to follow it; nobody when empty. `diagnose`: a language model is asked about new issues.
    """

    promote_after: int = 3
    escalate_after: int = 10
    production: bool = False
    max_templates: int = 20_000
    resolve_after: timedelta = timedelta(days=7)
    version_fields: Mapping[str, str] = field(default_factory=dict)
    warn_route: str = ""
    diagnose: bool = False


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """When people work on the host themselves. `days`: 0 (Monday) to 6, on which it begins; `start` and `end` on the
    clock of `zone`, `end` of the next day when it is not after `start`. `rules`: patterns (fnmatch) of their ids;
    `tags`: one of them; both empty: every rule. `silence`: nobody is told of those rules either."""

    name: str
    days: frozenset[int]
    start: time
    end: time
    zone: tzinfo
    rules: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    silence: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """`mode` is the ceiling for every rule. `max_age`: a match older than this starts no fix (stale). `resolve_after`:
    an incident that no fix resolves is over after this silence. `host_max_per_hour` and `host_max_per_ten_minutes`
    bound all fixes of the host. In a window of `maintenance` no fix starts.
    `started_at` is the daemon's start. Made with `with_rules`,
    `listeners` are the rules, with the name of the part, that are about incidents of a rule at a stage."""

    rules: Mapping[str, Rule] = field(default_factory=dict)
    listeners: Mapping[tuple[str, IncidentStage], tuple[tuple[Rule, str], ...]] = field(default_factory=dict)
    mode: Mode = Mode.OBSERVE
    arming: Arming = Arming(armed=False, sandbox="", reason="not tried yet")
    allow_unsandboxed: bool = False
    allow_root: bool = False
    started_at: datetime | None = None
    max_age: timedelta = timedelta(minutes=10)
    resolve_after: timedelta = timedelta(minutes=15)
    approval_expires: timedelta = timedelta(minutes=30)
    host_max_per_hour: int = 30
    host_max_per_ten_minutes: int = 10
    max_running: int = 2
    maintenance: tuple[MaintenanceWindow, ...] = ()
    learning: LearningPolicy = LearningPolicy()
    alerts: AlertPlan = AlertPlan()
    hostname: str = ""

    def with_rules(self, rules: Iterable[Rule], arming: Arming) -> Policy:
        """With those of `rules` that are enabled."""
        enabled = {rule.id: rule for rule in rules if rule.enabled}
        listeners: dict[tuple[str, IncidentStage], tuple[tuple[Rule, str], ...]] = {}
        for rule in enabled.values():
            for part, spec in rule.parts:
                for told in spec.incidents:
                    listeners[told, spec.on] = (*listeners.get((told, spec.on), ()), (rule, part))
        return replace(self, rules=enabled, listeners=listeners, arming=arming)
