"""Who reported something and waits to hear what becomes of it: told as it is committed, until there is an outcome, or
until their wait is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from logmedic.core.answers import Case, answer_of, late
from logmedic.model.changeset import Changeset
from logmedic.model.issue import Incident
from logmedic.model.policy import Policy
from logmedic.model.report import Answer, AnswerState, Placed, Report
from logmedic.model.state import EngineState
from logmedic.ports import Clock
from logmedic.runtime.supervisor import guarded

QUESTIONS_MAX = 2000
"""Open at once (I6): more than the applications of one host can have waiting, and 2 MiB. Who asks beyond that is told
at once that nobody follows it."""
Tell = Callable[[Answer], None]


@dataclass(slots=True, eq=False)
class _Question:
    """`until`: by the clock, when its sender stops waiting. `told`: the last answer."""

    report: Report
    tell: Tell
    until: datetime
    placed: list[Placed] = field(default_factory=list)
    told: Answer | None = None
    timer: asyncio.TimerHandle | None = None


class Answering:
    """Implements ports.Answers. `state` is the engine's, and only read; all of it runs on the engine's loop."""

    def __init__(self, *, state: EngineState, policy: Callable[[], Policy], clock: Clock) -> None:
        self._state = state
        self._policy = policy
        self._clock = clock
        self._questions: dict[str, _Question] = {}
        """By the key of their report."""
        self._followers: dict[str, dict[str, None]] = {}
        """Keys of questions, by the id of an incident."""
        self._seen: dict[str, tuple[Any, ...]] = {}
        """By the id of an incident that is followed: what of it changes an answer."""
        self._closed = False

    @property
    def open(self) -> int:
        return len(self._questions)

    def ask(self, report: Report, tell: Tell) -> Callable[[], None]:
        """See ports.Answers."""
        loop = asyncio.get_running_loop()
        if self._closed:
            return lambda: None
        question = _Question(report, tell, self._clock.now() + report.wait)
        if (known := self._questions.get(report.key)) is not None:
            self._drop(known)  # its sender came again, and hears of it there
        elif self.open >= QUESTIONS_MAX:
            words = f"{QUESTIONS_MAX} reports are waited for already; this one is taken, and not followed"
            refusal = Answer(report.id, AnswerState.LATE, final=True, detail=words)
            return loop.call_soon(partial(self._say, tell, refusal)).cancel
        question.timer = loop.call_later(max(0.0, report.wait / timedelta(seconds=1)), self._on_time, question)
        self._questions[report.key] = question
        return lambda: self._drop(question)

    def noted(self, changeset: Changeset) -> None:
        """What was committed, before the state knows it."""
        if not self._questions:
            return
        touched: dict[str, None] = {}
        for placed in changeset.placed:
            if (question := self._questions.get(placed.report)) is not None:
                self._place(question, placed)
                touched[placed.report] = None
        for incident in changeset.incidents:
            if (followers := self._followers.get(incident.id)) is not None and self._is_news(incident):
                touched.update(followers)
        cases: dict[str, Case] = {}
        for key in touched:
            if (question := self._questions.get(key)) is not None:
                self._look(question, changeset, cases)

    def settled(self, reports: Iterable[Report]) -> None:
        """See ports.Answers."""
        for each in reports:
            question = self._questions.get(each.key)
            if question is not None and not question.placed:
                self._answer(question, answer_of(each.id, (), {}, question.until))

    def close(self) -> None:
        """Nobody is told anything any more."""
        self._closed = True
        for each in tuple(self._questions.values()):
            self._drop(each)

    def _is_news(self, incident: Incident) -> bool:
        """A storm of matches changes an incident hundreds of times a second, and nothing that is told of it."""
        seen = (
            *(incident.status, incident.resolution, incident.hold, incident.hold_detail, incident.due_at),
            *(incident.step, incident.try_no, incident.attempt_id),
        )
        before, self._seen[incident.id] = self._seen.get(incident.id), seen
        return before != seen

    def _place(self, question: _Question, placed: Placed) -> None:
        question.placed.append(placed)
        if placed.incident_id:
            self._followers.setdefault(placed.incident_id, {})[placed.report] = None

    def _look(self, question: _Question, changeset: Changeset, cases: dict[str, Case]) -> None:
        """`cases`: those that were looked up already."""
        for incident_id in {each.incident_id for each in question.placed} - cases.keys():
            if (case := self._case(incident_id, changeset)) is not None:
                cases[incident_id] = case
        self._answer(question, answer_of(question.report.id, question.placed, cases, question.until))

    def _case(self, incident_id: str, changeset: Changeset) -> Case | None:
        """As it is with `changeset`. None: it is over, and was so before."""
        fresh = (each for each in changeset.incidents if each.id == incident_id)
        incident = next(fresh, None) or self._state.incidents.get(incident_id)
        if incident is None:
            return None
        attempts = {each.id: each for each in self._state.attempts.values() if each.incident_id == incident_id}
        attempts.update((each.id, each) for each in changeset.attempts if each.incident_id == incident_id)
        oldest_first = sorted(attempts.values(), key=lambda each: (each.started_at, each.id))
        return Case(incident, self._policy().rules.get(incident.rule_id), oldest_first)

    def _answer(self, question: _Question, answer: Answer) -> None:
        if answer == question.told:
            return
        question.told = answer
        if answer.final:
            self._drop(question)
        self._say(question.tell, answer)

    def _on_time(self, question: _Question) -> None:
        self._answer(question, late(question.report.id, question.told))

    def _say(self, tell: Tell, answer: Answer) -> None:
        if not self._closed:
            guarded(partial(tell, answer))  # who cannot be told is no reason not to tell the others

    def _drop(self, question: _Question) -> None:
        """Once it is over, answered or not; a second time changes nothing."""
        key = question.report.key
        if self._questions.get(key) is not question:
            return
        del self._questions[key]
        if question.timer is not None:
            question.timer.cancel()
        for incident_id in {each.incident_id for each in question.placed}:
            followers = self._followers.get(incident_id, {})
            followers.pop(key, None)
            if not followers:
                self._followers.pop(incident_id, None)
                self._seen.pop(incident_id, None)
