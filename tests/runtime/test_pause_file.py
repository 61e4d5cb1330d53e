"""The kill switch as a file: its name alone pauses, and who cannot look changes nothing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

import builders as make
from fakes.clock import FakeClock
from fakes.memory_store import MemoryStore
from fakes.virtual_loop import VirtualLoop
from logmedic.model.changeset import Changeset, Input, Intent, PauseFixes, ResumeFixes, RunStep
from logmedic.model.issue import Incident, IncidentStatus
from logmedic.model.severity import Severity
from logmedic.model.trust import PauseOrigin
from logmedic.runtime.engine import Engine
from logmedic.runtime.pausefile import LONGEST_WHY, LOOK_EVERY_S, PauseWatch, Unknown, reason_in

FILE = PauseOrigin.FILE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "paused"


def watched(path: Path, *changes: Callable[[], object], look: Callable[[Path], str | None] = reason_in) -> list[Input]:
    """What is told: at the first look, and after each of `changes`."""
    told: list[Input] = []

    async def tell(given: Input) -> None:
        told.append(given)

    async def looks() -> None:
        watch = PauseWatch(path, tell, look)
        told.extend(await watch.first_look())
        for change in changes:
            change()
            await watch.look()

    asyncio.run(looks())
    return told


def pause(path: Path, why: str = "") -> PauseFixes:
    return PauseFixes(FILE, f"file {path}", why)


def test_a_file_pauses_until_it_is_gone_and_its_first_line_is_the_reason(path: Path) -> None:
    resumed = ResumeFixes(FILE, f"file {path}")
    write = lambda: path.write_text("big release\nuntil noon\n")  # noqa: E731
    assert watched(path, lambda: None, write, lambda: None, path.unlink) == [
        resumed,
        pause(path, "big release"),
        resumed,
    ]


def test_one_that_is_there_at_the_start_is_told_before_anything_else(path: Path) -> None:
    path.touch()
    assert watched(path, lambda: None) == [pause(path)]


def test_a_reason_that_changes_is_told(path: Path) -> None:
    path.write_text("one")
    assert watched(path, lambda: path.write_text("two")) == [pause(path, "one"), pause(path, "two")]


@pytest.mark.parametrize(
    "make_it",
    [
        Path.touch,
        Path.mkdir,
        lambda path: path.symlink_to("/nowhere"),
        lambda path: os.mkfifo(path),
        lambda path: path.write_bytes(b"\n\n"),
    ],
    ids=["empty", "a directory", "a link to nowhere", "a pipe", "empty lines"],
)
def test_whatever_has_the_name_pauses(path: Path, make_it: Callable[[Path], object]) -> None:
    make_it(path)
    assert reason_in(path) == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_one_whose_content_may_not_be_read_pauses_too(path: Path) -> None:
    path.write_text("secret")
    path.chmod(0)
    assert reason_in(path) == ""


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"  planned work \r\nmore", "planned work"),
        (b"a\x1b[31mb\x00c", "a[31mbc"),
        ("é\u202e1".encode(), "é1"),
        (b"\xff!", "\ufffd!"),
        (b"x" * 5000, "x" * LONGEST_WHY),
    ],
)
def test_the_reason_is_one_printable_line_of_bounded_length(path: Path, content: bytes, why: str) -> None:
    path.write_bytes(content)
    assert reason_in(path) == why


def test_a_directory_that_is_not_there_is_no_pause(tmp_path: Path) -> None:
    assert reason_in(tmp_path / "etc" / "paused") is None
    (tmp_path / "file").touch()
    assert reason_in(tmp_path / "file" / "paused") is None


class Shut:
    """A directory that may be entered, or not."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.is_shut = False

    def look(self, path: Path) -> str | None:
        if self.is_shut:
            raise Unknown("Permission denied")
        return reason_in(path)

    def shut(self) -> None:
        self.is_shut = True

    def open(self) -> None:
        self.is_shut = False


def test_who_may_not_look_cannot_say_and_it_stays_as_it_was_told_once(path: Path) -> None:
    path.touch()
    room = Shut(path)
    with capture_logs() as logged:
        told = watched(path, room.shut, path.unlink, lambda: None, room.open, look=room.look)
    assert told == [pause(path), ResumeFixes(FILE, f"file {path}")]
    assert [each["event"] for each in logged] == ["fixes_paused", "pause_file_unreadable", "fixes_resumed"]
    room.shut()
    assert watched(path, lambda: None, look=room.look) == []


def test_a_name_that_is_too_long_says_nothing(tmp_path: Path) -> None:
    with pytest.raises(Unknown):
        reason_in(tmp_path / ("x" * 300))


def test_it_is_looked_at_every_second(path: Path) -> None:
    told: list[tuple[float, Input]] = []
    loop = VirtualLoop()

    async def tell(given: Input) -> None:
        told.append((loop.time(), given))
        raise asyncio.CancelledError

    async def scenario() -> None:
        watch = PauseWatch(path, tell)
        await watch.first_look()
        path.touch()
        await watch.run()

    with asyncio.Runner(loop_factory=lambda: loop) as runner, pytest.raises(asyncio.CancelledError):
        runner.run(scenario())
    assert [given for _, given in told] == [pause(path)]
    assert told[0][0] <= LOOK_EVERY_S


def test_a_start_beside_the_file_runs_no_step_of_what_was_left_unfinished(path: Path) -> None:
    """A retry was due, and the step behind it must not run before the file was looked at."""
    left = Incident(
        "i1", "s1", make.RULE.id, "", "web is down", Severity.HIGH, make.START, make.START,
        status=IncidentStatus.RETRYING, due_at=make.START, plan=(0,),
    )  # fmt: skip
    acts: list[Intent] = []

    async def ran(first: list[Input]) -> list[Intent]:
        acts.clear()
        store = MemoryStore([Changeset(incidents=(left,))])
        clock, ids = FakeClock(make.START), iter(map(str, range(1000)))
        engine = Engine(
            state=await store.open(),
            store=store,
            clock=clock,
            mint=lambda: next(ids),
            policy=make.policy,
            carry_out=acts.append,
            alive=lambda: None,
        )
        task = asyncio.create_task(engine.run(first))
        for _ in range(3):
            await engine.settled()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return [each for each in acts if isinstance(each, RunStep)]

    async def scenario() -> None:
        async def nobody(_: Input) -> None:
            raise AssertionError("the first look tells nobody itself")

        assert await ran(await PauseWatch(path, nobody).first_look())
        path.touch()
        assert await ran(await PauseWatch(path, nobody).first_look()) == []

    asyncio.run(scenario())
