"""The one inotify descriptor: who is rung, and what happens when it fails."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from fakes.manual_wake import ManualDiscovery
from logmedic.adapters.sources.discovery import WatchdogDiscovery
from logmedic.adapters.sources.wake import Bell, InotifyWake
from tail.apart import apart
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


def without_instances(room: Path | str) -> None:
    """The limit of this user's inotify instances is reached, for files and for directories, and is raised again."""
    room = Path(room)
    limit = Path("/proc/sys/user/max_inotify_instances")
    limit.write_text("0")

    async def scenario() -> None:
        log = room / "app.log"
        log.touch()
        discovery = WatchdogDiscovery(retry_s=0.0)
        async with following(room / "*.log", reconcile_s=2.0, discovery=discovery) as seen:
            await seen.until_settled(log)
            append(log, "one")
            await seen.until_lines("one")
            assert "inotify is not to be had (Too many open files): polling" in seen.problem(log)
            append(room / "new.log", "two")
            await seen.until_lines("one", "two")
            assert "watchdog cannot use inotify (inotify instance limit reached)" in discovery.problem
            limit.write_text("100")
            await seen.until(lambda: seen.problem(log) == discovery.problem == "")
            append(log, "three")
            append(room / "newer.log", "four")
            await seen.until_lines("one", "two", "three", "four")

    asyncio.run(scenario())


def without_watches(room: Path | str) -> None:
    """As above, of the watches."""
    room = Path(room)
    limit = Path("/proc/sys/user/max_inotify_watches")
    limit.write_text("0")

    async def scenario() -> None:
        log = room / "app.log"
        log.touch()
        async with following(log, discovery=ManualDiscovery()) as seen:
            await seen.until_settled(log)
            append(log, "one")
            await seen.until_lines("one")
            assert "cannot be watched (No space left on device): polling" in seen.problem(log)
            limit.write_text("100")
            await seen.until(lambda: seen.problem(log) == "")
            append(log, "two")
            await seen.until_lines("one", "two")

    asyncio.run(scenario())


def test_f13_without_inotify_instances_files_and_directories_are_polled_until_there_are_some(tmp_path: Path) -> None:
    apart(without_instances, tmp_path, host=True)


def test_f13_without_inotify_watches_files_are_polled_until_there_are_some(tmp_path: Path) -> None:
    apart(without_watches, tmp_path, host=True)
