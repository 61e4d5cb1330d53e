"""Where a file begins that no position speaks of: at its end when a pattern is started for the first time, and from its
beginning when it came later, whoever was there to see it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from logmedic.model.record import OVER, Checkpoint
from tail.collector import append, following


async def read(*globs: Path, checkpoints: dict[str, Checkpoint], lines: int) -> tuple[list[str], dict[str, Checkpoint]]:
    """The lines of one run, and the positions that it leaves."""
    async with following(*globs, checkpoints=checkpoints, from_start=False) as seen:
        await seen.until(lambda: len(seen.lines) >= lines and all(f"glob:{each}" in seen.checkpoints for each in globs))
        return seen.lines, dict(seen.checkpoints)


def test_a_log_that_appears_while_nothing_runs_is_read_from_its_beginning(tmp_path: Path) -> None:
    async def scenario() -> None:
        append(tmp_path / "old.log", "before the first start")
        lines, marks = await read(tmp_path / "*.log", checkpoints={}, lines=0)
        assert lines == []
        append(tmp_path / "old.log", "after it")
        append(tmp_path / "new.log", "nobody was there")
        lines, _ = await read(tmp_path / "*.log", checkpoints=marks, lines=2)
        assert sorted(lines) == ["after it", "nobody was there"]

    asyncio.run(scenario())


def test_one_that_was_rotated_before_it_was_met_is_read_with_what_was_rotated(tmp_path: Path) -> None:
    async def scenario() -> None:
        _, marks = await read(tmp_path / "*.log", checkpoints={}, lines=0)
        append(tmp_path / "new.log", "first")
        (tmp_path / "new.log").rename(tmp_path / "new.log.1")
        append(tmp_path / "new.log", "second")
        lines, _ = await read(tmp_path / "*.log", checkpoints=marks, lines=2)
        assert lines == ["first", "second"]

    asyncio.run(scenario())


def test_a_pattern_that_is_added_begins_at_the_end_of_what_it_finds(tmp_path: Path) -> None:
    async def scenario() -> None:
        append(tmp_path / "a.log", "old")
        _, marks = await read(tmp_path / "a.log", checkpoints={}, lines=0)
        append(tmp_path / "b.txt", "years of it")
        append(tmp_path / "a.log", "new")
        lines, _ = await read(tmp_path / "a.log", tmp_path / "*.txt", checkpoints=marks, lines=1)
        assert lines == ["new"]

    asyncio.run(scenario())


def test_a_pattern_has_met_its_files_only_when_each_has_a_position(tmp_path: Path) -> None:
    async def scenario() -> None:
        append(tmp_path / "old.log", "before the first start")
        os.mkfifo(tmp_path / "odd.log")
        async with following(tmp_path / "*.log") as seen:
            await seen.until_settled(tmp_path / "old.log")
            append(tmp_path / "old.log", "after it")
            await seen.until_lines("after it")
            assert f"glob:{tmp_path / '*.log'}" not in seen.checkpoints
            (tmp_path / "odd.log").unlink()
            await seen.until(lambda: f"glob:{tmp_path / '*.log'}" in seen.checkpoints)

    asyncio.run(scenario())


def test_i6_the_position_in_a_file_that_is_gone_for_good_is_forgotten(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "once.log"
        append(log, "all of it")
        _, marks = await read(tmp_path / "*.log", checkpoints={}, lines=0)
        assert marks[str(log)].offset == log.stat().st_size
        log.unlink()
        async with following(tmp_path / "*.log", checkpoints=marks) as seen:
            await seen.until(lambda: seen.checkpoints[str(log)].offset == OVER)

    asyncio.run(scenario())
