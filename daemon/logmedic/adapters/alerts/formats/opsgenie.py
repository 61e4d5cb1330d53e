"""Opsgenie: one alert a thread (its alias), which the end of it closes."""

from __future__ import annotations

import json
from typing import Any, ClassVar
from urllib.parse import quote

from logmedic.adapters.alerts.formats.fields import details_of, ended
from logmedic.adapters.alerts.formats.shape import Request, Shape
from logmedic.adapters.alerts.text import fitted
from logmedic.model.severity import Severity

MESSAGE_CHARS = 130
DESCRIPTION_CHARS = 15_000
ALIAS_CHARS = 512
TAGS = 20
TAG_CHARS = 50
DETAILS_CHARS = 8000
_PRIORITY = {Severity.LOW: "P4", Severity.MEDIUM: "P3", Severity.HIGH: "P2", Severity.CRITICAL: "P1"}


class Opsgenie(Shape):
    """The plugin must be told to make new alerts always (`action=new`): what it knows of older ones is gone with its
    process, and it then sends nothing, without saying so."""

    name: ClassVar[str] = "opsgenie"
    wants: ClassVar[frozenset[str]] = frozenset({"title", "body"})

    def shaped(self, request: Request) -> Request:
        if "message" not in request.payload:
            return request
        alias = str(request.payload.get("alias") or self._message.thread)[:ALIAS_CHARS]
        if ended(self._message):
            told = {name: request.payload[name] for name in ("source", "user") if name in request.payload}
            address = f"{request.url.rstrip('/')}/{quote(alias, safe='')}/close?identifierType=alias"
            return Request(address, {**told, "note": self._description()}, request.headers)
        return request.with_(alias=alias, **self._alert(request.payload))

    def preview(self) -> str:
        if ended(self._message):
            return json.dumps({"close": self._message.thread, "note": self._description()}, indent=2)
        return json.dumps({"alias": self._message.thread, **self._alert({})}, indent=2, ensure_ascii=False)

    def _alert(self, given: Any) -> dict[str, Any]:
        tags = [*given.get("tags", []), *(tag for story in self._message.stories for tag in story.tags)]
        return {
            "message": self._texts.title[:MESSAGE_CHARS],
            "description": self._description(),
            "priority": _PRIORITY[self._message.severity],
            "tags": [each[:TAG_CHARS] for each in dict.fromkeys(tags)][:TAGS],
            "details": {**_short(details_of(self._message)), **given.get("details", {})},
        }

    def _description(self) -> str:
        return fitted(self._texts.body, DESCRIPTION_CHARS)


def _short(details: dict[str, str]) -> dict[str, str]:
    """Their names and values together must be short; what is told at length stands in the description."""
    return {name: value[: DETAILS_CHARS // (2 * len(details))] for name, value in details.items()}
