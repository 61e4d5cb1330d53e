"""A fix in words: its ladder, what each step needs, how it is proved, and what holds it back."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, groupby
from string import ascii_lowercase

from logmedic.core.durations import duration_text
from logmedic.core.phrases import several
from logmedic.core.rulewords.checks import check_lines
from logmedic.core.sizes import size_text
from logmedic.core.stepneeds import needs_of
from logmedic.model.circuit import BreakerSpec
from logmedic.model.probe import Probe
from logmedic.model.rule import Fix, Limits, Mode, OnFailure
from logmedic.model.sandbox import Network, SandboxKind, SandboxSpec
from logmedic.model.step import (
    Action,
    CallHttp,
    Command,
    DropCache,
    FreeSpace,
    KillProcess,
    RenewCertificate,
    RotateLog,
    Sandboxed,
    Step,
    UnitJob,
    Wait,
)

Row = tuple[str, str]
"""A name and what is said of it. The name is empty where the line before goes on."""
_WAYS = {Mode.OBSERVE: "is only told of", Mode.APPROVE: "asks first", Mode.AUTO: "runs by itself"}
_NETWORKS = {Network.NONE: "no network", Network.LOOPBACK: "the host's loopback", Network.FULL: "the network"}


def headline(fix: Fix) -> str:
    earns = fix.graduate_after and fix.mode is not Mode.AUTO
    wins = "1 verified success" if fix.graduate_after == 1 else f"{fix.graduate_after} verified successes"
    more = f"; after {wins} the next mode is proposed" if earns else ""
    return f"The fix {_WAYS[fix.mode]}{more}"


def ladder_rows(fix: Fix) -> Iterator[Row]:
    if fix.after:
        yield "after", f"{', '.join(fix.after)}: while one has an open incident, that is the cause and goes first"
    for number, (_, steps) in enumerate(groupby(fix.steps, key=lambda step: step.rung), start=1):
        yield from _rung(number, tuple(steps))
    yield from _checks("guard", fix.guard)
    yield from _checks("verify", fix.verify.probes)
    if fix.verify.quiet is not None:
        yield "verify", f"the rule stays silent for {duration_text(fix.verify.quiet)}"
    elif not fix.verify.probes:
        yield "verify", "the rule stays silent for a minute"
    yield "limits", _limits(fix.limits)
    yield "breaker", _breaker(fix.breaker)
    calls = "people are called" if fix.on_failure is OnFailure.ESCALATE else "it is only recorded"
    yield "or else", f"when nothing of this holds, {calls}"


# -- rungs -------------------------------------------------------------------------------------------------------------


def _rung(number: int, steps: tuple[Step, ...]) -> Iterator[Row]:
    if len(steps) == 1:
        yield from _step(f"step {number}", steps[0])
        return
    yield f"step {number}", "one of these; what each has earned decides their order:"
    for letter, step in zip(cycle(ascii_lowercase), steps):
        yield from _step(f"step {number}{letter}", step)


def _step(name: str, step: Step) -> Iterator[Row]:
    yield name, _does(step, known_as=name) + f" ({_bounds(step)})"
    yield from _checks("  only if", step.expect)
    yield "  needs", needs_text(step)
    if (undo := step.rollback) is not None:
        yield "  undone by", f"{_does(undo)} (at most {duration_text(undo.timeout)})"
        yield "    needs", needs_text(undo)


def _does(step: Step, known_as: str = "") -> str:
    called = "" if step.name == known_as else f"{step.name}: "
    return called + action_text(step.action)


def _bounds(step: Step) -> str:
    most, retry = f"at most {duration_text(step.timeout)}", step.retry
    if retry.attempts == 1:
        return f"{most}, one try"
    return f"{most}, {retry.attempts} tries, {duration_text(retry.base)} to {duration_text(retry.max)} apart"


def action_text(action: Action) -> str:
    match action:
        case Command(argv):
            return " ".join(argv)
        case UnitJob(verb, unit):
            return f"{verb.value} {unit}"
        case KillProcess(unit, process, grace):
            return f"kill {process} of {unit}, by force after {duration_text(grace)}"
        case FreeSpace():
            return _free(action)
        case DropCache(path, older_than):
            return f"empty {path}" + (f", what is older than {duration_text(older_than)}" if older_than else "")
        case RotateLog(config):
            return f"rotate the logs of {config}"
        case RenewCertificate(file, argv, before):
            return f"{' '.join(argv)}, when {file} ends within {duration_text(before)}"
        case CallHttp(method, url, status):
            return f"{method} {url}, which answers {status or '2xx'}"
        case Wait(time):
            return f"wait {duration_text(time)}"


def _free(free: FreeSpace) -> str:
    what = "files" if free.pattern == "*" else free.pattern
    until = f"{free.percent:g}%" if free.percent else size_text(free.free_bytes)
    kept = f", none of the newest {free.keep}" if free.keep else ""
    young = f", none younger than {duration_text(free.older_than)}" if free.older_than else ""
    return (
        f"delete {what} in {', '.join(free.paths)}, the oldest first{young}{kept}, until {until} is free, "
        f"at most {size_text(free.at_most)}"
    )


def needs_text(step: Step) -> str:
    """What it is given; it gets nothing else."""
    if not isinstance(step.action, Sandboxed):
        return "the service manager" if isinstance(step.action, UnitJob) else "nothing: the daemon does it"
    spec = needs_of(step)
    if spec.kind is SandboxKind.NONE:
        return "NO SANDBOX: all that the daemon may (actions.allow_unsandboxed)"
    told = [_account(spec), _NETWORKS[spec.network]]
    told += [f"writes {', '.join(spec.write)}"] if spec.write else []
    told += [f"reads {', '.join(spec.read)}"] if spec.read else []
    return "; ".join((*told, *_sizes(spec)))


def _sizes(spec: SandboxSpec) -> Iterator[str]:
    """Those that are not the usual ones."""
    usual = SandboxSpec()
    if spec.memory_bytes != usual.memory_bytes:
        yield f"{size_text(spec.memory_bytes)} of memory"
    if spec.tasks != usual.tasks:
        yield several(spec.tasks, "task")
    if spec.file_bytes != usual.file_bytes:
        yield f"files up to {size_text(spec.file_bytes)}"
    if spec.cpu is not None:
        yield f"{duration_text(spec.cpu)} of processor time"


def _account(spec: SandboxSpec) -> str:
    match spec.user:
        case "":
            return "an account that owns nothing"
        case "root":
            return "ROOT (actions.allow_root)"
    return f"the account {spec.user}"


# -- what proves it, what holds it back --------------------------------------------------------------------------------


def _checks(name: str, probes: tuple[Probe, ...]) -> Iterator[Row]:
    for line in check_lines(probes):
        yield name, line
        name = ""


def _limits(limits: Limits) -> str:
    said = [f"{duration_text(limits.cooldown)} from one run to the next"] if limits.cooldown else []
    said += [f"{limits.max_per_hour} an hour at most"]
    said += [f"one at a time: {limits.one_at_a_time}"] if limits.one_at_a_time else []
    said += [f"none in the first {duration_text(limits.min_uptime)} after a start"] if limits.min_uptime else []
    return ", ".join(said)


def _breaker(spec: BreakerSpec) -> str:
    grows = (
        f", each time {spec.factor:g} times as long, up to {duration_text(spec.open_max)}" if spec.factor > 1 else ""
    )
    trials = (
        "one trial that works closes it"
        if spec.successes == 1
        else f"{spec.successes} trials in a row that work close it"
    )
    return (
        f"after {spec.failures} failures none for {duration_text(spec.open_for)}{grows}; {trials}; "
        f"{duration_text(spec.healthy_after)} without a failure begins anew"
    )
