"""What a fix acts on, its fingerprint, and its steps and probes with their captures filled in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta
from enum import Enum
from functools import lru_cache
from typing import Any

from logmedic.core.captures import fill, names_in
from logmedic.core.durations import duration_text
from logmedic.model.probe import (
    AllOf,
    AnyOf,
    CommandProbe,
    DiskProbe,
    FileProbe,
    HttpProbe,
    Not,
    Probe,
    TcpProbe,
    UnitProbe,
)
from logmedic.model.rule import Fix, Rule
from logmedic.model.step import (
    Action,
    CallHttp,
    Command,
    DropCache,
    FreeSpace,
    KillProcess,
    RenewCertificate,
    RotateLog,
    Step,
    UnitJob,
    Wait,
)

ONCE = timedelta(seconds=1)
"""`within` of a probe that is tried once."""


def target_of(rule: Rule, captures: Mapping[str, str]) -> str:
    """Fixes of one target never run together (F63), and it has its own breaker: what `one_at_a_time` names, else the
    unit that the fix acts on, else the rule with what the fix is filled with."""
    fix = rule.fix
    if fix is None:
        return rule.id
    if fix.limits.one_at_a_time:
        return fill(fix.limits.one_at_a_time, captures)
    if unit := unit_of(fix):
        return fill(unit, captures)
    used = used_captures(fix)
    return " ".join([rule.id, *(f"{name}={captures[name]}" for name in used if name in captures)])


def breaker_key(rule: Rule, captures: Mapping[str, str]) -> tuple[str, str, str]:
    """Breaker.key of the rule's fix, as it is in force, on what it acts on here."""
    return rule.id, fingerprint(rule.fix) if rule.fix is not None else "", target_of(rule, captures)


def unit_of(fix: Fix) -> str:
    """The first that it acts on; captures are not filled in yet. Empty: none."""
    for step in fix.steps:
        match step.action:
            case UnitJob(_, unit) | KillProcess(unit):
                return unit
            case _:
                continue
    return ""


def used_captures(fix: Fix) -> tuple[str, ...]:
    """Their names, in the order of first use in its steps."""
    found: dict[str, None] = {}
    for step in _all_steps(fix.steps):
        for text in texts_of_action(step.action):
            found.update(dict.fromkeys(names_in(text)))
    return tuple(found)


