"""A command's output as a source, with real programs."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from pathlib import Path

from crash.process import is_gone, until
from logmedic.adapters.sources.command import CommandSource
from tail.collector import Collector, SystemClock

SOON = timedelta(milliseconds=10)


@asynccontextmanager
async def reading(*argv: str, once: bool = False, partial_timeout_s: float = 5.0) -> AsyncIterator[Collector]:
    source = CommandSource(
        "tool", argv, clock=SystemClock(), once=once, restart_base=SOON, partial_timeout_s=partial_timeout_s
    )
    async with Collector(source) as seen:
        yield seen


def problem(seen: Collector) -> str:
    return str(seen.source.health()[0]["problem"])


def test_its_lines_are_read_as_they_come(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)

    async def scenario() -> None:
        async with reading("cat", str(fifo)) as seen:
            with await asyncio.to_thread(fifo.open, "wb", 0) as writer:
                writer.write(b"one\n")
                await seen.until_lines("one")
                writer.write(b"two\nthree\n")
                await seen.until_lines("one", "two", "three")

    asyncio.run(scenario())


def test_once_it_runs_to_its_end_and_the_last_line_needs_no_newline() -> None:
    async def scenario() -> None:
        async with reading("printf", "one\\ntwo", once=True) as seen:
            await seen.ended()
            assert seen.lines == ["one", "two"]
            assert seen.blocks[-1].complete

    asyncio.run(scenario())


def test_a_command_that_ends_is_started_again_and_its_last_words_are_shown() -> None:
    async def scenario() -> None:
        async with reading("sh", "-c", "echo line; echo 'no such thing' >&2; exit 3") as seen:
            await seen.until(lambda: seen.lines.count("line") >= 3)
            await seen.until(lambda: problem(seen) == "sh ended with exit code 3: no such thing")

    asyncio.run(scenario())


def test_a_command_that_is_not_there_is_told_and_tried_again(tmp_path: Path) -> None:
    program = tmp_path / "tool"

    async def scenario() -> None:
        async with reading(str(program)) as seen:
            await seen.until(lambda: "does not start" in problem(seen))
            program.write_text("#!/bin/sh\necho here now\nsleep 60\n")
            program.chmod(0o755)
            await seen.until_lines("here now")
            assert problem(seen) == ""

    asyncio.run(scenario())


def test_a_command_that_is_killed_is_told_by_its_signal() -> None:
    async def scenario() -> None:
        async with reading("sh", "-c", "kill -9 $$") as seen:
            await seen.until(lambda: "killed by signal 9" in problem(seen))

    asyncio.run(scenario())


def test_an_unfinished_line_is_let_go_after_a_while() -> None:
    async def scenario() -> None:
        async with reading("sh", "-c", "printf prompt; sleep 60", partial_timeout_s=0.05) as seen:
            await seen.until(lambda: seen.text == b"prompt")
            assert seen.blocks[-1].complete

    asyncio.run(scenario())


def test_f16_a_line_without_end_takes_no_more_than_its_limit() -> None:
    async def scenario() -> None:
        async with reading("sh", "-c", "head -c 5000000 /dev/zero | tr '\\0' x; echo; echo after", once=True) as seen:
            await seen.ended()
            assert [len(block.data) for block in seen.blocks] == [1024 * 1024, len("after\n")]
            assert seen.lost_bytes == 5_000_000 - 1024 * 1024

    asyncio.run(scenario())


def test_what_it_started_dies_with_its_reader() -> None:
    async def scenario() -> tuple[int, ...]:
        async with reading("sh", "-c", "trap '' TERM; sleep 300 & echo $$ $!; wait; wait") as seen:
            await seen.until(lambda: len(seen.lines) == 1)
            return tuple(map(int, seen.lines[0].split()))

    itself, what_it_started = asyncio.run(scenario())
    assert is_gone(itself)
    until(lambda: is_gone(what_it_started), 10, lambda: f"process {what_it_started} is gone")


def test_a_flood_that_is_not_read_any_more_ends_at_once_and_leaves_no_descriptor() -> None:
    async def scenario() -> None:
        before = os.listdir("/proc/self/fd")
        source = CommandSource("tool", ["yes"], clock=SystemClock())
        async with asyncio.timeout(1), aclosing(source.blocks({})) as blocks:
            await anext(blocks)
        assert os.listdir("/proc/self/fd") == before

    asyncio.run(scenario())


def test_it_gets_no_environment_and_no_input() -> None:
    os.environ["LOGMEDIC_TEST_SECRET"] = "x"
    program = "import os,sys; print(sorted(os.environ), repr(sys.stdin.read()))"

    async def scenario() -> str:
        async with reading(sys.executable, "-I", "-c", program, once=True) as seen:
            await seen.ended()
            return seen.lines[0]

    try:
        assert asyncio.run(scenario()) == "['LC_ALL', 'PATH'] ''"
    finally:
        del os.environ["LOGMEDIC_TEST_SECRET"]
