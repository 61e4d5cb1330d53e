"""The `match` of a rule, and of each further thing that its trigger waits for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from logmedic.adapters.rulefiles.reporting import build_report
from logmedic.model.match import Capture, CaptureType, IncidentStage, Level, MatchSpec
from logmedic.yamldoc import Fields, Node

_GROUP = re.compile(r"\(\?P?<([A-Za-z_]\w*)>")


def build_match(fields: Fields | None) -> MatchSpec:
    """None: it is missing, and that was said. A mistake gives a default."""
    if fields is None:
        return MatchSpec(())
    fields.node_of("report")
    if "report" in fields:
        spec = _of_reports(fields)
    else:
        spec = _of_incidents(fields) if "incident" in fields else _of_lines(fields)
    fields.done()
    return spec


def build_further(node: Node, owner: Fields, key: str, match: MatchSpec) -> MatchSpec:
    """What else has to be seen: a pattern alone, or a mapping as `match` is. It hears the programs that `match` hears,
    unless it is about reports, and its groups have the types that `match` gives them, unless it says otherwise."""
    if not isinstance(node.value, Mapping):
        spec = MatchSpec((owner.text_of(node, key),))
    else:
        spec = build_match(Fields(node, owner.problems, f"`{key}`"))
    return inherited(spec, match)


def inherited(spec: MatchSpec, match: MatchSpec) -> MatchSpec:
    groups = {name for pattern in spec.patterns for name in _GROUP.findall(pattern)}
    types = {name: each for name, each in match.captures.items() if name in groups}
    program = spec.program or (match.program if spec.report is None else ())
    return replace(spec, captures={**types, **spec.captures}, program=program)


def _patterns(fields: Fields) -> tuple[str, ...]:
    if "pattern" in fields and "patterns" in fields:
        fields.problems.add(fields.at("patterns"), "both `pattern` and `patterns`", "write all of them in `patterns`")
    return (*fields.texts("pattern"), *fields.texts("patterns"))


def _of_lines(fields: Fields) -> MatchSpec:
    patterns = _patterns(fields)
    if not patterns:
        fields.problems.add(
            fields.node,
            f"{fields.what} has no `pattern`",
            "add `pattern: 'a regular expression'`; `pattern: '.'` takes every line",
        )
    return MatchSpec(
        patterns,
        tuple(fields.texts("unless")),
        _captures(fields),
        field=fields.text("field"),
        level=fields.choice("level", Level, None) if fields.node_of("level") is not None else None,
        program=tuple(fields.texts("program")),
    )


def _of_reports(fields: Fields) -> MatchSpec:
    report = build_report(fields)
    patterns = _patterns(fields)
    for key in ("pattern", "patterns"):
        if key in fields and not patterns:
            fields.problems.add(fields.at(key), f"`{key}` is empty", f"remove `{key}`: every report that fits will do")
    return MatchSpec(
        patterns,
        tuple(fields.texts("unless")),
        _captures(fields),
        field=fields.text("field"),
        report=report,
    )


def _of_incidents(fields: Fields) -> MatchSpec:
    for key in ("pattern", "patterns", "unless", "field", "level", "program"):
        fields.refuse(key, f"both `incident` and `{key}`", "a match is about lines, or about incidents of other rules")
    return MatchSpec(
        (),
        captures=_captures(fields),
        incidents=tuple(fields.texts("incident", required=True)),
        on=_choice(fields, "on", IncidentStage, IncidentStage.OPENED),
    )


def _choice(fields: Fields, key: str, kind: type[IncidentStage], default: IncidentStage) -> IncidentStage:
    return fields.choice(key, kind, default) or default


def _captures(match: Fields) -> dict[str, Capture]:
    fields = match.mapping("captures")
    if fields is None:
        return {}
    return {name: capture for name in fields.names() if (capture := _capture(fields, name)) is not None}


def _capture(captures: Fields, name: str) -> Capture | None:
    node = captures.node_of(name)
    if node is None:
        return None
    if not isinstance(node.value, Mapping):
        kind = captures.choice_of(node, "type", CaptureType)
        if kind is CaptureType.ENUM:
            captures.problems.add(node, "an enum needs its values", "{ type: enum, values: [a, b] }")
        return Capture(kind or CaptureType.WORD)
    fields = Fields(node, captures.problems, f"capture `{name}`")
    kind = fields.choice("type", CaptureType, None)
    capture = Capture(
        kind or CaptureType.WORD,
        allow=tuple(fields.texts("allow")),
        values=tuple(fields.texts("values", required=kind is CaptureType.ENUM)),
        minimum=fields.integer("min", 0, minimum=0, maximum=10**18) if "min" in fields else None,
        maximum=fields.integer("max", 0, minimum=0, maximum=10**18) if "max" in fields else None,
    )
    if "allow" in fields and not capture.allow:
        captures.problems.add(fields.at("allow"), "`allow` is empty: it would allow everything", "name what is allowed")
    fields.node_of("min")
    fields.node_of("max")
    fields.done()
    return capture
