"""What of the rules the unit tier has to have installed: by name, what may be run for whom, with which parameters.
Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from math import ceil
from typing import Any

from logmedic.core.captures import names_in
from logmedic.core.targets import step_fingerprint, texts_of_action
from logmedic.model.match import Capture, CaptureType
from logmedic.model.probe import AllOf, AnyOf, CommandProbe, Not, Probe
from logmedic.model.rule import Fix, Rule
from logmedic.model.sandbox import SandboxKind, SandboxSpec
from logmedic.model.step import (
    Action,
    Command,
    DropCache,
    FreeSpace,
    KillProcess,
    RenewCertificate,
    RotateLog,
    Sandboxed,
    Step,
)

FORM = 1
"""Of the entries; fixrun/serve.py reads no other."""
HINT = "sudo logmedic install fixes"
CANARY = "canary"
_PROBES_A_FIX = 4
"""How often a check is asked at most around one execution: before it, after it, for `guard` and after an approval."""
_AT_ONCE = 4
"""Executions whose requests may come together, of what an hour allows."""
_MOST_AT_ONCE = 1000
"""Requests; more the runner's count could not hold within the smallest LimitFSIZE of a unit (fixrun/rate.py)."""


@dataclass(frozen=True, slots=True)
class Use:
    """Of a step by a rule. `params`: what each capture that it is filled with may be: one of these."""

    step_name: str
    params: Mapping[str, tuple[Capture, ...]]
    per_hour: float
    at_once: int


@dataclass(frozen=True, slots=True)
class Installable:
    """`step` with its captures unfilled. `uses` by rule id. `problem`: why it cannot be installed."""

    name: str
    step: Step
    uses: Mapping[str, Use] = field(default_factory=dict)
    problem: str = ""

    @property
    def burst(self) -> int:
        return min(_MOST_AT_ONCE, sum(use.at_once for use in self.uses.values()))

    @property
    def per_hour(self) -> float:
        return sum(use.per_hour for use in self.uses.values())


def installables(rules: Iterable[Rule]) -> list[Installable]:
    """Of the rules that are enabled, in their order; steps that are the same are one."""
    found: dict[str, Installable] = {}
    for rule in rules:
        if not rule.enabled or rule.fix is None:
            continue
        for step, often in needed(rule.fix):
            name = step_fingerprint(step)
            known = found.get(name, Installable(name, step))
            use = _use(rule, rule.fix, step, often)
            before = known.uses.get(rule.id)
            if before is not None:
                use = replace(use, per_hour=use.per_hour + before.per_hour, at_once=use.at_once + before.at_once)
            missing = [each for each, specs in use.params.items() if not specs]
            problem = f"`{{{missing[0]}}}` has no type in {rule.id}" if missing else known.problem
            found[name] = replace(known, uses={**known.uses, rule.id: use}, problem=problem)
    return list(found.values())


def needed(fix: Fix) -> Iterator[tuple[Step, int]]:
    """What of it runs in a sandbox, and how often one execution of the fix may ask for it at most."""
    for step in fix.steps:
        if is_sandboxed(step):
            yield step, step.retry.attempts
        if step.rollback is not None and is_sandboxed(step.rollback):
            yield step.rollback, 1
    probes = (*fix.verify.probes, *fix.guard, *(each for step in fix.steps for each in step.expect))
    for probe in command_probes(probes):
        if is_sandboxed(as_step(probe)):
            yield as_step(probe), _PROBES_A_FIX * (1 + ceil(probe.within / probe.every))


def canary_fix(*, python: str, package: str) -> Installable:
    """The built-in one that tries to get out (fixrun/canary.py)."""
    argv = (python, "-I", "-S", f"{package}/fixrun/canary.py", "{nonce}", "{secret}", "{socket}", "{port}")
    step = Step("canary", Command(argv), timeout=timedelta(seconds=10), sandbox=SandboxSpec(tasks=20))
    params = {
        "nonce": (Capture(CaptureType.WORD),),
        "secret": (Capture(CaptureType.PATH),),
        "socket": (Capture(CaptureType.PATH),),
        "port": (Capture(CaptureType.INT, minimum=1, maximum=65535),),
    }
    return Installable(CANARY, step, {CANARY: Use(CANARY, params, per_hour=360.0, at_once=20)})


def is_sandboxed(step: Step) -> bool:
    return isinstance(step.action, Sandboxed) and step.sandbox.kind is SandboxKind.SANDBOX


def command_probes(probes: Iterable[Probe]) -> Iterator[CommandProbe]:
    for probe in probes:
        match probe:
            case CommandProbe():
                yield probe
            case AllOf(inner) | AnyOf(inner):
                yield from command_probes(inner)
            case Not(inner):
                yield from command_probes((inner,))
            case _:
                pass


