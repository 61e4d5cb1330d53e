"""The `when` of a rule: what makes its matches an incident, and what ends that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from logmedic.adapters.rulefiles.matching import build_further, build_match, inherited
from logmedic.model.match import MatchSpec
from logmedic.model.when import Absence, Clear, Distinct, Rate, Sequence, Stage, Threshold, Trigger, When
from logmedic.yamldoc import Fields, Node

MAX_COUNT = 10_000
MAX_KEPT = 1000
"""Of what is remembered with more than its time."""
MAX_STAGES = 16
MINUTE = timedelta(minutes=1)
SHORTEST = timedelta(milliseconds=100)


def build_when(rule: Fields, match: MatchSpec) -> When:
    """A mistake gives a default."""
    when = rule.mapping("when")
    if when is None:
        return When()
    written = [name for name in _TRIGGERS if name in when]
    for second in written[1:]:
        when.problems.add(
            when.at(second), f"both `{written[0]}` and `{second}`", "a rule has one trigger; write two rules"
        )
    trigger: Trigger = Threshold()
    for name in written:
        fields = when.mapping(name)
        if fields is not None:
            trigger = _TRIGGERS[name](fields, match)
            fields.done()
    built = When(trigger, _clear(when, match), tuple(when.texts("unless_incident")))
    if not (written or "clear" in when or "unless_incident" in when):
        for name in _TRIGGERS:
            when.node_of(name)
        when.problems.add(when.node, "`when` is empty", f"write one of: {', '.join(_TRIGGERS)}, clear, unless_incident")
    when.done()
    return built


def _within(fields: Fields, default: timedelta = MINUTE) -> timedelta:
    return fields.duration("within", default, minimum=SHORTEST)


def _by(fields: Fields) -> tuple[str, ...]:
    return tuple(fields.texts("by"))


def _threshold(fields: Fields, _: MatchSpec) -> Trigger:
    return Threshold(fields.integer("count", None, minimum=1, maximum=MAX_COUNT), _within(fields), _by(fields))


def _distinct(fields: Fields, _: MatchSpec) -> Trigger:
    of = fields.text("of", required=True)
    return Distinct(of, fields.integer("count", None, minimum=2, maximum=MAX_KEPT), _within(fields), _by(fields))


def _sequence(fields: Fields, match: MatchSpec) -> Trigger:
    then = fields.items("then", required=True)
    if len(then) > MAX_STAGES:
        fields.problems.add(fields.at("then"), f"more than {MAX_STAGES} things to wait for", "write several rules")
    return Sequence(
        tuple(_stage(node, fields, match) for node in then),
        fields.integer("count", 1, minimum=1, maximum=MAX_KEPT),
        _within(fields),
        _by(fields),
        fields.boolean("any_order", False),
    )


def _stage(node: Node, owner: Fields, match: MatchSpec) -> Stage:
    if not isinstance(node.value, Mapping):
        return Stage(build_further(node, owner, "then", match))
    fields = Fields(node, owner.problems, "`then`")
    count = fields.integer("count", 1, minimum=1, maximum=MAX_KEPT)
    return Stage(inherited(build_match(fields), match), count)


def _absence(fields: Fields, match: MatchSpec) -> Trigger:
    of = fields.node_of("of")
    spec = build_further(of, fields, "of", match) if of is not None else None
    if "within" not in fields:
        fields.node_of("within", required=True)
    return Absence(_within(fields), spec, _by(fields))


def _rate(fields: Fields, _: MatchSpec) -> Trigger:
    return Rate(
        times=fields.number("times", 3, minimum=1.1, maximum=1000),
        at_least=fields.integer("at_least", None, minimum=1, maximum=MAX_COUNT),
        within=fields.duration("within", timedelta(minutes=5), minimum=timedelta(seconds=1)),
        by=_by(fields),
    )


_TRIGGERS: dict[str, Callable[[Fields, MatchSpec], Trigger]] = {
    "threshold": _threshold,
    "distinct": _distinct,
    "sequence": _sequence,
    "absence": _absence,
    "rate": _rate,
}


def _clear(when: Fields, match: MatchSpec) -> Clear:
    """A text is the pattern of the line that ends it."""
    node = when.node_of("clear")
    if node is None:
        return Clear()
    if not isinstance(node.value, Mapping):
        return Clear(build_further(node, when, "clear", match))
    fields = Fields(node, when.problems, "`clear`")
    quiet = fields.duration("quiet", timedelta(0), minimum=timedelta(seconds=1))
    after = fields.duration("after", timedelta(0)) if fields.node_of("after") is not None else None
    spec = inherited(build_match(fields), match) if _LINES & set(fields.names()) else None
    if "quiet" in fields and after is not None:
        fields.problems.add(fields.at("after"), "both `quiet` and `after`", "write one of them")
    if not fields.names():
        fields.problems.add(node, "`clear` is empty", "write a pattern, `quiet: 10m`, or `after: 10m`")
    if spec is None:
        fields.done()
    return Clear(spec, quiet or None, after)


_LINES = {"pattern", "patterns", "incident", "report"}
