"""An application fails of what it depends on, and everything is real: the daemon hears of it, restarts the dependency
out of the sandbox, proves it, and the caller is answered as if nothing had been. And what callers get otherwise."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from alerts.servers import HttpServer
from endtoend.shop import USER, Shop
from endtoend.test_daemon import daemon, sleeping, until

UNAVAILABLE = {"error", "message", "request_id"}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


@pytest.mark.parametrize("example", ["starlette_app", pytest.param("fastapi_app", marks=pytest.mark.slow)])
def test_a_request_is_answered_after_the_fix_of_what_it_failed_of(shop: Shop, example: str) -> None:
    with HttpServer() as people, shop.stock() as stock:
        shop.call(people.port)
        shop.rule(stock, stays_well="3s", page_after="1s")
        with daemon(shop.world), shop.application(stock, example) as app:
            assert app.get("/stock/7").json() == {"pieces": 7}
            stock.wedge()
            answer = app.get("/stock/7")
            assert (answer.status_code, answer.json()) == (200, {"pieces": 7})
            request = answer.headers["x-request-id"]
            until(lambda: shop.incident().get("status") == "resolved", "the incident is over")
            incident = shop.incident()
            story = shop.typed("show", incident["id"][-8:])
            found = json.loads(shop.typed("incidents", "--request", request, "-o", "json"))
        posted = [json.loads(each.body) for each in people.posted]
    assert len(stock.lives) == 2
    assert (incident["resolution"], incident["requests"]) == ("fixed", [request])
    assert [each["id"] for each in found] == [incident["id"]]
    for words in (
        f"request {request} of shop (GET /stock/{{article}}), reported by {USER}[",
        "http.client.RemoteDisconnected: Remote end closed connection",
        "1. restart the stock service: fixed (exit 0",
        "bubblewrap",
        f"{shop.work}/control",
        "/healthz: answered 200",
    ):
        assert words in story, story
    assert f"INFO [{request}] how many of 7?" in app.said()
    assert f"succeeded when it was repeated after a fix (request {request})" in app.said()
    assert [each for each in posted if request in each["message"]], posted


@pytest.mark.slow
def test_a_fix_that_does_not_work_sends_the_caller_away_with_the_id_that_people_are_told(shop: Shop) -> None:
    with HttpServer() as people, shop.stock() as stock:
        shop.call(people.port)
        shop.rule(stock, "/usr/bin/true", within="300ms")
        with daemon(shop.world), shop.application(stock) as app:
            stock.wedge()
            answer = app.get("/stock/7", request_id="order-4711")
            until(lambda: people.posted, "people are told")
        posted = json.loads(people.posted[0].body)
    assert (answer.status_code, answer.headers["x-request-id"]) == (503, "order-4711")
    assert int(answer.headers["retry-after"]) >= 1
    assert set(answer.json()) == UNAVAILABLE
    assert answer.json()["request_id"] == "order-4711"
    assert "RemoteDisconnected" not in answer.text
    assert "fix failed" in posted["title"].lower()
    assert "order-4711" in posted["message"]
    assert "(request order-4711)" in app.said()


@pytest.mark.slow
def test_an_order_is_not_sent_twice_and_its_caller_may_come_back_soon(shop: Shop) -> None:
    with shop.stock() as stock:
        shop.rule(stock)
        with daemon(shop.world), shop.application(stock) as app:
            stock.wedge()
            first = app.post("/orders/7")
            second = app.post("/orders/7")
    assert (first.status_code, first.headers["retry-after"]) == (503, "1")
    assert (second.status_code, second.json()) == (200, {"ordered": True})
    assert app.said().count("one 7, please") == 2


def test_without_a_daemon_callers_are_answered_at_once(shop: Shop) -> None:
    with shop.stock() as stock, shop.application(stock) as app:
        well = app.get("/stock/7")
        stock.wedge()
        answer = app.get("/stock/7", limit_s=10)
        assert f"(request {answer.headers['x-request-id']})" in app.said()
    assert (well.status_code, well.json()) == (200, {"pieces": 7})
    assert (answer.status_code, set(answer.json())) == (503, UNAVAILABLE)


@pytest.mark.slow
def test_a_daemon_that_is_killed_while_a_request_waits_ends_the_wait(shop: Shop) -> None:
    seconds = f"52.{os.getpid()}"
    with shop.stock() as stock, ThreadPoolExecutor() as callers:
        shop.rule(stock, "/usr/bin/sleep", seconds)
        with shop.application(stock) as app:
            with daemon(shop.world) as process:
                stock.wedge()
                waiting = callers.submit(app.get, "/stock/7", limit_s=15)
                until(lambda: sleeping(seconds), "its fix runs")
                assert not waiting.done()
                process.kill()
                answer = waiting.result(timeout=15)
            stock.restart()
            well = app.get("/stock/7")
    assert (answer.status_code, set(answer.json())) == (503, UNAVAILABLE)
    assert (well.status_code, well.json()) == (200, {"pieces": 7})
