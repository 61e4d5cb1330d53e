"""Has promoted issues explained by a language model: one question at a time, inside the day's limits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from logmedic.core.diagnosing import after, may_ask
from logmedic.model.diagnosis import Diagnosis, Limits, Question, Spent
from logmedic.ports import Clock, Diagnoser
from logmedic.runtime.supervisor import Failure, guarded_await

PENDING_MAX = 16
"""Questions that wait (I6). In a storm of new issues the newest are asked about."""
PATIENCE = timedelta(minutes=15)
"""What has to wait longer is not asked: by then people have looked for themselves."""
TRIES = 2

CheckRule = Callable[[str], tuple[str, str]]
"""A rule file and what is wrong with it; see rulefiles/suggested.py. Blocks."""
Tell = Callable[[Diagnosis, int], Awaitable[None]]
"""A diagnosis, and how many questions were dropped since the last."""


class Diagnosing:
    """A part for the supervisor. `spent`: what was asked today before this start."""

    def __init__(
        self,
        *,
        diagnoser: Diagnoser,
        check_rule: CheckRule,
        limits: Limits,
        clock: Clock,
        tell: Tell,
        spent: Spent | None = None,
    ) -> None:
        self._diagnoser = diagnoser
        self._check_rule = check_rule
        self._limits = limits
        self._clock = clock
        self._tell = tell
        self._spent = spent or Spent()
        self._pending: dict[str, Question] = {}
        self._waiting = asyncio.Event()
        self._dropped = 0
        self._untold = 0
        self._problem = ""

    def ask(self, question: Question) -> None:
        """Answers at once. Of one issue only the last question waits; beyond PENDING_MAX the oldest is dropped, and
        counted."""
        self._pending.pop(question.issue_id, None)
        self._pending[question.issue_id] = question
        while len(self._pending) > PENDING_MAX:
            del self._pending[next(iter(self._pending))]
            self._dropped += 1
            self._untold += 1
        self._waiting.set()

    def row(self) -> dict[str, Any]:
        """For `status`. Keys: pending, dropped (since the start), asked_today, tokens_today, problem (of the last
        question, else empty)."""
        return {
            "pending": len(self._pending),
            "dropped": self._dropped,
            "asked_today": self._spent.questions,
            "tokens_today": self._spent.tokens,
            "problem": self._problem,
        }

    async def run(self) -> None:
        """Until cancelled; a question under way is then forgotten."""
        while True:
            await self._waiting.wait()
            while self._pending:
                question = self._pending.pop(next(iter(self._pending)))
                await self._report(await self._checked(await self._answered(question)))
            self._waiting.clear()

    async def _answered(self, question: Question) -> Diagnosis:
        for tries in range(1, TRIES + 1):
            refusal = await self._wait(question)
            if refusal is not None:
                return refusal
            diagnosis = await self._asked(question)
            self._spent = after(self._spent, diagnosis)
            if diagnosis.ok or diagnosis.retry_after_s is None or tries == TRIES:
                break
            if question.issue_id in self._pending:  # newer: that one is asked instead
                break
        return diagnosis

    async def _wait(self, question: Question) -> Diagnosis | None:
        """None as soon as it may be asked; else why it will not be."""
        permit = may_ask(self._spent, self._limits, self._clock.now())
        if permit.after > PATIENCE:
            return self._failed(question, f"not asked: {permit.why}")
        await self._clock.sleep(permit.after.total_seconds())
        return None

    async def _asked(self, question: Question) -> Diagnosis:
        outcome = await guarded_await(self._diagnoser.diagnose(question))
        if isinstance(outcome, Failure):
            return self._failed(question, f"internal error: {type(outcome.error).__name__}")
        return outcome

    def _failed(self, question: Question, problem: str) -> Diagnosis:
        return Diagnosis(question.issue_id, False, "", self._clock.now(), problem=problem, sent=False)

    async def _checked(self, diagnosis: Diagnosis) -> Diagnosis:
        """With a suggested rule that loads and does nothing but match, or with none."""
        if not diagnosis.suggested_rule:
            return diagnosis
        outcome = await guarded_await(asyncio.to_thread(self._check_rule, diagnosis.suggested_rule))
        text, note = ("", "the suggested rule could not be checked") if isinstance(outcome, Failure) else outcome
        said = "; ".join(each for each in (diagnosis.problem, note) if each)
        return replace(diagnosis, suggested_rule=text, problem=said)

    async def _report(self, diagnosis: Diagnosis) -> None:
        self._problem = "" if diagnosis.ok else diagnosis.problem
        untold, self._untold = self._untold, 0
        await self._tell(diagnosis, untold)
