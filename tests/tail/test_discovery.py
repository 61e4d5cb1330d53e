"""Files that appear are found, wherever and whenever."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path

import pytest
from watchdog.observers.inotify import InotifyObserver

from fakes.manual_wake import ManualDiscovery, ManualWake
from logmedic.adapters.sources.discovery import POLL_S, WatchdogDiscovery
from tail.collector import append, following


def test_a_file_that_appears_is_read_from_its_beginning(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with following(tmp_path / "*.log", reconcile_s=3600.0) as seen:
            await seen.until(lambda: seen.source.health() == [])
            append(tmp_path / "new.log", "first", "second")
            await seen.until_lines("first", "second")

    asyncio.run(scenario())


def test_a_named_file_that_is_not_there_is_shown_and_found_later(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        async with following(log) as seen:
            await seen.until(lambda: seen.problem(log) == "not there yet")
            append(log, "there")
            await seen.until_lines("there")
            assert seen.problem(log) == ""

    asyncio.run(scenario())


def test_a_directory_that_appears_later_is_found_by_the_look(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with following(tmp_path / "room" / "*.log") as seen:
            await seen.until(lambda: seen.source.health() == [])
            (tmp_path / "room").mkdir()
            append(tmp_path / "room" / "app.log", "one")
            await seen.until_lines("one", within=5.0)

    asyncio.run(scenario())


def test_globs_over_directories_find_new_directories(tmp_path: Path) -> None:
    async def scenario() -> None:
        for service in ("a", "b"):
            (tmp_path / service).mkdir()
            append(tmp_path / service / "error.log", service)
        async with following(tmp_path / "*" / "error.log", from_start=True) as seen:
            await seen.until(lambda: sorted(seen.lines) == ["a", "b"])
            (tmp_path / "c").mkdir()
            append(tmp_path / "c" / "error.log", "c")
            await seen.until(lambda: sorted(seen.lines) == ["a", "b", "c"])

    asyncio.run(scenario())


def test_f26_two_globs_and_hard_links_to_one_file_read_it_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        append(log, "one")
        (tmp_path / "hard.log").hardlink_to(log)
        (tmp_path / "soft.log").symlink_to(log)
        async with following(tmp_path / "*.log", tmp_path / "app*", from_start=True) as seen:
            await seen.until_lines("one")
            (tmp_path / "later.log").hardlink_to(log)
            append(tmp_path / "last.log", "found after it")
            await seen.until_lines("one", "found after it")
            append(log, "two")
            await seen.until_lines("one", "found after it", "two")

    asyncio.run(scenario())


def test_logs_with_a_number_in_their_name_are_not_taken_for_rotated_ones(tmp_path: Path) -> None:
    async def scenario() -> None:
        for name in ("worker.log", "worker-1.log", "worker-2.log", "worker.log.1"):
            append(tmp_path / name, name)
        async with following(tmp_path / "*.log", from_start=True) as seen:
            await seen.until(lambda: len(seen.lines) >= 3)
            assert sorted(seen.lines) == ["worker-1.log", "worker-2.log", "worker.log"]

    asyncio.run(scenario())


def test_a_pattern_passes_over_directories(tmp_path: Path) -> None:
    async def scenario() -> None:
        (tmp_path / "room.log").mkdir()
        append(tmp_path / "app.log", "one")
        async with following(tmp_path / "*.log", from_start=True) as seen:
            await seen.until_lines("one")
            assert len(seen.source.health()) == 1

    asyncio.run(scenario())


@pytest.mark.slow
def test_without_any_event_the_look_finds_files_and_writes(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        log.touch()
        async with following(tmp_path / "*.log", wake=ManualWake(), discovery=ManualDiscovery()) as seen:
            await seen.until_settled(log)
            append(log, "one")
            await seen.until_lines("one")
            append(tmp_path / "new.log", "two")
            await seen.until_lines("one", "two")

    asyncio.run(scenario())


def test_others_can_watch_a_directory_for_written_files(tmp_path: Path) -> None:
    async def scenario() -> None:
        (tmp_path / "rules.yaml").write_text("version: 1\n")
        told = asyncio.Event()
        discovery = WatchdogDiscovery()
        try:
            discovery.watch(str(tmp_path), told.set, contents=True)
            for edit in range(2):
                (tmp_path / "rules.yaml").write_text(f"version: 1 # {edit}\n")
                await asyncio.wait_for(told.wait(), 5)
                told.clear()
            (tmp_path / "more.yaml").touch()
            await asyncio.wait_for(told.wait(), 5)
            discovery.forget(str(tmp_path), told.set)
        finally:
            await discovery.close()

    asyncio.run(scenario())


class Scarce(InotifyObserver):
    """An observer that finds no inotify left for as long as `spent`."""

    spent = True

    def __init__(self) -> None:
        if Scarce.spent:
            raise OSError(errno.EMFILE, "inotify instance limit reached")
        super().__init__()


def test_f13_directories_are_polled_until_inotify_is_to_be_had_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        told = asyncio.Event()
        discovery = WatchdogDiscovery(observer=Scarce, retry_s=0.0)
        try:
            discovery.watch(str(tmp_path), told.set)
            discovery.renew()
            assert "new files are found by polling" in discovery.problem
            Scarce.spent = False
            discovery.renew()
            assert discovery.problem == ""
            (tmp_path / "new.log").touch()
            await asyncio.wait_for(told.wait(), POLL_S / 2)
        finally:
            Scarce.spent = True
            await discovery.close()

    asyncio.run(scenario())
