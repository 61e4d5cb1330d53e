"""Plain text, for every service without a format of its own."""

from __future__ import annotations

from typing import ClassVar

from logmedic.adapters.alerts.formats.shape import Given, Shape
from logmedic.adapters.alerts.text import defused, fitted


class Plain(Shape):
    """`room`: characters that the service shows, 0: no limit."""

    name: ClassVar[str] = "text"
    wants: ClassVar[frozenset[str]] = frozenset({"title", "body"})

    def __init__(self, title: str, body: str, scheme: str, room: int) -> None:
        self._title = defused(title, scheme)
        left = room - len(self._title) - 2 if room > 0 else 0
        self._body = fitted(defused(body, scheme), left)

    @property
    def title(self) -> str:
        return self._title

    def given(self) -> Given:
        return Given(self._title, self._body)

    def preview(self) -> str:
        return self._body


class Markdown(Plain):
    """Of a service that takes Markdown, when the user's template makes some."""

    name: ClassVar[str] = "markdown"

    def given(self) -> Given:
        return Given(self._title, self._body, "markdown")
