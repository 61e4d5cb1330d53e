"""What rules say of reports of applications: the form of `match.report`, and what of it means nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from logmedic.adapters.rulefiles.places import child, items, key_in, parts_of
from logmedic.core import reportmatch, reports
from logmedic.core.reportmatch import ANY, SOURCE
from logmedic.model.match import MatchSpec, ReportSpec
from logmedic.model.report import ReportKind
from logmedic.model.rule import Rule
from logmedic.model.when import CLEAR, OF
from logmedic.yamldoc import Fields, Node, meant

_COMPONENT = re.compile(r"[A-Za-z*][A-Za-z0-9_.*-]{0,127}\Z", re.ASCII)
_ENVIRONMENT = re.compile(r"[A-Za-z0-9_.:*-]{1,128}\Z", re.ASCII)
_USER = re.compile(r"uid (?:\d{1,10}|\*)\Z|[^\s:,/]{1,256}\Z")
FORMS = {
    "component": (_COMPONENT, "a letter, then letters, digits, `.`, `_`, `-`; `*` stands for any part"),
    "environment": (_ENVIRONMENT, "letters, digits, `.`, `_`, `:`, `-`; `*` stands for any part"),
    "users": (_USER, "the name of an account, or `uid 1234` of one without a name"),
}
_INSTEAD = {
    "program": "the program of a report is its component: report: { component: checkout }",
    "level": "reports are errors unless the rule says otherwise: report: { kind: [error, graceful_degradation] }",
    "incident": "a match is about reports, or about incidents of other rules",
    "on": "it is about incidents of other rules",
}
_CONTEXT = "context."

Place = Node | tuple[int, int]
Mistake = tuple[Place, str, str]
"""Place, text and hint."""


def build_report(match: Fields) -> ReportSpec:
    """Of a `match` that has `report`. A mistake gives a default."""
    for key, hint in _INSTEAD.items():
        match.refuse(key, f"`report` and `{key}` do not go together", hint)
    fields = match.mapping("report")
    if fields is None:
        return ReportSpec()
    values = {key: tuple(_values(fields, key)) for key in reportmatch.KEYS if key != "kind"}
    kinds = [fields.choice_of(node, "kind", ReportKind) for node in _nodes(fields, "kind")]
    if not fields.names():
        hint = "write what it is about: report: { component: checkout, error: TimeoutError }"
        fields.problems.add(fields.node, "`report` names nothing that a report has to say", hint)
    fields.done()
    return ReportSpec(**values, kind=tuple(each for each in kinds if each) or (ReportKind.ERROR,))


def _nodes(fields: Fields, key: str) -> list[Node]:
    nodes = fields.items(key)
    written = child(fields.node, key)
    if written is not None and written.value == ():
        _empty(fields, key, written)
    return nodes


def _values(fields: Fields, key: str) -> Iterator[str]:
    for node in _nodes(fields, key):
        value = fields.text_of(node, key)
        form, words = FORMS.get(key, (None, ""))
        if node.value == "":
            _empty(fields, key, node)
        elif value and form is not None and not form.match(value):
            fields.problems.add(node, f"`{value[:80]}` can be no {key.removesuffix('s')} of a report", words)
        elif len(value) > reports.MAX_WORDS:
            text = f"`{key}` has {len(value)} characters, and that of a report at most {reports.MAX_WORDS}"
            fields.problems.add(node, text, "write `*` for a part of it")
        yield value


def _empty(fields: Fields, key: str, at: Node) -> None:
    fields.problems.add(at, f"`{key}` is empty", f"write a word, or remove `{key}`: then any will do")


def report_mistakes(rule: Rule, node: Node) -> Iterator[Mistake]:
    """What is wrong beside the form. `node`: of the rule."""
    parts = parts_of(rule, node)
    for _, spec, at in parts:
        if spec.report is not None:
            yield from _field_mistakes(spec, at)
    yield from _source_mistakes(rule, node, [spec for _, spec, _ in parts])


def _field_mistakes(spec: MatchSpec, at: Node) -> Iterator[Mistake]:
    if not spec.field:
        return
    if not spec.patterns:
        yield key_in(at, "field"), "`field` says what the pattern is about, and there is none", "add `pattern: ...`"
    if spec.field not in reports.FIELDS and not spec.field.startswith(_CONTEXT):
        hint = meant(spec.field, (*reports.FIELDS, f"{_CONTEXT}NAME"))
        yield key_in(at, "field"), f"a report has no field `{spec.field[:80]}`", hint


def no_field(name: str) -> tuple[str, str] | None:
    """Text and hint, of a capture that no pattern has a group for."""
    if name in reports.FIELDS:
        return None
    hint = f"{meant(name, reports.FIELDS)} else write (?P<{name}>...) in the pattern"
    return f"a report has no field `{name[:80]}`, and no pattern has such a group", hint


def _source_mistakes(rule: Rule, node: Node, specs: Sequence[MatchSpec]) -> Iterator[Mistake]:
    """Reports come from one source, and lines never from that."""
    about = [spec.report for spec in specs if spec.report is not None]
    if not about or not rule.sources:
        return
    lines = any(spec.patterns and spec.report is None for spec in specs)
    units = []
    for place, source in zip(items(child(node, "source")), rule.sources, strict=False):
        name, _, unit = source.partition(":")
        units += [unit] if name == SOURCE else []
        if name != SOURCE and not lines:
            text = f"no report comes from `{source[:80]}`: all come from `{SOURCE}`"
            yield place, text, f"write `source: {SOURCE}`, or leave it out"
    if lines and not units:
        text = f"it is about reports, and does not hear `{SOURCE}`"
        yield key_in(node, "source"), text, f"add `{SOURCE}` to `source`, or leave it out"
    for spec in about if all(units) else ():
        if units and not any(reportmatch.takes(spec.component, each) for each in units):
            text = f"it hears reports of {', '.join(units)} alone, and is about those of {', '.join(spec.component)}"
            yield key_in(node, "source"), text, f"write `source: {SOURCE}`, or leave it out"


def of_anybody(rule: Rule, node: Node) -> Iterator[Mistake]:
    """Of a rule whose fix runs by itself: where it may be made to by anybody who may write to the report socket."""
    plain = all(spec.report is None for _, spec in rule.parts)  # else its lines are lines
    named = items(child(node, "source")) if plain else ()
    hears = [place for place in named if place.text.partition(":")[0] == SOURCE]
    for part, spec, at in parts_of(rule, node):
        if part in (CLEAR, OF):
            continue
        if spec.report is None:
            text = "its fix runs by itself on the text of what any user of this host may report"
            hint = "name who reports it, which the kernel vouches for: match: { report: { users: [shop] } }"
            yield from ((place, text, hint) for place in hears if spec.patterns)
            continue
        if not spec.report.users or any(set(each) == {ANY} for each in spec.report.users):
            text = "its fix runs by itself on what any user of this host may report"
            hint = "name who reports it, which the kernel vouches for: report: { users: [shop] }"
            yield key_in(child(at, "report"), "users"), text, hint


def users_of(rule: Rule, node: Node) -> Iterator[tuple[Node, str]]:
    """The accounts that it names, each with its place."""
    for _, spec, at in parts_of(rule, node):
        if spec.report is not None:
            for place in items(child(child(at, "report"), "users")):
                if ANY not in place.text and " " not in place.text:
                    yield place, place.text
