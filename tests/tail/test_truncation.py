"""Emptied, copied away, rewritten: an offset is never trusted without the bytes before it."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

from fakes.manual_wake import ManualDiscovery, ManualWake
from tail.collector import append, following


def test_f03_a_truncated_file_is_read_from_the_beginning(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        append(log, "a first line", "a second line")
        async with following(log, from_start=True) as seen:
            await seen.until(lambda: len(seen.lines) == 2)
            os.truncate(log, 0)
            append(log, "after")
            await seen.until(lambda: seen.lines[2:] == ["after"])
            assert seen.blocks[-1].start == 0

    asyncio.run(scenario())


def test_f03_the_unread_end_is_finished_from_the_copy(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        append(log, *(f"line {number} with some length to it" for number in range(20)))
        wake = ManualWake()
        async with following(log, wake=wake, discovery=ManualDiscovery(), from_start=True, reconcile_s=3600.0) as seen:
            await seen.until(lambda: len(seen.lines) == 20)
            append(log, "unread when it was copied")
            shutil.copyfile(log, tmp_path / "app.log.1")
            os.truncate(log, 0)
            append(log, "new")
            wake.write(str(log))
            await seen.until(lambda: seen.lines[20:] == ["unread when it was copied", "new"])
            assert seen.lost_bytes == 0

    asyncio.run(scenario())


def test_f04_a_truncation_that_grew_back_beyond_the_offset_is_noticed(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        append(log, *(f"old {number}" for number in range(30)))
        wake = ManualWake()
        async with following(log, wake=wake, discovery=ManualDiscovery(), from_start=True, reconcile_s=3600.0) as seen:
            await seen.until(lambda: len(seen.lines) == 30)
            os.truncate(log, 0)
            append(log, *(f"new {number}" for number in range(90)))
            wake.write(str(log))
            await seen.until(lambda: len(seen.lines) == 120)
            assert seen.lines[30:] == [f"new {number}" for number in range(90)]

    asyncio.run(scenario())


def test_f04_a_rewrite_to_exactly_the_same_size_is_noticed(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        append(log, "aaa")
        async with following(log, from_start=True) as seen:
            await seen.until_lines("aaa")
            os.truncate(log, 0)
            append(log, "bbb")
            await seen.until_lines("aaa", "bbb")

    asyncio.run(scenario())


def test_f03_an_old_copy_is_not_taken_for_the_new_one(tmp_path: Path) -> None:
    """A log of equal lines, emptied without a copy: the copy of another day must not be read again."""

    async def scenario() -> None:
        log, old = tmp_path / "app.log", tmp_path / "app.log.1"
        append(old, *["tick"] * 50)
        append(log, *["tick"] * 20)
        async with following(log, from_start=True) as seen:
            await seen.until(lambda: len(seen.lines) == 20)
            slack_over = asyncio.get_running_loop().time() + 2.2
            await seen.until(lambda: asyncio.get_running_loop().time() > slack_over)
            append(log, "tick")  # the position is taken later than the copy was made
            await seen.until(lambda: len(seen.lines) == 21)
            os.truncate(log, 0)
            append(log, "tock")
            await seen.until(lambda: seen.lines[-1] == "tock")
            assert seen.lines == ["tick"] * 21 + ["tock"]

    asyncio.run(scenario())


def test_f17_the_hole_that_a_writer_leaves_after_a_truncation_is_skipped_and_counted(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        with log.open("wb", buffering=0) as writer:  # no O_APPEND: it goes on at its own position
            writer.write(b"x" * 99_999 + b"\n")
            async with following(log, from_start=True) as seen:
                await seen.until(lambda: len(seen.text) == 100_000)
                os.truncate(log, 0)
                writer.write(b"after the hole\n")
                await seen.until(lambda: seen.text[100_000:] == b"after the hole\n")
                assert seen.lost_bytes == 100_000

    asyncio.run(scenario())


def test_f17_zero_bytes_inside_a_line_are_kept(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        log.write_bytes(b"a\0b\n\0\0c\n")
        async with following(log, from_start=True) as seen:
            await seen.until(lambda: seen.text == b"a\0b\n\0\0c\n")

    asyncio.run(scenario())
