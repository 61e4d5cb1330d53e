"""The dead man's switch: it pings while the daemon works, and stops when it does not (F32)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from fakes.virtual_loop import BEGAN, VirtualClock, VirtualLoop
from logmedic.runtime.heartbeat import ALIVE_S, FIRST_S, LOOK_AGAIN, RETRY_BASE, Heartbeat, Pulse, not_working
from logmedic.runtime.supervisor import Part

EVERY = timedelta(minutes=5)


@dataclass
class Scene:
    """A heartbeat on a virtual loop. `problems`: what the pings answer in turn, the last one for ever. `at`: when there
    was one, in seconds since the start."""

    loop: VirtualLoop
    problems: list[str] = field(default_factory=lambda: [""])
    trouble: str = ""
    takes_s: float = 0.0
    at: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.beats = Heartbeat(every=EVERY, ping=self.ping, trouble=lambda: self.trouble, clock=VirtualClock(self.loop))

    async def ping(self) -> str:
        self.at.append(round(self.loop.time(), 3))
        await asyncio.sleep(self.takes_s)
        return self.problems.pop(0) if len(self.problems) > 1 else self.problems[0]

    def run(self, seconds: float) -> None:
        async def scenario() -> None:
            running = asyncio.create_task(self.beats.run())
            await asyncio.sleep(seconds)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

        self.loop.run_until_complete(scenario())


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    made = VirtualLoop()
    yield made
    made.close()


def test_the_first_ping_comes_soon_and_then_one_every_time(loop: VirtualLoop) -> None:
    scene = Scene(loop, takes_s=3.0)
    scene.run(901)
    assert scene.at == [FIRST_S, FIRST_S + 300, FIRST_S + 600]
    row = scene.beats.row()
    assert (row["last_error"], row["withheld"], row["every_s"]) == ("", "", 300.0)
    assert row["last_ok"] == "2001-01-01T00:10:05" + row["last_ok"][19:]
    assert row["next"] is not None


def test_while_the_daemon_does_not_work_nobody_is_asked_and_it_goes_on_once_it_does(loop: VirtualLoop) -> None:
    scene = Scene(loop, trouble="the engine has made no progress for 25 s")
    with capture_logs() as logged:
        scene.run(600)
        assert scene.at == []
        assert scene.beats.row()["withheld"] == "the engine has made no progress for 25 s"
        assert scene.beats.row()["last_ok"] is None
    assert [each["event"] for each in logged] == ["heartbeat_withheld"]
    scene.trouble = ""
    scene.run(LOOK_AGAIN.total_seconds() + 1)
    assert len(scene.at) == 1


def test_a_ping_that_fails_is_tried_again_sooner_later_and_later_and_logged_once(loop: VirtualLoop) -> None:
    scene = Scene(loop, ["HTTP 500 Internal Server Error"])
    with capture_logs() as logged:
        scene.run(1200)
    waits = [round(later - sooner) for sooner, later in zip(scene.at, scene.at[1:], strict=False)]
    assert waits == [10, 20, 40, 80, 160, 300, 300]
    assert RETRY_BASE.total_seconds() == 10
    assert [(each["event"], each["log_level"]) for each in logged] == [("heartbeat_failed", "warning")]
    assert scene.beats.row()["last_error"] == "HTTP 500 Internal Server Error"


def test_once_it_works_again_it_is_as_before(loop: VirtualLoop) -> None:
    scene = Scene(loop, ["no answer: Connection refused", "no answer: Connection refused", ""])
    with capture_logs() as logged:
        scene.run(400)
    assert scene.at == [2, 12, 32, 332]
    assert [each["event"] for each in logged] == ["heartbeat_failed", "heartbeat_recovered"]
    assert scene.beats.row()["last_error"] == ""


def test_the_next_ping_is_said_in_the_status(loop: VirtualLoop) -> None:
    scene = Scene(loop)
    scene.run(10)
    at = (BEGAN + EVERY + timedelta(seconds=FIRST_S)).isoformat()[:19]
    assert scene.beats.row()["next"][:19] == at


def on(loop: VirtualLoop, scenario: Callable[[], Awaitable[str]]) -> str:
    async def made() -> str:
        return await scenario()

    return loop.run_until_complete(made())


RUNNING = {"engine": Part("engine"), "source shop": Part("source shop"), "reload": Part("reload", "restarting")}


@pytest.mark.parametrize(
    ("problem", "parts", "said"),
    [
        ("", RUNNING, ""),
        ("no space", RUNNING, "nothing can be stored: no space"),
        ("", {**RUNNING, "engine": Part("engine", "failed")}, "the engine is failed"),
        ("", {**RUNNING, "source shop": Part("source shop", "restarting")}, "no source is read"),
        ("", {**RUNNING, "source db": Part("source db", "restarting")}, ""),
    ],
    ids=["all is well", "the last commit failed", "the engine ended", "nothing is read", "one of two is read"],
)
def test_what_is_no_work(loop: VirtualLoop, problem: str, parts: dict[str, Part], said: str) -> None:
    async def scenario() -> str:
        return not_working(Pulse(lambda: None), problem, parts)

    assert on(loop, scenario) == said


def test_f32_an_engine_that_hangs_shows_no_life_and_one_that_goes_on_does(loop: VirtualLoop) -> None:
    passed_on: list[None] = []

    async def scenario() -> str:
        pulse = Pulse(lambda: passed_on.append(None))
        for _ in range(5):
            await asyncio.sleep(ALIVE_S * 0.9)
            pulse.beat()
            assert not not_working(pulse, "", RUNNING)
        await asyncio.sleep(ALIVE_S + 5)
        return not_working(pulse, "", RUNNING)

    assert on(loop, scenario) == "the engine has made no progress for 25 s"
    assert len(passed_on) == 5
