"""What an unknown error is does not depend on what was judged before it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.core import templates
from logmedic.core.unknowns import REMEMBERED, Judge

ALL = range(len(templates.ERROR_DETECTORS))
_HEADS = st.sampled_from(
    [
        "2026-11-23 03:12:41,{} ERROR shop.db: ",
        "2026/11/23 03:12:41 [error] {}#{}: *{} ",
        "Nov 23 03:12:41 web1 app[{}]: error: ",
        "E1123 03:12:41.{} 7 a.go:7] ",
        "level=error msg=",
        "[{}] FATAL: ",
        "INFO all is well, error: ",
        "errors: ",
        "{} ERROR ",
    ]
)
_WORDS = st.sampled_from(
    [
        "connection to {}.{}.{}.{}:{} lost",
        "order {} lost",
        "took {} ms",
        "0x{}af",
        "a{}b",
        "/srv/{}/x",
        "{}:{}",
        "eth{}",
        "AH{}: lost",
        "a{}.b{}-c{}",
        "'tty{}'",
        "x{}y{} /tty{}/tty{}",
        "blk_-{}",
        "none",
        "{}",
    ]
)
_LINES = st.builds(lambda head, words: head + " ".join(words), _HEADS, st.lists(_WORDS, min_size=1, max_size=4))
_NUMBERS = st.lists(st.integers(0, 10**12) | st.integers(0, 300), min_size=24, max_size=24)


@given(st.lists(st.tuples(_LINES, _NUMBERS), min_size=1, max_size=12))
def test_a_judge_with_a_past_says_what_a_fresh_one_says(lines: list[tuple[str, list[int]]]) -> None:
    judge = Judge(0)
    for line, numbers in lines:
        raw = f"{line.format(*numbers)}\n".encode()
        assert judge.judge("app", raw, ALL) == Judge(0).judge("app", raw, ALL)


@given(_NUMBERS, _NUMBERS)
def test_numbers_that_stand_alone_make_no_other_error(some: list[int], others: list[int]) -> None:
    head = "ERROR shop: order {} of 10.0.{}.{}:{} lost after {} tries, "
    first, second = (
        Judge(0).judge("app", head.format(*(each % 250 for each in numbers)).encode() + b"gone\n", ALL)
        for numbers in (some, others)
    )
    assert first is not None
    assert second is not None
    assert first.fingerprint == second.fingerprint


def test_no_errors_are_told_from_some() -> None:
    judge = Judge(0)
    assert judge.judge("app", b"cron: error: 7 jobs\n", ALL) is not None
    assert judge.judge("app", b"cron: error: 0 jobs\n", ALL) is None
    assert judge.judge("app", b"cron: error: 7 jobs\n", ALL) is not None


@pytest.mark.slow
def test_i6_what_is_remembered_is_bounded() -> None:
    judge = Judge(0)
    for n in range(3 * REMEMBERED):
        judge.judge("app", b"ERROR shop: %s lost\n" % f"{n:b}".replace("0", "a").replace("1", "b").encode(), ALL)
    assert len(judge.memory) <= 2 * REMEMBERED


@pytest.mark.parametrize(
    ("line", "component"),
    [
        ("Nov {day:2} 12:00:00 web sshd[123]: error: kex failed from 10.0.0.{day} port 22", "sshd"),
        ("[Wed Nov {day:2} 12:00:00 2026] [core:error] lost", "app"),
        ("Mon Nov {day:2} 12:00:00 web myapp[3]: error: lost", "app"),
        ("<11>1 2026-11-{day:02}T12:00:00Z web shop 7 - - error: order {day} lost", "app"),
        ("2026-11-{day:02} 12:00:00,1 ERROR shop.pay: late since Nov {day:2} 11:00:00", "shop.pay"),
    ],
)
def test_the_day_of_the_month_makes_no_other_error(line: str, component: str) -> None:
    judge, kinds = Judge(0), set()
    for day in range(1, 32):
        text = line.format(day=day)
        kind = judge.judge("app", f"{text}\n".encode(), ALL)
        assert kind is not None
        assert kind.component == templates.component_of(text, "app")
        kinds.add((kind.component, kind.template))
    assert len(kinds) == 1, kinds
    if component != "app":
        assert {each for each, _ in kinds} == {component}
