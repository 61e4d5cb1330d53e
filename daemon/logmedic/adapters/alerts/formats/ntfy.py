"""ntfy: plain text, with buttons."""

from __future__ import annotations

from typing import ClassVar

from logmedic.adapters.alerts.formats.shape import Given, Request, Shape
from logmedic.adapters.alerts.text import fitted_bytes
from logmedic.model.alertevent import AlertEvent
from logmedic.model.severity import Severity

MESSAGE_BYTES = 4000
"""A server takes 4,096 at first, and makes a file of what is longer."""
TITLE_CHARS = 250
ACTIONS = 3
_PRIORITY = {Severity.LOW: 2, Severity.MEDIUM: 3, Severity.HIGH: 4, Severity.CRITICAL: 5}
_TAG = {Severity.LOW: "small_orange_diamond", Severity.MEDIUM: "large_orange_diamond"}


class Ntfy(Shape):
    """What the receiver's URL says of priority, tags, click and actions is in headers, and goes before this."""

    name: ClassVar[str] = "ntfy"
    wants: ClassVar[frozenset[str]] = frozenset({"title", "body"})

    def given(self) -> Given:
        return Given(self._texts.title[:TITLE_CHARS], self.preview())

    def shaped(self, request: Request) -> Request:
        if "topic" not in request.payload or "message" not in request.payload:
            return request
        said = {name.lower() for name in request.headers}
        links = self._message.links
        ours = {
            "priority": self._priority(),
            "tags": [self._tag()],
            "click": links[0].url if links else None,
            "actions": [{"action": "view", "label": each.label, "url": each.url} for each in links[:ACTIONS]] or None,
        }
        told = {name: value for name, value in ours.items() if f"x-{name}" not in said}
        return request.with_(title=self._texts.title[:TITLE_CHARS], message=self.preview(), markdown=False, **told)

    def preview(self) -> str:
        return fitted_bytes(self._texts.body, MESSAGE_BYTES)

    def _priority(self) -> int:
        return 2 if self._message.event is AlertEvent.RECOVERED else _PRIORITY[self._message.severity]

    def _tag(self) -> str:
        if self._message.event is AlertEvent.RECOVERED:
            return "white_check_mark"
        return _TAG.get(self._message.severity, "rotating_light")
