"""Slack: Block Kit, to web hooks and as a bot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from logmedic.adapters.alerts.formats.shape import Request, Shape
from logmedic.adapters.alerts.markup import MRKDWN, mrkdwn_escape, mrkdwn_link, slack_plain
from logmedic.adapters.alerts.parts import look_of, runbooks_of
from logmedic.adapters.alerts.writing import MORE, grouped, within
from logmedic.model.message import Link

HEADER_CHARS = 150
SECTION_CHARS = 3000
BLOCKS = 50
BUTTON_CHARS = 75
URL_CHARS = 3000
"""Slack's limits; a message beyond one of them is refused whole (invalid_blocks)."""
_ENDING = 3  # blocks: what was left out, the buttons, the line with the id
_STYLES = {"Approve": "primary", "Reject": "danger"}
_FENCE = "```"


class Slack(Shape):
    name: ClassVar[str] = "slack"
    wants: ClassVar[frozenset[str]] = frozenset({"title", "slack"})

    def shaped(self, request: Request) -> Request:
        """`channel`, `username` and `thread_ts` are the plugin's. Nothing in the text is looked up, and no link in it
        is opened by Slack to show what is behind: one of them may approve a fix."""
        if "attachments" not in request.payload:
            return request
        return request.with_(
            attachments=None,
            mrkdwn=None,
            text=self.summary(),
            blocks=self.blocks(),
            parse="none",
            link_names=False,
            unfurl_links=False,
            unfurl_media=False,
        )

    def summary(self) -> str:
        """What a phone shows before the message is opened."""
        return mrkdwn_escape(self._headline())

    def _headline(self) -> str:
        return f"{look_of(self._message).mark} {self._texts.title}"

    def blocks(self) -> list[dict[str, Any]]:
        title = within(slack_plain, self._headline(), HEADER_CHARS)
        header = {"type": "header", "text": {"type": "plain_text", "text": title, "emoji": False}}
        sections = [_section(each) for each in self._sections()]
        room = BLOCKS - 1 - _ENDING
        left = [_section(MORE)] if len(sections) > room else []
        return [header, *sections[:room], *left, *self._buttons(), self._ending()]

    def preview(self) -> str:
        links = [f"[{each.label}] {each.url}" for each in self._message.links]
        return "\n\n".join([*self._sections(), *links, self._last_line()])

    def _sections(self) -> list[str]:
        if self._texts.slack is not None:
            return split(self._texts.slack, SECTION_CHARS)
        groups = [[each.text for each in group] for group in grouped(self._message, MRKDWN, SECTION_CHARS)]
        alone = len(self._message.stories) == 1
        told = [each for group in groups for each in (group if alone else together(group))]
        return [*told, *together([mrkdwn_link("Runbook", each) for each in runbooks_of(self._message)])]

    def _buttons(self) -> list[dict[str, Any]]:
        buttons = [_button(link) for link in self._message.links if len(link.url) <= URL_CHARS]
        return [{"type": "actions", "elements": buttons}] if buttons else []

    def _ending(self) -> dict[str, Any]:
        return {"type": "context", "elements": [_text(within(mrkdwn_escape, self._last_line(), SECTION_CHARS))]}

    def _last_line(self) -> str:
        message = self._message
        return " | ".join(each for each in (message.host, message.at_text, f"alert {message.id}") if each)


def _text(text: str) -> dict[str, Any]:
    """`verbatim`: no #channel, @name or address in it becomes a link or a mention."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _text(text)}


def _button(link: Link) -> dict[str, Any]:
    label = {"type": "plain_text", "text": link.label[:BUTTON_CHARS], "emoji": False}
    button = {"type": "button", "text": label, "url": link.url}
    return {**button, "style": _STYLES[link.label]} if link.label in _STYLES else button


def together(paragraphs: list[str]) -> list[str]:
    """Neighbours share a section while they have room: a message has at most 50."""
    sections: list[str] = []
    for each in paragraphs:
        if sections and len(sections[-1]) + len(each) + 1 <= SECTION_CHARS:
            sections[-1] += f"\n{each}"
        else:
            sections.append(each)
    return sections


def split(text: str, limit: int) -> list[str]:
    """A user's mrkdwn in pieces of at most `limit`, cut at line ends. A fence that a cut would open goes on in the
    next piece."""
    pieces, piece, fenced = list[str](), "", False
    room = limit - 2 * (len(_FENCE) + 1)
    for line in _lines(text, room):
        if piece and len(piece) + len(line) + 1 > room:
            pieces.append(f"{piece}\n{_FENCE}" if fenced else piece)
            piece = f"{_FENCE}\n{line}" if fenced else line
        else:
            piece = f"{piece}\n{line}" if piece else line
        fenced ^= line.count(_FENCE) % 2 == 1
    return [each for each in [*pieces, piece] if each.strip()]


def _lines(text: str, limit: int) -> Iterator[str]:
    for line in text.strip("\n").split("\n"):
        yield from (line[at : at + limit] for at in range(0, len(line) or 1, limit))
