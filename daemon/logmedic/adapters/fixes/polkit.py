"""What polkit has to allow, so that the daemon's user may have units restarted: these, by these verbs. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, product

from logmedic.core.captures import fill, names_in
from logmedic.model.match import Capture, CaptureType
from logmedic.model.rule import Rule
from logmedic.model.step import Step, UnitJob, UnitVerb

ACTION = "org.freedesktop.systemd1.manage-units"
MOST = 1000
"""Units that one name with captures may stand for: the loader of rule files looks at as many."""


def polkit_rules(rules: Iterable[Rule], user: str) -> str:
    """For /etc/polkit-1/rules.d: JavaScript that allows `user` the jobs of the rules that are enabled, and leaves all
    else to other rules. systemd tells polkit the verb and the own name of the unit, never an alias; none of its verbs
    has a space in it."""
    jobs = sorted({job for rule in rules if rule.enabled for job in jobs_of(rule)})
    allowed = ",\n".join(f"        {json.dumps(f'{verb.value} {unit}')}" for verb, unit in jobs)
    return f"""// Made by `logmedic install fixes`: changes are overwritten.
// The jobs of units that rules have as fixes; nothing else is allowed here.
polkit.addRule(function (action, subject) {{
    var allowed = [
{allowed}
    ];
    if (action.id === {json.dumps(ACTION)} &&
        subject.user === {json.dumps(user)} &&
        allowed.indexOf(action.lookup("verb") + " " + action.lookup("unit")) !== -1) {{
        return polkit.Result.YES;
    }}
    return polkit.Result.NOT_HANDLED;
}});
"""


def jobs_of(rule: Rule) -> tuple[tuple[UnitVerb, str], ...]:
    """Of its steps and rollbacks, in their order, each once. A unit with a capture is each that the capture's bounds
    let it be; with one whose values cannot be listed it is none, and such a job is refused."""
    found = (
        (step.action.verb, unit)
        for step in _steps(rule)
        if isinstance(step.action, UnitJob)
        for unit in _possible(rule, step.action.unit)
    )
    return tuple(dict.fromkeys(found))


def _steps(rule: Rule) -> Iterator[Step]:
    for step in rule.fix.steps if rule.fix is not None else ():
        yield step
        if step.rollback is not None:
            yield step.rollback


def _possible(rule: Rule, unit: str) -> Iterator[str]:
    names = list(dict.fromkeys(names_in(unit)))
    captures = [rule.match.captures.get(name) for name in names]
    bounds = [_values(each) if each is not None else () for each in captures]
    for values in islice(product(*bounds), MOST):
        yield fill(unit, dict(zip(names, values, strict=True)))


def _values(capture: Capture) -> Sequence[str]:
    """All that can be written down; none of networks, directories and the like."""
    match capture.type:
        case CaptureType.ENUM:
            return capture.values
        case CaptureType.UNIT:
            return capture.allow
        case CaptureType.HOSTNAME:
            return [name for name in capture.allow if not name.startswith(".")]
        case CaptureType.INT if capture.maximum is not None:
            first = max(0, capture.minimum or 0)
            return [str(number) for number in range(first, min(capture.maximum + 1, first + MOST))]
    return ()
