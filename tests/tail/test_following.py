"""What is appended arrives, once, whole, in order."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from fakes.manual_wake import ManualDiscovery, ManualWake
from tail.collector import append, following


def test_appended_lines_arrive_live_with_their_offsets(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        append(log, "before the start")
        async with following(log) as seen:
            await seen.until_settled(log)
            append(log, "one", "two")
            await seen.until_lines("one", "two")
            block = seen.blocks[0]
            assert (block.start, block.live, block.complete, block.source) == (17, True, False, "test")
            assert block.checkpoint.offset == 17 + len(block.data)
            assert seen.checkpoints[str(log)].offset == log.stat().st_size

    asyncio.run(scenario())


def test_from_start_reads_what_is_there(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        append(log, "old")
        async with following(log, from_start=True) as seen:
            await seen.until_lines("old")

    asyncio.run(scenario())


def test_once_reads_to_the_present_end_and_ends(tmp_path: Path) -> None:
    async def scenario() -> None:
        (tmp_path / "a.log").write_bytes(b"a1\na2\nunfinished")
        (tmp_path / "b.log").write_bytes(b"")
        async with following(tmp_path / "*.log", once=True) as seen:
            await seen.ended()
            assert seen.lines == ["a1", "a2", "unfinished"]
            assert seen.blocks[-1].complete

    asyncio.run(scenario())


def test_once_reads_rotated_files_that_the_glob_finds_oldest_first(tmp_path: Path) -> None:
    async def scenario() -> None:
        append(tmp_path / "app.log", "newest")
        append(tmp_path / "app.log.1", "middle")
        append(tmp_path / "app.log.2", "oldest")
        async with following(tmp_path / "app.log*", once=True) as seen:
            await seen.ended()
            assert seen.lines == ["oldest", "middle", "newest"]

    asyncio.run(scenario())


def test_a_backlog_is_read_in_large_blocks_that_are_not_live(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        content = b"".join(b"line %07d of a long backlog\n" % number for number in range(100_000))
        log.write_bytes(content)
        async with following(log, from_start=True) as seen:
            await seen.until(lambda: len(seen.text) == len(content))
            assert seen.text == content
            assert not seen.blocks[0].live
            assert 512 * 1024 < max(len(block.data) for block in seen.blocks) <= 1024 * 1024
            assert all(block.data.endswith(b"\n") for block in seen.blocks)
            append(log, "now")
            await seen.until(lambda: seen.lines[-1] == "now")
            assert seen.blocks[-1].live

    asyncio.run(scenario())


def test_a_large_file_does_not_starve_a_small_one(tmp_path: Path) -> None:
    async def scenario() -> None:
        (tmp_path / "a-large.log").write_bytes(
            b"x" * 99 + b"\n" + b"y" * 99 + b"\n" * 1 + (b"z" * 99 + b"\n") * 200_000
        )
        append(tmp_path / "b-small.log", "small")
        async with following(tmp_path / "*.log", from_start=True) as seen:
            small = str(tmp_path / "b-small.log")
            await seen.until(lambda: any(block.origin == small for block in seen.blocks))
            assert [block.origin for block in seen.blocks].index(small) <= 2
            await seen.until(lambda: len(seen.text) > 20_000_000)

    asyncio.run(scenario())


def test_only_a_ring_makes_a_quiet_source_read(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        log.touch()
        wake = ManualWake()
        async with following(log, wake=wake, discovery=ManualDiscovery(), reconcile_s=3600.0) as seen:
            await seen.until_settled(log)
            append(log, "unheard")
            assert seen.lines == []
            wake.write(str(log))
            await seen.until_lines("unheard")

    asyncio.run(scenario())


def test_f25_more_files_than_descriptors_are_all_followed(tmp_path: Path) -> None:
    async def scenario() -> None:
        logs = [tmp_path / f"app{number}.log" for number in range(40)]
        for log in logs:
            log.touch()
        async with following(tmp_path / "*.log", max_open=8) as seen:
            await seen.until(lambda: len(seen.checkpoints) > len(logs))  # theirs, and that of the pattern
            held = [link for link in _open_files() if link.startswith(str(tmp_path)) and link.endswith(".log")]
            assert len(held) <= 9
            for round_number in range(3):
                for log in logs:
                    append(log, f"{log.name} {round_number}")
            await seen.until(lambda: len(seen.lines) >= 120)
            assert sorted(seen.lines) == sorted(f"{log.name} {number}" for log in logs for number in range(3))

    asyncio.run(scenario())


def test_after_a_cancel_no_descriptor_is_left(tmp_path: Path) -> None:
    async def scenario() -> None:
        append(tmp_path / "app.log", "one")
        async with following(tmp_path / "*.log", from_start=True) as seen:
            await seen.until_lines("one")
        assert not [link for link in _open_files() if link.startswith(str(tmp_path)) or "inotify" in link]

    before = [link for link in _open_files() if "inotify" in link]
    assert before == []
    asyncio.run(scenario())


def _open_files() -> list[str]:
    links = []
    for name in os.listdir("/proc/self/fd"):
        try:
            links.append(os.readlink(f"/proc/self/fd/{name}"))
        except FileNotFoundError:
            continue
    return links
