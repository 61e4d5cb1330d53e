"""What a `when` means: captures that it names, and numbers that can never be reached."""

from __future__ import annotations

from collections.abc import Iterator

from logmedic.adapters.rulefiles.placeholders import Mistake, report, untyped
from logmedic.adapters.rulefiles.triggers import MAX_KEPT
from logmedic.core.windows import kind_of
from logmedic.model.match import Capture, CaptureType
from logmedic.model.rule import Rule
from logmedic.model.when import Distinct, Sequence
from logmedic.yamldoc import Fields


def check_when(rule: Rule, when: Fields) -> None:
    trigger = rule.when.trigger
    if (fields := when.mapping(kind_of(trigger))) is None:
        return
    report(fields, "by", untyped(rule, rule.when.by, "by"))
    match trigger:
        case Distinct():
            report(fields, "of", untyped(rule, (trigger.of,) if trigger.of else (), "of"))
            report(fields, "of", _never_distinct(rule, trigger))
        case Sequence():
            report(fields, "then", _too_many(trigger))


def _never_distinct(rule: Rule, trigger: Distinct) -> Iterator[Mistake]:
    if trigger.of in trigger.by:
        yield f"`of` and `by` both name `{trigger.of}`", "each group would have one value: remove it from `by`"
    capture = rule.match.captures.get(trigger.of)
    values = None if capture is None else _values(capture)
    if values is not None and values < trigger.count:
        yield f"`{trigger.of}` has {values} values at most, and `count` wants {trigger.count}", "lower `count`"


def _values(capture: Capture) -> int | None:
    """How many there can be; None: no bound to speak of."""
    if capture.type is CaptureType.ENUM:
        return len(set(capture.values))
    if capture.type is CaptureType.INT and capture.maximum is not None:
        return capture.maximum - (capture.minimum or 0) + 1
    return None


def _too_many(trigger: Sequence) -> Iterator[Mistake]:
    total = trigger.count + sum(stage.count for stage in trigger.then)
    if total > MAX_KEPT:
        yield f"the sequence waits for {total} lines, more than {MAX_KEPT}", "lower the counts"
