"""PagerDuty: events (version 2) of one alert a thread, which the end of it resolves."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from logmedic.adapters.alerts.formats.fields import details_of, ended
from logmedic.adapters.alerts.formats.shape import Request, Shape
from logmedic.adapters.alerts.parts import runbooks_of
from logmedic.model.message import Link
from logmedic.model.severity import Severity

SUMMARY_CHARS = 1024
KEY_CHARS = 255
_SEVERITY = {
    Severity.LOW: "info",
    Severity.MEDIUM: "warning",
    Severity.HIGH: "error",
    Severity.CRITICAL: "critical",
}
_NOBODYS = frozenset({"", "apprise", "logmedic", "notification"})
"""What Apprise writes as the source and the component where the receiver's URL names none."""


class PagerDuty(Shape):
    """`severity`: what the receiver's URL says, empty: as the message has it."""

    name: ClassVar[str] = "pagerduty"

    def shaped(self, request: Request) -> Request:
        if "routing_key" not in request.payload:
            return request
        key = str(request.payload.get("dedup_key") or self._message.thread)[:KEY_CHARS]
        if ended(self._message) or "payload" not in request.payload:
            told = {"routing_key": request.payload["routing_key"], "event_action": "resolve", "dedup_key": key}
            return Request(request.url, told, request.headers)
        given = request.payload["payload"]
        return request.with_(
            event_action="trigger",
            dedup_key=key,
            payload={**given, **self._event(given)},
            links=[*request.payload.get("links", []), *self._links()] or None,
        )

    def preview(self) -> str:
        if ended(self._message):
            return json.dumps({"event_action": "resolve", "dedup_key": self._message.thread[:KEY_CHARS]}, indent=2)
        told = {"dedup_key": self._message.thread[:KEY_CHARS], "payload": self._event({}), "links": self._links()}
        return json.dumps(told, indent=2, ensure_ascii=False)

    def _event(self, given: dict[str, Any]) -> dict[str, Any]:
        source, component = str(given.get("source", "")), str(given.get("component", ""))
        return {
            "summary": self._texts.title[:SUMMARY_CHARS],
            "severity": _SEVERITY[self._message.severity],
            "source": self._message.host if source.lower() in _NOBODYS else source,
            "component": self._message.stories[0].source if component.lower() in _NOBODYS else component,
            "class": given.get("class") or self._message.event.value,
            "custom_details": {**details_of(self._message), **given.get("custom_details", {})},
        }

    def _links(self) -> list[dict[str, str]]:
        links = [*self._message.links, *(Link("Runbook", each) for each in runbooks_of(self._message))]
        return [{"href": each.url, "text": each.label} for each in links]
