"""Many requests that wait at once, through the real client, over a real socket."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.asgi_caller import Caller
from fakes.report_daemon import Line, ReportDaemon, answer, taking
from logmedic.client.asgi import SelfHealing
from logmedic.client.client import Client
from logmedic.client.loghandler import ReportHandler

MANY = 300


class Shop:
    def __init__(self) -> None:
        self.broken = True

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self.broken:
            raise ConnectionError("bank")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"paid"})


@pytest.fixture
def daemon() -> Iterator[ReportDaemon]:
    """Begins a fix for each who asks."""

    def script(line: Line) -> Iterator[Line]:
        yield from taking(line)
        if line.get("wait"):
            yield answer(line, "fixing", incident="INC-1")

    with tempfile.TemporaryDirectory() as directory, ReportDaemon(Path(directory) / "s", script) as made:
        yield made


@pytest.fixture
def client(daemon: ReportDaemon) -> Iterator[Client]:
    """Connected."""
    made = Client(socket=daemon.path, component="shop")
    made.report("it begins")
    daemon.wait_for_reports(1)
    yield made
    made.close()


def test_hundreds_of_requests_wait_in_one_thread_and_are_all_answered_after_the_fix(
    daemon: ReportDaemon, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    shop = Shop()
    app = SelfHealing(shop, "shop", client=client, wait=60.0)

    async def scene() -> list[Caller]:
        await asyncio.to_thread(daemon.wait_for_reports, 1)
        threads = threading.active_count()
        requests = [asyncio.ensure_future(Caller().call(app)) for _ in range(MANY)]
        reports = await asyncio.to_thread(daemon.wait_for_reports, MANY + 1)
        assert threading.active_count() == threads
        shop.broken = False
        daemon.say(*(answer(each, "fixed", incident="INC-1") for each in reports if each.get("wait")))
        return await asyncio.gather(*requests)

    callers = asyncio.run(scene())
    assert {each.status for each in callers} == {200}
    assert len({each.answered["x-request-id"] for each in callers}) == MANY


def test_when_the_daemon_goes_away_all_are_refused_at_once(
    daemon: ReportDaemon, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    app = SelfHealing(Shop(), "shop", client=client, wait=600.0)

    async def scene() -> list[Caller]:
        requests = [asyncio.ensure_future(Caller().call(app)) for _ in range(20)]
        await asyncio.to_thread(daemon.wait_for_reports, 21)
        await asyncio.to_thread(daemon.stop)
        async with asyncio.timeout(20):
            return await asyncio.gather(*requests)

    assert {each.status for each in asyncio.run(scene())} == {503}


def test_an_error_that_the_application_logs_as_well_is_one_report(daemon: ReportDaemon, client: Client) -> None:
    log = logging.getLogger("shop.pay")
    handler = ReportHandler(component="shop", client=client)
    log.addHandler(handler)

    async def logs(scope: Any, receive: Any, send: Any) -> None:
        try:
            raise ConnectionError("bank")
        except ConnectionError:
            log.exception("cannot pay")
            raise

    async def scene() -> Caller:
        request = asyncio.ensure_future(Caller().call(SelfHealing(logs, "shop", client=client, wait=60.0)))
        reports = await asyncio.to_thread(daemon.wait_for_reports, 2)
        daemon.say(answer(reports[1], "held"))
        return await request

    try:
        caller = asyncio.run(scene())
    finally:
        log.removeHandler(handler)
    assert caller.status == 503
    client.flush(10.0)
    assert [each["message"] for each in daemon.reports] == ["it begins", "bank"]
    assert daemon.reports[1]["request_id"] == caller.said["request_id"]
