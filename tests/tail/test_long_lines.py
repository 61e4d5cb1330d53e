"""A line over the limit is cut, its rest is skipped and counted, and memory stays bounded."""

from __future__ import annotations

import asyncio
import tracemalloc
from pathlib import Path

import pytest

from tail.collector import append, following


@pytest.mark.parametrize(
    ("length", "max_line"), [(5_000, 1_000), (300_000, 200_000), (5_000_000, 1_048_576)], ids=["small", "middle", "MiB"]
)
def test_f16_a_long_line_is_cut_and_the_rest_is_counted(tmp_path: Path, length: int, max_line: int) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        log.write_bytes(b"before\n" + b"x" * length + b"\nafter\n")
        async with following(log, from_start=True, max_line=max_line) as seen:
            await seen.until(lambda: seen.lines[-1:] == ["after"] or seen.text.endswith(b"after\n"))
            assert seen.text == b"before\n" + b"x" * max_line + b"after\n"
            assert seen.lost_bytes == length - max_line
            (cut,) = [block for block in seen.blocks if not block.data.endswith(b"\n")]
            assert cut.complete
            assert len(cut.data) == max_line

    asyncio.run(scenario())


def test_f16_a_line_of_just_the_limit_is_whole(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        log.write_bytes(b"x" * 999 + b"\n" + b"y" * 999 + b"\n")
        async with following(log, from_start=True, max_line=1000) as seen:
            await seen.until_lines("x" * 999, "y" * 999)
            assert seen.lost_bytes == 0

    asyncio.run(scenario())


def test_f16_a_long_line_that_grows_slowly_is_skipped_to_its_newline(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        log.touch()
        async with following(log, max_line=1000, partial_timeout_s=60.0) as seen:
            await seen.until_settled(log)
            with log.open("ab", buffering=0) as writer:
                writer.write(b"x" * 1500)
                await seen.until(lambda: len(seen.text) == 1000)
                writer.write(b"y" * 700)
                writer.write(b"\nafter\n")
            await seen.until(lambda: seen.text[1000:] == b"after\n")
            assert seen.lost_bytes == 1200

    asyncio.run(scenario())


def test_f16_a_restart_inside_a_cut_line_goes_on_skipping(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        log.write_bytes(b"before\n" + b"x" * 1500)
        async with following(log, from_start=True, max_line=1000) as first:
            await first.until(lambda: len(first.text) == 1007)
        append(log, "the rest", "after")
        async with following(log, checkpoints=first.checkpoints, max_line=1000) as second:
            await second.until_lines("after")
            assert second.lost_bytes == 508

    asyncio.run(scenario())


@pytest.mark.parametrize("length", [200_000_000, pytest.param(1_000_000_000, marks=pytest.mark.slow)])
def test_f16_a_line_of_a_gigabyte_needs_no_more_memory_than_a_few_blocks(tmp_path: Path, length: int) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        with log.open("wb") as writer:
            writer.write(b"<")
            writer.seek(length)
            writer.write(b">\nafter\n")
        tracemalloc.start()
        try:
            async with following(log, from_start=True) as seen:
                await seen.until(lambda: seen.text.endswith(b"after\n"), within=60)
                assert seen.lost_bytes == length + 1 - 1024 * 1024
            assert tracemalloc.get_traced_memory()[1] < 16 * 1024 * 1024
        finally:
            tracemalloc.stop()

    asyncio.run(scenario())
