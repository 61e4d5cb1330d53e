"""The ladder of a fix: its rungs, their alternatives, and each step."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import cycle, groupby
from operator import itemgetter
from string import ascii_lowercase

from logmedic.adapters.rulefiles.actions import build_action, usual_timeout
from logmedic.adapters.rulefiles.commands import HOUR, build_sandbox
from logmedic.adapters.rulefiles.fixprobes import NOW, checks_of
from logmedic.adapters.rulefiles.places import child, steps_of
from logmedic.model.step import KillProcess, Retry, Step, Wait
from logmedic.yamldoc import Fields, Node, Problems

MAX_STEPS = 20
ALTERNATIVES = "any_of"
SHORTEST = timedelta(milliseconds=100)


def build_steps(fix: Fields) -> tuple[Step, ...]:
    rungs = fix.items("steps", required=True)
    for node in rungs:
        _check_rung(node, fix.problems)
    steps: list[tuple[Node, Step]] = []
    for rung, node, name in _named(fix.node):
        fields = Fields(node, fix.problems, name)
        if node is rungs[rung] or ALTERNATIVES in fields:
            fields.node_of(ALTERNATIVES)  # what is wrong about it was told
        steps.append((node, _step(fields, name, rung)))
    if len(steps) > MAX_STEPS:
        fix.problems.add(fix.at("steps"), f"more than {MAX_STEPS} steps", "write fewer, or several rules")
    _check_names(steps, fix.problems)
    return tuple(step for _, step in steps)


def _named(fix: Node) -> Iterator[tuple[int, Node, str]]:
    """Steps with the names of those that have none: step 1, step 2a, step 2b, step 3."""
    for rung, found in groupby(steps_of(fix), key=itemgetter(0)):
        nodes = [node for _, node in found]
        for node, letter in zip(nodes, cycle(ascii_lowercase), strict=False):
            yield rung, node, f"step {rung + 1}{letter if len(nodes) > 1 else ''}"


def _check_rung(node: Node, problems: Problems) -> None:
    """That it is a step, or alternatives and nothing beside them."""
    fields = Fields(node, problems, "the step")
    alternatives = fields.node_of(ALTERNATIVES)
    if alternatives is None:
        return
    for key in fields.names():
        if key != ALTERNATIVES:
            problems.add(fields.at(key), f"`{key}` beside `any_of`", "write it into each of the alternatives")
    if not isinstance(alternatives.value, tuple) or len(alternatives.value) < 2:
        problems.add(
            alternatives, "`any_of` has to be a list of two steps or more", "one step alone is a rung by itself"
        )
        return
    for each in alternatives.value:
        if Fields(each, problems, "the alternative").names() and child(each, ALTERNATIVES) is not None:
            problems.add(each.keys[ALTERNATIVES], "`any_of` inside `any_of`", "write all alternatives into one list")


def _check_names(steps: list[tuple[Node, Step]], problems: Problems) -> None:
    """What each has earned is counted by its name."""
    seen: set[str] = set()
    for node, step in steps:
        if step.name in seen:
            problems.add(node.keys.get("name", node), f"two steps are called `{step.name}`", "give each its own name")
        seen.add(step.name)


def _step(fields: Fields, usual_name: str, rung: int) -> Step:
    name = fields.text("name", usual_name)
    action = build_action(fields)
    step = Step(
        name=name,
        action=action,
        timeout=_timeout(fields, usual_timeout(action)),
        retry=_retry(fields),
        sandbox=build_sandbox(fields),
        expect=checks_of(fields, "expect", NOW),
        rollback=_rollback(fields, name),
        rung=rung,
    )
    fields.done()
    _check_time(step, fields)
    return step


def _timeout(fields: Fields, usual: timedelta) -> timedelta:
    return fields.duration("timeout", usual, minimum=SHORTEST, maximum=HOUR)


def _check_time(step: Step, fields: Fields) -> None:
    """That it can end inside its timeout."""
    match step.action:
        case KillProcess(grace=needed):
            key, words = "kill", "the `grace` of `kill`"
        case Wait(needed):
            key, words = "wait", "`wait`"
        case _:
            return
    if needed >= step.timeout:
        place = fields.at("timeout" if "timeout" in fields else key)
        fields.problems.add(place, f"{words} is not shorter than `timeout`", "make `timeout` longer")


def _retry(step: Fields) -> Retry:
    fields = step.mapping("retry")
    if fields is None:
        return Retry()
    usual = Retry()
    base = fields.duration("base", usual.base, maximum=HOUR)
    retry = Retry(
        attempts=fields.integer("attempts", usual.attempts, minimum=1, maximum=20),
        base=base,
        max=fields.duration("max", max(usual.max, base), maximum=HOUR),
        factor=fields.number("factor", usual.factor, minimum=1, maximum=10),
    )
    if retry.base > retry.max:
        fields.problems.add(fields.at("base"), "`base` is longer than `max`", "the wait grows from base up to max")
    fields.done()
    return retry


def _rollback(step: Fields, name: str) -> Step | None:
    fields = step.mapping("rollback")
    if fields is None:
        return None
    for key in ("retry", "expect", "rollback"):
        if key in fields:
            fields.refuse(key, f"a rollback has no `{key}`", "it runs once, whatever comes of it")
    action = build_action(fields)
    undo = Step(
        name=fields.text("name", f"undo {name}"),
        action=action,
        timeout=_timeout(fields, usual_timeout(action)),
        sandbox=build_sandbox(fields),
    )
    fields.done()
    _check_time(undo, fields)
    return undo
