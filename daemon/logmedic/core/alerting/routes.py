"""Which routes a piece of news takes, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from logmedic.core.alerting.selecting import Facts, why_not
from logmedic.model.alert import AlertPlan, Branch


@dataclass(frozen=True, slots=True)
class Step:
    """A place that was asked, for people: `taken` it was, `why` (or why not), and the routes that it gave."""

    place: str
    taken: bool
    why: str
    routes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Way:
    """`routes` exist, each once; `missing` were named and do not exist. `steps` are in the order in which they were
    asked."""

    routes: tuple[str, ...]
    steps: tuple[Step, ...]
    missing: tuple[str, ...] = ()


def way_of(plan: AlertPlan, facts: Facts, named: Sequence[str], now: datetime) -> Way:
    """`named`: the routes that its rule names; they come before the tree. What no route takes, and what only routes
    take that do not exist, goes to the default one."""
    steps: list[Step] = []
    wanted = list(dict.fromkeys(named))
    if wanted:
        steps.append(Step("the rule", True, "it names its routes itself", tuple(wanted)))
    else:
        wanted = list(dict.fromkeys(_taken(plan.tree, facts, now, steps)))
    missing = tuple(name for name in wanted if name not in plan.routes)
    found = tuple(name for name in wanted if name in plan.routes)
    steps += [Step(f"route {name}", False, "there is no such route") for name in missing]
    if not found and plan.default_route in plan.routes:
        found = (plan.default_route,)
        why = "the routes that were named do not exist" if missing else "nothing else took it"
        steps.append(Step("default_route", True, why, found))
    elif not found:
        steps.append(Step("default_route", False, "there is none: nobody is told"))
    return Way(found, tuple(steps), missing)


def _taken(branches: Sequence[Branch], facts: Facts, now: datetime, steps: list[Step]) -> Iterator[str]:
    """Routes, and in `steps` how they were found."""
    for branch in branches:
        said = why_not(branch.when, facts, now)
        if said:
            steps.append(Step(branch.place, False, said))
            continue
        at = len(steps)
        deeper = list(_taken(branch.then, facts, now, steps))
        if not deeper and not branch.routes:
            steps.insert(at, Step(branch.place, False, "it fits, and none of its branches does"))
            continue
        own = () if deeper else branch.routes
        steps.insert(at, Step(branch.place, True, "it fits" + ("; its branches decide" if deeper else ""), own))
        yield from deeper or branch.routes
        if not branch.go_on:
            return
