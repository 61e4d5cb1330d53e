"""A drafted rule as the file that people go on with."""

from __future__ import annotations

from collections.abc import Iterator

from logmedic.core.durations import duration_text
from logmedic.model.rule import Rule
from logmedic.model.sample import RuleTest
from logmedic.model.when import Threshold

_SHORT = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def draft_file(rule: Rule) -> str:
    """Loads as `rule`. What is left to be said, or may be added, stands in comments."""
    return "".join(f"{line}\n" for line in (*_head(rule), *_rule(rule)))


def scalar(text: str) -> str:
    """`text` quoted so that YAML reads it as it is: in single quotes when all of it can be seen."""
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_SHORT.get(each) or _shown(each) for each in text) + '"'


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _head(rule: Rule) -> Iterator[str]:
    yield "# A draft made from one line. Read its pattern, threshold and tests, then put it where rules.paths looks."
    yield "version: 1"
    if rule.service:
        yield f"service: {scalar(rule.service)}"
    yield "rules:"


def _rule(rule: Rule) -> Iterator[str]:
    yield f"  - id: {scalar(rule.id)}"
    yield f"    title: {scalar(rule.title)}"
    yield f"    severity: {rule.severity.value}"
    yield f"    description: {scalar(rule.description)}"
    yield f"    resolution: {scalar(rule.resolution)}"
    if rule.sources:
        yield f"    source: [{', '.join(map(scalar, rule.sources))}]"
    else:
        yield "    # source: NAME               without it the rule hears every source"
    yield from _match(rule)
    yield from _when(rule)
    yield from _FIX
    yield "    tests:"
    for test in rule.tests:
        yield from _test(test)


def _match(rule: Rule) -> Iterator[str]:
    yield "    match:"
    if rule.match.program:
        yield f"      program: [{', '.join(map(scalar, rule.match.program))}]"
    if rule.match.field:
        yield f"      field: {scalar(rule.match.field)}"
    yield f"      pattern: {scalar(rule.match.patterns[0])}"
    if rule.match.captures:
        yield "      captures:"
        yield from (f"        {name}: {each.type.value}" for name, each in rule.match.captures.items())


def _when(rule: Rule) -> Iterator[str]:
    trigger = rule.when.trigger
    if isinstance(trigger, Threshold):
        by = f", by: [{', '.join(trigger.by)}]" if trigger.by else ""
        yield f"    when: {{ threshold: {{ count: {trigger.count}, within: {duration_text(trigger.within)}{by} }} }}"


_FIX = (
    "    # A draft runs nothing. A fix that only says what it would do, to begin with:",
    "    # fix:",
    "    #   mode: observe",
    "    #   steps: [{ name: restart it, unit: { restart: NAME.service } }]",
    "    #   verify: { quiet: 60s }",
)


def _test(test: RuleTest) -> Iterator[str]:
    yield f"      - name: {scalar(test.name)}"
    yield "        lines:"
    for line in test.lines:
        if line.repeat == 1:
            yield f"          - {scalar(line.text)}"
            continue
        yield f"          - text: {scalar(line.text)}"
        yield f"            repeat: {line.repeat}"
        yield f"            every: {duration_text(line.every)}"
    expect = test.expect
    told = [f"fires: {expect.fires}", f"matches: {expect.matches}"]
    if expect.captures:
        pairs = (f"{name}: {scalar(value)}" for name, value in expect.captures.items())
        told.append(f"captures: {{ {', '.join(pairs)} }}")
    yield f"        expect: {{ {', '.join(told)} }}"
