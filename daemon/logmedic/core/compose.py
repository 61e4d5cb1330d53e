"""From stories to one message to one receiver: their order, the title, the clock and the links of its reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, tzinfo

from logmedic.core import links as link
from logmedic.core.moments import moment_text, with_zone
from logmedic.core.phrases import said, several
from logmedic.core.shellwords import short
from logmedic.core.titles import Headline, title_of
from logmedic.model.alert import LinkPlan, ReceiverPlan
from logmedic.model.alertevent import AlertEvent
from logmedic.model.issue import Incident
from logmedic.model.message import Link, Message, MessageKind, Story
from logmedic.model.severity import Severity

STORIES_SHOWN = 10
"""In one message: about what a chat shows before it folds, and what somebody reads before going to look."""
NOTE_LIMIT = 300
ISSUE = "issue:"
"""Begins the subject of a learned issue."""
_URGENCY = (
    AlertEvent.DAEMON_FAILED,
    AlertEvent.STORE,
    AlertEvent.BREAKER_OPEN,
    AlertEvent.FIX_FAILED,
    AlertEvent.APPROVAL_NEEDED,
    AlertEvent.RECEIVER_DEAD,
    AlertEvent.PART_FAILED,
    AlertEvent.DISARMED,
    AlertEvent.HELD,
    AlertEvent.OPENED,
    AlertEvent.QUIET,
    AlertEvent.REGRESSED,
    AlertEvent.ESCALATED,
    AlertEvent.STILL_OPEN,
    AlertEvent.FOREWARNED,
)
"""Of what is equally bad: what nobody but people can end comes first. The others come behind these."""


def write(
    *,
    alert_id: str,
    kind: MessageKind,
    host: str,
    stories: Sequence[Story],
    thread: str,
    subject: str,
    receiver: ReceiverPlan,
    now: datetime,
    links: LinkPlan | None = None,
    still_open: int = 0,
    note: str = "",
    incident: Incident | None = None,
) -> Message:
    """`stories`: at least one; of several of one subject the last one counts. `still_open`: how many are open beside
    these. `incident`: that of the story, when there is only one; without it there are no links."""
    told = sorted({each.subject: each for each in stories}.values(), key=urgency)
    shown = tuple(_for_reader(each, receiver.zone) for each in told[:STORIES_SHOWN])
    first, name = told[0], said(host, 255)
    return Message(
        id=alert_id,
        kind=kind,
        event=AlertEvent.DIGEST if kind is MessageKind.DIGEST else first.event,
        severity=max((each.severity for each in _pressing(told)), key=_rank),
        host=name,
        title=title_of(Headline(kind, name, tuple(told))),
        subject=said(subject, 255),
        thread=thread,
        stories=shown,
        more=len(told) - len(shown),
        matches=_matches(told),
        note=_note(note, _counted(told) if kind is MessageKind.DIGEST else "", _others(still_open)),
        links=_links(links, incident, receiver.name, now) if len(told) == 1 and not first.over else (),
        at_text=moment_text(now, receiver.zone),
    )


def subject_of(host: str, story: Story) -> str:
    """Of the thread that begins with `story`: mail programs put together what has the same one."""
    known = story.incident or (story.subject.removeprefix(ISSUE) if story.subject.startswith(ISSUE) else "")
    named = f" ({said(short(known), 40)})" if known else ""
    return f"[logmedic] {said(host, 63)}: {said(story.symptom, 80)}{named}"


def urgency(story: Story) -> tuple[bool, int, int, datetime]:
    """To sort by: open before over, then how bad, then what people have to do with it, then the oldest."""
    rank = _URGENCY.index(story.event) if story.event in _URGENCY else len(_URGENCY)
    return story.over, -story.severity.rank, rank, story.since


def _pressing(stories: Sequence[Story]) -> Sequence[Story]:
    """Those that are open; all, when none is."""
    return [each for each in stories if not each.over] or stories


def _rank(severity: Severity) -> int:
    return severity.rank


def _for_reader(story: Story, zone: tzinfo | None) -> Story:
    """Each moment in it also on the reader's clock; what was quoted from logs stays as it was."""
    return replace(
        story,
        broke=with_zone(story.broke, zone),
        tried=with_zone(story.tried, zone),
        following=with_zone(story.following, zone),
        to_do=with_zone(story.to_do, zone),
        history=tuple(with_zone(each, zone) for each in story.history),
        since_text=moment_text(story.since, zone),
    )


def _note(*parts: str) -> str:
    return said("; ".join(each for each in parts if each), NOTE_LIMIT)


def _counted(stories: Sequence[Story]) -> str:
    over, matches = sum(1 for each in stories if each.over), _matches(stories)
    still = f"{len(stories) - over} still" if over < len(stories) else "nothing is"
    counted = f"; {several(matches, 'match', 'matches')} in all" if matches else ""
    return f"{still} open, {over} over{counted}"


def _matches(stories: Sequence[Story]) -> int:
    """Of lines: what is no incident and no issue was seen in none."""
    return sum(each.occurrences for each in stories if each.incident or each.subject.startswith(ISSUE))


def _others(still_open: int) -> str:
    if still_open <= 0:
        return ""
    return f"{several(still_open, 'other')} told of before {'is' if still_open == 1 else 'are'} still open"


def _links(plan: LinkPlan | None, incident: Incident | None, receiver: str, now: datetime) -> tuple[Link, ...]:
    return link.of_incident(plan, incident, receiver, now) if plan is not None and incident is not None else ()
