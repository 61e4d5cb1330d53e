"""Whatever an application hands over, the daemon takes the form of what is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logmedic.client.sending.building import Words, draft_of, finished, line_of, weight_of
from logmedic.core.reports import MAX_LINE, report_of
from logmedic.model.report import Report, Sender

SENDER = Sender(uid=1000, gid=1000, pid=7, user="shop")
WIDE = st.text(st.characters(codec=None), max_size=60)  # halves of characters as well
TEXTS = st.one_of(WIDE, st.builds(lambda text, times: text * times, WIDE, st.sampled_from([1, 50, 5000])))
THINGS = st.one_of(TEXTS, st.none(), st.integers(), st.floats(), st.binary(max_size=20), st.lists(st.integers()))
ERRORS = st.one_of(
    THINGS, st.builds(ValueError, THINGS), st.builds(OSError, THINGS, THINGS, THINGS), st.builds(KeyError, THINGS)
)
KINDS = st.sampled_from(["error", "circuit_breaker_open", "circuit_breaker_closed", "graceful_degradation", "", 3])


def read(error: object, id: str = "7-abc-1", wait: float = 0.0, **words: Any) -> Report:
    """As the daemon reads it. Raises BadReport."""
    draft = draft_of(error, id, 1_700_000_000.5, words)  # type: ignore[arg-type]
    line = finished(line_of(draft), wait)
    assert len(line) <= MAX_LINE
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    told = json.loads(line)
    assert told["type"] == "report"
    return report_of(told, SENDER)


@settings(deadline=None)
@given(
    error=ERRORS,
    words=st.fixed_dictionaries(
        {},
        optional={
            **dict.fromkeys(("component", "action", "impact", "environment", "request_id", "name", "strategy"), THINGS),
            "tags": st.one_of(THINGS, st.lists(THINGS, max_size=40)),
            "context": st.one_of(THINGS, st.dictionaries(st.one_of(WIDE, st.integers()), THINGS, max_size=50)),
            "kind": KINDS,
            "attempts": st.one_of(THINGS, st.integers()),
        },
    ),
    wait=st.floats(min_value=0.0, max_value=1e9),
)
def test_what_is_sent_passes(error: object, words: Words, wait: float) -> None:
    report = read(error, wait=wait, **words)
    assert report.id == "7-abc-1"
    assert report.asks == (wait > 0)


@pytest.mark.parametrize("letter", ["x", "\n", "\x00", "\U0001f4a5", "\ud800", '"', "ä"])
def test_a_report_that_is_too_long_in_everything_is_cut(letter: str) -> None:
    error = ValueError(letter * 100_000)
    for _ in range(9):
        error.add_note(letter * 10_000)
    context = {f"{letter}{number}": letter * 2000 for number in range(40)}
    try:
        raise error
    except ValueError as caught:
        report = read(caught, context=context, action=letter * 900, strategy=letter * 900, name=letter * 900, wait=1.0)
    assert report.message.startswith(report.message[:1] * 4000)
    assert report.traceback
    assert len(report.context) == 32


def test_what_weighs_in_memory_is_known_before_it_is_written() -> None:
    small, large = (draft_of("x" * size, "i", 0.0, {}) for size in (10, 4000))
    assert weight_of(large) - weight_of(small) == 3990


class Sick(Mapping[str, str]):
    def __getitem__(self, key: str) -> str:
        raise OSError("the disk")

    def __iter__(self) -> Iterator[str]:
        raise OSError("the disk")

    def __len__(self) -> int:
        raise OSError("the disk")


def test_a_context_that_cannot_be_read_is_left_out() -> None:
    assert read("x", context=Sick(), tags=iter(Sick, 1)).context == {}


def test_cleaned_words_stay_readable() -> None:
    report = read("x", component="my shop/π", environment="prod (eu)", request_id="a b\n", tags=["card payment", ""])
    assert report.component == "my_shop__"
    assert report.environment == "prod__eu_"
    assert report.request_id == "a_b_"
    assert report.tags == ("card_payment",)


@pytest.mark.parametrize("said", ["", " \n", ValueError(), ValueError(" ")], ids=repr)
def test_an_error_without_words_is_a_report(said: object) -> None:
    assert read(said).what.strip()


def test_a_breakers_report_always_has_a_name() -> None:
    assert read("x", kind="circuit_breaker_open", component="shop").name == "shop"
