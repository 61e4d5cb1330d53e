"""Whoever comes to the dashboard's port: a browser that keeps its cookie, or a program."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

from fakes.served import Dashboard

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Seen:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass(slots=True)
class Visitor:
    """`cookie`: as a Cookie header has it; kept from answers as browsers do. `headers`: sent each time."""

    dashboard: Dashboard
    cookie: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, target: str, body: str | bytes | None = None, **headers: str) -> Seen:
        connection = HTTPConnection("127.0.0.1", self.dashboard.port, timeout=10)
        told = {name.replace("_", "-"): value for name, value in {**self.headers, **headers}.items()}
        if self.cookie:
            told.setdefault("Cookie", self.cookie)
        try:
            connection.request(method, target, body, told)
            response = connection.getresponse()
            seen = Seen(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read().decode())
        finally:
            connection.close()
        if "set-cookie" in seen.headers:
            self.cookie = seen.headers["set-cookie"].partition(";")[0]
        return seen

    def get(self, target: str, **headers: str) -> Seen:
        return self.ask("GET", target, **headers)

    def form(self, target: str, /, **fields: str) -> Seen:
        return self.ask("POST", target, urlencode(fields), Content_Type=FORM)

    def sign_in(self, token: str = "", **more: str) -> Seen:
        return self.form("/sign-in", token=token or self.dashboard.acts, **more)

    def raw(self, content: bytes) -> bytes:
        """What is answered to these bytes, to the end."""
        with socket.create_connection(("127.0.0.1", self.dashboard.port), timeout=30) as wire:
            wire.sendall(content)
            answer = bytearray()
            while piece := wire.recv(65536):
                answer += piece
            return bytes(answer)


def program(dashboard: Dashboard, token: str = "") -> Visitor:
    return Visitor(dashboard, headers={"Authorization": f"Bearer {token or dashboard.acts}"})
