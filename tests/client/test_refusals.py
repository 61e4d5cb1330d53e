"""What a caller is told in place of an error."""

from __future__ import annotations

import json
import math

import pytest

from logmedic.client.http import unavailable


def test_the_body_says_a_general_sentence_and_the_id() -> None:
    told = json.loads(unavailable.body("r-1"))

    assert set(told) == {"error", "message", "request_id"}
    assert told["error"] == "service_unavailable"
    assert told["request_id"] == "r-1"


@pytest.mark.parametrize(
    ("said", "sent"),
    [(0, 1), (-5, 1), (0.2, 1), (1.01, 2), (30, 30), (600, 600), (601, 600), (math.inf, 600), (math.nan, 1)],
)
def test_callers_come_back_after_one_second_to_ten_minutes(said: float, sent: int) -> None:
    assert dict(unavailable.headers("r", "x-request-id", said, 3))["retry-after"] == str(sent)


def test_the_answer_is_not_cached() -> None:
    assert dict(unavailable.headers("r", "x-trace", 5, 3)) == {
        "content-type": "application/json",
        "content-length": "3",
        "cache-control": "no-store",
        "retry-after": "5",
        "x-trace": "r",
    }
