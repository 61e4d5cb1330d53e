"""Checks: of `verify`, of `guard`, and of a step's `expect`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from logmedic.adapters.rulefiles.amounts import MIB, percent, room
from logmedic.adapters.rulefiles.commands import HOUR, build_argv, build_sandbox
from logmedic.model.probe import (
    EVERY,
    WITHIN,
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
from logmedic.yamldoc import Fields, Node, meant

MAX_PROBES = 20
MAX_DEPTH = 4
NOW = timedelta(seconds=5)
"""`within` of a check that is asked before something is done."""
UNIT_STATES = ("active", "inactive", "failed", "activating", "deactivating", "reloading")
SHORTEST = timedelta(milliseconds=10)
LONGEST_AGE = timedelta(days=365)
_NONE = timedelta(0)


@dataclass(frozen=True, slots=True)
class _Usual:
    within: timedelta
    depth: int = 0


def build_checks(fields: Fields, within: timedelta = WITHIN) -> tuple[Probe, ...]:
    """All of them have to pass. `within`: of those that say none. Keys that are no checks are left to the caller."""
    probes = tuple(_checks(fields, _Usual(within)))
    if sum(map(_count, probes)) > MAX_PROBES:
        fields.problems.add(fields.node, f"more than {MAX_PROBES} checks in {fields.what}", "write a program for them")
    return probes


def checks_of(owner: Fields, key: str, within: timedelta = WITHIN) -> tuple[Probe, ...]:
    """Those in `key`, which has nothing beside them."""
    fields = owner.mapping(key)
    if fields is None:
        return ()
    probes = build_checks(fields, within)
    if "quiet" in fields:
        fields.refuse("quiet", f"`{key}` does not wait for silence", "`quiet` belongs into `verify`")
    fields.done()
    if not fields.names():
        fields.problems.add(fields.node, f"`{key}` checks nothing", f"write one of: {', '.join(KEYS)}")
    return probes


def check_nodes(checks: Node) -> Iterator[tuple[str, Node]]:
    """Of a mapping of checks: each with its key, in the order in which they are built. What is no mapping, and no list
    of them, is left out: that was said already."""
    nodes = checks.value if isinstance(checks.value, Mapping) else {}
    for key in KEYS:
        node = nodes.get(key)
        if node is None or node.value is None:
            continue
        if key in PROBES:
            found = node.value if isinstance(node.value, tuple) else (node,)
            yield from ((key, each) for each in found if isinstance(each.value, Mapping))
        elif isinstance(node.value, Mapping if key == "not" else tuple):
            yield key, node


def _checks(fields: Fields, usual: _Usual) -> Iterator[Probe]:
    for key in KEYS:
        fields.node_of(key)
    for key in PROBES:
        for node in fields.items(key, required=key in fields):
            Fields(node, fields.problems, f"`{key}`")
    for key in ("and", "or"):
        _check_list(fields, key)
    fields.mapping("not")
    for key, node in check_nodes(fields.node):
        if key in PROBES:
            probe = Fields(node, fields.problems, f"`{key}`")
            yield PROBES[key](probe, usual)
            probe.done()
        elif usual.depth == MAX_DEPTH:
            fields.problems.add(fields.at(key), f"checks inside checks, more than {MAX_DEPTH} deep", "write it flatter")
        else:
            yield _combined(key, node, fields, _Usual(usual.within, usual.depth + 1))


def _check_list(fields: Fields, key: str) -> None:
    """Of a mapping nobody could say whether its keys are all meant, or any."""
    node = fields.node_of(key)
    if node is not None and (not isinstance(node.value, tuple) or len(node.value) < 2):
        example = f"{key}: [{{ tcp: {{ connect: ... }} }}, {{ file: {{ path: ... }} }}]"
        fields.problems.add(fields.at(key), f"`{key}` has to be a list of two checks or more", example)


def _combined(key: str, node: Node, owner: Fields, usual: _Usual) -> Probe:
    if key == "not":
        return Not(_group(node, owner, "`not`", usual))
    nodes = node.value if isinstance(node.value, tuple) else ()
    probes = tuple(_group(each, owner, f"`{key}`", usual) for each in nodes)
    return AllOf(probes) if key == "and" else AnyOf(probes)


def _group(node: Node, owner: Fields, what: str, usual: _Usual) -> Probe:
    """One check, or several that all have to pass."""
    fields = Fields(node, owner.problems, what)
    probes = tuple(_checks(fields, usual))
    fields.done()
    if not probes and isinstance(node.value, Mapping) and not fields.names():
        fields.problems.add(node, f"a check of {what} is empty", f"write one of: {', '.join(KEYS)}")
    return probes[0] if len(probes) == 1 else AllOf(probes)


def _count(probe: Probe) -> int:
    match probe:
        case AllOf(probes) | AnyOf(probes):
            return sum(map(_count, probes))
        case Not(inner):
            return _count(inner)
    return 1


# -- each of them ------------------------------------------------------------------------------------------------------


def _times(fields: Fields, usual: timedelta) -> tuple[timedelta, timedelta]:
    """Within, every."""
    within = fields.duration("within", usual, minimum=SHORTEST, maximum=HOUR)
    return within, fields.duration("every", min(EVERY, within), minimum=SHORTEST, maximum=HOUR)


def _http(fields: Fields, usual: _Usual) -> Probe:
    status = fields.integer("status", 200, minimum=100, maximum=599)
    times = _times(fields, usual.within)
    return HttpProbe(fields.text("get", required=True), status, fields.text("contains"), *times)


def _tcp(fields: Fields, usual: _Usual) -> Probe:
    return TcpProbe(fields.text("connect", required=True), *_times(fields, usual.within))


def _command(fields: Fields, usual: _Usual) -> Probe:
    return CommandProbe(build_argv(fields, required=True), build_sandbox(fields), *_times(fields, usual.within))


def _unit(fields: Fields, usual: _Usual) -> Probe:
    state = fields.text("state", "active")
    if state not in UNIT_STATES:
        fields.problems.add(fields.at("state"), f"`{state[:40]}` is no state of a unit", meant(state, UNIT_STATES))
    up_for = fields.duration("up_for", _NONE, maximum=HOUR)
    # what was begun just now gets the time to be up for so long; before a step it is asked how things are
    within = usual.within if usual.within <= NOW else usual.within + up_for
    return UnitProbe(fields.text("unit", required=True), state, up_for, *_times(fields, within))


def _file(fields: Fields, usual: _Usual) -> Probe:
    probe = FileProbe(
        fields.text("path", required=True),
        fields.boolean("exists", True),
        _age(fields),
        fields.size("at_most", 0, minimum=0, maximum=1024 * 1024 * 1024 * MIB) if "at_most" in fields else None,
        *_times(fields, usual.within),
    )
    fields.node_of("at_most")
    for key in ("newer_than", "at_most"):
        if key in fields and not probe.exists:
            fields.problems.add(fields.at(key), f"`{key}` of a file that is not there", "remove it, or `exists: false`")
    return probe


def _age(fields: Fields) -> timedelta | None:
    found = fields.duration("newer_than", _NONE, minimum=SHORTEST, maximum=LONGEST_AGE)
    return found or None


def _disk(fields: Fields, usual: _Usual) -> Probe:
    share, size = room(fields, "free")
    inodes = percent(fields, "inodes")
    if "free" not in fields and "inodes" not in fields:
        fields.problems.add(fields.node, "`disk` asks for nothing", "add `free: 10%`, `free: 2G` or `inodes: 5%`")
    return DiskProbe(fields.text("path", required=True), share, size, inodes, *_times(fields, usual.within))


PROBES: dict[str, Callable[[Fields, _Usual], Probe]] = {
    "http": _http,
    "tcp": _tcp,
    "command": _command,
    "unit": _unit,
    "file": _file,
    "disk": _disk,
}
"""By their keys; of each there may be a list."""
KEYS = (*PROBES, "and", "or", "not")
