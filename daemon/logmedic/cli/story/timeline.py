"""What happened to an incident, in the order of time: its events, with their attempts and messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from logmedic.cli.story import attempts, people
from logmedic.cli.story.entry import BAD, GOOD, SEEN, Entry, Stage, stage_of
from logmedic.cli.story.evidence import evidence

Row = Mapping[str, Any]
_STARTS = frozenset({"fix_started", "rollback_started"})


def timeline(story: Row) -> list[Entry]:
    """`story`: as Queries.incident answers it. Oldest first; what is of the same instant stays in the order in which it
    was decided."""
    told = _Told(story)
    entries = [entry for event in _events(story) for entry in told.of(event)]
    return sorted((*entries, *told.rest()), key=lambda each: each.at)


def _events(story: Row) -> list[Row]:
    """With one of its opening, also when retention took that."""
    events: list[Row] = list(story["events"])
    if any(each["kind"] == "opened" for each in events):
        return events
    return [{"at": story["opened_at"], "kind": "opened", "text": story["title"]}, *events]


class _Told:
    """Which attempts and messages stand in the timeline already."""

    def __init__(self, story: Row) -> None:
        self._story = story
        self._attempts = dict(enumerate(story["attempts"], start=1))
        self._alerts = {each["id"]: each for each in story["alerts"]}
        self._receivers = {each["id"]: each["receiver"] for each in story["alerts"]}
        self._ends = {each["finished_at"] for each in story["attempts"]}
        self._probed_texts = [each["text"] for each in story["events"] if each["kind"] == "probed" and each["text"]]
        self._executions = sum(1 for each in story["attempts"] if each.get("first"))
        self._execution = 0

    def of(self, event: Row) -> Iterator[Entry]:
        kind, at = event["kind"], event["at"]
        if kind in _STARTS and (number := self._attempt_at(at)) is not None:
            yield self._attempt(number)
        elif kind == "step_finished" and at in self._ends:
            return
        elif kind == "alerted" and (alert_id := self._alert_of(event)) is not None:
            yield self._alert(alert_id)
        elif kind == "opened":
            yield Entry(_time(at), SEEN, event["text"], tuple(evidence(self._story)))
        else:
            stage = self._probed(event) if kind == "probed" else stage_of(kind)
            yield Entry(_time(at), stage, event["text"])

    def rest(self) -> Iterator[Entry]:
        """What no event is of."""
        yield from [self._attempt(number) for number in list(self._attempts)]
        yield from [self._alert(alert_id) for alert_id in list(self._alerts)]

    def _attempt_at(self, at: str) -> int | None:
        return next((number for number, each in self._attempts.items() if each["started_at"] == at), None)

    def _attempt(self, number: int) -> Entry:
        attempt = self._attempts.pop(number)
        told = attempts.sentence(attempt, number)
        if attempt.get("first") and self._executions > 1:
            self._execution += 1
            told += f", execution {self._execution}"
        stage, more = attempts.stage_of(attempt), tuple(attempts.details(attempt, self._probed_texts))
        return Entry(_time(attempt["started_at"]), stage, told, more)

    def _alert_of(self, event: Row) -> str | None:
        return next(
            (
                each["id"]
                for each in self._alerts.values()
                if each["created_at"] == event["at"] and event["text"].endswith(f"told to {each['receiver']}")
            ),
            None,
        )

    def _alert(self, alert_id: str) -> Entry:
        alert = self._alerts.pop(alert_id)
        return Entry(_time(alert["created_at"]), people.stage_of(alert), people.sentence(alert, self._receivers))

    def _probed(self, event: Row) -> Stage:
        """With the mark of what it found: the verdict of the attempt before it. That the rule has to stay silent next
        means that it passed, whatever came then."""
        events: Sequence[Row] = self._story["events"]
        following = next((each["kind"] for each in events if each["at"] == event["at"] and each is not event), "")
        before = [each for each in self._story["attempts"] if each["started_at"] <= event["at"]]
        verdict = before[-1]["verdict"] if before else None
        if following == "settling" or verdict == "fixed":
            return Stage("verify", "✓", GOOD)
        return Stage("verify", "✗", BAD) if verdict == "not_fixed" else stage_of("probed")


def _time(at: str) -> datetime:
    return datetime.fromisoformat(at)
