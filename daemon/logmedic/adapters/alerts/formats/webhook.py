"""A web hook of one's own (json://): the plain text, and the message as values."""

from __future__ import annotations

import json
from typing import ClassVar

from logmedic.adapters.alerts.formats.fields import structured
from logmedic.adapters.alerts.formats.shape import Given, Request, Shape
from logmedic.adapters.alerts.text import defused

KEY = "logmedic"


class Webhook(Shape):
    """The text is for people, who may read it in a chat behind the hook: mentions are parted in it. The values are for
    programs, and as they are."""

    name: ClassVar[str] = "json"
    wants: ClassVar[frozenset[str]] = frozenset({"title", "body"})

    def given(self) -> Given:
        return Given(defused(self._texts.title, "json"), defused(self._texts.body, "json"))

    def shaped(self, request: Request) -> Request:
        return request if KEY in request.payload else request.with_(**{KEY: structured(self._message)})

    def preview(self) -> str:
        given = self.given()
        told = {"title": given.title, "message": given.body, KEY: structured(self._message)}
        return json.dumps(told, indent=2, ensure_ascii=False)