def _used(texts: tuple[str, ...], captures: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Of `captures`, those that `texts` are filled with."""
    names = dict.fromkeys(name for text in texts for name in names_in(text))
    return tuple((name, captures[name]) for name in names if name in captures)


def _all_steps(steps: tuple[Step, ...]) -> Iterator[Step]:
    for step in steps:
        yield step
        if step.rollback is not None:
            yield step.rollback


@lru_cache(maxsize=1024)
def fingerprint(fix: Fix) -> str:
    """Of what it does and how that is judged: its steps, `verify` and `guard`. 12 hexadecimal digits."""
    told = json.dumps(_plain((fix.steps, fix.verify, fix.guard)), sort_keys=True)
    return hashlib.blake2b(told.encode(), digest_size=6).hexdigest()


def step_fingerprint(step: Step) -> str:
    """Of what it does, and what it may: what an installed copy of it has to agree with. 12 hexadecimal digits."""
    told = json.dumps(_plain((step.action, step.timeout, step.sandbox)), sort_keys=True)
    return hashlib.blake2b(told.encode(), digest_size=6).hexdigest()


def _plain(value: Any) -> Any:
    """Told apart by their types: two actions may have equal fields."""
    if is_dataclass(value) and not isinstance(value, type):
        return [type(value).__name__, {each.name: _plain(getattr(value, each.name)) for each in fields(value)}]
    match value:
        case Enum():
            return value.value
        case timedelta():
            return value.total_seconds()
        case tuple():
            return [_plain(each) for each in value]
    return value


def filled(step: Step, captures: Mapping[str, str]) -> Step:
    """With its action, its `expect` and its rollback."""
    undo = filled(step.rollback, captures) if step.rollback is not None else None
    expect = tuple(filled_probe(each, captures) for each in step.expect)
    return replace(
        step,
        action=filled_action(step.action, captures),
        expect=expect,
        rollback=undo,
        written=step,
        captures=_used(texts_of_action(step.action), captures),
    )


def filled_action(action: Action, captures: Mapping[str, str]) -> Action:
    match action:
        case Command(argv):
            return Command(_each(argv, captures))
        case UnitJob():
            return replace(action, unit=fill(action.unit, captures))
        case KillProcess():
            return replace(action, unit=fill(action.unit, captures), process=fill(action.process, captures))
        case FreeSpace():
            return replace(action, paths=_each(action.paths, captures))
        case DropCache():
            return replace(action, path=fill(action.path, captures))
        case RenewCertificate():
            return replace(action, file=fill(action.file, captures), argv=_each(action.argv, captures))
        case CallHttp():
            return replace(action, url=fill(action.url, captures), body=fill(action.body, captures))
        case RotateLog() | Wait():
            return action


def texts_of_action(action: Action) -> tuple[str, ...]:
    """In which captures are filled in."""
    match action:
        case Command(argv):
            return argv
        case UnitJob(_, unit):
            return (unit,)
        case KillProcess(unit, process):
            return unit, process
        case FreeSpace(paths):
            return paths
        case DropCache(path):
            return (path,)
        case RenewCertificate(file, argv):
            return file, *argv
        case CallHttp():
            return action.url, action.body
        case RotateLog() | Wait():
            return ()


def filled_probe(probe: Probe, captures: Mapping[str, str]) -> Probe:
    match probe:
        case HttpProbe():
            return replace(probe, url=fill(probe.url, captures))
        case TcpProbe():
            return replace(probe, address=fill(probe.address, captures))
        case CommandProbe():
            return replace(
                probe, run=_each(probe.run, captures), written=probe.run, captures=_used(probe.run, captures)
            )
        case UnitProbe():
            return replace(probe, unit=fill(probe.unit, captures))
        case FileProbe() | DiskProbe():
            return replace(probe, path=fill(probe.path, captures))
        case AllOf(probes):
            return AllOf(tuple(filled_probe(each, captures) for each in probes))
        case AnyOf(probes):
            return AnyOf(tuple(filled_probe(each, captures) for each in probes))
        case Not(inner):
            return Not(filled_probe(inner, captures))


def asked_once(probe: Probe) -> Probe:
    """Of what is asked for how it is now, and not until it is well."""
    match probe:
        case AllOf(probes):
            return AllOf(tuple(map(asked_once, probes)))
        case AnyOf(probes):
            return AnyOf(tuple(map(asked_once, probes)))
        case Not(inner):
            return Not(asked_once(inner))
        case _:
            return replace(probe, within=ONCE, every=ONCE)


def _each(texts: tuple[str, ...], captures: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(fill(each, captures) for each in texts)


def argv_of(action: Action) -> tuple[str, ...]:
    """The program and its arguments; of what is no program, words that say what is done."""
    match action:
        case Command(argv):
            return argv
        case UnitJob(verb, unit):
            return verb.value, unit
        case KillProcess(unit, process, grace):
            return "kill", process, "of", unit, "after", duration_text(grace)
        case FreeSpace(paths):
            return ("free", "space", "in", *paths)
        case DropCache(path):
            return "empty", path
        case RotateLog(config):
            return "rotate", "by", config
        case RenewCertificate(file, argv):
            return ("renew", file, "by", *argv)
        case CallHttp(method, url):
            return method, url
        case Wait(time):
            return "wait", duration_text(time)


def would_run(rule: Rule, captures: Mapping[str, str]) -> Iterator[str]:
    """The steps of its fix, for people."""
    for step in rule.fix.steps if rule.fix is not None else ():
        yield f"{step.name}: {' '.join(argv_of(filled_action(step.action, captures)))}"


def texts_of_probe(probe: Probe) -> tuple[str, ...]:
    """In which captures are filled in."""
    match probe:
        case HttpProbe():
            return (probe.url,)
        case TcpProbe():
            return (probe.address,)
        case CommandProbe():
            return probe.run
        case UnitProbe():
            return (probe.unit,)
        case FileProbe() | DiskProbe():
            return (probe.path,)
        case AllOf(probes) | AnyOf(probes):
            return tuple(text for each in probes for text in texts_of_probe(each))
        case Not(inner):
            return texts_of_probe(inner)


def texts_of_fix(fix: Fix) -> Iterator[str]:
    """In which captures are filled in, wherever they stand in it."""
    for step in _all_steps(fix.steps):
        yield from texts_of_action(step.action)
    for probe in (*fix.verify.probes, *fix.guard, *(each for step in fix.steps for each in step.expect)):
        yield from texts_of_probe(probe)
    yield fix.limits.one_at_a_time
