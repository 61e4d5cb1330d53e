"""The one inotify descriptor: who is rung, and what happens when it fails."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from inotify_simple import INotify

from logmedic.adapters.sources.wake import Bell, InotifyWake
from tail.collector import append, following


def test_only_the_follower_of_the_written_file_is_rung(tmp_path: Path) -> None:
    async def scenario() -> None:
        wake, one, other = InotifyWake(), Bell(), Bell()
        try:
            wake.watch(str(tmp_path / "one.log"), one)
            wake.watch(str(tmp_path / "other.log"), other)
            append(tmp_path / "one.log", "x")
            await one.wait(5)
            rung = one.take()
            assert rung.changed == {str(tmp_path / "one.log")}  # it was created
            append(tmp_path / "one.log", "y")
            await one.wait(5)
            assert one.take().written == {str(tmp_path / "one.log")}
            assert not other.rung
        finally:
            wake.close()

    asyncio.run(scenario())


def test_a_directory_has_one_watch_whatever_is_followed_in_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        wake, bell = InotifyWake(), Bell()
        try:
            for number in range(50):
                wake.watch(str(tmp_path / f"{number}.log"), bell)
            assert _inotify_watches() == 1
            for number in range(50):
                wake.forget(str(tmp_path / f"{number}.log"), bell)
            assert _inotify_watches() == 0
        finally:
            wake.close()

    asyncio.run(scenario())


def _inotify_watches() -> int:
    for name in os.listdir("/proc/self/fd"):
        try:
            if "inotify" in os.readlink(f"/proc/self/fd/{name}"):
                return Path(f"/proc/self/fdinfo/{name}").read_text().count("inotify wd:")
        except FileNotFoundError:
            continue
    return -1


def test_f10_a_directory_that_returns_is_watched_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        wake, bell = InotifyWake(), Bell()
        room = tmp_path / "room"
        try:
            room.mkdir()
            wake.watch(str(room / "app.log"), bell)
            room.rmdir()
            await bell.wait(5)
            bell.take()
            room.mkdir()
            wake.renew()
            assert bell.take().changed == {str(room / "app.log")}
            append(room / "app.log", "x")
            await bell.wait(5)
            assert bell.rung
        finally:
            wake.close()

    asyncio.run(scenario())


def test_f12_an_overflow_is_counted_and_everything_is_looked_at(tmp_path: Path) -> None:
    async def scenario() -> None:
        noisy, log = tmp_path / "noise", tmp_path / "app.log"
        log.touch()
        wake = InotifyWake()
        limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
        async with following(tmp_path / "*.log", wake=wake, reconcile_s=3600.0) as seen:
            await seen.until_settled(log)
            for _ in range(limit // 2 + 10):  # never awaiting: the daemon is too slow to take them
                noisy.touch()
                noisy.unlink()
            append(log, "its event is lost")
            append(tmp_path / "new.log", "and so is this one's")
            await seen.until(lambda: sorted(seen.lines) == ["and so is this one's", "its event is lost"])
            assert wake.overflows >= 1

    asyncio.run(scenario())


def test_f13_without_inotify_files_are_polled_and_it_is_told(tmp_path: Path) -> None:
    def no_instance_left() -> INotify:
        raise OSError(24, "Too many open files")

    async def scenario() -> None:
        log = tmp_path / "app.log"
        log.touch()
        async with following(log, wake=InotifyWake(instance=no_instance_left), reconcile_s=2.0) as seen:
            await seen.until_settled(log)
            append(log, "one")
            await seen.until_lines("one")
            assert "polling" in seen.problem(log)

    asyncio.run(scenario())


def test_f13_watches_that_are_to_be_had_again_end_the_polling(tmp_path: Path) -> None:
    class Scarce(INotify):  # type: ignore[misc]
        left = 0

        def add_watch(self, path: object, mask: int) -> int:
            if not self.left:
                raise OSError(28, "No space left on device")
            return int(super().add_watch(path, mask))

    async def scenario() -> None:
        log = tmp_path / "app.log"
        log.touch()
        wake = InotifyWake(instance=Scarce)
        async with following(log, wake=wake) as seen:
            await seen.until_settled(log)
            assert "cannot be watched" in wake.problem
            Scarce.left = 1
            await seen.until(lambda: wake.problem == "")
            append(log, "one")
            await seen.until_lines("one")
            assert seen.problem(log) == ""

    asyncio.run(scenario())
