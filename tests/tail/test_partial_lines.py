"""Only whole lines leave; what has no newline waits, but not for ever."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from tail.collector import append, following


def test_f15_an_unfinished_line_is_held_until_its_newline_comes(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        log.touch()
        async with following(log, partial_timeout_s=60.0) as seen:
            await seen.until_settled(log)
            with log.open("ab", buffering=0) as writer:
                writer.write(b"whole\nhalf")
                await seen.until_lines("whole")
                assert seen.row(log)["lag_bytes"] == 4
                writer.write(b" and half\n")
                await seen.until_lines("whole", "half and half")

    asyncio.run(scenario())


def test_f15_an_unfinished_line_is_let_go_after_the_timeout_and_never_twice(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        log.touch()
        async with following(log, partial_timeout_s=0.2) as seen:
            await seen.until_settled(log)
            with log.open("ab", buffering=0) as writer:
                writer.write(b"no newline")
                await seen.until_lines("no newline")
                assert seen.blocks[-1].complete
                writer.write(b" and the rest\nnext\n")
                await seen.until(lambda: seen.text == b"no newline and the rest\nnext\n")

    asyncio.run(scenario())


def test_f15_the_unfinished_end_of_a_rotated_file_leaves_before_the_new_file(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        log.touch()
        async with following(log, partial_timeout_s=60.0, rotate_grace_s=0.1) as seen:
            await seen.until_settled(log)
            log.write_bytes(b"one\nlast words")
            log.rename(tmp_path / "app.log.1")
            append(log, "new")
            await seen.until(lambda: seen.text == b"one\nlast wordsnew\n")
            ends = [block for block in seen.blocks if block.data.endswith(b"last words")]
            assert len(ends) == 1
            assert ends[0].complete

    asyncio.run(scenario())


def test_f15_a_start_inside_a_line_waits_for_the_whole_line(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        log.write_bytes(b"old\nbeg")
        async with following(log, partial_timeout_s=60.0) as seen:
            await seen.until(lambda: str(log) in seen.checkpoints)
            with log.open("ab") as writer:
                writer.write(b"inning\n")
            await seen.until_lines("beginning")

    asyncio.run(scenario())


TORN_WRITER = """
import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
lines = b"".join(b"%06d " % number + b"x" * (number * 37 % 251) + b"\\n" for number in range(5000))
size, at = 1, 0
while at < len(lines):
    size = (size * 5 + 3) % 4099 + 1
    at += os.write(fd, lines[at:at + size])
"""


def test_torn_writes_of_another_process_arrive_as_whole_lines(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        log.touch()
        async with following(log, partial_timeout_s=60.0) as seen:
            await seen.until_settled(log)
            writer = await asyncio.create_subprocess_exec(sys.executable, "-c", TORN_WRITER, str(log))
            assert await writer.wait() == 0
            await seen.until(lambda: len(seen.text) == log.stat().st_size)
            assert seen.text == log.read_bytes()
            assert all(block.data.endswith(b"\n") for block in seen.blocks)
            assert [int(line[:6]) for line in seen.lines] == list(range(5000))

    asyncio.run(scenario())


def test_torn_writes_and_rotations_lose_and_double_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        log.touch()
        async with following(log, partial_timeout_s=60.0, rotate_grace_s=0.05, reconcile_s=0.1) as seen:
            await seen.until_settled(log)
            expected = bytearray()
            for generation in range(8):
                with log.open("ab", buffering=0) as writer:
                    for number in range(300):
                        line = b"%d-%d %s\n" % (generation, number, b"y" * (number % 90))
                        tear = number % len(line)
                        writer.write(line[:tear])
                        if number % 7 == 0:
                            await asyncio.sleep(0)
                        writer.write(line[tear:])
                        expected += line
                log.rename(tmp_path / f"app.log.{100 - generation}")
                log.touch()
            append(log, "end")
            expected += b"end\n"
            await seen.until(lambda: len(seen.text) >= len(expected), within=20)
            assert seen.text == bytes(expected)
            assert all(block.data.endswith(b"\n") for block in seen.blocks)

    asyncio.run(scenario())


def test_f14_a_memory_mapped_write_is_found_by_the_look(tmp_path: Path) -> None:
    writer = (
        "import mmap, sys\n"
        "with open(sys.argv[1], 'r+b') as log, mmap.mmap(log.fileno(), 0) as pages:\n"
        "    pages[:16] = b'written in place'[:15] + b'\\n'\n"
    )

    async def scenario() -> None:
        log = tmp_path / "app.log"
        log.touch()
        async with following(log, partial_timeout_s=60.0) as seen:
            await seen.until_settled(log)
            os.truncate(log, 16)
            await seen.until(lambda: seen.row(log)["size"] == 16)
            await asyncio.to_thread(subprocess.run, [sys.executable, "-c", writer, str(log)], check=True)
            await seen.until_lines("written in plac")

    asyncio.run(scenario())
