"""The `fix` of a rule: steps, how it is proved, and what holds it back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from logmedic.model.probe import CommandProbe, HttpProbe, Probe, TcpProbe
from logmedic.model.rule import BreakerSpec, Fix, Limits, Mode, Verify
from logmedic.model.sandbox import SandboxKind, SandboxSpec
from logmedic.model.state import ATTEMPT_MEMORY
from logmedic.model.step import Command, Retry, Step, UnitJob, UnitVerb
from logmedic.yamldoc import Fields

KIB, MIB, GIB = 1024, 1024**2, 1024**3
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
_NONE = timedelta(0)
_SHORTEST = timedelta(milliseconds=10)


def build_fix(fields: Fields) -> Fix:
    fix = Fix(
        mode=fields.choice("mode", Mode, None) or Mode.OBSERVE,
        steps=tuple(_steps(fields)),
        verify=_verify(fields),
        limits=_limits(fields),
        breaker=_breaker(fields),
    )
    fields.done()
    return fix


def _steps(fix: Fields) -> Iterator[Step]:
    for number, node in enumerate(fix.items("steps", required=True), start=1):
        fields = Fields(node, fix.problems, f"step {number}")
        if isinstance(node.value, Mapping):
            yield _step(fields, number)


def _step(fields: Fields, number: int) -> Step:
    run, unit = _argv(fields), _unit(fields)
    if ("run" in fields) == ("unit" in fields):
        words = "both `run` and `unit`" if "run" in fields else "neither `run` nor `unit`"
        fields.problems.add(
            fields.node, f"step {number} has {words}", "write one of them: run: [/path/to/program, argument]"
        )
    defaults = Step("", Command(()))
    step = Step(
        name=fields.text("name", f"step {number}"),
        action=UnitJob(UnitVerb.RESTART, unit) if unit is not None else Command(run),
        timeout=fields.duration("timeout", defaults.timeout, minimum=timedelta(milliseconds=100), maximum=HOUR),
        retry=_retry(fields),
        sandbox=_sandbox(fields),
    )
    fields.done()
    return step


def _argv(owner: Fields, *, required: bool = False) -> tuple[str, ...]:
    """A text would be a shell's command line: where its arguments end is for a list to say."""
    node = owner.node_of("run", required=required)
    if node is None:
        return ()
    if not isinstance(node.value, tuple):
        owner.problems.add(node, f"`run` has to be a list, and is {node.kind}", "run: [/path/to/program, argument]")
        return ()
    if not node.value:
        owner.problems.add(node, "`run` is empty", "run: [/path/to/program, argument]")
    return tuple(owner.text_of(each, "run") for each in node.value)


def _unit(step: Fields) -> str | None:
    fields = step.mapping("unit")
    if fields is None:
        return None
    unit = fields.text("restart", required=True)
    fields.done()
    return unit


def _retry(step: Fields) -> Retry:
    fields = step.mapping("retry")
    if fields is None:
        return Retry()
    usual = Retry()
    base = fields.duration("base", usual.base, maximum=HOUR)
    retry = Retry(
        attempts=fields.integer("attempts", usual.attempts, minimum=1, maximum=20),
        base=base,
        max=fields.duration("max", max(usual.max, base), maximum=HOUR),
        factor=fields.number("factor", usual.factor, minimum=1, maximum=10),
    )
    if retry.base > retry.max:
        fields.problems.add(fields.at("base"), "`base` is longer than `max`", "the wait grows from base up to max")
    fields.done()
    return retry


def _sandbox(owner: Fields) -> SandboxSpec:
    fields = owner.mapping("sandbox")
    if fields is None:
        return SandboxSpec()
    usual = SandboxSpec()
    spec = SandboxSpec(
        kind=fields.choice("kind", SandboxKind, SandboxKind.SANDBOX) or SandboxKind.SANDBOX,
        write=tuple(fields.texts("write")),
        read=tuple(fields.texts("read")),
        memory_bytes=fields.size("memory", usual.memory_bytes, minimum=4 * MIB, maximum=64 * GIB),
        tasks=fields.integer("tasks", usual.tasks, minimum=1, maximum=4096),
        file_bytes=fields.size("file_size", usual.file_bytes, minimum=0, maximum=1024 * GIB),
    )
    fields.done()
    return spec


def _verify(fix: Fields) -> Verify:
    fields = fix.mapping("verify")
    if fields is None:
        return Verify()
    probes: list[Probe] = []
    for key, build in _PROBES.items():
        for node in fields.items(key):
            probe = Fields(node, fields.problems, f"`{key}`")
            if isinstance(node.value, Mapping):
                probes.append(build(probe))
                probe.done()
    quiet = fields.duration("quiet", _NONE, minimum=_SHORTEST, maximum=timedelta(hours=24))
    fields.done()
    if not probes and not quiet:
        fields.problems.add(fields.node, "`verify` checks nothing", "add http, tcp, command or quiet")
    return Verify(tuple(probes), quiet or None)


def _times(fields: Fields) -> tuple[timedelta, timedelta]:
    """Within, every."""
    usual = HttpProbe("")
    within = fields.duration("within", usual.within, minimum=_SHORTEST, maximum=HOUR)
    return within, fields.duration("every", min(usual.every, within), minimum=_SHORTEST, maximum=HOUR)


def _http(fields: Fields) -> HttpProbe:
    within, every = _times(fields)
    status = fields.integer("status", 200, minimum=100, maximum=599)
    return HttpProbe(fields.text("get", required=True), status, fields.text("contains"), within, every)


def _tcp(fields: Fields) -> TcpProbe:
    return TcpProbe(fields.text("connect", required=True), *_times(fields))


def _command(fields: Fields) -> CommandProbe:
    return CommandProbe(_argv(fields, required=True), _sandbox(fields), *_times(fields))


_PROBES: dict[str, Callable[[Fields], Probe]] = {"http": _http, "tcp": _tcp, "command": _command}


def _limits(fix: Fields) -> Limits:
    fields = fix.mapping("limits")
    if fields is None:
        return Limits()
    usual = Limits()
    limits = Limits(
        cooldown=fields.duration("cooldown", usual.cooldown, maximum=ATTEMPT_MEMORY),
        max_per_hour=fields.integer("max_per_hour", usual.max_per_hour, minimum=1, maximum=10_000),
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
    spec = BreakerSpec(
        failures=fields.integer("failures", usual.failures, minimum=1, maximum=1000),
        open_for=fields.duration("open_for", usual.open_for, minimum=SECOND),
    )
    fields.done()
    return spec
