"""The one line that a locked telephone shows: host, symptom, outcome, need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from logmedic.core.phrases import cut, said, several
from logmedic.model.alertevent import AlertEvent
from logmedic.model.message import MessageKind, Story

TITLE_LIMIT = 140
HOST_LIMIT = 48
"""Characters of a host's name in a title: a longer one is cut in the middle of the title, never the title behind it."""
NEED_LIMIT, OUTCOME_LIMIT = 32, 60
SYMPTOM_LEAST = 24
"""Rather than with less of what is wrong, a title does without its outcome."""
_MARKS = {
    AlertEvent.OPENED: "OPEN",
    AlertEvent.HELD: "HELD",
    AlertEvent.APPROVAL_NEEDED: "APPROVE?",
    AlertEvent.FIX_FAILED: "FIX FAILED",
    AlertEvent.BREAKER_OPEN: "BREAKER OPEN",
    AlertEvent.STILL_OPEN: "STILL OPEN",
    AlertEvent.RECOVERED: "RECOVERED",
    AlertEvent.ESCALATED: "UNKNOWN ERROR",
    AlertEvent.REGRESSED: "CAME BACK",
    AlertEvent.FOREWARNED: "EARLY WARNING",
    AlertEvent.QUIET: "QUIET",
    AlertEvent.QUARANTINED: "QUARANTINED",
    AlertEvent.RULES_REFUSED: "RULES",
    AlertEvent.TRUST: "TRUST",
    AlertEvent.DISARMED: "DISARMED",
    AlertEvent.STORE: "STORE",
    AlertEvent.RECEIVER_DEAD: "UNREACHED",
    AlertEvent.PART_FAILED: "PART DOWN",
    AlertEvent.DAEMON_FAILED: "LOGMEDIC DOWN",
    AlertEvent.DIGEST: "DIGEST",
    AlertEvent.TEST: "TEST",
}
_KINDS = {MessageKind.REMINDER: "REMINDER", MessageKind.ESCALATION: "ESCALATION", MessageKind.DIGEST: "DIGEST"}


@dataclass(frozen=True, slots=True)
class Headline:
    """What a title is made of. `stories`: all of them, the most urgent first."""

    kind: MessageKind
    host: str
    stories: tuple[Story, ...]


def mark_of(kind: MessageKind, event: AlertEvent) -> str:
    return _KINDS.get(kind) or _MARKS[event]


def title_of(headline: Headline) -> str:
    """One line of at most TITLE_LIMIT characters; what is cut is the symptom, then the outcome goes."""
    first = headline.stories[0]
    front = f"[{mark_of(headline.kind, first.event)}] {said(headline.host, HOST_LIMIT)}: "
    symptom = said(first.symptom, TITLE_LIMIT)
    need = f" - {said(first.need, NEED_LIMIT)}" if first.need else ""
    if headline.kind is MessageKind.DIGEST:
        return _fitted(front, _digest(headline.stories), "", "")
    if len(headline.stories) > 1:
        more = f"{_counted(headline.stories)}: {symptom} and {len(headline.stories) - 1} more"
        return _fitted(front, more, "", need)
    outcome = f" - {said(first.outcome, OUTCOME_LIMIT)}" if first.outcome else ""
    return _fitted(front, symptom, outcome, need)


def _fitted(front: str, symptom: str, outcome: str, need: str) -> str:
    room = TITLE_LIMIT - len(front) - len(need)
    if len(symptom) + len(outcome) > room and room - len(outcome) < min(len(symptom), SYMPTOM_LEAST):
        outcome = ""
    return f"{front}{cut(symptom, room - len(outcome))}{outcome}{need}"


def _counted(stories: Sequence[Story]) -> str:
    """E.g. "12 incidents of web-down, 3 of them over"."""
    over = sum(1 for each in stories if each.over)
    words = several(len(stories), "incident") if all(each.incident for each in stories) else f"{len(stories)} alerts"
    rules = {each.rule for each in stories}
    of = f" of {said(next(iter(rules)), 40)}" if len(rules) == 1 and "" not in rules else ""
    if over == len(stories):
        return f"{words}{of}, all over"
    return f"{words}{of}, {over} of them over" if over else f"{words}{of}"


def _digest(stories: Sequence[Story]) -> str:
    still = [each for each in stories if not each.over]
    worst = f"{'; worst: ' if len(still) > 1 else ': '}{said(still[0].symptom, TITLE_LIMIT)}" if still else ""
    return f"{len(still) or 'nothing'} still open, {len(stories) - len(still)} over{worst}"
