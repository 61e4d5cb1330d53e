"""What the model test found, shrunk: each of these once lost, doubled or invented something."""

from __future__ import annotations

import asyncio
import gzip
import os
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from fakes.manual_wake import ManualDiscovery, ManualWake
from logmedic.model.gap import SourceEventKind
from logmedic.model.record import Checkpoint
from tail.collector import Collector, append, following

READ = [f"line {number} that was read before" for number in range(20)]
LONG_AGO = 1_700_000_000


def read_before(log: Path, *lines: str) -> dict[str, Checkpoint]:
    """The positions after these lines were read."""
    append(log, *lines)

    async def scenario() -> dict[str, Checkpoint]:
        async with following(log, from_start=True) as seen:
            await seen.until_lines(*lines)
            await seen.until_settled(log)
            return seen.checkpoints

    return asyncio.run(scenario())


def resumed(pattern: Path, known: Mapping[str, Checkpoint], *lines: str) -> Collector:
    async def scenario() -> Collector:
        async with following(pattern, checkpoints=known) as seen:
            await seen.until_lines(*lines)
            return seen

    return asyncio.run(scenario())


def kinds(seen: Collector) -> list[SourceEventKind]:
    return [gap.kind for block in seen.commits for gap in block.gaps]


def pack(plain: Path) -> None:
    written_at = plain.stat().st_mtime_ns
    packed = plain.with_name(plain.name + ".gz")
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    os.utime(packed, ns=(written_at, written_at))
    plain.unlink()


