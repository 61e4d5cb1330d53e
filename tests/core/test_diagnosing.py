"""Limits of asking, and what is taken of an answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.core.diagnosing import after, answer_of, may_ask, messages_of, spent_on
from logmedic.model.diagnosis import Diagnosis, Limits, Question, Spent

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
LIMITS = Limits(per_day=3, tokens_per_day=1000, gap=timedelta(seconds=10))
HALF_A_DAY = timedelta(hours=12)


def asked(at: datetime, tokens: int = 10, *, sent: bool = True, wait_s: float | None = None) -> Diagnosis:
    return Diagnosis("i", wait_s is None, "m", at, tokens_in=tokens, sent=sent, retry_after_s=wait_s)


def spent(*diagnoses: Diagnosis) -> Spent:
    so_far = Spent()
    for each in diagnoses:
        so_far = after(so_far, each)
    return so_far


@pytest.mark.parametrize(
    ("before", "wait"),
    [
        (spent(), timedelta(0)),
        (spent(asked(NOON)), timedelta(seconds=10)),
        (spent(asked(NOON - timedelta(seconds=10))), timedelta(0)),
        (spent(asked(NOON + timedelta(hours=1))), timedelta(0)),
        (spent(*[asked(NOON - timedelta(hours=1))] * 2), timedelta(0)),
        (spent(*[asked(NOON - timedelta(hours=1))] * 3), HALF_A_DAY),
        (spent(*[asked(NOON - timedelta(hours=13))] * 3), timedelta(0)),
        (spent(asked(NOON - timedelta(hours=1), tokens=1000)), HALF_A_DAY),
        (spent(*[asked(NOON - timedelta(hours=1), sent=False)] * 9), timedelta(0)),
        (spent(asked(NOON, wait_s=300)), timedelta(minutes=5)),
        (spent(asked(NOON - timedelta(hours=13), wait_s=60_000)), timedelta(seconds=60_000) - timedelta(hours=13)),
        (spent(asked(NOON, wait_s=300), asked(NOON)), timedelta(seconds=10)),
    ],
    ids=[
        "nothing asked", "just asked", "gap over", "clock set back", "below the limit", "at the limit", "yesterday",
        "tokens used up", "never sent", "told to wait", "told to wait over midnight", "wait forgotten after luck",
    ],
)  # fmt: skip
def test_when_the_next_question_may_be_asked(before: Spent, wait: timedelta) -> None:
    permit = may_ask(before, LIMITS, NOON)
    assert permit.after == wait
    assert bool(permit.why) == (wait >= timedelta(minutes=5))


@given(st.lists(st.tuples(st.integers(0, 200_000), st.integers(0, 400)), max_size=40))
def test_no_day_has_more_questions_or_tokens_than_its_limits(steps: list[tuple[int, int]]) -> None:
    now, so_far, days = NOON, Spent(), dict[str, list[int]]()
    for pause_s, tokens in steps:
        now += timedelta(seconds=pause_s)
        if may_ask(so_far, LIMITS, now).after == timedelta(0):
            so_far = after(so_far, asked(now, tokens))
            days.setdefault(now.date().isoformat(), []).append(tokens)
    assert all(len(each) <= LIMITS.per_day for each in days.values())
    assert all(sum(each[:-1]) < LIMITS.tokens_per_day for each in days.values())


def test_a_restart_does_not_begin_the_day_anew() -> None:
    today = [asked(NOON - timedelta(hours=each)) for each in (3, 1, 2)]
    remembered = spent_on([*today, asked(NOON - timedelta(days=1), tokens=9999)], NOON)
    assert may_ask(remembered, LIMITS, NOON).after == HALF_A_DAY
    assert (remembered.questions, remembered.tokens) == (3, 30)


@given(st.text())
def test_any_answer_can_be_read(text: str) -> None:
    answer = answer_of(text)
    assert answer.ok or answer.problem


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("likely_cause"), inner),
        max_leaves=20,
    )
)
def test_any_json_can_be_read(value: object) -> None:
    import json

    for text in (json.dumps(value), json.dumps({"likely_cause": "x", "checks": value, "suggested_rule": value})):
        answer = answer_of(f"well: {text}")
        assert all(isinstance(each, str) and 0 < len(each) <= 300 for each in answer.checks)
        assert len(answer.suggested_rule) <= 8001


@given(st.lists(st.text(max_size=200) | st.just("n" * 20), max_size=20), st.integers(3000, 6000))
def test_what_is_sent_is_bounded_and_has_one_fence(texts: list[str], limit: int) -> None:
    nonce = "n" * 20
    question = Question("i", "".join(texts)[:300], "c", "t", tuple(texts), 1, NOON, NOON, tuple(texts), tuple(texts))
    system, user = (each["content"] for each in messages_of(question, nonce, limit))
    assert len(system) + len(user) <= limit
    assert [line for line in user.split("\n") if nonce in line] == [nonce, nonce]
