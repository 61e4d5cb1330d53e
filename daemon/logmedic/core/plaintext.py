"""A message for a reader who sees letters and nothing else: a mail without HTML, a terminal, an SMS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from logmedic.core.phrases import several, times
from logmedic.core.quotes import request_of, telling_line
from logmedic.core.titles import mark_of
from logmedic.model.message import Link, Message, MessageKind, Story

_INDENT = "    "
"""Before what is to be copied, so that no text of a log is taken for it."""
_ARE_NOT = {True: "is not told on its", False: "are not told on their"}


def text_of(message: Message) -> str:
    """The body, without the title. Each URL stands alone on its line. The last line is the alert's id: what cuts a
    body above it keeps that."""
    lines = [sentence for sentence in (_note(message),) if sentence]
    if message.kind is MessageKind.DIGEST:
        lines += _digest(message)
    elif len(message.stories) == 1 and not message.more:
        lines += _alone(message.stories[0])
    else:
        lines += _several(message)
    lines += _urls(message.links)
    lines += ["", _facts(message)]
    return "\n".join([*_without_double_gaps(lines), f"alert {message.id}"])


def _note(message: Message) -> str:
    return f"{message.note[0].upper()}{message.note[1:]}." if message.note else ""


# -- one story ---------------------------------------------------------------------------------------------------------


def _alone(story: Story) -> Iterator[str]:
    yield ""
    yield f"What broke: {story.broke}"
    if story.effects:
        yield f"Because of it, {story.effects} more {_ARE_NOT[story.effects == 1]} own."
    if line := _quoted(story):
        yield f"> {line}"
    if request := request_of(story):
        yield f"Request {request}"
    yield from story.history
    yield f"What I tried: {story.tried}"
    if story.would:
        yield "What the fix would do:"
        yield from (f"  {number}. {each}" for number, each in enumerate(story.would, 1))
    yield f"What happens next: {story.following}"
    yield f"What you do: {story.to_do}"
    yield from _command(story)
    yield from _runbook(story)


def _quoted(story: Story) -> str:
    return "" if story.over else telling_line(story.evidence)


def _command(story: Story) -> Iterator[str]:
    if story.command:
        yield from ("", f"{_INDENT}{story.command}", "")


def _runbook(story: Story) -> Iterator[str]:
    if story.runbook:
        yield from ("Runbook:", story.runbook)


# -- several -----------------------------------------------------------------------------------------------------------


def _several(message: Message) -> Iterator[str]:
    matches = f", {several(message.matches, 'match', 'matches')} in all" if message.matches else ""
    yield f"{len(message.stories) + message.more} together{matches}; the most urgent first."
    yield from _blocks(message.stories)
    yield from _more(message)


def _blocks(stories: Sequence[Story]) -> Iterator[str]:
    before = ""
    for number, story in enumerate(stories, 1):
        yield ""
        yield from _block(number, story, follows="" if story.following == before else story.following)
        before = story.following


def _block(number: int, story: Story, *, follows: str) -> Iterator[str]:
    """Short: whoever reads many looks for the one that is theirs. What comes next is not said twice in a row."""
    told = "; ".join(each for each in (story.outcome, story.need) if each)
    counted = f", {times(story.occurrences)}" if story.occurrences > 1 else ""
    yield f"{number}. [{mark_of(MessageKind.NEWS, story.event)}] {story.symptom}: {told}"
    yield f"   {story.severity}{counted} since {story.since_text}"
    if request := request_of(story):
        yield f"   Request {request}"
    if follows and not story.over:
        yield f"   Next: {follows}"
    if story.command:
        yield f"   {story.command}"


def _more(message: Message) -> Iterator[str]:
    if message.more:
        yield from ("", f"And {message.more} more:", f"{_INDENT}logmedic incidents")


# -- digest ------------------------------------------------------------------------------------------------------------


def _digest(message: Message) -> Iterator[str]:
    """What is open first; of what is over one line each."""
    still = [each for each in message.stories if not each.over]
    over = [each for each in message.stories if each.over]
    if still:
        yield from ("", "Still open:", *_blocks(still))
    if over:
        yield from ("", "Over, nothing to do:")
        yield from (f"  {each.symptom}: {each.outcome}; it began {each.since_text}" for each in over)
    yield from _more(message)


# -- the end -----------------------------------------------------------------------------------------------------------


def _urls(links: Sequence[Link]) -> Iterator[str]:
    for each in links:
        yield from ("", f"{each.label}:", each.url) if each is links[0] else (f"{each.label}:", each.url)


def _facts(message: Message) -> str:
    story = message.stories[0]
    alone = len(message.stories) == 1 and not message.more
    facts = (
        message.severity.value,
        f"host {message.host}" if message.host else "",
        f"rule {story.rule}" if alone and story.rule else "",
        f"source {story.source}" if alone and story.source else "",
        f"incident {story.incident[-8:]}" if alone and story.incident else "",
        message.at_text,
    )
    return " | ".join(each for each in facts if each)


def _without_double_gaps(lines: Sequence[str]) -> Iterator[str]:
    before = ""
    for line in lines:
        if line or before:
            yield line
        before = line
