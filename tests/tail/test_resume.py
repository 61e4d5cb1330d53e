"""A restart goes on where the store says, in whatever file that is by now."""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from logmedic.model.record import Checkpoint
from tail.collector import append, following

LINES = [f"line {number} of the time before" for number in range(20)]


def _read_before(log: Path) -> dict[str, Checkpoint]:
    """What a first run, which read everything, leaves in the store."""

    async def scenario() -> dict[str, Checkpoint]:
        append(log, *LINES)
        async with following(log, from_start=True) as seen:
            await seen.until_lines(*LINES)
            return seen.checkpoints

    return asyncio.run(scenario())


def _resumed(pattern: Path, checkpoints: dict[str, Checkpoint], *expected: str) -> None:
    async def scenario() -> None:
        async with following(pattern, checkpoints=checkpoints) as seen:
            await seen.until_lines(*expected)
            append(pattern, "and on")
            await seen.until_lines(*expected, "and on")

    asyncio.run(scenario())


def test_a_restart_goes_on_at_the_offset(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    known = _read_before(log)
    append(log, "while down")
    _resumed(log, known, "while down")


def test_a_quiet_file_is_not_passed_over_at_the_second_start(tmp_path: Path) -> None:
    """Nothing was read in the first run; what was written while down must be read in the second."""
    log = tmp_path / "app.log"
    append(log, "old")

    async def scenario() -> None:
        async with following(log) as first:
            await first.until_settled(log)
            assert first.blocks == []
        append(log, "while down")
        async with following(log, checkpoints=first.checkpoints) as second:
            await second.until_lines("while down")

    asyncio.run(scenario())


def test_f06_several_rotations_while_down_are_read_in_order(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    known = _read_before(log)
    append(log, "end of the first")
    for generation in ("second", "third", "fourth"):
        for number in (3, 2, 1):
            if (tmp_path / f"app.log.{number}").exists():
                (tmp_path / f"app.log.{number}").rename(tmp_path / f"app.log.{number + 1}")
        log.rename(tmp_path / "app.log.1")
        append(log, generation)
    append(tmp_path / "app.log.5", "older than all that")
    _resumed(log, known, "end of the first", "second", "third", "fourth")


def test_f06_rotations_to_dated_names_are_read_in_order(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    known = _read_before(log)
    for day, line in ((21, "one"), (22, "two"), (23, "three")):
        append(log, line)
        log.rename(tmp_path / f"app.log-202611{day}")
        os.utime(tmp_path / f"app.log-202611{day}", (1_700_000_000 + day, 1_700_000_000 + day))
    append(log, "four")
    _resumed(log, known, "one", "two", "three", "four")


def test_f06_a_file_renamed_to_any_name_is_found_by_its_inode(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    known = _read_before(log)
    append(log, "end of the first")
    log.rename(tmp_path / "put away by hand")
    append(log, "second")
    _resumed(log, known, "end of the first", "second")


def test_f06_a_rotation_without_a_new_file_yet_is_drained(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    known = _read_before(log)
    append(log, "end of the first")
    log.rename(tmp_path / "app.log.1")
    _resumed(log, known, "end of the first")


def test_f03_copied_and_truncated_while_down(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    known = _read_before(log)
    append(log, "end of the first")
    shutil.copyfile(log, tmp_path / "app.log.1")
    os.truncate(log, 0)
    append(log, "second")
    _resumed(log, known, "end of the first", "second")


def test_f04_truncated_and_grown_back_while_down(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    known = _read_before(log)
    os.truncate(log, 0)
    fresh = [f"fresh line {number} of the time after" for number in range(40)]
    append(log, *fresh)
    _resumed(log, known, *fresh)


def test_f05_f08_a_stale_offset_is_never_applied_to_a_reused_inode(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    known = _read_before(log)
    log.unlink()
    fresh = [f"fresh line {number} of another file" for number in range(40)]
    append(log, *fresh)
    status = log.stat()
    reused = {str(log): replace(known[str(log)], device=status.st_dev, inode=status.st_ino)}
    _resumed(log, reused, *fresh)


def test_another_device_number_after_a_boot_does_not_make_it_another_file(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    known = _read_before(log)
    append(log, "while down")
    moved = {str(log): replace(known[str(log)], device=known[str(log)].device + 7)}
    _resumed(log, moved, "while down")


def test_checkpoints_of_another_source_are_not_followed(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine.log", tmp_path / "other.log"
    known = {origin: replace(mark, source="someone else") for origin, mark in _read_before(other).items()}

    async def scenario() -> None:
        append(mine, "one")
        async with following(mine, checkpoints=known, from_start=True) as seen:
            await seen.until_lines("one")
            assert [row["origin"] for row in seen.source.health()] == [str(mine)]

    asyncio.run(scenario())


@pytest.mark.parametrize("stop_after", [1, 2, 3, 4])
def test_a_restart_at_any_block_doubles_and_loses_nothing(tmp_path: Path, stop_after: int) -> None:
    log = tmp_path / "app.log"
    content = b"".join(b"%07d some words of a log line\n" % number for number in range(150_000))
    log.write_bytes(content)

    async def scenario() -> None:
        async with following(log, from_start=True) as first:
            await first.until(lambda: len(first.blocks) >= stop_after)
        async with following(log, checkpoints=first.checkpoints) as second:
            await second.until(lambda: len(first.text) + len(second.text) >= len(content))
            assert first.text + second.text == content

    asyncio.run(scenario())
