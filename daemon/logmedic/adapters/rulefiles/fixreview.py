"""Of a fix, what is allowed and deserves a look."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from logmedic.adapters.rulefiles.fixprobes import PROBES
from logmedic.adapters.rulefiles.placeholders import Mistake
from logmedic.adapters.rulefiles.places import child, items, key_in, steps_of
from logmedic.model.rule import Fix
from logmedic.model.step import CallHttp, Sandboxed, Step, UnitJob, Wait
from logmedic.yamldoc import Node

Place = Node | tuple[int, int]
_TIMES = ("within", "every")


def odd_in_fix(fix: Fix, node: Node) -> Iterator[tuple[Place, Mistake]]:
    """`node`: of the fix."""
    for step, at in _steps(fix, node):
        yield from _needless(step, at)
        if step.rollback is not None and not _leaves_something(step):
            text = f"`{step.name}` leaves nothing to undo: its rollback is for nothing"
            yield key_in(at, "rollback"), (text, "remove `rollback`")
        yield from _timed_in_vain(child(at, "expect"))
    for key in ("verify", "guard"):
        yield from _timed_in_vain(child(node, key))
    if fix.guard and not any(step.rollback is not None for step in fix.steps):
        text = "`guard` is asked to know when to roll back, and no step has a `rollback`"
        yield key_in(node, "guard"), (text, "add `rollback` to the step that may harm, or remove `guard`")


def off_causes(fix: Fix, node: Node, off: Collection[str]) -> Iterator[tuple[Place, Mistake]]:
    """`off`: ids of rules that are switched off."""
    for cause, at in zip(fix.after, items(child(node, "after")), strict=False):
        if cause in off:
            yield at, (f"rule {cause} is switched off: it is never the cause", "enable it, or remove it from `after`")


def of_root(fix: Fix, node: Node) -> Iterator[tuple[Place, Mistake]]:
    """What the config has to allow as well."""
    for step, at in _steps(fix, node):
        for each, place in ((step, at), (step.rollback, child(at, "rollback"))):
            if each is not None and place is not None and each.sandbox.user == "root":
                text = f"`{each.name}` runs as root, which needs `actions.allow_root: true` in the config as well"
                yield key_in(child(place, "sandbox"), "user"), (text, "an account of its own is safer: user: app")


def _steps(fix: Fix, node: Node) -> Iterator[tuple[Step, Node]]:
    yield from zip(fix.steps, (at for _, at in steps_of(node)), strict=False)


def _needless(step: Step, at: Node) -> Iterator[tuple[Place, Mistake]]:
    for each, place in ((step, at), (step.rollback, child(at, "rollback"))):
        if each is None or isinstance(each.action, Sandboxed) or child(place, "sandbox") is None:
            continue
        who = "the service manager does it" if isinstance(each.action, UnitJob) else "the daemon does it"
        yield key_in(place, "sandbox"), (f"`sandbox` means nothing for `{each.name}`: {who}", "remove `sandbox`")


def _leaves_something(step: Step) -> bool:
    match step.action:
        case Wait():
            return False
        case CallHttp(method):
            return method != "GET"
    return True


def _timed_in_vain(checks: Node | None, *, turned: bool = False) -> Iterator[tuple[Place, Mistake]]:
    """What is turned round, by `not`, is asked once."""
    values = checks.value if checks is not None and isinstance(checks.value, Mapping) else {}
    for key, node in values.items():
        for each in items(node):
            if key in ("and", "or", "not"):
                yield from _timed_in_vain(each, turned=turned or key == "not")
            elif key in PROBES and turned:
                for time in _TIMES:
                    if child(each, time) is not None:
                        text = f"`{time}` means nothing inside `not`: that is asked once"
                        yield key_in(each, time), (text, f"remove `{time}`")
