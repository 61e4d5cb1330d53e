"""Which version runs, where a file names it: told at the start and when it changes, whatever the file is."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from fakes.virtual_loop import VirtualLoop
from logmedic.core.versions import MAX_LENGTH
from logmedic.model.changeset import Input, VersionSeen
from logmedic.runtime.versionwatch import MAX_BYTES, Unreadable, VersionWatch, version_in


def watched(path: Path, *changes: Callable[[], object]) -> list[Input]:
    """What is told while each of `changes` is made, a look before each and one behind the last."""
    told: list[Input] = []

    async def tell(given: Input) -> None:
        told.append(given)

    async def looks() -> None:
        watch = VersionWatch({"shop": path}, tell)
        await watch.look()
        for change in changes:
            change()
            await watch.look()

    asyncio.run(looks())
    return told


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "VERSION"


def test_the_version_is_told_at_the_start_and_when_it_changes_and_at_no_other_time(path: Path) -> None:
    path.write_text("1.2.0\n")
    told = watched(path, lambda: None, path.touch, lambda: path.write_text("1.3.0\nbuilt today\n"), lambda: None)
    assert told == [VersionSeen("shop", "1.2.0"), VersionSeen("shop", "1.3.0")]


def test_a_file_that_is_replaced_as_deployments_do_is_seen(tmp_path: Path) -> None:
    for release in ("41", "42"):
        (tmp_path / release).mkdir()
        (tmp_path / release / "VERSION").write_text(f"r{release}")
    current = tmp_path / "current"
    current.symlink_to("41")

    def deploy() -> None:
        (tmp_path / "new").symlink_to("42")
        (tmp_path / "new").rename(current)

    assert watched(current / "VERSION", deploy) == [VersionSeen("shop", "r41"), VersionSeen("shop", "r42")]


def test_one_that_is_missing_for_a_while_changes_nothing_and_is_logged_once(path: Path) -> None:
    path.write_text("7")
    with capture_logs() as logged:
        told = watched(path, path.unlink, lambda: None, lambda: path.write_text("7"), path.unlink)
    assert told == [VersionSeen("shop", "7")]
    assert [(each["event"], each["problem"]) for each in logged] == [
        ("version_unreadable", "No such file or directory"),
        ("version_unreadable", "No such file or directory"),
    ]


@pytest.mark.parametrize(
    ("content", "version"),
    [
        (b"  v1.2.3-rc1  \r\nmore\n", "v1.2.3-rc1"),
        (b"1.2\x1b[31m\x00", "1.2[31m"),
        (b"\xff1.2", "\ufffd1.2"),
        ("é\u202e1".encode(), "é1"),
        (b"x" * 500, "x" * MAX_LENGTH),
        (b"x" * (2 * MAX_BYTES), "x" * MAX_LENGTH),
    ],
)
def test_a_version_is_the_first_line_printable_and_short(path: Path, content: bytes, version: str) -> None:
    path.write_bytes(content)
    assert version_in(path) == version


@pytest.mark.parametrize("content", [b"", b"\n1.2\n", b"   \n", b"\x00\x01\n"])
def test_a_first_line_without_anything_names_no_version(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(Unreadable, match="empty"):
        version_in(path)


def test_what_is_no_file_is_not_read(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(Unreadable, match="no regular file"):
        version_in(path)
    with pytest.raises(Unreadable):
        version_in(path.parent)
    with pytest.raises(Unreadable, match="No such file"):
        version_in(path.parent / "gone")
    loop = path.parent / "loop"
    loop.symlink_to(loop)
    with pytest.raises(Unreadable):
        version_in(loop)


def test_one_bad_file_holds_up_no_other(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("2")
    told: list[Input] = []

    async def tell(given: Input) -> None:
        told.append(given)

    asyncio.run(VersionWatch({"a": tmp_path / "a", "b": tmp_path / "b"}, tell).first_look())
    assert told == [VersionSeen("b", "2")]


def test_without_a_file_there_is_nothing_to_wait_for() -> None:
    async def tell(_: Input) -> None:
        raise AssertionError

    asyncio.run(asyncio.wait_for(VersionWatch({}, tell).run(), 5))


def test_a_start_does_not_wait_for_an_engine_that_takes_nothing(path: Path) -> None:
    path.write_text("1")

    async def tell(_: Input) -> None:
        await asyncio.Event().wait()

    def start(loop: VirtualLoop, part: Awaitable[None]) -> None:
        try:
            loop.run_until_complete(part)
        finally:
            loop.close()

    start(VirtualLoop(), VersionWatch({"shop": path}, tell).first_look())
