"""Matrix: HTML with a plain text beside it, to rooms and bridges."""

from __future__ import annotations

from typing import ClassVar

from logmedic.adapters.alerts.formats.shape import Given, Request, Shape
from logmedic.adapters.alerts.markup import MATRIX, html_escape, html_link
from logmedic.adapters.alerts.parts import look_of, runbooks_of
from logmedic.adapters.alerts.writing import Paragraph, fitting, paragraphs, within
from logmedic.model.message import Link

HTML_CHARS = 16_000
"""An event has at most 65,536 bytes, and an encrypted one holds about half of that."""
_PARAGRAPH_CHARS = 6000
_TEXT_CHARS = 12_000


class Matrix(Shape):
    """The plugin encrypts before it puts anything on the wire, so that it is given the HTML as well."""

    name: ClassVar[str] = "matrix"
    wants: ClassVar[frozenset[str]] = frozenset({"title", "body"})

    def given(self) -> Given:
        return Given("", self.preview(), "html")

    def shaped(self, request: Request) -> Request:
        if "msgtype" not in request.payload or "formatted_body" not in request.payload:
            return request
        body = within(str, f"{self._texts.title}\n{self._texts.body}", _TEXT_CHARS)
        return request.with_(body=body, formatted_body=self.preview())

    def preview(self) -> str:
        title = Paragraph(within(MATRIX.bold, f"{look_of(self._message).mark} {self._texts.title}", 2000))
        last = f"<sub>{html_escape(f'{self._message.host} | alert {self._message.id}')}</sub>"
        shown = fitting([title, *self._told()], HTML_CHARS - len(last) - 4, "<br>")
        return f"{shown}<br>{last}"

    def _told(self) -> list[Paragraph]:
        if self._texts.body_is_users:
            return [Paragraph(within(MATRIX.prose, self._texts.body, HTML_CHARS - 3000))]
        links = [*self._message.links, *(Link("Runbook", each) for each in runbooks_of(self._message))]
        ways = " | ".join(html_link(each.label, each.url) for each in links)
        told = paragraphs(self._message, MATRIX, _PARAGRAPH_CHARS)
        return [*told, Paragraph(ways)] if ways else told
