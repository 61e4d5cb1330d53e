"""What a message says, in the order in which it is read, before it has any syntax."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import IntEnum, StrEnum
from typing import Any, TypeVar

from logmedic.adapters.alerts.text import visible
from logmedic.core.quotes import request_of, telling_line
from logmedic.core.titles import mark_of
from logmedic.model.alertevent import AlertEvent
from logmedic.model.message import Message, MessageKind, Story
from logmedic.model.severity import Severity

EVIDENCE_LINES = 12
EVIDENCE_CHARS = 1200
"""Of one record that is quoted in a chat; all of it is in a mail's attachment."""
PROSE_CHARS = 800
_T = TypeVar("_T")


class Shown(StrEnum):
    """How a passage is to be shown. LOG and COMMAND as they are, in letters of one width."""

    PROSE = "prose"
    LIST = "list"
    LOG = "log"
    COMMAND = "command"


class Worth(IntEnum):
    """Where not all has room, what is worth least goes first."""

    MUST = 0
    GOOD = 1
    MORE = 2


@dataclass(frozen=True, slots=True)
class Passage:
    label: str
    text: str
    shown: Shown = Shown.PROSE
    worth: Worth = Worth.MUST


@dataclass(frozen=True, slots=True)
class Part:
    """Of one story. `heading` is empty when it is the only one: the title says it. `facts`: a few words each."""

    heading: str
    passages: tuple[Passage, ...]
    facts: tuple[str, ...]
    runbook: str = ""


def cleaned(value: _T) -> _T:
    """`value`, a dataclass, with every text in it made visible, at any depth: the second line behind core's."""
    changes = {each.name: _cleaned(getattr(value, each.name)) for each in fields(value)}  # type: ignore[arg-type]
    return replace(value, **changes)  # type: ignore[type-var]


def _cleaned(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, tuple):
        return tuple(_cleaned(each) for each in value)
    return cleaned(value) if is_dataclass(value) and not isinstance(value, type) else value


def parts_of(message: Message) -> tuple[Part, ...]:
    if len(message.stories) == 1 and not message.more and message.kind is not MessageKind.DIGEST:
        return (_alone(message.stories[0]),)
    return tuple(_one_of_several(each) for each in message.stories)


def note_of(message: Message) -> str:
    """Why it comes now, as a sentence; or nothing."""
    return f"{message.note[0].upper()}{message.note[1:].rstrip('.')}." if message.note else ""


def left_out(message: Message) -> str:
    """The sentence about stories that are not shown, or nothing."""
    return f"And {message.more} more: logmedic incidents" if message.more else ""


def runbooks_of(message: Message) -> list[str]:
    """Each once, in order; those that the links do not lead to already."""
    linked = {link.url for link in message.links}
    return [each for each in dict.fromkeys(story.runbook for story in message.stories) if each and each not in linked]


def _alone(story: Story) -> Part:
    return Part(
        "",
        _told(
            Passage("What broke" if not story.over else "What it was", _cut(story.broke)),
            Passage("Evidence", quoted(story.evidence) if not story.over else "", Shown.LOG, Worth.GOOD),
            Passage("Request", request_of(story), worth=Worth.GOOD),
            Passage("What I tried", _cut(story.tried), worth=Worth.GOOD),
            Passage("What happens next", _cut(story.following), worth=Worth.GOOD),
            Passage("What the fix would do", _lines(story.would), Shown.LIST, Worth.MORE),
            Passage("What you do", _cut(story.to_do)),
            Passage("In a shell", story.command, Shown.COMMAND),
            Passage("What went before it", _lines(story.history), Shown.LIST, Worth.MORE),
        ),
        facts_of(story),
        story.runbook,
    )


def _one_of_several(story: Story) -> Part:
    """Short: the reader of many looks for the one that is theirs."""
    outcome = "; ".join(each for each in (story.outcome, story.need) if each)
    evidence = "" if story.over else telling_line(story.evidence)
    return Part(
        f"[{mark_of(MessageKind.NEWS, story.event)}] {story.symptom}",
        _told(
            Passage("", _cut(outcome)),
            Passage("", evidence, Shown.LOG, Worth.MORE),
            Passage("", story.command, Shown.COMMAND),
        ),
        (*facts_of(story), *([f"request {request_of(story)}"] if story.requests else [])),
        story.runbook,
    )


def _told(*passages: Passage) -> tuple[Passage, ...]:
    return tuple(each for each in passages if each.text.strip())


def _lines(lines: Sequence[str]) -> str:
    return "\n".join(_cut(each) for each in lines)


def _cut(text: str, limit: int = PROSE_CHARS) -> str:
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def quoted(evidence: str, *, lines: int = EVIDENCE_LINES, limit: int = EVIDENCE_CHARS) -> str:
    """The beginning of a record, and whether there is more."""
    every = evidence.strip("\n").split("\n")
    shown = "\n".join(every[:lines])
    return f"{_cut(shown, limit)}\n..." if len(every) > lines > 1 else _cut(shown, limit)


def facts_of(story: Story) -> tuple[str, ...]:
    since = story.since_text or f"{story.since:%Y-%m-%d %H:%M:%S} UTC"
    facts = (
        story.severity.value,
        f"rule {story.rule}" if story.rule else "",
        f"source {story.source}" if story.source else "",
        f"since {since}",
        f"{story.occurrences} times" if story.occurrences > 1 else "",
        f"{story.effects} more because of it, not told apart" if story.effects else "",
        f"incident {story.incident[-8:]}" if story.incident else "",
    )
    return tuple(each for each in facts if each)


def evidence_file(message: Message) -> str:
    """All that was recorded, or nothing."""
    told = [each for each in message.stories if each.evidence.strip()]
    blocks = [f"# {each.symptom} | {' | '.join(facts_of(each))}\n{each.evidence.strip(chr(10))}\n" for each in told]
    return "\n".join(blocks)


@dataclass(frozen=True, slots=True)
class Look:
    """`mark` is one character; `colour` is RRGGBB, dark enough for white letters on it (contrast 4.5)."""

    mark: str
    colour: str


def look_of(message: Message) -> Look:
    match message.event, message.severity:
        case AlertEvent.RECOVERED, _:
            return Look("\u2705", "1a7f37")
        case AlertEvent.TEST | AlertEvent.DIGEST, _:
            return Look("\U0001f535", "0b66c3")
        case _, Severity.CRITICAL | Severity.HIGH:
            return Look("\U0001f534", "b42318")
        case _, Severity.MEDIUM:
            return Look("\U0001f7e0", "b54708")
        case _:
            return Look("\U0001f7e1", "7a6200")
