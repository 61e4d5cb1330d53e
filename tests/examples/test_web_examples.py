"""The examples of web applications, each served for real, beside a daemon that mends what they depend on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from fakes.example_run import WSGI, Reply, Scene, asked, scene

UVICORN = ("-m", "uvicorn", "--port", "0", "--no-access-log")
SERVED = {
    "fastapi": (*UVICORN, "fastapi_app:app"),
    "starlette": (*UVICORN, "starlette_app:app"),
    "flask": ("-c", WSGI, "flask_app", "app"),
    "django": ("-c", WSGI, "django_app", "application"),
}


@contextmanager
def ordered_and_asked(name: str) -> Iterator[tuple[Scene, Reply, Reply]]:
    """An order, whose fix is held, and a question, whose cause is mended; then the example has ended."""
    with scene("GET") as played:
        with played.served(*SERVED[name]) as port:
            order = asked(port, "POST", "/orders/7", "order-1")
            played.daemon.wait_for_reports(1)
            stock = asked(port, "GET", "/stock/7", "stock-1")
        yield played, order, stock


@pytest.mark.parametrize("name", list(SERVED))
def test_a_question_is_answered_after_the_fix_and_an_order_is_asked_to_come_back(name: str) -> None:
    with ordered_and_asked(name) as (played, order, stock):
        assert (stock.status, stock.said) == (200, {"pieces": 12}), played.log
        assert stock.headers["x-request-id"] == "stock-1"

        assert order.status == 503
        assert 1 <= int(order.headers["retry-after"]) <= 600
        assert order.headers["x-request-id"] == order.said["request_id"] == "order-1"
        assert set(order.said) == {"error", "message", "request_id"}
        assert b"refused" not in order.body

        reports = played.daemon.reports
        assert [each["request_id"] for each in reports] == ["order-1", "stock-1"]
        assert {(each["component"], each["error"]) for each in reports} == {("shop", "ConnectionRefusedError")}

        assert len(played.lines("[stock-1] how many of 7?")) == 2, "it ran twice"
        assert len(played.lines("[order-1] one 7, please")) == 1
        assert len(played.lines("ERROR [order-1]", "failed with ConnectionRefusedError")) == 1
        assert len(played.lines("INFO [stock-1]", "succeeded when it was repeated")) == 1
