"""`alerts`: who is told, over which routes, and what is held back."""

from __future__ import annotations

from datetime import timedelta, tzinfo
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr, field_validator

from logmedic.model.alert import AlertPlan, LinkPlan, Receiver, Route
from logmedic.settings.endpoints import address_problem
from logmedic.settings.parts import Delay, Duration, Part, Repeat
from logmedic.settings.receivers import Receivers
from logmedic.settings.routes import BranchSettings, InhibitSettings, Labels, Routes, RouteSettings
from logmedic.settings.selectors import RESERVED, check_label, label_text

SHORTEST_BEAT = timedelta(seconds=30)
"""A ping alone may take 20 s."""
_USUAL_ROUTE, _USUAL = Route("", ()), AlertPlan()


class HeartbeatSettings(Part):
    """An address that is asked for while the daemon works; whoever serves it calls people when that stops."""

    url: SecretStr
    """Write it as ${file:/path}, ${credential:name} or ${env:NAME}: whoever knows it can stand in for the daemon."""
    every: Duration = timedelta(minutes=5)

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: SecretStr) -> SecretStr:
        if problem := address_problem(url.get_secret_value()):
            raise ValueError(f"it {problem}; write https://HOST/...")
        return url

    @field_validator("every")
    @classmethod
    def _is_not_too_often(cls, every: timedelta) -> timedelta:
        if every < SHORTEST_BEAT:
            raise ValueError(f"it is too often; write {SHORTEST_BEAT.seconds}s or more")
        return every


def _heartbeat(value: object) -> object:
    return {"url": value} if isinstance(value, str) else value


class Alerts(Part):
    labels: dict[str, Annotated[str, BeforeValidator(label_text, json_schema_input_type=str | int | float)]] = Field(
        default_factory=dict
    )
    """Of this host, for routes and messages: role: db."""
    receivers: Receivers = Field(default_factory=dict)
    """By name: an Apprise URL, or a mapping with `url`."""
    routes: Routes = Field(default_factory=dict)
    """By name: receivers, or a mapping with `to`."""
    tree: tuple[BranchSettings, ...] = ()
    """Which route news takes whose rule names none: the first branch that takes it."""
    default_route: str = ""
    """For what no rule and no branch names one. Default: the only route, or one over all receivers."""
    group_by: Labels = _USUAL_ROUTE.group_by
    """What has the same values of these labels is told together, for routes that do not say; [] for all of a route."""
    group_wait: Delay = _USUAL_ROUTE.group_wait
    """From the first news of a group to its first message, for routes that do not say."""
    group_interval: Duration = _USUAL_ROUTE.group_interval
    """Between two messages of a group, at least, for routes that do not say."""
    repeat_every: Repeat = _USUAL_ROUTE.repeat_every or timedelta(0)
    """What is open and acknowledged by nobody is told again, for routes that do not say: 4h, never."""
    repeat_max: Duration = _USUAL_ROUTE.repeat_max
    """Each time twice as long after the last, at most so long, for routes that do not say."""
    page_after: Delay = _USUAL.page_after
    """So long a fix may work before people hear of an incident that it has not ended; 0s: they hear of it at once."""
    inhibit: tuple[InhibitSettings, ...] = ()
    """What nobody is told of while something else is open."""
    inhibit_by_precursor: bool = False
    """What tends to follow an open issue is not told apart from it."""
    heartbeat: Annotated[
        HeartbeatSettings | None, BeforeValidator(_heartbeat, json_schema_input_type=str | HeartbeatSettings | None)
    ] = None
    """An address that is asked for while the daemon works."""
    templates: Path | None = None
    """A directory of your own templates of messages."""

    @field_validator("labels")
    @classmethod
    def _are_labels(cls, labels: dict[str, str]) -> dict[str, str]:
        for name in labels:
            check_label(name)
            if name in RESERVED:
                raise ValueError(f"`{name}` is what news is labelled with by itself; give yours another name")
        return labels

    @field_validator("templates")
    @classmethod
    def _is_absolute(cls, path: Path | None) -> Path | None:
        if path is not None and not path.is_absolute():
            raise ValueError(f"`{path}` is no absolute path; write /etc/logmedic/templates, from the root on")
        return path

    def named_receivers(self) -> dict[str, Receiver]:
        return {name: each.receiver(name) for name, each in self.receivers.items()}

    def named_routes(self) -> dict[str, Route]:
        """Where none is configured, one over all receivers."""
        given = self.routes
        if not given and self.receivers:
            given = {"default": RouteSettings(to=tuple(self.receivers))}
        return {name: self._route(name, each) for name, each in given.items()}

    def _route(self, name: str, given: RouteSettings) -> Route:
        repeat = self.repeat_every if given.repeat_every is None else given.repeat_every
        return Route(
            name=name,
            to=given.to,
            fallback=given.fallback,
            group_by=self.group_by if given.group_by is None else given.group_by,
            group_wait=self.group_wait if given.group_wait is None else given.group_wait,
            group_interval=given.group_interval or self.group_interval,
            repeat_every=repeat or None,
            repeat_max=given.repeat_max or self.repeat_max,
            escalate=tuple(each.escalation() for each in given.escalate),
        )

    def plan(self, zone: tzinfo, links: LinkPlan | None) -> AlertPlan:
        """`zone`: the host's, for hours that name none."""
        routes = self.named_routes()
        return AlertPlan(
            routes=routes,
            default_route=self.default_route or (next(iter(routes)) if len(routes) == 1 else ""),
            tree=tuple(each.branch(f"alerts.tree[{number}]", zone) for number, each in enumerate(self.tree)),
            receivers={name: each.plan(name, zone) for name, each in self.receivers.items()},
            inhibit=tuple(each.inhibition(zone) for each in self.inhibit),
            by_precursor=self.inhibit_by_precursor,
            page_after=self.page_after,
            labels=self.labels,
            links=links,
        )
