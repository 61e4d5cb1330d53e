"""Trouble with one file is told, tried again, and never another file's trouble."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path

import pytest

from logmedic.core.matcher import Matcher
from logmedic.model.match import MatchSpec
from logmedic.model.rule import Rule
from tail.collector import append, following

NOBODY = 65534


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A directory that an ordinary user may enter, unlike pytest's own."""
    place = Path(tempfile.mkdtemp(prefix="logmedic-"))
    place.chmod(0o777)
    yield place
    shutil.rmtree(place)


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Permissions mean nothing to root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize(
    ("kind", "told"), [("fifo", "FIFO"), ("directory", "directory"), ("device", "character device")]
)
def test_f23_what_is_no_file_is_refused_without_hanging(tmp_path: Path, kind: str, told: str) -> None:
    async def scenario() -> None:
        odd = tmp_path / "odd.log"
        if kind == "fifo":
            os.mkfifo(odd)
        elif kind == "directory":
            odd.mkdir()
        else:
            odd.symlink_to("/dev/zero")
        append(tmp_path / "good.log", "good")
        async with following(odd, tmp_path / "good.log", from_start=True) as seen:
            await seen.until_lines("good")
            await seen.until(lambda: told in seen.problem(odd))

    asyncio.run(scenario())


def test_f23_a_fifo_that_is_replaced_by_a_file_is_followed(tmp_path: Path) -> None:
    async def scenario() -> None:
        odd = tmp_path / "app.log"
        os.mkfifo(odd)
        async with following(odd) as seen:
            await seen.until(lambda: "FIFO" in seen.problem(odd))
            odd.unlink()
            append(odd, "a file now")
            await seen.until_lines("a file now")
            assert seen.problem(odd) == ""

    asyncio.run(scenario())


def test_f21_an_unreadable_file_is_told_and_read_once_it_may_be(open_path: Path) -> None:
    async def scenario() -> None:
        log = open_path / "app.log"
        append(log, "secret")
        log.chmod(0)
        append(open_path / "good.log", "good")
        (open_path / "good.log").chmod(0o644)
        with ordinary_user():
            async with following(open_path / "*.log", from_start=True) as seen:
                await seen.until_lines("good")
                await seen.until(lambda: "Permission denied" in seen.problem(log))
                with _as_owner():
                    log.chmod(0o644)
                await seen.until_lines("good", "secret")
                assert seen.problem(log) == ""

    asyncio.run(scenario())


def test_f21_permission_lost_while_open_changes_nothing(open_path: Path) -> None:
    async def scenario() -> None:
        log = open_path / "app.log"
        append(log, "one")
        log.chmod(0o644)
        with ordinary_user():
            async with following(log, from_start=True) as seen:
                await seen.until_lines("one")
                with _as_owner(), log.open("ab") as writer:
                    log.chmod(0)
                    writer.write(b"two\n")
                await seen.until_lines("one", "two")

    asyncio.run(scenario())


@contextmanager
def _as_owner() -> Iterator[None]:
    before = os.geteuid()
    os.seteuid(os.getuid())
    try:
        yield
    finally:
        os.seteuid(before)


def test_f22_an_input_error_closes_backs_off_and_leaves_the_others_alone(tmp_path: Path) -> None:
    """/proc/self/mem is a regular file whose first byte cannot be read: a real EIO."""

    async def scenario() -> None:
        sick = tmp_path / "sick.log"
        sick.symlink_to("/proc/self/mem")
        append(tmp_path / "good.log", "good")
        async with following(tmp_path / "*.log", from_start=True) as seen:
            await seen.until_lines("good")
            await seen.until(lambda: "Input/output error" in seen.problem(sick))
            append(tmp_path / "healed", "healed")
            (tmp_path / "next").symlink_to(tmp_path / "healed")
            (tmp_path / "next").rename(sick)
            append(tmp_path / "good.log", "still good")
            await seen.until(lambda: sorted(seen.lines) == ["good", "healed", "still good"])
            assert seen.problem(sick) == ""

    asyncio.run(scenario())


def test_f20_utf16_is_refused_loudly(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        log.write_bytes("one\n".encode("utf-16"))
        async with following(log, from_start=True) as seen:
            await seen.until(lambda: "UTF-16" in seen.problem(log))
            assert seen.lines == []

    asyncio.run(scenario())


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_f20_a_log_that_turns_out_to_be_utf16_is_refused_loudly(tmp_path: Path, encoding: str) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        log.touch()
        append(tmp_path / "good.log", "good")
        async with following(tmp_path / "*.log", from_start=True) as seen:
            await seen.until_settled(log)
            log.write_bytes("\ufeffone\n".encode(encoding))
            await seen.until(lambda: "UTF-16" in seen.problem(log))
            append(tmp_path / "good.log", "still good")
            await seen.until_lines("good", "still good")
            log.unlink()
            append(log, "plain")
            await seen.until_lines("good", "still good", "plain")
            assert seen.problem(log) == ""

    asyncio.run(scenario())


@pytest.mark.parametrize("first", [b"\xef\xbb\xbfone\n", b"\xef\xbb\xbf"], ids=["with a line", "alone"])
def test_f20_the_mark_that_utf8_files_may_begin_with_is_no_part_of_the_first_line(tmp_path: Path, first: bytes) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        log.write_bytes(first)
        async with following(log, from_start=True) as seen:
            await seen.until_settled(log)
            append(log, "two")
            await seen.until(lambda: seen.text == (first + b"two\n")[3:])
            assert (seen.blocks[0].start, seen.lost_bytes) == (3, 0)
            assert all(block.checkpoint.offset == block.start + len(block.data) for block in seen.blocks)
        append(log, "three")
        async with following(log, checkpoints=seen.checkpoints) as after:
            await after.until_lines("three")

    asyncio.run(scenario())


def test_f20_a_first_line_behind_the_mark_of_utf8_matches_at_its_beginning(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        log.write_bytes(b"\xef\xbb\xbfboom 1\nboom 2\n")
        rule = Rule("boom", "it broke", MatchSpec((r"^boom \d$",)))
        async with following(log, from_start=True) as seen:
            await seen.until(lambda: len(seen.lines) == 2)
        found = Matcher((rule,), zone=UTC).find(seen.blocks[0])
        assert [match.record.text for match in found.matches] == ["boom 1", "boom 2"]

    asyncio.run(scenario())


def test_f18_invalid_utf8_passes_as_it_is_and_offsets_are_in_bytes(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = tmp_path / "app.log"
        log.write_bytes(b"\xff\xfa bad\nn\xc3\xa4chste\r\n")
        async with following(log, from_start=True) as seen:
            await seen.until(lambda: seen.text == log.read_bytes())
            assert seen.checkpoints[str(log)].offset == 17

    asyncio.run(scenario())


def test_a_dangling_link_is_followed_once_it_leads_somewhere(tmp_path: Path) -> None:
    async def scenario() -> None:
        link = tmp_path / "app.log"
        link.symlink_to(tmp_path / "target")
        async with following(tmp_path / "*.log") as seen:
            append(tmp_path / "target", "there")
            await seen.until_lines("there")

    asyncio.run(scenario())
