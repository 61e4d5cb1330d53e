"""Renamed, recreated, removed: nothing is lost, nothing is doubled."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from logmedic.model.gap import SourceEventKind
from tail.collector import append, following


def test_f01_a_renamed_file_is_drained_before_its_successor_is_read(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        log.touch()
        async with following(log) as seen:
            await seen.until_settled(log)
            append(log, "one")
            log.rename(tmp_path / "app.log.1")
            append(log, "two")
            await seen.until_lines("one", "two")
            assert seen.blocks[-1].start == 0
            assert {block.origin for block in seen.blocks} == {str(log)}

    asyncio.run(scenario())


def test_f02_a_late_write_to_the_renamed_file_is_delivered_before_the_new_file(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        append(log, "start")
        async with following(log, from_start=True, rotate_grace_s=1.0) as seen:
            await seen.until_lines("start")
            with log.open("ab") as writer:
                log.rename(tmp_path / "app.log.1")
                append(log, "new")
                await seen.until(lambda: seen.row(log)["size"] > 6)  # the new file was noticed
                writer.write(b"late\n")
            await seen.until_lines("start", "late", "new")

    asyncio.run(scenario())


def test_f01_two_rotations_between_two_looks_lose_no_generation(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        append(log, "one")
        async with following(log, from_start=True) as seen:
            await seen.until_lines("one")
            log.rename(tmp_path / "app.log.1")
            append(log, "two")
            (tmp_path / "app.log.1").rename(tmp_path / "app.log.2")
            log.rename(tmp_path / "app.log.1")
            append(log, "three")
            await seen.until_lines("one", "two", "three")

    asyncio.run(scenario())


def test_f05_a_reused_inode_is_read_as_a_new_file(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        append(log, "generation 0")
        async with following(log, from_start=True, rotate_grace_s=0.05) as seen:
            for generation in range(1, 6):
                await seen.until(lambda: len(seen.lines) == generation)  # noqa: B023
                log.unlink()
                append(log, f"generation {generation}")
            await seen.until_lines(*(f"generation {number}" for number in range(6)))

    asyncio.run(scenario())


def test_f08_deleted_and_recreated_is_read_from_the_beginning(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        append(log, "a long first line of the file that will be gone")
        async with following(log, from_start=True) as seen:
            await seen.until(lambda: len(seen.lines) == 1)
            log.unlink()
            append(log, "short")
            await seen.until(lambda: seen.lines[1:] == ["short"])

    asyncio.run(scenario())


def test_f09_a_file_that_vanishes_is_waited_for(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        append(log, "one")
        async with following(log, from_start=True) as seen:
            await seen.until_lines("one")
            log.rename(tmp_path / "elsewhere")
            await seen.until(lambda: "gone" in seen.problem(log))
            (tmp_path / "elsewhere").rename(log)
            await seen.until(lambda: seen.problem(log) == "")
            append(log, "two")
            await seen.until_lines("one", "two")

    asyncio.run(scenario())


def test_f10_a_directory_that_is_removed_and_recreated_is_watched_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        room = tmp_path / "room"
        room.mkdir()
        log = room / "app.log"
        append(log, "one")
        async with following(room / "*.log", from_start=True) as seen:
            await seen.until_lines("one")
            shutil.rmtree(room)
            await seen.until(lambda: "gone" in seen.problem(log))
            room.mkdir()
            append(log, "two")
            await seen.until_lines("one", "two", within=5.0)
            append(log, "three")
            await seen.until_lines("one", "two", "three", within=5.0)

    asyncio.run(scenario())


def test_f11_a_retargeted_link_is_a_rotation(tmp_path: Path) -> None:
    async def scenario() -> None:
        far, near = tmp_path / "far", tmp_path / "near"
        far.mkdir()
        near.mkdir()
        append(far / "monday", "one")
        link = near / "app.log"
        link.symlink_to(far / "monday")
        async with following(link, from_start=True) as seen:
            await seen.until_lines("one")
            append(far / "monday", "two")
            await seen.until_lines("one", "two")
            append(far / "tuesday", "three")
            (near / "next").symlink_to(far / "tuesday")
            (near / "next").rename(link)
            await seen.until_lines("one", "two", "three")
            append(far / "tuesday", "four")
            await seen.until_lines("one", "two", "three", "four")

    asyncio.run(scenario())


def test_f11_a_write_to_a_target_in_another_directory_rings_at_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        far = tmp_path / "far"
        far.mkdir()
        (far / "target").touch()
        link = tmp_path / "app.log"
        link.symlink_to(far / "target")
        async with following(link, reconcile_s=3600.0) as seen:
            await seen.until_settled(link)
            append(far / "target", "heard")
            await seen.until_lines("heard")

    asyncio.run(scenario())


def test_a_rename_to_a_name_that_the_glob_finds_is_not_read_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        append(log, "one")
        async with following(tmp_path / "*", from_start=True, rotate_grace_s=0.1) as seen:
            await seen.until_lines("one")
            log.rename(tmp_path / "kept-for-later")
            append(log, "two")
            await seen.until_lines("one", "two")
            append(tmp_path / "kept-for-later", "three")
            await seen.until_lines("one", "two", "three")

    asyncio.run(scenario())


def test_f01_of_generations_that_nobody_saw_those_that_are_left_are_read(tmp_path: Path) -> None:
    """Two rotations while the follower gets no turn, of a log that keeps one generation."""

    async def scenario() -> None:
        log = tmp_path / "app.log"
        append(log, "one")
        append(tmp_path / "app.log.7", "older than all that")
        async with following(log, from_start=True) as seen:
            await seen.until_lines("one")
            append(log, "end of the first")
            log.unlink()
            append(log, "two")
            log.rename(tmp_path / "app.log.1")
            append(log, "three")
            await seen.until_lines("one", "end of the first", "two", "three")

    asyncio.run(scenario())


def test_f08_a_copy_of_a_log_that_was_removed_is_not_read_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        append(log, "one")
        async with following(log, from_start=True) as seen:
            await seen.until_lines("one")
            append(log, "two")
            shutil.copyfile(log, tmp_path / "app.log.bak")
            log.unlink()
            append(log, "three")
            await seen.until_lines("one", "two", "three")

    asyncio.run(scenario())


def test_f06_logs_of_the_same_name_in_a_directory_beside_are_not_taken_for_rotated_ones(tmp_path: Path) -> None:
    async def scenario() -> None:
        log, other = tmp_path / "error.log", tmp_path / "nginx"
        other.mkdir()
        append(log, "one")
        async with following(log, from_start=True) as before:
            await before.until_lines("one")
        append(other / "error.log", "of another service")
        append(other / "error.log.1", "and its rotated one")
        log.unlink()
        append(log, "two")
        async with following(log, checkpoints=before.checkpoints) as after:
            await after.until_lines("two")
            await after.until_settled(log)
        assert [gap.kind for block in after.commits for gap in block.gaps] == [SourceEventKind.VANISHED]

    asyncio.run(scenario())


def reuse(path: Path) -> bool:
    """Delete the file and make it anew, empty; whether it has the same inode. ext4 gives it again at once, as long as
    nobody has the old one open."""
    inode = path.stat().st_ino
    path.unlink()
    path.touch()
    return path.stat().st_ino == inode


def needs_reuse(room: Path) -> None:
    probe = room / "probe"
    probe.touch()
    if not any(reuse(probe) for _ in range(20)):
        pytest.skip("this file system gives no inode again soon")
    probe.unlink()


def test_f05_an_inode_that_was_given_again_while_nobody_read_is_a_new_file(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        append(log, *(f"old {number}" for number in range(9)))
        async with following(log, from_start=True) as before:
            await before.until(lambda: len(before.lines) == 9)
        while not reuse(log):
            continue
        append(log, *(f"new {number}" for number in range(30)))
        async with following(log, checkpoints=before.checkpoints) as after:
            await after.until_lines(*(f"new {number}" for number in range(30)))

    needs_reuse(tmp_path)
    asyncio.run(scenario())


def test_f05_an_inode_that_was_given_again_while_the_file_was_closed_for_others_is_a_new_file(tmp_path: Path) -> None:
    """There are more files than descriptors: the reader itself has given this one's up."""

    async def scenario(room: Path) -> bool:
        """False: others of this host took the inodes."""
        room.mkdir()
        logs = [room / f"app{number}.log" for number in range(12)]
        for log in logs:
            append(log, f"old {log.name}")
        async with following(room / "*.log", from_start=True, max_open=4) as seen:
            await seen.until(lambda: len(seen.lines) == len(logs))
            closed = [log for log in logs if not _is_open(log)]
            assert closed
            again = [log for log in closed if reuse(log)]
            for log in closed:
                append(log, f"new {log.name} one", f"new {log.name} two")
            wanted = sorted(f"new {log.name} {word}" for log in closed for word in ("one", "two"))
            await seen.until(lambda: sorted(seen.lines[len(logs) :]) == wanted)
        return bool(again)

    needs_reuse(tmp_path)
    assert any(asyncio.run(scenario(tmp_path / f"room{number}")) for number in range(10)), "no inode came again"


def _is_open(path: Path) -> bool:
    held = Path("/proc/self/fd")
    return any(str(path) == os.readlink(each) for each in held.iterdir() if each.is_symlink())


def test_f09_a_file_that_stays_away_is_told_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        append(log, "one")
        async with following(log, from_start=True, reconcile_s=0.05) as seen:
            await seen.until_lines("one")
            log.unlink()
            await seen.until(lambda: "gone" in seen.problem(log))
            looks_over = asyncio.get_running_loop().time() + 1.0
            await seen.until(lambda: asyncio.get_running_loop().time() > looks_over)

    with capture_logs() as logs:
        asyncio.run(scenario())
    assert len([each for each in logs if each.get("origin", "").endswith("app.log")]) == 1
