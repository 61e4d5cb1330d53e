"""What rules say of one another: over all files of a load."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches

from logmedic.adapters.rulefiles.placeholders import Mistake
from logmedic.adapters.rulefiles.places import child, items, key_in, parts_of
from logmedic.model.rule import Rule
from logmedic.model.when import CLEAR
from logmedic.yamldoc import Node, meant

Place = Node | tuple[int, int]
Written = tuple[Rule, Node]
"""A rule and where it stands."""


def check_connections(
    written: Sequence[tuple[Rule, Callable[[], Node]]], others: Mapping[str, Rule], refused: Collection[str] = ()
) -> Iterator[tuple[int, Place, Mistake]]:
    """Each mistake with the index of its rule in `written`, and its place. Where a rule stands is asked for when
    something is wrong with it. `others`: rules that are in force, and not read now."""
    known = {**others, **{rule.id: rule for rule, _ in reversed(written)}}
    listens = {rule.id: _openers(rule) for rule in known.values()}
    waits = {rule.id: _causes(rule) for rule in known.values()}
    for number, (rule, node_of) in enumerate(written):
        if not (_is_well(rule, known, listens) and _waits_well(rule, known, waits) and _tells_well(rule, known)):
            node = node_of()
            for place, mistake in (
                *_of_parts(rule, node, known, listens, refused),
                *_of_tests(rule, node, known),
                *_of_fix(rule, node, known, waits, refused),
                *_of_alert(rule, node, known, refused),
            ):
                yield number, place, mistake


def _is_well(rule: Rule, known: Mapping[str, Rule], listens: Mapping[str, tuple[str, ...]]) -> bool:
    """Says less than the checks below, and needs no file."""
    told = [(part, spec, each) for part, spec in rule.parts for each in spec.incidents]
    samples = [line for test in rule.tests for line in test.lines if line.incident]
    heard = {each for _, _, each in told} | set(rule.when.unless_incident)
    if not heard and not samples:
        return True
    return (
        all(each in known and each != rule.id for each in heard)
        and not any(part != CLEAR and _circle(rule.id, each, listens) for part, _, each in told)
        and all(set(spec.captures) <= set(known[each].match.captures) for _, spec, each in told)
        and all(each.incident in heard for each in samples)
        and all(set(each.fields) <= set(known[each.incident].match.captures) for each in samples)
    )


def _openers(rule: Rule) -> tuple[str, ...]:
    """Whose incidents can open one of it."""
    return tuple(each for part, spec in rule.parts if part != CLEAR for each in spec.incidents)


def _causes(rule: Rule) -> tuple[str, ...]:
    """Whose incidents its fix waits for."""
    return rule.fix.after if rule.fix is not None else ()


def _waits_well(rule: Rule, known: Mapping[str, Rule], waits: Mapping[str, tuple[str, ...]]) -> bool:
    """Says less than `_of_fix`, and needs no file."""
    causes = _causes(rule)
    return rule.id not in causes and all(each in known and not _circle(rule.id, each, waits) for each in causes)


def _of_fix(
    rule: Rule, node: Node, known: Mapping[str, Rule], waits: Mapping[str, tuple[str, ...]], refused: Collection[str]
) -> Iterator[tuple[Place, Mistake]]:
    """A cause need not have a fix: then people end it."""
    places = items(child(child(node, "fix"), "after"))
    for cause, place in zip(_causes(rule), places, strict=False):
        if cause == rule.id:
            yield place, ("`after` names the rule itself", "name the rule whose incident is the cause")
        elif cause not in known:
            yield place, _unknown(cause, known, refused)
        elif circle := _circle(rule.id, cause, waits):
            text = f"the fixes wait for one another: {' -> '.join(circle)}"
            yield place, (text, "remove one `after`: that one is the cause")


def _tells_well(rule: Rule, known: Mapping[str, Rule]) -> bool:
    """Says less than `_of_alert`, and needs no file."""
    return all(each in known and each != rule.id for each in rule.alert.not_while)


def _of_alert(
    rule: Rule, node: Node, known: Mapping[str, Rule], refused: Collection[str]
) -> Iterator[tuple[Place, Mistake]]:
    """Two that name each other are no mistake: people hear of one of them."""
    for other, place in zip(rule.alert.not_while, items(child(child(node, "alert"), "not_while")), strict=False):
        if other == rule.id:
            yield place, ("`not_while` names the rule itself", "name the rule that people are told of instead")
        elif other not in known:
            yield place, _unknown(other, known, refused)


def _of_parts(
    rule: Rule,
    node: Node,
    known: Mapping[str, Rule],
    listens: Mapping[str, tuple[str, ...]],
    refused: Collection[str],
) -> Iterator[tuple[Place, Mistake]]:
    for part, spec, at in parts_of(rule, node):
        for told in spec.incidents:
            place = key_in(at, "incident")
            if told not in known:
                yield place, _unknown(told, known, refused)
            elif told == rule.id:
                yield place, ("a rule cannot be about its own incidents", "name the rule that comes before it")
            elif part != CLEAR and (circle := _circle(rule.id, told, listens)):
                yield place, (f"the rules go round in a circle: {' -> '.join(circle)}", "let one of them hear lines")
            else:
                yield from _captures(spec.captures, known[told], child(at, "captures"))
    for told in rule.when.unless_incident:
        place = key_in(child(node, "when"), "unless_incident")
        if told == rule.id:
            yield place, ("`unless_incident` names the rule itself", "a rule has one open incident a group anyway")
        elif told not in known:
            yield place, _unknown(told, known, refused)


def _unknown(rule_id: str, known: Collection[str], refused: Collection[str]) -> Mistake:
    if rule_id in refused:
        return f"rule `{rule_id}`, which this one names, does not load", "correct that one first"
    close = get_close_matches(rule_id, known, n=1)
    hint = f"did you mean `{close[0]}`?" if close else "if it is in another file, name that one as well"
    return f"there is no rule `{rule_id}`", hint


def _circle(start: str, first: str, listens: Mapping[str, tuple[str, ...]]) -> list[str]:
    """From `start` to what it hears of, and so on back to `start`; empty: there is no such way."""
    ways, seen = [[start, first]], {first}
    while ways:
        way = ways.pop()
        for following in listens.get(way[-1], ()):
            if following == start:
                return [*way, start]
            if following not in seen:
                seen.add(following)
                ways.append([*way, following])
    return []


def _captures(wanted: Collection[str], told: Rule, written: Node | None) -> Iterator[tuple[Place, Mistake]]:
    for name in wanted:
        if name not in told.match.captures:
            hint = meant(name, told.match.captures) if told.match.captures else "it captures nothing"
            yield key_in(written, name), (f"rule {told.id} has no typed capture `{name}`", hint)


def _of_tests(rule: Rule, node: Node, known: Mapping[str, Rule]) -> Iterator[tuple[Place, Mistake]]:
    heard = {each for _, spec in rule.parts for each in spec.incidents} | set(rule.when.unless_incident)
    for test in items(child(node, "tests")):
        for line in items(child(test, "lines")):
            told = child(line, "incident")
            if told is None or not told.text:
                continue
            if told.text not in heard:
                hint = meant(told.text, heard) if heard else "name it in `match.incident` or in `unless_incident`"
                yield told, (f"this rule is not about incidents of `{told.text}`", hint)
            elif told.text in known:
                given = child(line, "captures")
                yield from _captures(given.keys if given is not None else (), known[told.text], given)
