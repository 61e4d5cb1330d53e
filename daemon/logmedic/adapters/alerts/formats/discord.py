"""Discord: an embed, to web hooks."""

from __future__ import annotations

from typing import Any, ClassVar

from logmedic.adapters.alerts.formats.shape import STAND_IN, Request, Shape
from logmedic.adapters.alerts.markup import MARKDOWN, markdown_escape, markdown_link
from logmedic.adapters.alerts.parts import look_of, runbooks_of
from logmedic.adapters.alerts.writing import Paragraph, fitting, paragraphs, within
from logmedic.model.message import Link

TITLE_CHARS = 256
DESCRIPTION_CHARS = 4096
FOOTER_CHARS = 2048
_PARAGRAPH_CHARS = 2000


class Discord(Shape):
    name: ClassVar[str] = "discord"
    wants: ClassVar[frozenset[str]] = frozenset({"title", "markdown"})

    def shaped(self, request: Request) -> Request:
        """Whom the receiver's URL pings (`ping=`) is pinged, and nobody else. Apprise names that key otherwise than
        Discord does, which takes it for none."""
        if not {"tts", "content", "embeds"} & set(request.payload):
            return request
        pings = str(request.payload.get("content", "")).removeprefix(STAND_IN).strip()
        allowed = request.payload.get("allow_mentions", {"parse": []})
        return request.with_(
            content=pings or None, embeds=[self.embed()], allowed_mentions=allowed, allow_mentions=None
        )

    def embed(self) -> dict[str, Any]:
        message = self._message
        footer = " | ".join(each for each in (message.host, message.at_text, f"alert {message.id}") if each)
        return {
            "title": within(markdown_escape, f"{look_of(message).mark} {self._texts.title}", TITLE_CHARS),
            "description": self._description(),
            "color": int(look_of(message).colour, 16),
            "footer": {"text": footer[:FOOTER_CHARS]},
        }

    def preview(self) -> str:
        embed = self.embed()
        return f"{embed['description']}\n\n{embed['footer']['text']}"

    def _description(self) -> str:
        if self._texts.markdown is not None:
            return within(str, self._texts.markdown, DESCRIPTION_CHARS)
        told = paragraphs(self._message, MARKDOWN, _PARAGRAPH_CHARS)
        links = [*self._message.links, *(Link("Runbook", each) for each in runbooks_of(self._message))]
        ways = " | ".join(markdown_link(each.label, each.url) for each in links)
        return fitting([*told, Paragraph(ways)] if ways else told, DESCRIPTION_CHARS, "\n")
