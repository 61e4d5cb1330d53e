"""Names in the config that stand for nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from logmedic.settings.form import Settings
from logmedic.settings.mistakes import KeyPath, Said
from logmedic.settings.routes import BranchSettings, RouteSettings
from logmedic.yamldoc import meant


def dangling(settings: Settings) -> Iterator[Said]:
    alerts, routes = settings.alerts, settings.routes()
    for name, route in alerts.routes.items():
        yield from _receivers(name, route, alerts.receivers)
    yield from _routes(alerts.tree, routes, ("alerts", "tree"))
    if alerts.default_route and alerts.default_route not in routes:
        yield ("alerts", "default_route"), f"`{alerts.default_route}` is no route", _hint(alerts.default_route, routes)
    warned = settings.learning.warn_route
    if warned and warned not in routes:
        yield ("learning", "warn_route"), f"`{warned}` is no route", _hint(warned, routes)


def _receivers(name: str, route: RouteSettings, known: Collection[str]) -> Iterator[Said]:
    at: KeyPath = ("alerts", "routes", name)
    named = [((*at, key, n), each) for key in ("to", "fallback") for n, each in enumerate(getattr(route, key))]
    for number, link in enumerate(route.escalate):
        named += [((*at, "escalate", number, "to", n), each) for n, each in enumerate(link.to)]
    for place, receiver in named:
        if receiver not in known:
            hint = meant(receiver, known) if known else f"add it to alerts.receivers: {{ {receiver}: URL }}"
            yield place, f"route `{name}` names the receiver `{receiver}`, which is not there", hint


def _routes(branches: Sequence[BranchSettings], known: Collection[str], at: KeyPath) -> Iterator[Said]:
    for number, branch in enumerate(branches):
        for n, name in enumerate(branch.to):
            if name not in known:
                yield (*at, number, "to", n), f"`{name}` is no route", _hint(name, known)
        yield from _routes(branch.then, known, (*at, number, "then"))


def _hint(name: str, known: Collection[str]) -> str:
    return meant(name, known) if known else f"add it to alerts.routes: {{ {name}: [RECEIVER] }}"
