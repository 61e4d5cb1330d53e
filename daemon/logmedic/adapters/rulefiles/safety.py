"""What would be unsafe to run, or to ask, with what a log line holds (I7, I8)."""

from __future__ import annotations

from collections.abc import Iterator

from logmedic.adapters.rulefiles.placeholders import Mistake, names_in, placeholder_mistakes, report
from logmedic.adapters.rulefiles.places import steps_of
from logmedic.adapters.rulefiles.probesafety import check_probes
from logmedic.adapters.rulefiles.stepsafety import check_step
from logmedic.core.targets import texts_of_fix
from logmedic.model import when
from logmedic.model.rule import Fix, Mode, Rule
from logmedic.yamldoc import Fields


def may_run_alone(fix: Fix) -> bool:
    """By its file, or once it has earned that."""
    return fix.mode is Mode.AUTO or fix.graduate_after > 0


def not_proved(rule: Rule, fix: Fix) -> Iterator[Mistake]:
    """I8: what runs by itself has proved itself."""
    if not may_run_alone(fix):
        return
    what = "`mode: auto`" if fix.mode is Mode.AUTO else "`graduate_after`"
    if not fix.verify.probes and fix.verify.quiet is None:
        yield f"{what} needs `verify`", "say how a fix is proved: http, tcp, command, unit, file, disk or quiet"
    if not any(test.expect.fires for test in rule.tests):
        yield f"{what} needs a test that fires", "add to `tests` a sample with `expect: { fires: 1 }`"
    if not any(test.expect.fires == 0 for test in rule.tests):
        yield f"{what} needs a test that stays silent", "add to `tests` a near miss with `expect: { fires: 0 }`"


def unknown_at_the_end(rule: Rule, fix: Fix) -> Iterator[Mistake]:
    """Any of the lines of a sequence can be the last to come, and an incident has what that one tells."""
    if not isinstance(rule.when.trigger, when.Sequence):
        return
    for name in sorted({name for text in texts_of_fix(fix) for name in names_in(text)} & set(rule.match.captures)):
        for part, spec in rule.when.parts:
            if name not in spec.captures:
                yield (
                    f"`{{{name}}}` is not known when {part} completes the sequence",
                    f"capture `{name}` in every pattern of the sequence, or do not use it in the fix",
                )


def check_fix(rule: Rule, fix: Fix, fields: Fields) -> None:
    for (_, node), step in zip(steps_of(fields.node), fix.steps, strict=False):
        check_step(rule, step, Fields(node, fields.problems, step.name))
    for key, probes in (("verify", fix.verify.probes), ("guard", fix.guard)):
        if (checks := fields.mapping(key)) is not None:
            check_probes(rule, probes, checks)
    if (limits := fields.mapping("limits")) is not None:
        report(limits, "one_at_a_time", placeholder_mistakes(rule, fix.limits.one_at_a_time, "`one_at_a_time`"))
