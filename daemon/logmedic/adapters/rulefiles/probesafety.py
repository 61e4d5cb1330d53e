"""What would be unsafe to ask, whoever writes the log line (I7)."""

from __future__ import annotations

from collections.abc import Sequence

from logmedic.adapters.rulefiles.bounds import address_mistakes, not_filled, path_mistakes, unit_mistakes, url_mistakes
from logmedic.adapters.rulefiles.fixprobes import check_nodes
from logmedic.adapters.rulefiles.placeholders import report
from logmedic.adapters.rulefiles.programs import command_mistakes, sandbox_mistakes
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
from logmedic.model.rule import Rule
from logmedic.yamldoc import Fields, Node


def check_probes(rule: Rule, probes: Sequence[Probe], checks: Fields) -> None:
    """`probes`: as fixprobes built them of `checks`."""
    for probe, (_, node) in zip(probes, check_nodes(checks.node), strict=False):
        _check(rule, probe, node, checks)


def _check(rule: Rule, probe: Probe, node: Node, owner: Fields) -> None:
    match probe:
        case AllOf(probes) | AnyOf(probes):
            groups = node.value if isinstance(node.value, tuple) else ()
            for each, group in zip(probes, groups, strict=False):
                _check_group(rule, each, group, owner)
        case Not(inner):
            _check_group(rule, inner, node, owner)
        case _:
            _check_one(rule, probe, Fields(node, owner.problems, "the check"))


def _check_group(rule: Rule, probe: Probe, node: Node, owner: Fields) -> None:
    """Of one check it is that one, else all of them (fixprobes)."""
    found = [each for _, each in check_nodes(node)]
    probes = probe.probes if len(found) != 1 and isinstance(probe, AllOf) else (probe,)
    for each, at in zip(probes, found, strict=False):
        _check(rule, each, at, owner)


def _check_one(rule: Rule, probe: Probe, at: Fields) -> None:
    match probe:
        case HttpProbe():
            report(at, "get", url_mistakes(rule, probe.url, "`get`"))
            report(at, "contains", not_filled(rule, probe.contains, "`contains`"))
        case TcpProbe():
            report(at, "connect", address_mistakes(rule, probe.address, "`connect`"))
        case CommandProbe():
            if probe.run:
                report(at, "run", command_mistakes(rule, probe.run))
            report(at, "sandbox", sandbox_mistakes(probe.sandbox))
        case UnitProbe():
            report(at, "unit", unit_mistakes(rule, probe.unit))
        case FileProbe() | DiskProbe():
            report(at, "path", path_mistakes(rule, probe.path, "`path`"))
