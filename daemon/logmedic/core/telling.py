"""Which part of a record tells what it is about, and so is what a pattern is made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from logmedic.core import templates
from logmedic.core.fields import fields_of
from logmedic.core.heads import head_of

MESSAGE_FIELDS = ("msg", "message")
TRACE = "Traceback (most recent call last)"


@dataclass(frozen=True, slots=True)
class Subject:
    """`line` is one line of the record, `first`: the first of its text; `whole`: that line is all there is, so the
    pattern may end with it. `program`, `field`: what a rule has to name, so that its pattern is about this line."""

    line: str
    first: bool
    whole: bool
    program: str = ""
    field: str = ""

    @property
    def front(self) -> str:
        """What a pattern begins with that is about the beginning of the line."""
        return "^" if self.first else "(?m)^"

    @property
    def message_at(self) -> int:
        """Where what it says begins, behind time and level; never inside of a word."""
        begins = max(self.line.find(templates.message_of(self.line)), 0)
        while 0 < begins < len(self.line) and self.line[begins - 1].isalnum() and self.line[begins].isalnum():
            begins += 1
        return begins


def subjects(text: str) -> Iterator[Subject]:
    """The most telling part first, the record as a whole last. `text` is not blank."""
    head = head_of(text)
    program = head.program if head is not None else ""
    fields = fields_of(text)
    for name in MESSAGE_FIELDS:
        if fields.get(name, "").strip():
            yield _subject(fields[name], program, name)
    if head is not None and text[head.end :].strip():
        yield _subject(text[head.end :], program)
    yield _subject(text)


def _subject(body: str, program: str = "", field: str = "") -> Subject:
    lines = body.split("\n")
    telling = [n for n, line in enumerate(lines) if line.strip()]
    if any(TRACE in line for line in lines):
        flat = [n for n in telling if not lines[n][0].isspace() and TRACE not in lines[n]]
        telling = flat[-1:] or telling
    number = telling[0]
    return Subject(lines[number], number == 0, number > 0 or len(lines) == 1, program, field)
