"""A message in a service's markup: paragraphs, and as many of them as there is room for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from logmedic.adapters.alerts.markup import Markup
from logmedic.adapters.alerts.parts import Part, Passage, Shown, Worth, left_out, note_of, parts_of
from logmedic.model.message import Message

MORE = "..."
_BULLET = "\u2022 "


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str
    worth: Worth = Worth.MUST


def grouped(message: Message, markup: Markup, limit: int) -> list[list[Paragraph]]:
    """The note; of each part: its heading, its passages, its facts; what is left out. No paragraph is longer than
    `limit` characters."""
    note = [Paragraph(within(markup.prose, note_of(message), limit))] if message.note else []
    rest = [Paragraph(markup.prose(left_out(message)))] if message.more else []
    groups = [note, *(_of_part(part, markup, limit) for part in parts_of(message)), rest]
    return [each for each in groups if each]


def paragraphs(message: Message, markup: Markup, limit: int) -> list[Paragraph]:
    return [each for group in grouped(message, markup, limit) for each in group]


def _of_part(part: Part, markup: Markup, limit: int) -> list[Paragraph]:
    several = bool(part.heading)
    facts = Paragraph(within(markup.prose, " | ".join(part.facts), limit), Worth.MORE if several else Worth.GOOD)
    told = [Paragraph(within(markup.bold, part.heading, limit))] if several else []
    told += [Paragraph(_of_passage(each, markup, limit), each.worth) for each in part.passages]
    return [*told, facts]


def _of_passage(passage: Passage, markup: Markup, limit: int) -> str:
    head = f"{markup.bold(passage.label)}{markup.line_end}" if passage.label else ""
    match passage.shown:
        case Shown.LOG | Shown.COMMAND:
            written = within(markup.fence, passage.text, limit - len(head))
        case Shown.LIST:
            written = within(lambda text: _listed(text, markup), passage.text, limit - len(head))
        case _:
            written = within(markup.prose, passage.text, limit - len(head))
    return f"{head}{written}"


def _listed(text: str, markup: Markup) -> str:
    return markup.line_end.join(f"{_BULLET}{markup.prose(line)}" for line in text.split("\n"))


def within(write: Callable[[str], str], text: str, limit: int) -> str:
    """`write(text)`, of as much of the beginning as is at most `limit` characters when it is written: cut before it is
    escaped, so that no escape and no fence is broken."""
    written, size = write(text), len(text)
    while len(written) > limit and size:
        size = min(size - 1, size * limit // len(written))
        written = write(f"{text[: max(size - len(MORE), 0)]}{MORE}")
    return written


def fitting(told: Sequence[Paragraph], limit: int, joint: str, more: str = MORE) -> str:
    """Those that have room together within `limit`, in their order: first all that must be told, then what is worth
    less. `more` stands at the end when something was left out."""
    if len(joint.join(each.text for each in told)) <= limit:
        return joint.join(each.text for each in told)
    room, chosen = limit - len(joint) - len(more), set[int]()
    for place in sorted(range(len(told)), key=lambda place: (told[place].worth, place)):
        size = len(told[place].text) + len(joint)
        if size <= room:
            room -= size
            chosen.add(place)
    return joint.join([*(told[place].text for place in sorted(chosen)), more])
