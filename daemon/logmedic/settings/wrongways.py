"""Ways of alerts that cannot be meant as they are written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise

from logmedic.settings.alerts import Alerts
from logmedic.settings.mistakes import KeyPath, Said
from logmedic.settings.routes import BranchSettings
from logmedic.settings.selectors import SelectorSettings
from logmedic.yamldoc import duration_text


def wrong_ways(alerts: Alerts) -> Iterator[Said]:
    """Mistakes and no warnings: what is written there would be told elsewhere than it says, or never, and nobody would
    see that before the night in which it counts."""
    yield from _times(alerts)
    yield from _chains(alerts)
    yield from _unreachable(alerts.tree, ("alerts", "tree"), ())


def _times(alerts: Alerts) -> Iterator[Said]:
    told: set[tuple[KeyPath, str]] = set()
    for name, route in alerts.named_routes().items():
        given = alerts.routes.get(name)
        for shorter, longer in (("group_wait", "group_interval"), ("repeat_every", "repeat_max")):
            least, most = getattr(route, shorter) or timedelta(0), getattr(route, longer)
            own = next((key for key in (longer, shorter) if given and getattr(given, key) is not None), "")
            at: KeyPath = ("alerts", "routes", name, own) if own else ("alerts", _written(alerts, longer, shorter))
            if most < least and (at, longer) not in told:
                told.add((at, longer))
                text = f"`{longer}` ({duration_text(most)}) is less than `{shorter}` ({duration_text(least)})"
                yield at, text, f"write {longer}: {duration_text(least)} or more"


def _written(alerts: Alerts, *keys: str) -> str:
    return next((key for key in keys if key in alerts.model_fields_set), keys[0])


def _chains(alerts: Alerts) -> Iterator[Said]:
    for name, route in alerts.routes.items():
        for number, (before, link) in enumerate(pairwise(route.escalate), start=1):
            if link.after <= before.after:
                text = f"`after` ({duration_text(link.after)}) is not later than the one before it"
                hint = f"all are counted from the first message: write more than {duration_text(before.after)}"
                yield ("alerts", "routes", name, "escalate", number, "after"), text, hint


def _unreachable(
    branches: Sequence[BranchSettings], at: KeyPath, above: tuple[SelectorSettings, ...]
) -> Iterator[Said]:
    """`above`: what the branches around these ask for."""
    for number, branch in enumerate(branches):
        place = (*at, number)
        before = next((n for n, each in enumerate(branches[:number]) if _takes_all_of(each, branch)), None)
        excluded = next((key for each in above if (key := each.excludes(branch.when))), "")
        if before is not None:
            hint = "put it before that one, or let that one say `continue: true`"
            yield place, f"nothing comes to this branch: {_shown((*at, before))} takes all that it means", hint
        elif excluded:
            text = f"nothing comes to this branch: one around it asks for another {excluded}"
            yield (*place, "when", excluded), text, f"correct `{excluded}`, or move the branch out of `then`"
        yield from _unreachable(branch.then, (*place, "then"), (*above, branch.when))


def _takes_all_of(first: BranchSettings, second: BranchSettings) -> bool:
    return not first.go_on and first.takes_all_it_means and first.when.covers(second.when)


def _shown(path: KeyPath) -> str:
    """alerts.tree[0].then[1]"""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
