"""Telegram: its HTML, to chats of a bot."""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import urlsplit

from logmedic.adapters.alerts.formats.shape import Request, Shape
from logmedic.adapters.alerts.markup import TELEGRAM, html_escape, html_link
from logmedic.adapters.alerts.parts import look_of, runbooks_of
from logmedic.adapters.alerts.writing import Paragraph, fitting, paragraphs, within
from logmedic.model.message import Link

TEXT_CHARS = 4096
"""Telegram counts what is left when tags and escapes are taken out: with them it is never more than this."""
_PARAGRAPH_CHARS = 1500


class Telegram(Shape):
    name: ClassVar[str] = "telegram"
    wants: ClassVar[frozenset[str]] = frozenset({"title", "body"})

    def shaped(self, request: Request) -> Request:
        if "text" not in request.payload:
            return request
        return request.with_(parse_mode="HTML", text=self.preview(), disable_web_page_preview=True)

    def preview(self) -> str:
        title = Paragraph(within(TELEGRAM.bold, f"{look_of(self._message).mark} {self._texts.title}", 1000))
        told = self._told()
        last = html_escape(f"{self._message.host} | alert {self._message.id}")
        shown = fitting([title, *told], TEXT_CHARS - len(last) - 2, "\n\n")
        return f"{shown}\n\n{last}"

    def _told(self) -> list[Paragraph]:
        if self._texts.body_is_users:
            return [Paragraph(within(html_escape, self._texts.body, TEXT_CHARS - 1500))]
        links = [*self._message.links, *(Link("Runbook", each) for each in runbooks_of(self._message))]
        ways = [Paragraph(_way(each)) for each in links]
        return [*paragraphs(self._message, TELEGRAM, _PARAGRAPH_CHARS), *ways]


def _way(link: Link) -> str:
    """Telegram drops a link to a name without a dot (http://web1:8633/...) and leaves the label alone, which leads
    nowhere: that one is written out."""
    host = urlsplit(link.url).hostname or ""
    return html_link(link.label, link.url) if "." in host else f"{html_escape(link.label)}: {html_escape(link.url)}"
