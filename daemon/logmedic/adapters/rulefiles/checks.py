"""What the parts of a rule mean together: names that stand for nothing, bounds that bound nothing."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import replace

import regex

from logmedic.adapters.rulefiles.placeholders import Mistake, placeholder_mistakes, report, untyped
from logmedic.adapters.rulefiles.places import child, key_in, parts_of, patterns_in
from logmedic.adapters.rulefiles.reporting import no_field, report_mistakes
from logmedic.adapters.rulefiles.safety import check_fix, not_proved, unknown_at_the_end
from logmedic.adapters.rulefiles.timing import check_when
from logmedic.core.captures import accept
from logmedic.model.match import Capture, CaptureType, MatchSpec
from logmedic.model.rule import Rule
from logmedic.model.when import MATCH
from logmedic.yamldoc import Fields, Node, Problems


def check_rule(rule: Rule, fields: Fields, patterns: dict[str, regex.Pattern[str]]) -> None:
    """Add what is wrong to the problems of `fields`. `patterns`: those that compile, of `unless` too."""
    for part, spec, node in parts_of(rule, fields.node):
        _check_captures(spec, node, fields.problems, patterns)
        _check_all_matching(node, fields.problems, patterns)
        if part != MATCH:
            _check_groups(rule, spec, node, fields.problems, patterns)
    for place, text, hint in report_mistakes(rule, fields.node):
        fields.problems.add(place, text, hint)
    report(fields, "title", placeholder_mistakes(rule, rule.title, "the title"))
    if (when := fields.mapping("when")) is not None:
        check_when(rule, when)
    if (alert := fields.mapping("alert")) is not None:
        report(alert, "group_by", untyped(rule, rule.alert.group_by, "group_by"))
    if rule.fix is not None and (fix := fields.mapping("fix")) is not None:
        check_fix(rule, rule.fix, fix)
        report(fields, "fix", not_proved(rule, rule.fix))
        report(fields, "fix", unknown_at_the_end(rule, rule.fix))


def _check_captures(spec: MatchSpec, part: Node, problems: Problems, patterns: dict[str, regex.Pattern[str]]) -> None:
    """Those that are written here: what is inherited was checked where it is written."""
    written = child(part, "captures")
    compiled = {each: patterns[each] for each in spec.patterns if each in patterns}
    for name in written.keys if written is not None else ():
        if (capture := spec.captures.get(name)) is not None:
            for text, hint in (*_is_told(name, spec, compiled), *_allowed(name, capture)):
                problems.add(key_in(written, name), text, hint)


def _check_all_matching(part: Node, problems: Problems, patterns: dict[str, regex.Pattern[str]]) -> None:
    """An `unless` that matches everything makes the rule deaf."""
    for key, node in patterns_in(part):
        if node.value == "" or (node.text and node.text in patterns and _matches_all(patterns[node.text])):
            problems.add(node, f"the text in `{key}` matches every line", "write what has to be there")


def _check_groups(
    rule: Rule, spec: MatchSpec, part: Node, problems: Problems, patterns: dict[str, regex.Pattern[str]]
) -> None:
    """What a further line tells of the group: all of it, or nothing, and then it is about every group."""
    wanted = set(rule.when.by) & set(rule.match.captures)
    for key, node in patterns_in(part) if spec.report is None else ():
        pattern = patterns.get(node.text) if key != "unless" else None
        told = wanted & set(spec.captures) & set(pattern.groupindex) if pattern is not None else wanted
        _report_half(told, wanted, node, problems)
    if spec.incidents or spec.report is not None:
        _report_half(wanted & set(spec.captures), wanted, part, problems)


def _report_half(told: set[str], wanted: set[str], node: Node, problems: Problems) -> None:
    if told and told != wanted:
        missing = ", ".join(sorted(wanted - told))
        problems.add(
            node,
            f"this tells `{', '.join(sorted(told))}` and not `{missing}`, which `by` names as well",
            "capture all of `by` here, or none: then it is about every group",
        )


def _matches_all(pattern: regex.Pattern[str]) -> bool:
    """It needs no character at all, and an odd one does not disturb it."""
    try:
        return all(pattern.search(text, timeout=0.1) for text in ("", "\ue000"))
    except TimeoutError:
        return False


def _is_told(name: str, spec: MatchSpec, patterns: dict[str, regex.Pattern[str]]) -> Iterator[Mistake]:
    """By each pattern; or, of reports, by none, and then it is one of their fields."""
    if spec.report is None or any(name in each.groupindex for each in patterns.values()):
        yield from _group_is_there(name, patterns)
    elif len(patterns) == len(set(spec.patterns)) and (mistake := no_field(name)) is not None:
        yield mistake  # of a pattern that does not compile nobody knows what it tells


def _group_is_there(name: str, patterns: dict[str, regex.Pattern[str]]) -> Iterator[Mistake]:
    for text, pattern in patterns.items():
        if name not in pattern.groupindex:
            shown = " ".join(text.split())[:60]
            yield f"the pattern has no group `{name}`: {shown}", f"write (?P<{name}>...) in each pattern"


def _allowed(name: str, capture: Capture) -> Iterator[Mistake]:
    match capture.type:
        case CaptureType.IP | CaptureType.HOSTPORT:
            for each in capture.allow:
                if not _is_network(each) and (capture.type is CaptureType.IP or not _is_name(each)):
                    yield f"`{each[:80]}` is no network", "10.0.0.0/8, 192.0.2.7, fd00::/8"
        case CaptureType.HOSTNAME:
            for each in capture.allow:
                if not _is_name(each):
                    yield f"`{each[:80]}` is no name", "db1.example, or .example for all below it"
        case CaptureType.UNIT:
            for each in capture.allow:
                if accept(each, Capture(CaptureType.UNIT)) is None:
                    yield f"`{each[:80]}` is no unit", "write its whole name: app.service"
        case CaptureType.PATH:
            for each in capture.allow:
                if not each.startswith("/"):
                    yield f"`{each}` is no absolute path", "capture paths are allowed by directory: /var/spool/app"
        case CaptureType.WORD | CaptureType.INT | CaptureType.ENUM if capture.allow:
            yield f"`allow` means nothing for {capture.type}", "int has min and max, enum has values"
    for each in capture.values:
        if accept(each, replace(capture, type=CaptureType.ENUM)) is None:
            yield f"the value `{each[:80]}` is never captured", "printable ASCII, at most 255 long, no - in front"
    if capture.values and capture.type is not CaptureType.ENUM:
        yield f"`values` means nothing for {capture.type}", "use type enum"
    if (capture.minimum, capture.maximum) != (None, None) and capture.type is not CaptureType.INT:
        yield f"`min` and `max` mean nothing for {capture.type}", "use type int"
    if capture.minimum is not None and capture.maximum is not None and capture.minimum > capture.maximum:
        yield "`min` is larger than `max`", f"nothing would ever be captured as `{name}`"


def _is_name(text: str) -> bool:
    return accept(text.removeprefix("."), Capture(CaptureType.HOSTNAME)) is not None


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
