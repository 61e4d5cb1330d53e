"""The daemon's own parts are watched: what ails them is told once, when it lasts, and so is its end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

import builders as make
from fakes.virtual_loop import VirtualLoop
from logmedic.core.ailing import OPENING
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Ailing, Input
from logmedic.model.fix import Arming
from logmedic.model.notice import Notice
from logmedic.model.policy import Policy
from logmedic.model.rule import Mode
from logmedic.model.severity import Severity
from logmedic.model.state import EngineState
from logmedic.runtime import symptoms
from logmedic.runtime.selfwatch import CALM_MAX_S, CALM_S, LOOK_EVERY_S, SelfWatch
from logmedic.runtime.supervisor import Part
from logmedic.runtime.symptoms import PART_PATIENCE_S, SCARCE_BYTES, STEADY, Symptom
from store.disks import Tmpfs, may_mount

SICK = Ailing("fixes", AlertEvent.DISARMED, "no sandbox", "Install it.", "apt install bubblewrap")
WELL = Ailing("fixes", AlertEvent.DISARMED)
PATIENCE_S = 20.0


@dataclass
class Scene:
    """A watch on a virtual loop. `told`: what, and when."""

    loop: VirtualLoop
    notices: dict[str, Notice] = field(default_factory=dict)
    of_store: list[str] = field(default_factory=list)
    sick: bool = False
    told: list[tuple[float, Input]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.watch = SelfWatch(
            looks=[self.look],
            tell=self.tell,
            open_notices=lambda: self.notices,
            notices=lambda: tuple(self.of_store),
            of_notices=lambda notices: Ailing(OPENING, AlertEvent.STORE, "; ".join(notices)),
        )
        self.running = self.loop.create_task(self.watch.run())

    def look(self) -> Iterable[Symptom]:
        return [Symptom(SICK, PATIENCE_S)] if self.sick else []

    async def tell(self, given: Input) -> None:
        self.told.append((round(self.loop.time()), given))

    def passes(self, seconds: float, *, sick: bool) -> list[Input]:
        """What is told meanwhile."""
        self.sick, before = sick, len(self.told)
        self.loop.run_until_complete(asyncio.sleep(seconds))
        return [given for _, given in self.told[before:]]

    def close(self) -> None:
        self.running.cancel()
        self.loop.run_until_complete(asyncio.gather(self.running, return_exceptions=True))


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


def test_what_lasts_is_told_once_and_so_is_its_end(scene: Scene) -> None:
    with capture_logs() as logged:
        assert scene.passes(PATIENCE_S - 1, sick=True) == []
        assert scene.passes(3600, sick=True) == [SICK]
        assert scene.passes(CALM_S - 1, sick=False) == []
        assert scene.passes(3600, sick=False) == [WELL]
    assert [(each["event"], each["log_level"]) for each in logged] == [("ailing", "error"), ("well_again", "info")]


def test_what_is_over_soon_is_not_told(scene: Scene) -> None:
    for _ in range(50):
        assert scene.passes(PATIENCE_S - LOOK_EVERY_S, sick=True) == []
        assert scene.passes(LOOK_EVERY_S, sick=False) == []


def test_what_comes_and_goes_for_hours_is_told_a_few_times_and_not_each_time(scene: Scene) -> None:
    told: list[Input] = []
    for _ in range(48):
        told += scene.passes(240, sick=True)
        told += scene.passes(240, sick=False)
    assert 2 <= len(told) <= 6
    assert scene.passes(CALM_MAX_S + 60, sick=False) in ([WELL], [])


def test_what_was_told_before_the_start_and_is_over_by_now_is_ended(loop: VirtualLoop) -> None:
    notice = Notice("daemon:fixes", AlertEvent.DISARMED, Severity.HIGH, "", make.START, make.START)
    others = {
        "source:shop": replace(notice, subject="source:shop"),
        "incident:1": replace(notice, subject="incident:1"),
    }
    scene = Scene(loop, {"daemon:fixes": notice, **others})
    assert scene.passes(CALM_S + 2 * LOOK_EVERY_S, sick=False) == [WELL]
    scene.close()


def test_what_was_told_before_the_start_and_still_is_so_is_not_told_again(loop: VirtualLoop) -> None:
    notice = Notice("daemon:fixes", AlertEvent.DISARMED, Severity.HIGH, "", make.START, make.START)
    scene = Scene(loop, {"daemon:fixes": notice})
    assert scene.passes(3600, sick=True) == []
    scene.close()


def test_f47_what_happened_to_the_store_is_told_once_at_the_start_and_while_it_runs(loop: VirtualLoop) -> None:
    def told(what: str) -> Ailing:
        return Ailing(OPENING, AlertEvent.STORE, what)

    scene = Scene(loop, of_store=["it did not open", "a new one was begun"])
    assert scene.passes(3600, sick=False) == [told("it did not open; a new one was begun")]
    scene.of_store.append("it was damaged inside")
    assert scene.passes(3600, sick=False) == [told("it was damaged inside")]
    scene.close()


# -- symptoms ----------------------------------------------------------------------------------------------------------


def disarmed(policy: Policy) -> list[Ailing]:
    return [each.ailing for each in symptoms.disarmed(EngineState(), policy)]


NOT_ARMED = Arming(armed=False, sandbox="", reason="bubblewrap is not installed")


def test_a_host_whose_fixes_cannot_run_says_why_which_and_what_to_type() -> None:
    rules = [replace(make.RULE, id=f"rule-{number}") for number in range(5)]
    (told,) = disarmed(replace(make.policy(*rules), arming=NOT_ARMED))
    assert told.event is AlertEvent.DISARMED
    assert told.what == "bubblewrap is not installed. That holds the fixes of rule-0, rule-1, rule-2 and 2 more"
    assert "logmedic reload" in told.command


@pytest.mark.parametrize(
    "policy",
    [
        make.policy(),
        replace(make.policy(), arming=NOT_ARMED, mode=Mode.OBSERVE),
        replace(make.policy(replace(make.RULE, fix=None)), arming=NOT_ARMED),
        replace(make.policy(replace(make.RULE, enabled=False)), arming=NOT_ARMED),
        replace(make.policy(replace(make.RULE, fix=replace(make.FIX, mode=Mode.OBSERVE))), arming=NOT_ARMED),
    ],
    ids=["armed", "all is observed", "no rule has a fix", "its rule is off", "its fix observes"],
)
def test_where_no_fix_could_run_anyway_nobody_is_called_for_it(policy: Policy) -> None:
    assert disarmed(policy) == []


def part(state: str, restarts: int, running: timedelta) -> Part:
    return Part("source shop", state, restarts, "PermissionError: Permission denied", make.START - running)


@pytest.mark.parametrize(
    ("one", "sick"),
    [
        (part("running", 0, timedelta()), False),
        (part("restarting", 1, timedelta()), True),
        (part("running", 3, STEADY / 2), True),
        (part("running", 3, STEADY * 2), False),
        (part("ended", 3, timedelta()), False),
    ],
    ids=["never failed", "waits", "was just started again", "runs again", "came to its end"],
)
def test_a_part_that_fails_is_sick_until_it_has_run_for_a_while(one: Part, sick: bool) -> None:
    told = list(symptoms.failing_parts({one.name: one}, make.START))
    assert [(each.ailing.part, each.ailing.event) for each in told] == [("source shop", AlertEvent.PART_FAILED)] * sick


def test_a_part_that_fails_once_is_not_told_of() -> None:
    assert STEADY.total_seconds() + LOOK_EVERY_S < PART_PATIENCE_S


def test_a_disk_that_is_well_is_no_news(tmp_path: Path) -> None:
    assert list(symptoms.disk(tmp_path)) == []


def test_a_directory_that_is_gone_is_told(tmp_path: Path) -> None:
    (told,) = symptoms.disk(tmp_path / "gone")
    assert "cannot be looked at: No such file or directory" in told.ailing.what


@pytest.mark.skipif(not may_mount(), reason="only root can mount")
def test_a_disk_that_fills_up_or_becomes_read_only_is_told(tmp_path: Path) -> None:
    path = tmp_path / "state" / "logmedic.duckdb"
    disk = Tmpfs(path)
    try:
        assert list(symptoms.disk(path.parent)) == []
        disk.fill()
        (told,) = symptoms.disk(path.parent)
        assert "nearly full: 0 MiB are left" in told.ailing.what
        disk.free()
        disk.make("ro")
        (told,) = symptoms.disk(path.parent)
        assert "cannot be written to" in told.ailing.what
        assert told.ailing.event is AlertEvent.STORE
    finally:
        disk.close()


def test_a_disk_that_is_nearly_full_is_told_in_time() -> None:
    assert symptoms.is_scarce(free=SCARCE_BYTES - 1, total=SCARCE_BYTES * 100)
    assert not symptoms.is_scarce(free=SCARCE_BYTES, total=SCARCE_BYTES * 100)
    assert not symptoms.is_scarce(free=40 << 20, total=500 << 20)
    assert symptoms.is_scarce(free=20 << 20, total=500 << 20)


def test_what_the_store_had_to_delete_is_told() -> None:
    (told,) = symptoms.given_up(["the store reached storage.max_size (67,108,864 bytes); deleted: nothing"])
    assert told.ailing.command == "logmedic storage"
    assert list(symptoms.given_up([])) == []
