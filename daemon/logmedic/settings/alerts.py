"""`alerts`: who is told, and over which routes."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr

from logmedic.settings.parts import Part


class ReceiverSettings(Part):
    url: SecretStr
    """An Apprise URL. Write secrets as ${file:/path}, ${credential:name} or ${env:NAME}."""
    endpoint: str = ""
    """Instead of Slack's own address: that of a server which takes the same messages."""


def _receiver(value: object) -> object:
    return {"url": value} if isinstance(value, str) else value


class RouteSettings(Part):
    to: tuple[str, ...] = Field(min_length=1)
    """Each of them gets every alert of the route."""
    fallback: tuple[str, ...] = ()
    """Told when one of `to` is down, in this order; each at most once an alert."""


def _route(value: object) -> object:
    return {"to": value} if isinstance(value, list | tuple) else {"to": [value]} if isinstance(value, str) else value


class Alerts(Part):
    receivers: dict[
        str, Annotated[ReceiverSettings, BeforeValidator(_receiver, json_schema_input_type=str | ReceiverSettings)]
    ] = Field(default_factory=dict)
    routes: dict[
        str,
        Annotated[RouteSettings, BeforeValidator(_route, json_schema_input_type=str | list[str] | RouteSettings)],
    ] = Field(default_factory=dict)
    default_route: str = ""
    """For rules that name none. Default: the only route, or one over all receivers."""
