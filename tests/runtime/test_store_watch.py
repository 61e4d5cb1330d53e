"""When nothing can be stored, that is told past the store (F48), not again and again, and its end the usual way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import pytest

import builders as make
from fakes.recording_sender import RecordingSender
from fakes.virtual_loop import BEGAN, VirtualClock, VirtualLoop
from logmedic.model.alert import AlertPlan, Delivery, Receiver, ReceiverPlan, Route
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Ailing, Input
from logmedic.model.message import Story
from logmedic.runtime.pastthestore import Direct
from logmedic.runtime.storewatch import BETWEEN_S, CALM_S, PATIENCE_S, RETRY_S, StoreWatch, Trouble

FULL = "the store cannot be written: No space left on device"
DEAD = Delivery(False, "no answer: Connection refused")
RECEIVERS = {name: Receiver(name, f"json://{name}") for name in ("chat", "phone", "mail", "pager")}
ROUTE = Route("oncall", ("chat", "phone"), ("mail", "pager"))
PLAN = AlertPlan({"oncall": ROUTE}, "oncall", receivers={name: ReceiverPlan(name) for name in RECEIVERS})


@dataclass
class Scene:
    loop: VirtualLoop
    script: dict[str, list[Delivery]] = field(default_factory=dict)
    problem: str = ""
    patience_s: float = PATIENCE_S
    told: list[Input] = field(default_factory=list)

    def __post_init__(self) -> None:
        clock = VirtualClock(self.loop)
        self.sender = RecordingSender(self.script)
        watch = StoreWatch(
            path=Path("/var/lib/logmedic/logmedic.duckdb"),
            trouble=lambda: Trouble(self.problem, patience_s=self.patience_s) if self.problem else None,
            direct=direct(self.loop, self.sender).tell,
            tell=self.tell,
            clock=clock,
        )
        self.running = self.loop.create_task(watch.run())

    async def tell(self, given: Input) -> None:
        self.told.append(given)

    def passes(self, seconds: float, problem: str = "") -> list[str]:
        """Who is sent a message meanwhile."""
        self.problem, before = problem, len(self.sender.sent)
        self.loop.run_until_complete(asyncio.sleep(seconds))
        return [receiver.name for _, receiver in self.sender.sent[before:]]

    def close(self) -> None:
        self.running.cancel()
        self.loop.run_until_complete(asyncio.gather(self.running, return_exceptions=True))


def direct(loop: VirtualLoop, sender: RecordingSender, plan: AlertPlan = PLAN) -> Direct:
    ids = count(1)
    return Direct(
        sender=sender,
        receivers=RECEIVERS,
        plan=plan,
        host="db1",
        mint=lambda: f"{next(ids):08d}",
        clock=VirtualClock(loop),
    )


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    made = VirtualLoop()
    yield made
    made.close()


@pytest.fixture
def scene(loop: VirtualLoop) -> Iterator[Scene]:
    made = Scene(loop)
    yield made
    made.close()


def test_what_lasts_is_told_at_once_to_the_default_route_past_the_store(scene: Scene) -> None:
    assert scene.passes(PATIENCE_S - 2, FULL) == []
    assert scene.passes(10, FULL) == ["chat", "phone"]
    assert scene.told == []
    alert, _ = scene.sender.sent[0]
    assert "No space left on device" in alert.body
    assert "df -h /var/lib/logmedic" in alert.body
    assert alert.body.splitlines()[-1] == f"alert {alert.id}"
    assert (alert.event, alert.title[:15]) == (AlertEvent.STORE, "[STORE] db1: th")


def test_what_needs_longer_patience_is_told_later(scene: Scene) -> None:
    scene.patience_s = 300
    assert scene.passes(298, FULL) == []
    assert scene.passes(10, FULL) == ["chat", "phone"]


def test_a_hiccup_is_not_told(scene: Scene) -> None:
    for _ in range(20):
        assert scene.passes(PATIENCE_S - 4, FULL) == []
        assert scene.passes(4) == []
    assert scene.told == []


def test_it_is_told_again_an_hour_later_at_the_earliest_however_often_it_comes(scene: Scene) -> None:
    assert scene.passes(BETWEEN_S - 10, FULL) == ["chat", "phone"]
    assert scene.passes(100, FULL) == ["chat", "phone"]
    for _ in range(10):
        assert scene.passes(60, FULL) == []
        assert scene.passes(20) == []


def test_when_nobody_is_reached_it_is_tried_again_sooner(loop: VirtualLoop) -> None:
    scene = Scene(loop, {name: [DEAD] for name in RECEIVERS})
    assert scene.passes(PATIENCE_S + 4, FULL) == ["chat", "phone", "mail", "pager"]
    assert scene.passes(RETRY_S - 10, FULL) == []
    assert scene.passes(20, FULL) == ["chat", "phone", "mail", "pager"]
    scene.close()


def test_its_end_is_told_the_usual_way_to_whoever_heard_of_it_once_it_is_well_for_a_while(loop: VirtualLoop) -> None:
    scene = Scene(loop, {"chat": [DEAD], "mail": [DEAD]})
    assert scene.passes(60, FULL) == ["chat", "phone", "mail", "pager"]
    assert scene.passes(CALM_S - 4) == []
    assert scene.told == []
    assert scene.passes(CALM_S) == []
    begun, over = scene.told
    assert isinstance(begun, Ailing)
    assert (begun.part, begun.told) == ("store", ("phone", "pager"))
    assert begun.since is not None
    assert (begun.since - BEGAN).total_seconds() < 3, "when it began, and not when it was told"
    assert "No space left" in begun.what
    assert over == Ailing("store", AlertEvent.STORE)
    scene.passes(3600)
    assert len(scene.told) == 2
    scene.close()


# -- past the store ----------------------------------------------------------------------------------------------------

STORY = Story("daemon:x", AlertEvent.STORE, make.RULE.severity, "it", "", "", "", "", "", "", make.START)


def tell(loop: VirtualLoop, sender: RecordingSender, plan: AlertPlan = PLAN) -> dict[str, bool]:
    outcomes = loop.run_until_complete(direct(loop, sender, plan).tell(STORY))
    return {name: each.delivered for name, each in outcomes.items()}


def test_a_fallback_is_used_for_each_who_was_not_reached_and_no_more(loop: VirtualLoop) -> None:
    assert tell(loop, RecordingSender()) == {"chat": True, "phone": True}
    assert tell(loop, RecordingSender({"chat": [DEAD]})) == {"chat": False, "phone": True, "mail": True}
    assert tell(loop, RecordingSender({"chat": [DEAD], "mail": [DEAD]})) == {
        "chat": False,
        "phone": True,
        "mail": False,
        "pager": True,
    }


def test_without_a_default_route_everybody_is_told(loop: VirtualLoop) -> None:
    assert set(tell(loop, RecordingSender(), replace(PLAN, default_route=""))) == set(RECEIVERS)


def test_a_receiver_that_the_config_has_not_is_not_reached_and_its_fallback_is(loop: VirtualLoop) -> None:
    plan = replace(PLAN, routes={"oncall": Route("oncall", ("gone",), ("mail",))})
    assert tell(loop, RecordingSender(), plan) == {"gone": False, "mail": True}


class Slow(RecordingSender):
    async def send(self, alert: object, receiver: Receiver) -> Delivery:
        if receiver.name != "phone":
            await asyncio.sleep(40)
        return Delivery(receiver.name == "phone", "no result within 40 s, given up")


def test_all_of_it_ends_in_time_and_says_who_was_reached_until_then(loop: VirtualLoop) -> None:
    outcomes = loop.run_until_complete(direct(loop, Slow()).tell(STORY))
    assert loop.time() == pytest.approx(60, abs=1)
    assert {name: each.delivered for name, each in outcomes.items()} == {"chat": False, "phone": True, "mail": False}
    assert outcomes["mail"].detail == "not reached within 60 s"
