"""Standard input: whatever it is, it is read whole, and the loop goes on meanwhile."""

from __future__ import annotations

import asyncio
import os
import pty
import tty
from pathlib import Path
from typing import BinaryIO

import pytest

from logmedic.adapters.sources.stdin import StdinSource
from logmedic.model.record import Checkpoint
from tail.collector import Collector, SystemClock


def _source(stream: BinaryIO) -> StdinSource:
    return StdinSource(stream=stream, clock=SystemClock())


def test_a_file_is_read_to_its_end_in_whole_lines(tmp_path: Path) -> None:
    content = b"".join(b"%07d a line\n" % number for number in range(200_000)) + b"no newline"
    (tmp_path / "piped").write_bytes(content)

    async def scenario() -> None:
        with (tmp_path / "piped").open("rb") as stream:
            async with Collector(_source(stream)) as seen:
                await seen.ended()
        assert seen.text == content
        assert all(block.data.endswith(b"\n") for block in seen.blocks[:-1])
        assert all(len(block.data) <= 1024 * 1024 for block in seen.blocks)
        assert seen.blocks[-1].data == b"no newline"
        assert seen.blocks[-1].complete
        assert seen.checkpoints["stdin"].offset == len(content)

    asyncio.run(scenario())


def test_a_pipe_gives_lines_as_they_come_and_holds_what_is_unfinished() -> None:
    async def scenario() -> None:
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb") as stream:
            async with Collector(_source(stream)) as seen:
                os.write(writing, b"one\ntw")
                await seen.until_lines("one")
                os.write(writing, b"o\nthree")
                await seen.until_lines("one", "two")
                os.close(writing)
                await seen.ended()
        assert seen.lines == ["one", "two", "three"]
        assert [block.start for block in seen.blocks] == [0, 4, 8]

    asyncio.run(scenario())


def test_a_terminal_is_read_and_a_cancel_leaves_no_reader_behind() -> None:
    async def scenario() -> None:
        controller, terminal = pty.openpty()
        tty.setraw(terminal)
        with os.fdopen(terminal, "rb", buffering=0) as stream:
            async with Collector(_source(stream)) as seen:
                os.write(controller, b"typed\n")
                await seen.until_lines("typed")
            os.write(controller, b"for the shell")
            assert await asyncio.to_thread(stream.read, 13) == b"for the shell"
        os.close(controller)

    asyncio.run(scenario())


def test_f16_a_line_over_the_limit_is_cut_and_its_rest_counted(tmp_path: Path) -> None:
    (tmp_path / "piped").write_bytes(b"x" * 2_500_000 + b"\nafter\n")

    async def scenario() -> None:
        with (tmp_path / "piped").open("rb") as stream:
            async with Collector(_source(stream)) as seen:
                await seen.ended()
        assert seen.text == b"x" * 1024 * 1024 + b"after\n"
        assert seen.lost_bytes == 2_500_000 - 1024 * 1024
        assert seen.blocks[-1].start == 2_500_001

    asyncio.run(scenario())


def test_f20_a_mark_of_utf8_is_passed_over_and_utf16_is_told(tmp_path: Path) -> None:
    async def scenario(content: bytes) -> Collector:
        (tmp_path / "piped").write_bytes(content)
        with (tmp_path / "piped").open("rb") as stream:
            async with Collector(_source(stream)) as seen:
                await seen.ended()
        return seen

    marked = asyncio.run(scenario("one\n".encode("utf-8-sig")))
    assert (marked.text, marked.blocks[0].start, marked.source.health()[0]["problem"]) == (b"one\n", 3, "")
    wide = asyncio.run(scenario("one\n".encode("utf-16")))
    assert "UTF-16" in wide.source.health()[0]["problem"]


@pytest.mark.parametrize("content", [b"", b"\n", b"\0\n"], ids=["nothing", "an empty line", "a zero byte"])
def test_a_checkpoint_of_an_earlier_run_is_ignored(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "piped").write_bytes(content)
    earlier = Checkpoint(origin="stdin", source="stdin", offset=5_000, at=SystemClock().now())

    async def scenario() -> None:
        with (tmp_path / "piped").open("rb") as stream:
            async with Collector(_source(stream), {"stdin": earlier}) as seen:
                await seen.ended()
        assert seen.text == content

    asyncio.run(scenario())
