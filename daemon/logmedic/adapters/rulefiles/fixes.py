"""The `fix` of a rule: its ladder, how it is proved, and what holds it back."""

from __future__ import annotations

from datetime import timedelta

from logmedic.adapters.rulefiles.commands import SECOND
from logmedic.adapters.rulefiles.fixprobes import SHORTEST, build_checks, checks_of
from logmedic.adapters.rulefiles.steps import build_steps
from logmedic.model.circuit import BreakerSpec
from logmedic.model.rule import Fix, Limits, Mode, OnFailure, Verify
from logmedic.model.state import ATTEMPT_MEMORY
from logmedic.yamldoc import Fields

MAX_GRADUATE = 1000
MAX_PER_HOUR = 10_000
MAX_FAILURES = 1000
MAX_SUCCESSES = 100
_LONGEST_QUIET = timedelta(hours=24)


def build_fix(fields: Fields) -> Fix:
    fix = Fix(
        mode=fields.choice("mode", Mode, None) or Mode.OBSERVE,
        steps=build_steps(fields),
        verify=_verify(fields),
        limits=_limits(fields),
        breaker=_breaker(fields),
        guard=checks_of(fields, "guard"),
        after=tuple(fields.texts("after")),
        on_failure=fields.choice("on_failure", OnFailure, OnFailure.ESCALATE) or OnFailure.ESCALATE,
        graduate_after=fields.integer("graduate_after", 0, minimum=1, maximum=MAX_GRADUATE),
    )
    fields.done()
    return fix


def _verify(fix: Fields) -> Verify:
    fields = fix.mapping("verify")
    if fields is None:
        return Verify()
    probes = build_checks(fields)
    quiet = fields.duration("quiet", timedelta(0), minimum=SHORTEST, maximum=_LONGEST_QUIET)
    fields.done()
    if not fields.names():
        fields.problems.add(fields.node, "`verify` checks nothing", "add http, tcp, command, unit, file, disk or quiet")
    return Verify(probes, quiet or None)


def _limits(fix: Fields) -> Limits:
    fields = fix.mapping("limits")
    if fields is None:
        return Limits()
    usual = Limits()
    limits = Limits(
        cooldown=fields.duration("cooldown", usual.cooldown, maximum=ATTEMPT_MEMORY),
        max_per_hour=fields.integer("max_per_hour", usual.max_per_hour, minimum=1, maximum=MAX_PER_HOUR),
        one_at_a_time=fields.text("one_at_a_time"),
        min_uptime=fields.duration("min_uptime", usual.min_uptime),
    )
    fields.done()
    return limits


def _breaker(fix: Fields) -> BreakerSpec:
    fields = fix.mapping("breaker")
    if fields is None:
        return BreakerSpec()
    usual = BreakerSpec()
    open_for = fields.duration("open_for", usual.open_for, minimum=SECOND)
    spec = BreakerSpec(
        failures=fields.integer("failures", usual.failures, minimum=1, maximum=MAX_FAILURES),
        open_for=open_for,
        successes=fields.integer("successes", usual.successes, minimum=1, maximum=MAX_SUCCESSES),
        factor=fields.number("factor", usual.factor, minimum=1, maximum=10),
        open_max=fields.duration("open_max", max(usual.open_max, open_for), minimum=SECOND),
        healthy_after=fields.duration("healthy_after", usual.healthy_after, minimum=SECOND),
    )
    if spec.open_for > spec.open_max:
        text = "`open_for` is longer than `open_max`"
        fields.problems.add(fields.at("open_for"), text, "the time grows from open_for up to open_max")
    fields.done()
    return spec