def test_a_file_that_was_renamed_without_a_successor_is_the_log_still_however_quiet_it_was(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    known = read_before(log, *READ)
    renamed = log.rename(tmp_path / "app.log.1")
    os.utime(renamed, (LONG_AGO, LONG_AGO))

    async def scenario() -> None:
        async with following(log, checkpoints=known) as seen:
            await seen.until(lambda: "gone" in seen.problem(log) or seen.row(log)["size"] > 0)
            append(renamed, "the writer has it open")
            await seen.until_lines("the writer has it open")

    asyncio.run(scenario())


def test_a_quiet_file_that_was_just_renamed_has_its_grace_after_a_restart(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    known = read_before(log, *READ)
    os.utime(log, (LONG_AGO, LONG_AGO))
    renamed = log.rename(tmp_path / "app.log.1")
    append(log, "new")

    async def scenario() -> None:
        async with following(log, checkpoints=known, rotate_grace_s=2.0) as seen:
            await seen.until(lambda: seen.row(log)["lag_bytes"] == 4)
            append(renamed, "late")
            await seen.until_lines("late", "new")

    asyncio.run(scenario())


def test_a_packed_generation_between_plain_ones_is_read_in_its_place(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    known = read_before(log, *READ)
    append(log, "one")
    log.rename(tmp_path / "app.log.3")
    append(tmp_path / "app.log.2", "two")
    pack(tmp_path / "app.log.2")
    append(tmp_path / "app.log.1", "three")
    append(log, "four")
    assert kinds(resumed(log, known, "one", "two", "three", "four")) == []


def test_dated_files_are_read_by_their_dates_though_an_older_one_was_written_last(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    known = read_before(log, *READ)
    append(log, "one")
    log.rename(tmp_path / "app.log-20261121")
    append(tmp_path / "app.log-20261122", "two")
    os.utime(tmp_path / "app.log-20261122", (LONG_AGO, LONG_AGO))
    append(log, "three")
    resumed(log, known, "one", "two", "three")


def test_what_was_rotated_after_a_file_that_is_gone_is_read_and_the_loss_is_told(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    known = read_before(log, *READ)
    log.unlink()
    append(tmp_path / "app.log.1", "rotated since")
    append(log, "new")
    assert kinds(resumed(log, known, "rotated since", "new")) == [SourceEventKind.VANISHED]


def test_a_plain_copy_of_a_log_that_was_empty_is_read(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.touch()
    known = read_before(log)
    append(log, "in the copy")
    shutil.copyfile(log, tmp_path / "app.log.1")
    os.truncate(log, 0)
    append(log, "new")
    resumed(log, known, "in the copy", "new")


def test_a_log_that_is_gone_for_good_is_told_even_when_nothing_comes_in_its_place(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    known = read_before(log, *READ)
    log.unlink()

    async def scenario() -> dict[str, Checkpoint]:
        async with following(tmp_path / "*.log", checkpoints=known) as seen:
            await seen.until(lambda: kinds(seen) == [SourceEventKind.VANISHED])
            await seen.until(lambda: seen.source.health() == [])
            return seen.checkpoints

    told = asyncio.run(scenario())
    append(log, "recreated")
    assert kinds(resumed(tmp_path / "*.log", told, "recreated")) == []


def test_f17_a_hole_that_is_longer_than_one_read_is_skipped_to_its_last_zero(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        with log.open("wb", buffering=0) as writer:
            writer.seek(10_000)  # no page ends here
            writer.write(b"after the hole\n")
        async with following(log, from_start=True, max_line=1000) as seen:
            await seen.until_lines("after the hole")
            assert seen.lost_bytes == 10_000

    asyncio.run(scenario())


def test_f17_a_restart_right_behind_a_hole_does_not_skip_the_line_that_follows(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    with log.open("wb", buffering=0) as writer:
        writer.seek(10_000)
        writer.write(b"unfini")

    async def scenario() -> dict[str, Checkpoint]:
        async with following(log, from_start=True, max_line=1000, partial_timeout_s=60.0) as seen:
            await seen.until(lambda: seen.checkpoints and seen.checkpoints[str(log)].offset == 10_000)
            return seen.checkpoints

    known = asyncio.run(scenario())
    append(log, "shed")

    async def on() -> None:
        async with following(log, checkpoints=known, max_line=1000) as seen:
            await seen.until_lines("unfinished")

    asyncio.run(on())


def test_f04_another_content_with_the_same_bytes_before_the_offset_is_noticed(tmp_path: Path) -> None:
    """Health checks: lines of one length that differ only at their beginning."""

    async def scenario() -> None:
        log = tmp_path / "app.log"
        old = [f"{number:06} GET /healthz {'-' * 80}" for number in range(10)]
        new = [f"{number:06} GET /healthz {'-' * 80}" for number in range(10, 25)]
        append(log, *old)
        wake = ManualWake()
        async with following(log, wake=wake, discovery=ManualDiscovery(), from_start=True, reconcile_s=3600.0) as seen:
            await seen.until_lines(*old)
            os.truncate(log, 0)
            append(log, *new)
            wake.write(str(log))
            await seen.until_lines(*old, *new)

    asyncio.run(scenario())


def test_f03_f16_the_rest_of_a_cut_line_is_skipped_in_the_copy_too(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        wake = ManualWake()
        log.write_bytes(b"x" * 1500)
        async with following(
            log, wake=wake, discovery=ManualDiscovery(), from_start=True, reconcile_s=3600.0, max_line=1000
        ) as seen:
            await seen.until(lambda: len(seen.text) == 1000)
            append(log, "the rest of it", "unread")
            shutil.copyfile(log, tmp_path / "app.log.1")
            os.truncate(log, 0)
            append(log, "new")
            wake.write(str(log))
            await seen.until(lambda: seen.text[1000:] == b"unread\nnew\n")

    asyncio.run(scenario())


def test_f03_a_newer_file_that_holds_nothing_of_the_emptied_one_does_not_hide_the_loss(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        wake = ManualWake()
        append(log, *READ)
        async with following(log, wake=wake, discovery=ManualDiscovery(), from_start=True, reconcile_s=3600.0) as seen:
            await seen.until_lines(*READ)
            os.truncate(log, 0)
            append(log, "copied")
            shutil.copyfile(log, tmp_path / "app.log.1")
            soon = datetime.now(UTC).timestamp() + 1
            os.utime(tmp_path / "app.log.1", (soon, soon))
            os.truncate(log, 0)
            append(log, "new")
            wake.write(str(log))
            await seen.until_lines(*READ, "copied", "new")
            assert kinds(seen) == [SourceEventKind.TRUNCATED]

    asyncio.run(scenario())


def test_f07_a_packed_file_behind_a_plain_one_that_nobody_saw_either_is_read(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        append(log, *READ)
        wake = ManualWake()
        async with following(log, wake=wake, discovery=ManualDiscovery(), from_start=True, reconcile_s=3600.0) as seen:
            await seen.until_lines(*READ)
            log.rename(tmp_path / "app.log.3")
            append(tmp_path / "app.log.2", "two")
            append(tmp_path / "app.log.1", "three")
            pack(tmp_path / "app.log.1")
            append(log, "four")
            wake.change(str(log))
            await seen.until_lines(*READ, "two", "three", "four")

    asyncio.run(scenario())


def test_f02_a_late_write_to_a_file_that_was_read_does_not_make_it_the_successor_of_a_deleted_one(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        append(log, *READ)
        async with following(log, from_start=True, rotate_grace_s=0.5) as seen:
            await seen.until_lines(*READ)
            log.rename(tmp_path / "app.log.1")
            log.touch()
            append(tmp_path / "app.log.1", "late")
            await seen.until_lines(*READ, "late")
            await seen.until_settled(log)
            await seen.until(lambda: seen.row(log)["size"] == 0)
            log.unlink()
            append(log, "new")
            await seen.until_lines(*READ, "late", "new")

    asyncio.run(scenario())


def test_f15_an_unfinished_end_is_no_sign_of_life_however_often_it_is_read(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        append(log, "one")
        async with following(log, from_start=True, rotate_grace_s=0.5, partial_timeout_s=60.0) as seen:
            await seen.until_lines("one")
            with log.open("ab") as writer:
                writer.write(b"torn")
            log.rename(tmp_path / "app.log.1")
            append(log, "two")
            await seen.until(lambda: seen.text == b"one\ntorntwo\n", within=5.0)  # at the latest after 30 graces

    asyncio.run(scenario())


def test_f02_a_file_that_came_and_went_while_its_predecessor_was_gone_has_its_grace(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        append(log, "one")
        wake = ManualWake()
        async with following(
            log, wake=wake, discovery=ManualDiscovery(), from_start=True, reconcile_s=3600.0, rotate_grace_s=1.0
        ) as seen:
            await seen.until_lines("one")
            log.rename(tmp_path / "app.log.2")
            wake.change(str(log))
            await seen.until(lambda: "gone" in seen.problem(log))
            grace_over = asyncio.get_running_loop().time() + 1.1
            await seen.until(lambda: asyncio.get_running_loop().time() > grace_over)
            append(tmp_path / "app.log.1", "two")
            append(log, "three")
            wake.change(str(log))
            await seen.until(lambda: seen.row(log)["lag_bytes"] == len("two three "))
            append(tmp_path / "app.log.1", "late")
            await seen.until_lines("one", "two", "late", "three")

    asyncio.run(scenario())
