"""ports.Sender, by everything that implements it here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from alerts.sending import ALERT, DEADLINE_S
from alerts.servers import Answer, HttpServer
from fakes.recording_sender import RecordingSender
from logmedic.adapters.alerts.sender import AppriseSender
from logmedic.model.alert import Delivery, Receiver
from logmedic.ports import Sender

ANSWERS = {"gone": Answer(410), "busy": Answer(429, b"", {"Retry-After": "5"}), "down": Answer(502)}
SCRIPT = {
    "gone": [Delivery(False, "HTTP 410 Gone", permanent=True)],
    "busy": [Delivery(False, "HTTP 429 Too Many Requests", retry_after_s=5.0)],
    "down": [Delivery(False, "HTTP 502 Bad Gateway")],
}


@dataclass(frozen=True, slots=True)
class Bench:
    sender: Sender
    port: int

    def receiver(self, name: str) -> Receiver:
        return Receiver(name, f"json://bob:hunter2canary@127.0.0.1:{self.port}/{name}")


@pytest.fixture(scope="module", params=["recording", "apprise"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with HttpServer(ANSWERS) as server:
        real = request.param == "apprise"
        yield Bench(AppriseSender(deadline_s=DEADLINE_S) if real else RecordingSender(SCRIPT), server.port)


@pytest.fixture(scope="module")
def deliveries(bench: Bench) -> dict[str, Delivery]:
    async def scenario() -> list[Delivery]:
        return await asyncio.gather(*(bench.sender.send(ALERT, bench.receiver(name)) for name in names))

    names = ("fine", *ANSWERS)
    return dict(zip(names, asyncio.run(scenario()), strict=True))


def test_an_accepted_message_is_delivered(deliveries: dict[str, Delivery]) -> None:
    assert deliveries["fine"] == Delivery(True)


def test_a_refusal_is_an_answer_and_says_whether_it_is_for_good(deliveries: dict[str, Delivery]) -> None:
    assert {name: (each.delivered, each.permanent) for name, each in deliveries.items() if name != "fine"} == {
        "gone": (False, True),
        "busy": (False, False),
        "down": (False, False),
    }


def test_a_receiver_can_say_when_to_come_again(deliveries: dict[str, Delivery]) -> None:
    assert {name: each.retry_after_s for name, each in deliveries.items() if each.retry_after_s} == {"busy": 5.0}


def test_the_url_is_not_shown(deliveries: dict[str, Delivery]) -> None:
    assert not any("hunter2canary" in each.detail or "127.0.0.1" in each.detail for each in deliveries.values())
