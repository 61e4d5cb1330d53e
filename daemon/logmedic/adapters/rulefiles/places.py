"""Where the parts of a rule stand in its file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from logmedic.model.match import MatchSpec
from logmedic.model.rule import Rule
from logmedic.model.when import CLEAR, MATCH, OF, stage_name
from logmedic.yamldoc import Node

PATTERN_KEYS = ("pattern", "patterns", "unless")


def parts_of(rule: Rule, node: Node) -> list[tuple[str, MatchSpec, Node]]:
    """As `Rule.parts`, each with its node in `node`, the rule's: text (a pattern alone) or a mapping. What has no form
    of a part is left out: that was said already."""
    nodes = dict(_parts(node))
    return [(part, spec, nodes[part]) for part, spec in rule.parts if part in nodes]


def _parts(rule: Node) -> Iterator[tuple[str, Node]]:
    when = child(rule, "when")
    for number, node in enumerate(items(child(child(when, "sequence"), "then")), start=1):
        yield stage_name(number), node
    further = {OF: child(child(when, "absence"), "of"), MATCH: child(rule, "match"), CLEAR: child(when, "clear")}
    yield from ((part, node) for part, node in further.items() if node is not None)


def patterns_in(part: Node) -> Iterator[tuple[str, Node]]:
    """The texts of its patterns, each with its key; of a pattern alone the key is `pattern`."""
    if not isinstance(part.value, Mapping):
        yield "pattern", part
    for key in PATTERN_KEYS:
        for node in items(child(part, key)):
            yield key, node


def steps_of(fix: Node | None) -> Iterator[tuple[int, Node]]:
    """The steps that are mappings, each with its rung (0-based), in the order of Fix.steps."""
    for rung, item in enumerate(items(child(fix, "steps"))):
        alternatives = child(item, "any_of")
        for node in (item,) if alternatives is None else items(alternatives):
            if isinstance(node.value, Mapping):
                yield rung, node


def child(node: Node | None, key: str) -> Node | None:
    if node is None or not isinstance(node.value, Mapping):
        return None
    return node.value.get(key)


def items(node: Node | None) -> tuple[Node, ...]:
    """Of a list; what is no list is its only item."""
    if node is None or node.value is None:
        return ()
    return node.value if isinstance(node.value, tuple) else (node,)


def key_in(node: Node | None, key: str) -> Node | tuple[int, int]:
    """Where `key` stands; the node itself when it does not. None: the top of the file."""
    if node is None:
        return 1, 1
    return node.keys.get(key, node)
