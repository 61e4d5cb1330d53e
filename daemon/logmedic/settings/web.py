"""`web`: where the daemon answers: commands over a socket, and people over the links in messages."""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from logmedic.core.addresses import is_loopback
from logmedic.model.alert import LinkPlan
from logmedic.settings.endpoints import address_problem
from logmedic.settings.parts import Part
from logmedic.settings.places import runtime_directory

_LISTEN = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})\Z", re.ASCII)
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}\Z", re.ASCII)


class Web(Part):
    socket: Path = Field(default_factory=lambda: runtime_directory() / "logmedic.sock")
    group: str = "logmedic"
    """Who may read over the socket. Actions need root, the daemon's own user, or one of `operators`."""
    operators: list[str] = Field(default=[], max_length=200)
    """Who may act over the socket besides: names of users, and of groups with an @ before them."""
    listen: str = Field(default="", max_length=300)
    """Where the pages behind the links of messages are: "127.0.0.1:8633". Empty: messages have no links."""
    url: str = Field(default="", max_length=500)
    """How those links begin, as a reader's browser has to write it: https://logmedic.example. Default: http:// and
    `listen`."""
    user_header: str = ""
    """In which a proxy on this host says whom it has signed in: X-Forwarded-User. Default: people write their names."""

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
