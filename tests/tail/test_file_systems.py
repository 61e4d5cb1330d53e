"""File systems that are full, read-only or gone, mounted for real."""

from __future__ import annotations

import asyncio
import errno
import itertools
import os
import subprocess
from io import RawIOBase
from pathlib import Path

import pytest

from fakes.sick_fs import SickFs
from tail.apart import apart
from tail.collector import append, following


def _mount(room: Path, *options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(room)], check=True)


def _remount(room: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(room)], check=True)


def _write(writer: RawIOBase, line: bytes) -> int:
    """How many bytes found room."""
    written = 0
    while written < len(line):
        try:
            written += writer.write(line[written:]) or 0
        except OSError as error:
            if error.errno == errno.ENOSPC:
                return written
            raise
    return written


def _fill(log: Path) -> bytes:
    """Write lines until not one byte more finds room: the last line is torn."""
    with log.open("ab", buffering=0) as writer:
        for number in itertools.count():
            line = b"%06d %s\n" % (number, b"x" * 200)
            written = _write(writer, line)
            if written < len(line):
                return line[written:]
    raise AssertionError("the disk is not full")


def full(room: Path | str) -> None:
    room = Path(room)
    _mount(room, "size=256k")

    async def scenario() -> None:
        log, ballast = room / "app.log", room / "ballast"
        ballast.write_bytes(b"x" * 64 * 1024)
        log.touch()
        async with following(log, partial_timeout_s=60.0) as seen:
            await seen.until_settled(log)
            rest = _fill(log)
            assert rest
            whole = log.read_bytes().rpartition(b"\n")[0] + b"\n"
            await seen.until(lambda: seen.text == whole)
            assert seen.problem(log) == ""
            ballast.unlink()
            with log.open("ab") as writer:
                writer.write(rest)
            append(log, "there is room again")
            await seen.until(lambda: seen.text == log.read_bytes())
        async with following(log, checkpoints=seen.checkpoints) as after:
            _fill(log)
            await after.until(lambda: after.text == log.read_bytes().rpartition(b"\n")[0][len(seen.text) :] + b"\n")

    asyncio.run(scenario())


def read_only(room: Path | str) -> None:
    room = Path(room)
    _mount(room, "size=1m")

    async def scenario() -> None:
        log = room / "app.log"
        append(log, "one")
        async with following(room / "*.log", from_start=True) as seen:
            await seen.until_lines("one")
            append(log, "two")
            _remount(room, "ro")
            await seen.until_lines("one", "two")
            with pytest.raises(OSError, match="Read-only file system"):
                append(log, "nobody can")
            await seen.until(lambda: seen.row(log)["lag_bytes"] == 0)
            assert seen.problem(log) == ""
            _remount(room, "rw")
            append(log, "three")
            await seen.until_lines("one", "two", "three")
        append(log, "four")
        _remount(room, "ro")
        async with following(log, checkpoints=seen.checkpoints) as after:
            await after.until_lines("four")
            assert after.problem(log) == ""

    asyncio.run(scenario())


def gone(room: Path | str) -> None:
    """The file system is unmounted under the reader, and another one is mounted in its place."""
    room = Path(room)
    _mount(room, "size=1m")

    async def scenario() -> None:
        log = room / "app.log"
        append(log, "one")
        async with following(log, from_start=True) as seen:
            await seen.until_lines("one")
            subprocess.run(["umount", "--lazy", str(room)], check=True)
            await seen.until(lambda: "gone" in seen.problem(log))
            _mount(room, "size=1m")
            append(log, "two")
            await seen.until_lines("one", "two")
            append(log, "three")
            await seen.until_lines("one", "two", "three")

    asyncio.run(scenario())


def sick(room: Path | str, error: int | str, everything: str) -> None:
    """The server of a file system goes away in the middle of a file, and comes back."""
    room = Path(room)
    far, error = room / "far", int(error)
    far.mkdir()
    files = SickFs(far)
    files.files["app.log"] = b"one\n"

    async def scenario() -> None:
        log, good = far / "app.log", room / "good.log"
        good.touch()
        async with following(far / "*.log", good, from_start=True) as seen:
            await seen.until_lines("one")
            files.failing["app.log"], files.all_fails = error, everything == "everything"
            files.files["app.log"] += b"two\n"
            await seen.until(lambda: os.strerror(error) in seen.problem(log))
            append(good, "of another")
            await seen.until_lines("one", "of another")
            files.failing.clear()
            await seen.until_lines("one", "of another", "two")
            assert seen.problem(log) == ""
            files.files["app.log"] += b"three\n"
            await seen.until_lines("one", "of another", "two", "three")

    asyncio.run(scenario())


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/dev/fuse"), reason="this kernel has no FUSE")
@pytest.mark.parametrize("everything", ["reading", "everything"])
@pytest.mark.parametrize("error", [errno.ESTALE, errno.EIO], ids=["ESTALE", "EIO"])
def test_f22_a_file_whose_server_went_away_is_read_on_when_it_is_back(
    tmp_path: Path, error: int, everything: str
) -> None:
    apart(sick, tmp_path, error, everything, host=True)


def test_f24_on_a_full_file_system_reading_goes_on(tmp_path: Path) -> None:
    apart(full, tmp_path, host=True)


def test_f24_on_a_read_only_file_system_reading_goes_on(tmp_path: Path) -> None:
    apart(read_only, tmp_path, host=True)


def test_f09_f10_a_file_system_that_is_mounted_anew_is_read_again(tmp_path: Path) -> None:
    apart(gone, tmp_path, host=True)
