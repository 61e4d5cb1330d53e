"""From the fields of a file to rules. Only forms are checked here; what they mean together: `checks`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta

from logmedic.adapters.rulefiles.fixes import build_fix
from logmedic.model.rule import (
    DEFAULT_ALERT_EVENTS,
    AlertEvent,
    AlertSpec,
    Capture,
    CaptureType,
    Fix,
    Level,
    MatchSpec,
    Rule,
    RuleTest,
    SampleLine,
    Severity,
    Threshold,
)
from logmedic.yamldoc import Document, Fields, Node, Problems

_ID = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?\Z")
_LATER = {
    "distinct": "different values of a capture",
    "sequence": "A, then B",
    "absence": "A, and no B",
    "rate": "a jump over the usual",
    "clear": "what ends the incident",
}
"""Triggers that the format has a place for and this version does not serve."""
MAX_COUNT = 10_000
LONGEST_TEST = timedelta(days=366)


def rule_nodes(document: Document, problems: Problems) -> list[Node]:
    """The rules of a file, still as nodes."""
    root = Fields(document.root, problems, "the file")
    version = root.node_of("version", required=True)
    if version is not None and version.text != "1":
        problems.add(version, f"version {version.text or version.kind} is not known", "write `version: 1`")
    items = root.items("rules", required=True)
    root.done()
    return items


def build_rule(fields: Fields, file: str) -> Rule:
    """A mistake gives a default, so that all mistakes are found."""
    rule_id = fields.text("id", required=True)
    if rule_id and not _ID.match(rule_id):
        fields.problems.add(
            fields.at("id"), f"`{rule_id[:80]}` is no id", "lower case letters, digits, - and . (at most 64)"
        )
    fields.what = f"rule {rule_id}" if rule_id else "the rule"
    rule = Rule(
        id=rule_id,
        title=fields.text("title", required=True),
        severity=fields.choice("severity", Severity, Severity.MEDIUM) or Severity.MEDIUM,
        description=fields.text("description"),
        tags=tuple(fields.texts("tags")),
        runbook=_runbook(fields),
        sources=tuple(fields.texts("source")),
        enabled=fields.boolean("enabled", True),
        match=_match(fields),
        when=_when(fields),
        fix=_fix(fields),
        alert=_alert(fields),
        tests=tuple(_tests(fields)),
        file=file,
        line=fields.node.line,
    )
    fields.done()
    return rule


def _runbook(fields: Fields) -> str:
    url = fields.text("runbook")
    if url and not re.match(r"https?://[^\s]+\Z", url):
        fields.problems.add(fields.at("runbook"), "`runbook` has to be an http:// or https:// address")
    return url


def _match(rule: Fields) -> MatchSpec:
    fields = rule.mapping("match", required=True)
    if fields is None:
        return MatchSpec(())
    patterns = [*fields.texts("pattern"), *fields.texts("patterns")]
    if "pattern" in fields and "patterns" in fields:
        fields.problems.add(fields.at("patterns"), "both `pattern` and `patterns`", "write all of them in `patterns`")
    if not patterns:
        fields.problems.add(
            fields.node,
            "`match` has no `pattern`",
            "add `pattern: 'a regular expression'`; `pattern: '.'` takes every line",
        )
    spec = MatchSpec(
        tuple(patterns),
        tuple(fields.texts("unless")),
        _captures(fields),
        field=fields.text("field"),
        level=fields.choice("level", Level, None) if "level" in fields else None,
    )
    fields.done()
    return spec


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


def _when(rule: Fields) -> Threshold:
    when = rule.mapping("when")
    if when is None:
        return Threshold()
    for word, meaning in _LATER.items():
        when.refuse(word, f"`{word}` ({meaning}) is not there yet", "this version knows `threshold`")
    fields = when.mapping("threshold", required=not any(word in when for word in _LATER))
    when.done()
    if fields is None:
        return Threshold()
    threshold = Threshold(
        count=fields.integer("count", None, minimum=1, maximum=MAX_COUNT),
        within=fields.duration("within", timedelta(seconds=60), minimum=timedelta(milliseconds=100)),
        by=tuple(fields.texts("by")),
    )
    fields.done()
    return threshold


def _fix(rule: Fields) -> Fix | None:
    fields = rule.mapping("fix")
    return None if fields is None else build_fix(fields)


def _alert(rule: Fields) -> AlertSpec:
    fields = rule.mapping("alert")
    if fields is None:
        return AlertSpec()
    events = [fields.choice_of(node, "on", AlertEvent) for node in fields.items("on")]
    repeat = fields.duration("repeat_every", timedelta(0), minimum=timedelta(minutes=1))
    spec = AlertSpec(
        routes=tuple(fields.texts("routes")),
        on=frozenset(each for each in events if each) if "on" in fields else DEFAULT_ALERT_EVENTS,
        group_by=tuple(fields.texts("group_by")),
        repeat_every=repeat or None,
    )
    fields.done()
    return spec


def _tests(rule: Fields) -> Iterator[RuleTest]:
    for node in rule.items("tests"):
        fields = Fields(node, rule.problems, "the test")
        if isinstance(node.value, Mapping):
            yield _test(fields)


def _test(fields: Fields) -> RuleTest:
    name = fields.text("name", required=True)
    lines = tuple(_sample(each, fields) for each in fields.items("lines", required=True))
    if sum(line.repeat for line in lines) > MAX_COUNT:
        fields.problems.add(fields.at("lines"), f"more than {MAX_COUNT} lines in one test", "repeat them less often")
    if sum((line.repeat * line.every for line in lines), timedelta(0)) > LONGEST_TEST:
        fields.problems.add(fields.at("lines"), f"the test spans more than {LONGEST_TEST.days} days", "shorten `every`")
    expect = fields.mapping("expect", required=True)
    fields.done()
    if expect is None:
        return RuleTest(name, lines, line=fields.node.line)
    captures = expect.mapping("captures")
    test = RuleTest(
        name=name,
        lines=lines,
        fires=expect.integer("fires", 0, minimum=0, maximum=MAX_COUNT) if "fires" in expect else None,
        matches=expect.integer("matches", 0, minimum=0, maximum=MAX_COUNT) if "matches" in expect else None,
        captures={key: captures.text(key) for key in captures.names()} if captures else {},
        line=fields.node.line,
    )
    expect.node_of("fires")
    expect.node_of("matches")
    expect.done()
    if test.fires is None and test.matches is None and not test.captures:
        fields.problems.add(fields.at("expect"), "the test expects nothing", "add `fires: 1`")
    return test


def _sample(node: Node, test: Fields) -> SampleLine:
    if not isinstance(node.value, Mapping):
        return SampleLine(test.text_of(node, "lines"))
    fields = Fields(node, test.problems, "the line")
    line = SampleLine(
        text=fields.text("text", required=True),
        repeat=fields.integer("repeat", 1, minimum=1, maximum=MAX_COUNT),
        every=fields.duration("every", timedelta(0), maximum=timedelta(days=1)),
    )
    fields.done()
    return line
