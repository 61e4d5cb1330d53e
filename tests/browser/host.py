"""A real daemon with its pages switched on, for a browser to look at."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from endtoend.test_daemon import daemon, until
from endtoend.test_fixes import Ground
from logmedic.cli.client import Client

SCENE = """\
version: 1
rules:
  - id: shop-down
    title: "shop {part} is down"
    severity: high
    match: { pattern: 'shop (?P<part>\\w+) down', captures: { part: word } }
    when: { threshold: { count: 1, within: 1m, by: [part] } }
    fix:
      mode: approve
      steps:
        - name: count
          run: [/usr/bin/cp, --backup=numbered, /etc/passwd, WORK/fixed]
          sandbox: { write: [WORK] }
          retry: { attempts: 1 }
      verify:
        http: { get: "ADDRESS", within: 2s, every: 100ms }
    tests:
      - name: it fires
        lines: ["shop till down"]
        expect: { fires: 1 }
      - name: near miss, the shop is up
        lines: ["shop till up"]
        expect: { fires: 0 }
  - id: quoted
    title: "something was quoted"
    severity: low
    match: { pattern: 'quoted ' }
    tests:
      - name: it fires
        lines: ["quoted words"]
        expect: { fires: 1 }
      - name: near miss, no quote
        lines: ["unquoted"]
        expect: { fires: 0 }
"""


class Host:
    """`url`: of its pages."""

    def __init__(self, home: Path) -> None:
        self.ground = Ground(home)
        self.world = self.ground.world
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        config = self.world.config.read_text()
        self.world.config.write_text(config.replace("logmedic.sock", f'logmedic.sock", dashboard: "127.0.0.1:{port}'))

    @contextmanager
    def running(self) -> Iterator[None]:
        with self.ground.shop() as address:
            scene = SCENE.replace("WORK", str(self.ground.work)).replace("ADDRESS", address)
            (self.world.home / "rules" / "scene.yaml").write_text(scene)
            with self._daemon():
                yield

    @contextmanager
    def _daemon(self) -> Iterator[None]:
        with daemon(self.world):
            until(lambda: listens(self.url), "its pages are served")
            yield

    def sign_in(self, page: Page, path: str = "/") -> None:
        """As `logmedic dashboard` has it."""
        page.goto(Client(self.world.home / "state" / "logmedic.sock").post("sign-in")["url"])
        page.get_by_role("button", name="Sign in").click()
        page.goto(self.url + path)

    def write(self, *lines: str) -> None:
        self.world.write(*lines)

    def incident(self, title: str) -> dict[str, Any]:
        rows = self.world.ask("incidents?all=true")
        (row,) = (each for each in rows if each["title"] == title)
        return dict(self.world.ask(f"incidents/{row['id']}"))

    def ran(self) -> int:
        """How often the fix ran, by what it left."""
        return len(list(self.ground.work.glob("fixed*")))


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def listens(url: str) -> bool:
    host, _, port = url.removeprefix("http://").rpartition(":")
    with socket.socket() as wire:
        return wire.connect_ex((host, int(port))) == 0
