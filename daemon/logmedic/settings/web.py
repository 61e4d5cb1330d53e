"""`web`: where the daemon answers: commands over a socket, and people over the links in messages."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from logmedic.core.addresses import is_loopback
from logmedic.model.alert import LinkPlan
from logmedic.settings.endpoints import address_problem
from logmedic.settings.parts import Part
from logmedic.settings.places import usual_socket

_LISTEN = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})\Z", re.ASCII)
_SHA256 = re.compile(r"[0-9A-Fa-f]{64}\Z", re.ASCII)
_OPERATOR = re.compile(r"@?[A-Za-z0-9_][A-Za-z0-9_.@\\-]{0,63}\$?\Z", re.ASCII)
TOKEN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}\Z", re.ASCII)
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}\Z", re.ASCII)


class Token(Part):
    """What a program sends to come in over `dashboard`. `logmedic token new NAME` prints one, and these lines."""

    scope: Literal["read", "act"] = "read"
    """What it may do: look, or act as well."""
    sha256: str
    """Of the token, in hex: the token itself is kept nowhere."""
    expires: date | None = None
    """The last day on which it works, in UTC. Default: it works until it is taken out of the config."""

    @field_validator("sha256")
    @classmethod
    def _is_a_hash(cls, told: str) -> str:
        if not _SHA256.match(told):
            raise ValueError("this is no SHA-256 in hex (64 characters); logmedic token new NAME prints it")
        return told.lower()

    @property
    def ends(self) -> datetime | None:
        """The first moment at which it opens nothing."""
        return datetime.combine(self.expires, time.min, UTC) + timedelta(days=1) if self.expires else None


class Web(Part):
    socket: Path = Field(default_factory=usual_socket)
    group: str = "logmedic"
    """Who may read over the socket. Actions need root, the daemon's own user, or one of `operators`."""
    operators: list[str] = Field(default=[], max_length=200)
    """Who may act over the socket besides: names of users, and of groups with an @ before them."""
    dashboard: str = Field(default="", max_length=300)
    """Where the dashboard and the API are for browsers and programs of this host: "127.0.0.1:8632". Loopback only.
    Default: nowhere but on the socket."""
    dashboard_url: str = Field(default="", max_length=500)
    """What browsers call the dashboard, where a proxy with TLS passes it on: https://logmedic.example. Default: http://
    and `dashboard`."""
    tokens: dict[str, Token] = Field(default={}, max_length=200)
    """For programs that come in over `dashboard`, and for people to sign in; by name."""
    listen: str = Field(default="", max_length=300)
    """Where the pages behind the links of messages are: "127.0.0.1:8633". Empty: messages have no links."""
    url: str = Field(default="", max_length=500)
    """How those links begin, as a reader's browser has to write it: https://logmedic.example. Default: http:// and
    `listen`."""
    user_header: str = ""
    """In which a proxy on this host says whom it has signed in: X-Forwarded-User. Default: people write their names."""

    @field_validator("operators")
    @classmethod
    def _are_users_and_groups(cls, names: list[str]) -> list[str]:
        for name in names:
            if not _OPERATOR.match(name):
                raise ValueError(f'`{name[:40]}` is no user or group; write alice, or "@ops" for a group')
        return names

    @field_validator("tokens")
    @classmethod
    def _have_names(cls, tokens: dict[str, Token]) -> dict[str, Token]:
        for name in tokens:
            if not TOKEN_NAME.match(name):
                raise ValueError(f"`{name[:40]}` is no name of a token; write letters, digits, - _ . (40 at most)")
        return tokens

    @field_validator("dashboard")
    @classmethod
    def _is_of_this_host(cls, dashboard: str) -> str:
        found = _LISTEN.match(dashboard)
        if dashboard and (found is None or not 0 < int(found[2]) <= 65535):
            raise ValueError(f'`{dashboard[:80]}` is no host and port; write "127.0.0.1:8632", or "[::1]:8632"')
        if dashboard and not is_loopback(dashboard.rpartition(":")[0].strip("[]")):
            raise ValueError(
                f"`{dashboard[:80]}` could be reached from other hosts, without encryption; write "
                '"127.0.0.1:8632", put a proxy with TLS in front of it, and set dashboard_url to what browsers call it'
            )
        return dashboard

    @field_validator("dashboard_url")
    @classmethod
    def _is_what_browsers_call_it(cls, url: str) -> str:
        if url and (problem := address_problem(url)):
            raise ValueError(f"`{url[:80]}` {problem}; write https://logmedic.example")
        parts = urlsplit(url)
        if parts.username is not None or parts.query or parts.fragment or parts.path not in ("", "/"):
            raise ValueError("it is more than a scheme, a host and a port; write https://logmedic.example")
        return url.rstrip("/")

    @field_validator("listen")
    @classmethod
    def _is_an_address_and_a_port(cls, listen: str) -> str:
        found = _LISTEN.match(listen)
        if listen and (found is None or not 0 < int(found[2]) <= 65535):
            raise ValueError(f'`{listen[:80]}` is no host and port; write "127.0.0.1:8633", or "[::1]:8633"')
        return listen

    @field_validator("url")
    @classmethod
    def _begins_a_link(cls, url: str) -> str:
        if url and (problem := address_problem(url)):
            raise ValueError(f"`{url[:80]}` {problem}; write https://logmedic.example")
        parts = urlsplit(url)
        if parts.username is not None or parts.query or parts.fragment:
            raise ValueError("it has a user, a query or a fragment; write https://logmedic.example, or with a path")
        return url.rstrip("/")

    @field_validator("user_header")
    @classmethod
    def _is_a_header(cls, name: str) -> str:
        if name and not _HEADER.match(name):
            raise ValueError(f"`{name[:64]}` is no name of a header; write X-Forwarded-User")
        return name

    @model_validator(mode="after")
    def _dashboard_is_somewhere(self) -> Self:
        if self.dashboard_url and not self.dashboard:
            raise ValueError('`dashboard_url` is of no use without `dashboard`; write dashboard: "127.0.0.1:8632"')
        if self.dashboard and self.dashboard == self.listen:
            raise ValueError("`dashboard` and `listen` are the same; links have a door of their own, 127.0.0.1:8633")
        return self

    @model_validator(mode="after")
    def _links_lead_here(self) -> Self:
        if self.listen and not self.url and _is_any(self.host):
            raise ValueError("`url` is missing: a browser finds nothing at the address of all; write https://HOST")
        if not self.listen and (self.url or self.user_header):
            key = "url" if self.url else "user_header"
            raise ValueError(f'`{key}` is of no use without `listen`; write listen: "127.0.0.1:8633"')
        return self

    @property
    def host(self) -> str:
        """Of `listen`."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def is_open(self) -> bool:
        """Other hosts can connect."""
        return bool(self.listen) and not is_loopback(self.host)

    @property
    def link_url(self) -> str:
        """How links begin, without a slash at the end; empty: there are none."""
        return (self.url or f"http://{self.listen}") if self.listen else ""

    def links(self, key: bytes | None) -> LinkPlan | None:
        """`key`: what signs them; None: there are none."""
        return LinkPlan(self.link_url, key) if self.listen and key is not None else None


def _is_any(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False
