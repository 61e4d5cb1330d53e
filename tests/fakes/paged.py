"""The pages without a server: an application of them alone, asked in its own loop, by whoever a test says."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html.parser import HTMLParser
from types import TracebackType
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from logmedic.adapters.web.callers import Caller
from logmedic.adapters.web.pages import site
from logmedic.adapters.web.pages.page import View

_READS = {"accept": "text/html,*/*"}
ALICE = Caller("alice", True, "socket")

BOB = Caller("bob", False, "socket")
"""Who may only look."""


class Paged:
    """`who` asks."""

    def __init__(self, control: Any, who: Caller = ALICE) -> None:
        self.who = who
        self._app = _Known(Starlette(routes=site.routes(control)), self)
        self._runner = asyncio.Runner()

    def __enter__(self) -> Paged:
        self._runner.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._runner.__exit__(kind, error, at)

    def get(self, path: str) -> httpx.Response:
        return self._runner.run(self._ask("GET", path))

    def post(self, path: str, form: Mapping[str, str], **more: Any) -> httpx.Response:
        return self._runner.run(self._ask("POST", path, data=dict(form), **more))

    def post_twice_at_once(self, path: str, form: Mapping[str, str]) -> list[httpx.Response]:
        async def both() -> list[httpx.Response]:
            return list(await asyncio.gather(*(self._ask("POST", path, data=dict(form)) for _ in range(2))))

        return self._runner.run(both())

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(work)

    def view(self) -> View:
        """As a page at `/` has it."""
        return View(self.who, datetime.now(UTC), "db1", "/", {}, {})

    def form(self, path: str, **filled: str) -> dict[str, str]:
        """What a browser would send of the form on that page."""
        read = read_page(self.get(path).text)
        return {**read.fields, **filled}

    async def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://pages", headers=_READS) as client:
            return await client.request(method, path, **more)


class _Known:
    """Who asks is known before the pages are."""

    def __init__(self, app: ASGIApp, site: Paged) -> None:
        self._app, self._site = app, site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = {"caller": self._site.who}
        await self._app(scope, receive, send)


@dataclass
class Read:
    """`tags`: each with its attributes, in order. `fields`: of its POST form. `text`: what is shown."""

    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    text: str = ""

    def of(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]


def read_page(html: str) -> Read:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    reader.read.text = re.sub(r"\s+", " ", "".join(reader.words))
    return reader.read


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.read = Read()
        self.words: list[str] = []
        self._posts = False
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.read.tags.append((tag, given))
        if tag == "form":
            self._posts = given.get("method") == "post" and given.get("action") == "?"
        elif self._posts and tag == "input" and (given.get("type") != "checkbox" or "checked" in given):
            self.read.fields[str(given["name"])] = given.get("value") or ""
        elif self._posts and tag == "select":
            self._select = str(given["name"])
        elif self._select and tag == "option" and ("selected" in given or self._select not in self.read.fields):
            self.read.fields[self._select] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._posts = False
        if tag == "select":
            self._select = ""

    def handle_data(self, data: str) -> None:
        self.words.append(data)
