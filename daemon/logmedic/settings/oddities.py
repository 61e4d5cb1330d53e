"""What is allowed in the config, and deserves a look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from logmedic.settings.alerts import Alerts
from logmedic.settings.form import Settings
from logmedic.settings.mistakes import KeyPath, Said
from logmedic.settings.routes import BranchSettings
from logmedic.settings.selectors import RESERVED, SelectorSettings

CLOSE = 0.8
"""Of difflib: one letter too many, too few, or two that changed places, of six."""


def oddities(settings: Settings) -> Iterator[Said]:
    """Of settings in which every name stands for something."""
    alerts = settings.alerts
    if settings.web.is_open:
        text = f"`{settings.web.listen}` can be reached from other hosts, over http:// without encryption"
        yield ("web", "listen"), text, "listen on 127.0.0.1, and put a proxy with TLS and a login before it"
    yield from _untold(alerts)
    yield from _unused(alerts)
    yield from _odd_labels(alerts)


def _untold(alerts: Alerts) -> Iterator[Said]:
    routes = alerts.named_routes()
    takes_all = any(each.when.is_empty and each.takes_all_it_means for each in alerts.tree)
    if len(routes) > 1 and not alerts.default_route and not takes_all:
        rest = "that no branch of the tree takes" if alerts.tree else "of rules that name no route"
        yield ("alerts", "routes"), f"nobody is told of news {rest}", f"write default_route: {next(iter(routes))}"


def _unused(alerts: Alerts) -> Iterator[Said]:
    used: set[str] = set()
    for route in alerts.named_routes().values():
        used.update(route.to, route.fallback, *(link.to for link in route.escalate))
    for name in alerts.receivers:
        if name not in used:
            yield ("alerts", "receivers", name), f"no route leads to `{name}`: it is told nothing", "name it in a route"


def _odd_labels(alerts: Alerts) -> Iterator[Said]:
    """What rules capture has names of their own: only what looks like another name is told."""
    known = sorted({*RESERVED, *alerts.labels})
    for at, name in _labels(alerts):
        close = get_close_matches(name, known, n=1, cutoff=CLOSE) if name not in known else []
        if close:
            yield at, f"no label is called `{name}`, unless a rule captures it", f"did you mean `{close[0]}`?"


def _labels(alerts: Alerts) -> Iterator[tuple[KeyPath, str]]:
    at: KeyPath = ("alerts",)
    yield from _items((*at, "group_by"), alerts.group_by)
    for name, route in alerts.routes.items():
        yield from _items((*at, "routes", name, "group_by"), route.group_by or ())
    for number, each in enumerate(alerts.inhibit):
        yield from _items((*at, "inhibit", number, "equal"), each.equal)
        yield from _asked((*at, "inhibit", number, "while"), each.by)
        yield from _asked((*at, "inhibit", number, "mute"), each.of)
    for name, receiver in alerts.receivers.items():
        here = (*at, "receivers", name)
        for number, hours in enumerate(receiver.quiet_hours):
            yield from _asked((*here, "quiet_hours", number, "except"), hours.except_)
        if receiver.digest is not None:
            yield from _asked((*here, "digest"), receiver.digest)
    yield from _in_branches((*at, "tree"), alerts.tree)


def _in_branches(at: KeyPath, branches: Sequence[BranchSettings]) -> Iterator[tuple[KeyPath, str]]:
    for number, each in enumerate(branches):
        yield from _asked((*at, number, "when"), each.when)
        yield from _in_branches((*at, number, "then"), each.then)


def _asked(at: KeyPath, selector: SelectorSettings) -> Iterator[tuple[KeyPath, str]]:
    return (((*at, "labels", name), name) for name in selector.labels)


def _items(at: KeyPath, names: Sequence[str]) -> Iterator[tuple[KeyPath, str]]:
    return (((*at, number), name) for number, name in enumerate(names))
