"""A drafted rule as the file that people go on with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from logmedic.core.durations import duration_text
from logmedic.core.evidence import clean
from logmedic.core.reportmatch import written
from logmedic.core.secrets import masked
from logmedic.model.learned import FixedBefore
from logmedic.model.rule import Rule
from logmedic.model.sample import RuleTest, SampleLine
from logmedic.model.when import Threshold

_SHORT = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def draft_file(rule: Rule, *, made_from: str = "one line", fixed_before: Sequence[FixedBefore] = ()) -> str:
    """Loads as `rule`. What is left to be said, or may be added, stands in comments, `fixed_before` too: what worked
    when something similar was wrong."""
    return "".join(f"{line}\n" for line in (*_head(rule, made_from), *_rule(rule, fixed_before)))


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


def _head(rule: Rule, made_from: str) -> Iterator[str]:
    yield f"# A draft made from {made_from}. Read pattern, threshold and tests, then put it where rules.paths looks."
    yield "version: 1"
    if rule.service:
        yield f"service: {scalar(rule.service)}"
    yield "rules:"


def _rule(rule: Rule, fixed_before: Sequence[FixedBefore]) -> Iterator[str]:
    yield f"  - id: {scalar(rule.id)}"
    yield f"    title: {scalar(rule.title)}"
    yield f"    severity: {rule.severity.value}"
    yield f"    description: {scalar(rule.description)}"
    yield f"    resolution: {scalar(rule.resolution)}"
    if rule.tags:
        yield f"    tags: [{', '.join(map(scalar, rule.tags))}]"
    if rule.match.report is not None:
        pass  # all reports come from one
    elif rule.sources:
        yield f"    source: [{', '.join(map(scalar, rule.sources))}]"
    else:
        yield "    # source: NAME               without it the rule hears every log"
    yield from _match(rule)
    yield from _when(rule)
    yield from _fixed(fixed_before)
    yield from _FIX
    yield "    tests:"
    for test in rule.tests:
        yield from _test(test)


def _match(rule: Rule) -> Iterator[str]:
    yield "    match:"
    if rule.match.report is not None:
        keys = (
            f"{key}: [{', '.join(map(scalar, values))}]" for key, values in written(rule.match.report).items() if values
        )
        yield f"      report: {{ {', '.join(keys)} }}"
        yield "      # users: [NAME] beside these: whose reports count; anybody's of this host without it"
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


def _fixed(fixed_before: Sequence[FixedBefore]) -> Iterator[str]:
    """What stands there comes from logs and commands: each in one line, without what hides text or is secret."""
    if fixed_before:
        yield "    # What worked when something similar was wrong (this draft does not run it):"
    for each in fixed_before:
        times = "once" if each.worked == 1 else f"{each.worked} times, last"
        yield f"    #   rule {each.rule_id}, step {_plain(each.step_name)}: worked {times} on {each.last_at:%Y-%m-%d}"
        yield f"    #     for {_plain(each.title)}"
        yield f"    #     $ {_plain(' '.join(each.argv))}"


def _plain(text: str) -> str:
    return clean(masked(text), 300, keep="")


_FIX = (
    "    # A draft runs nothing. A fix that only says what it would do, to begin with:",
    "    # fix:",
    "    #   mode: observe",
    "    #   steps: [{ name: restart it, unit: { restart: NAME.service } }]",
    "    #   verify: { quiet: 60s }",
)


def _sample(line: SampleLine) -> Iterator[str]:
    if line.report is None:
        yield f"          - text: {scalar(line.text)}"
        return
    yield "          - report:"
    for key in ("component", "action", "error", "message"):
        if value := getattr(line.report, key):
            yield f"              {key}: {scalar(value)}"
    if line.report.attempts:
        yield f"              attempts: {line.report.attempts}"


def _test(test: RuleTest) -> Iterator[str]:
    yield f"      - name: {scalar(test.name)}"
    yield "        lines:"
    for line in test.lines:
        if line.repeat == 1 and line.report is None:
            yield f"          - {scalar(line.text)}"
            continue
        yield from _sample(line)
        if line.repeat == 1:
            continue
        yield f"            repeat: {line.repeat}"
        yield f"            every: {duration_text(line.every)}"
    expect = test.expect
    told = [f"fires: {expect.fires}", f"matches: {expect.matches}"]
    if expect.captures:
        pairs = (f"{name}: {scalar(value)}" for name, value in expect.captures.items())
        told.append(f"captures: {{ {', '.join(pairs)} }}")
    yield f"        expect: {{ {', '.join(told)} }}"
