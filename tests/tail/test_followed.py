"""What a block says of the bytes behind it: the last record of a read may go on in the next one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from logmedic.adapters.sources.reading import BACKLOG_FROM, LIVE_BYTES
from tail.collector import append, following


@pytest.mark.parametrize("size", [LIVE_BYTES + 1000, BACKLOG_FROM + LIVE_BYTES], ids=["live", "backlog"])
def test_a_block_that_ends_where_the_read_ended_is_followed(tmp_path: Path, size: int) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(b"one more line\n" * (size // 14))

    async def scenario() -> None:
        async with following(log, from_start=True, max_line=LIVE_BYTES) as seen:
            await seen.until(lambda: len(seen.text) == log.stat().st_size)
            assert [block.followed for block in seen.blocks] == [True] * (len(seen.blocks) - 1) + [False]
            assert len(seen.blocks) > 1

    asyncio.run(scenario())


def test_a_block_before_an_unfinished_line_is_followed(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(b"2026-11-24 ERROR boom\nTraceback (most rec")

    async def scenario() -> None:
        async with following(log, from_start=True, partial_timeout_s=60) as seen:
            await seen.until_lines("2026-11-24 ERROR boom")
            assert [block.followed for block in seen.blocks] == [True]
            append(log, "ent call last):")
            await seen.until_lines("2026-11-24 ERROR boom", "Traceback (most recent call last):")
            assert [block.followed for block in seen.blocks] == [True, False]

    asyncio.run(scenario())
