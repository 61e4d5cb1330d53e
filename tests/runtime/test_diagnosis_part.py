"""Questions are asked one at a time, in bounds, and each is told of."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from fakes.clock import FakeClock
from logmedic.model.diagnosis import Diagnosis, Limits, Question, Spent
from logmedic.runtime.diagnosing import PENDING_MAX, Diagnosing

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
LIMITS = Limits(per_day=30, tokens_per_day=10_000, gap=timedelta(seconds=10))


def question(number: int, title: str = "t") -> Question:
    return Question(f"issue-{number}", title, "c", "t", (), 1, NOON, NOON)


class Answering:
    """`failures`: of the first questions, seconds to wait, or None for good. `hold`: never answers."""

    def __init__(self, clock: FakeClock, *failures: float | None, hold: bool = False) -> None:
        self.clock = clock
        self.failures = list(failures)
        self.hold = hold
        self.asked: list[Question] = []
        self.cancelled = False
        self.bug: Exception | None = None

    async def diagnose(self, question: Question) -> Diagnosis:
        self.asked.append(question)
        if self.bug is not None:
            raise self.bug
        if self.hold:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled = True
                raise
        good = Diagnosis(question.issue_id, True, "m", self.clock.now(), "cause", tokens_in=10)
        if not self.failures:
            return good
        return replace(good, ok=False, likely_cause="", problem="HTTP 429", retry_after_s=self.failures.pop(0))


class Scene:
    def __init__(
        self, *failures: float | None, hold: bool = False, limits: Limits = LIMITS, spent: Spent | None = None
    ) -> None:
        self.clock = FakeClock(NOON)
        self.model = Answering(self.clock, *failures, hold=hold)
        self.told: list[tuple[Diagnosis, int]] = []
        self.part = Diagnosing(
            diagnoser=self.model,
            check_rule=lambda text: ("", "it does not load"),
            limits=limits,
            clock=self.clock,
            tell=self.tell,
            spent=spent,
        )

    async def tell(self, diagnosis: Diagnosis, dropped: int) -> None:
        self.told.append((diagnosis, dropped))


def play(scene: Callable[[], Scene], story: Callable[[Scene], Awaitable[None]]) -> Scene:
    async def scenario() -> Scene:
        it = scene()
        running = asyncio.create_task(it.part.run())
        await story(it)
        running.cancel()
        async with asyncio.timeout(1):
            await asyncio.gather(running, return_exceptions=True)
        return it

    return asyncio.run(scenario())


def test_questions_are_asked_in_turn_with_a_gap_between_them() -> None:
    async def story(it: Scene) -> None:
        it.part.ask(question(1))
        it.part.ask(question(2))
        await it.clock.advance(9)
        assert [each.issue_id for each in it.model.asked] == ["issue-1"]
        await it.clock.advance(1)

    it = play(Scene, story)
    assert [(each.issue_id, dropped) for each, dropped in it.told] == [("issue-1", 0), ("issue-2", 0)]
    assert it.part.row() == {"pending": 0, "dropped": 0, "asked_today": 2, "tokens_today": 20, "problem": ""}


def test_of_too_many_questions_the_oldest_are_dropped_and_counted() -> None:
    async def story(it: Scene) -> None:
        await it.clock.settle()
        for number in range(PENDING_MAX + 5):
            it.part.ask(question(number))
        await it.clock.advance(1000)

    it = play(Scene, story)
    assert [each.issue_id for each in it.model.asked] == [f"issue-{n}" for n in range(5, PENDING_MAX + 5)]
    assert sum(dropped for _, dropped in it.told) == 5
    assert it.part.row()["dropped"] == 5


def test_of_one_issue_only_the_newest_question_waits() -> None:
    async def story(it: Scene) -> None:
        for title in ("first", "second"):
            it.part.ask(question(1, title))
        await it.clock.advance(60)

    assert [each.title for each in play(Scene, story).model.asked] == ["second"]


def test_a_failure_that_passes_is_tried_once_more_when_the_endpoint_said() -> None:
    async def story(it: Scene) -> None:
        it.part.ask(question(1))
        await it.clock.advance(119)
        assert len(it.model.asked) == 1
        await it.clock.advance(1)

    it = play(lambda: Scene(120.0), story)
    assert [each.ok for each, _ in it.told] == [True]
    assert it.part.row()["asked_today"] == 2


def test_a_failure_for_good_and_a_second_one_are_told() -> None:
    async def story(it: Scene) -> None:
        it.part.ask(question(1))
        it.part.ask(question(2))
        await it.clock.advance(300)

    it = play(lambda: Scene(None, 20.0, 20.0), story)
    assert [each.problem for each, _ in it.told] == ["HTTP 429", "HTTP 429"]
    assert len(it.model.asked) == 3


def test_beyond_the_limits_of_the_day_nothing_is_sent_and_the_reason_is_told() -> None:
    async def story(it: Scene) -> None:
        it.part.ask(question(1))
        it.part.ask(question(2))
        await it.clock.advance(60)

    it = play(lambda: Scene(limits=Limits(per_day=1)), story)
    assert len(it.model.asked) == 1
    refused = it.told[1][0]
    assert (refused.ok, refused.sent) == (False, False)
    assert refused.problem == "not asked: 1 questions were asked today (diagnosis.per_day)"


def test_who_has_to_wait_for_hours_is_not_asked() -> None:
    async def story(it: Scene) -> None:
        it.part.ask(question(1))
        await it.clock.advance(60)

    it = play(lambda: Scene(7200.0), story)
    assert it.told[0][0].problem == "not asked: the endpoint asked to wait"


def test_the_day_goes_on_where_the_last_run_left_it() -> None:
    async def story(it: Scene) -> None:
        it.part.ask(question(1))
        await it.clock.settle()

    it = play(lambda: Scene(spent=Spent(NOON, questions=30)), story)
    assert not it.model.asked


def test_a_stop_ends_a_question_under_way() -> None:
    async def story(it: Scene) -> None:
        it.part.ask(question(1))
        await it.clock.settle()
        assert it.model.asked

    it = play(lambda: Scene(hold=True), story)
    assert it.model.cancelled
    assert not it.told


def test_a_bug_is_told_without_its_text_and_the_next_question_is_asked() -> None:
    async def story(it: Scene) -> None:
        it.model.bug = RuntimeError("with a secret in it")
        it.part.ask(question(1))
        await it.clock.settle()
        it.model.bug = None
        it.part.ask(question(2))
        await it.clock.advance(60)

    it = play(Scene, story)
    assert [each.problem for each, _ in it.told] == ["internal error: RuntimeError", ""]
