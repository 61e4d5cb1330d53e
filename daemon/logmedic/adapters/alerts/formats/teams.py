"""Microsoft Teams: an Adaptive Card, to workflows (Power Automate)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, ClassVar

from logmedic.adapters.alerts.formats.shape import Request, Shape
from logmedic.adapters.alerts.parts import Part, Passage, Shown, left_out, look_of, note_of, parts_of, runbooks_of
from logmedic.model.message import Link

CARD_BYTES = 20_000
"""Of the body. Teams takes 28 KB in all; actions and the frame need some."""
_ACTIONS = 6
_BOLD: dict[str, Any] = {"weight": "Bolder"}
_MONO: dict[str, Any] = {"fontType": "Monospace"}
_SMALL: dict[str, Any] = {"size": "Small", "isSubtle": True}


class Teams(Shape):
    """A TextBlock is read as Markdown, a TextRun is not: all text is in TextRuns, a line each, as no line end is kept
    in one."""

    name: ClassVar[str] = "teams"

    def shaped(self, request: Request) -> Request:
        if "attachments" not in request.payload:
            return request
        card = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": self.card()}
        return request.with_(type="message", attachments=[card])

    def card(self) -> dict[str, Any]:
        return {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "fallbackText": self._texts.title,
            "body": self._body(),
            "actions": [_action(each) for each in self._links()[:_ACTIONS]],
            "msteams": {"width": "Full"},
        }

    def preview(self) -> str:
        lines = ["".join(run["text"] for run in each["inlines"]) for each in self._body()[1:]]
        return "\n".join([*lines, *(f"[{each.label}] {each.url}" for each in self._links()[:_ACTIONS])])

    def _links(self) -> list[Link]:
        return [*self._message.links, *(Link("Runbook", each) for each in runbooks_of(self._message))]

    def _body(self) -> list[dict[str, Any]]:
        title = _line(f"{look_of(self._message).mark} {self._texts.title}", {**_BOLD, "size": "Large"})
        last = _line(f"{self._message.host} | alert {self._message.id}", _SMALL, apart=True)
        room = CARD_BYTES - _size(title) - _size(last)
        lines = list[dict[str, Any]]()
        for line in self._lines():
            room -= _size(line)
            if room < 0:
                lines.append(_line("..."))
                break
            lines.append(line)
        return [title, *lines, last]

    def _lines(self) -> Iterator[dict[str, Any]]:
        if self._message.note:
            yield _line(note_of(self._message))
        for part in parts_of(self._message):
            yield from _of_part(part)
        if rest := left_out(self._message):
            yield _line(rest, apart=True)


def _of_part(part: Part) -> Iterator[dict[str, Any]]:
    if part.heading:
        yield _line(part.heading, _BOLD, apart=True)
    for passage in part.passages:
        yield from _of_passage(passage)
    yield _line(" | ".join(part.facts), _SMALL, apart=not part.heading)


def _of_passage(passage: Passage) -> Iterator[dict[str, Any]]:
    if passage.label:
        yield _line(passage.label, _BOLD, apart=True)
    style = _MONO if passage.shown in (Shown.LOG, Shown.COMMAND) else {}
    for line in passage.text.split("\n"):
        yield _line(f"\u2022 {line}" if passage.shown is Shown.LIST else line or " ", style)


def _line(text: str, style: dict[str, Any] | None = None, *, apart: bool = False) -> dict[str, Any]:
    run = {"type": "TextRun", "text": text, **(style or {})}
    return {"type": "RichTextBlock", "inlines": [run], "spacing": "Medium" if apart else "None"}


def _action(link: Link) -> dict[str, Any]:
    return {"type": "Action.OpenUrl", "title": link.label, "url": link.url}


def _size(line: dict[str, Any]) -> int:
    return len(json.dumps(line))