def as_step(probe: CommandProbe, timeout: timedelta | None = None) -> Step:
    """What a sandbox runs for it. `timeout`: of this try; what is installed allows all of `within`."""
    unfilled = Step("probe", Command(probe.written or probe.run), timeout=probe.within, sandbox=probe.sandbox)
    if not probe.written:
        return replace(unfilled, timeout=timeout or probe.within)
    return replace(
        unfilled,
        action=Command(probe.run),
        timeout=timeout or probe.within,
        written=unfilled,
        captures=probe.captures,
    )


def _use(rule: Rule, fix: Fix, step: Step, often: int) -> Use:
    names = dict.fromkeys(name for text in texts_of_action(step.action) for name in names_in(text))
    params = {
        name: tuple(dict.fromkeys(spec.captures[name] for _, spec in rule.parts if name in spec.captures))
        for name in names
    }
    hourly = fix.limits.max_per_hour
    return Use(step.name, params, float(often * hourly), often * min(hourly, _AT_ONCE))


# -- entries -----------------------------------------------------------------------------------------------------------


def entry(fix: Installable, *, python: str, package: str) -> dict[str, Any]:
    """JSON-ready, as fixrun/serve.py reads it. `package`: the directory of logmedic."""
    argv, act = done_by(fix.step, python=python, package=package)
    spec, timeout_s = fix.step.sandbox, fix.step.timeout.total_seconds()
    return {
        "form": FORM,
        "name": fix.name,
        "rules": {
            rule_id: {"step": use.step_name, "params": {name: specs_of(each) for name, each in use.params.items()}}
            for rule_id, use in sorted(fix.uses.items())
        },
        "argv": list(argv),
        "act": act,
        "nobodys": list(_nobodys(fix.step, argv)),
        "network": spec.network.value,
        "owned": bool(spec.user),
        "limits": limits(spec, timeout_s),
        "rate": {"burst": fix.burst, "per_hour": fix.per_hour},
    }


def _nobodys(step: Step, argv: Sequence[str]) -> Iterator[str]:
    """What nobody but root, or the user of the step, may be able to write (F60)."""
    yield argv[0]
    match step.action:
        case RenewCertificate(_, (program, *_)) if not names_in(program):
            yield program
        case RotateLog(config):  # it may hold commands
            yield config
        case _:
            pass


def done_by(step: Step, *, python: str, package: str) -> tuple[tuple[str, ...], dict[str, Any] | None]:
    """The program with its arguments, and what follows them as one JSON text; captures unfilled."""
    if isinstance(step.action, Command):
        return step.action.argv, None
    kind, arguments = act_of(step.action)
    return (python, "-I", "-S", f"{package}/fixrun/act.py", kind), arguments


_KINDS: dict[type[Action], str] = {
    KillProcess: "kill",
    FreeSpace: "free",
    DropCache: "empty",
    RotateLog: "rotate",
    RenewCertificate: "renew",
}


def act_of(action: Action) -> tuple[str, dict[str, Any]]:
    """Its kind and arguments, as fixrun/act.py takes them; durations in seconds."""
    values = {each.name: getattr(action, each.name) for each in fields(action)}
    return _KINDS[type(action)], {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    match value:
        case timedelta():
            return value.total_seconds()
        case tuple():
            return list(value)
    return value


def limits(spec: SandboxSpec, timeout_s: float) -> dict[str, Any]:
    """As step.run takes them."""
    return {
        "memory": spec.memory_bytes,
        "tasks": spec.tasks,
        "file": spec.file_bytes,
        "cpu_s": spec.cpu.total_seconds() if spec.cpu is not None else None,
        "timeout_s": timeout_s,
    }


def specs_of(captures: Sequence[Capture]) -> list[dict[str, Any]]:
    return [
        {
            "type": each.type.value,
            "allow": list(each.allow),
            "values": list(each.values),
            "minimum": each.minimum,
            "maximum": each.maximum,
        }
        for each in captures
    ]


def outdated(fix: Installable, installed: Mapping[str, Any] | None, rule_id: str, expected: Mapping[str, Any]) -> str:
    """Why what is installed does not serve this step of that rule any more, or nothing. `expected`: its entry as it
    would be installed now."""
    if installed is None:
        return f"step {fix.uses[rule_id].step_name!r} is not installed; type: {HINT}"
    what = ("form", "argv", "act", "nobodys", "network", "owned", "limits")
    same = all(installed.get(key) == expected[key] for key in what)
    theirs = installed.get("rules", {}).get(rule_id, {})
    if not same or theirs.get("params") != expected["rules"][rule_id]["params"]:
        return f"step {fix.uses[rule_id].step_name!r} is not as it was installed; type: {HINT}"
    return ""
