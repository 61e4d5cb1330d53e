"""The `tests` of a rule: lines on a virtual clock, and what is expected of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from logmedic.adapters.rulefiles.reportsamples import build_report
from logmedic.model.issue import Resolution
from logmedic.model.match import IncidentStage
from logmedic.model.sample import Expectation, RuleTest, SampleLine
from logmedic.yamldoc import Fields, Node

MAX_LINES = 10_000
LONGEST_TEST = timedelta(days=366)


def build_tests(rule: Fields) -> tuple[RuleTest, ...]:
    return tuple(_tests(rule))


def _tests(rule: Fields) -> Iterator[RuleTest]:
    for node in rule.items("tests"):
        fields = Fields(node, rule.problems, "the test")
        if isinstance(node.value, Mapping):
            yield _test(fields)


def _test(fields: Fields) -> RuleTest:
    test = RuleTest(
        name=fields.text("name", required=True),
        lines=tuple(_sample(each, fields) for each in fields.items("lines", required=True)),
        until=fields.duration("until", timedelta(0), maximum=LONGEST_TEST),
        expect=_expectation(fields),
        line=fields.node.line,
    )
    fields.done()
    if sum(line.repeat for line in test.lines) > MAX_LINES:
        fields.problems.add(fields.at("lines"), f"more than {MAX_LINES} lines in one test", "repeat them less often")
    if sum((line.repeat * line.every for line in test.lines), timedelta(0)) > LONGEST_TEST:
        fields.problems.add(fields.at("lines"), f"the test spans more than {LONGEST_TEST.days} days", "shorten `every`")
    return test


def _expectation(test: Fields) -> Expectation:
    fields = test.mapping("expect", required=True)
    if fields is None:
        return Expectation()
    captures = fields.mapping("captures")
    runs = fields.items("run")
    for node in runs:
        if not isinstance(node.value, tuple):
            fields.problems.add(node, "`run` has to be a list of commands", "run: [[/path/to/program, argument]]")
    expect = Expectation(
        fires=_count(fields, "fires"),
        matches=_count(fields, "matches"),
        captures={key: captures.text(key) for key in captures.names()} if captures else {},
        steps=tuple(fields.texts("steps")) if "steps" in fields else None,
        runs=tuple(_argv(node, fields) for node in runs) if "run" in fields else None,
        resolved=_count(fields, "resolved"),
        resolution=fields.choice("resolution", Resolution, None) if "resolution" in fields else None,
    )
    for key in ("fires", "matches", "steps", "resolved", "resolution"):
        fields.node_of(key)
    fields.done()
    if expect == Expectation():
        fields.problems.add(test.at("expect"), "the test expects nothing", "add `fires: 1`")
    return expect


def _count(fields: Fields, key: str) -> int | None:
    return fields.integer(key, 0, minimum=0, maximum=MAX_LINES) if key in fields else None


def _argv(node: Node, fields: Fields) -> tuple[str, ...]:
    return tuple(fields.text_of(each, "run") for each in node.value) if isinstance(node.value, tuple) else ()


def _sample(node: Node, test: Fields) -> SampleLine:
    if not isinstance(node.value, Mapping):
        return SampleLine(test.text_of(node, "lines"))
    fields = Fields(node, test.problems, "the line")
    of_incident, of_report = "incident" in fields, "report" in fields
    if of_report:
        for key in ("text", "incident", "source", "fields"):
            fields.refuse(key, f"both `report` and `{key}`", "a sample is a line, a report, or another rule's incident")
    fields.node_of("report")
    values = fields.mapping("captures" if of_incident else "fields")
    line = SampleLine(
        text=fields.text("text", required=not (of_incident or of_report)),
        repeat=fields.integer("repeat", 1, minimum=1, maximum=MAX_LINES),
        every=fields.duration("every", timedelta(0), maximum=timedelta(days=1)),
        at=fields.duration("at", timedelta(0), maximum=LONGEST_TEST) if "at" in fields else None,
        source=fields.text("source"),
        fields={key: values.text(key) for key in values.names()} if values else {},
        incident=fields.text("incident"),
        on=fields.choice("on", IncidentStage, IncidentStage.OPENED) or IncidentStage.OPENED,
        report=build_report(fields) if of_report else None,
    )
    fields.node_of("at")
    if of_incident and line.text and not of_report:
        fields.problems.add(
            fields.at("text"), "both `text` and `incident`", "a sample is a line, or another rule's incident"
        )
    fields.done()
    return line
