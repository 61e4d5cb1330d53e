"""F07: a rotated file that was compressed before it was read to its end."""

from __future__ import annotations

import asyncio
import bz2
import gzip
import lzma
import os
import random
import sys
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from logmedic.adapters.sources import packed
from logmedic.model.gap import SourceEventKind
from logmedic.model.record import Checkpoint
from tail.collector import Collector, append, following

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstd.compress,
}


def read_before(log: Path, *more: str) -> dict[str, Checkpoint]:
    """The positions after reading some lines; `more` is written after that, while nobody reads."""

    async def scenario() -> dict[str, Checkpoint]:
        async with following(log, from_start=True) as seen:
            await seen.until(lambda: len(seen.lines) == 20)
            return seen.checkpoints

    append(log, *[f"line {number} that was read before" for number in range(20)])
    known = asyncio.run(scenario())
    if more:
        append(log, *more)
    return known


def pack(plain: Path, extension: str = ".gz") -> Path:
    """As gzip does: the time of the last write stays."""
    status = plain.stat()
    target = plain.with_name(plain.name + extension)
    target.write_bytes(PACKERS[extension](plain.read_bytes()))
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
    plain.unlink()
    return target


def resumed(log: Path, known: Mapping[str, Checkpoint], *lines: str) -> Collector:
    async def scenario() -> Collector:
        async with following(log, checkpoints=known) as seen:
            await seen.until_lines(*lines)
            await seen.until_settled(log)
            return seen

    return asyncio.run(scenario())


def gaps(seen: Collector) -> list[tuple[SourceEventKind, str]]:
    return [(gap.kind, gap.detail) for block in seen.commits for gap in block.gaps]


@pytest.mark.parametrize("extension", PACKERS)
def test_f07_what_was_not_drained_is_read_through(tmp_path: Path, extension: str) -> None:
    log = tmp_path / "app.log"
    known = read_before(log, "unread one", "unread two")
    pack(log.rename(tmp_path / "app.log.1"), extension)
    append(log, "new")
    assert gaps(resumed(log, known, "unread one", "unread two", "new")) == []


def test_f07_what_was_drained_is_passed_by(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    known = read_before(log)
    pack(log.rename(tmp_path / "app.log.1"))
    append(log, "new")
    assert gaps(resumed(log, known, "new")) == []


def test_f06_f07_several_generations_packed_and_plain_are_read_in_order(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    known = read_before(log, "end of the first")
    pack(log.rename(tmp_path / "app.log.3"))
    append(log, "second")
    pack(log.rename(tmp_path / "app.log.2"))
    append(log, "third")
    log.rename(tmp_path / "app.log.1")
    append(log, "fourth")
    assert gaps(resumed(log, known, "end of the first", "second", "third", "fourth")) == []


def test_f07_a_log_that_was_still_empty_is_known_by_its_time(tmp_path: Path) -> None:
    log = tmp_path / "app.log"

    async def seen_empty() -> dict[str, Checkpoint]:
        async with following(log, from_start=True) as seen:
            await seen.until_settled(log)
            return seen.checkpoints

    append(tmp_path / "app.log.2", "older than all that")
    os.utime(pack(tmp_path / "app.log.2"), (1_700_000_000, 1_700_000_000))
    log.touch()
    known = asyncio.run(seen_empty())
    append(log, "unread")
    pack(log.rename(tmp_path / "app.log.1"))
    append(log, "new")
    resumed(log, known, "unread", "new")


def test_f07_a_restart_in_the_middle_of_a_packed_file_goes_on_there(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    known = read_before(log)
    chaos = random.Random(7)
    with log.open("ab") as writer:
        writer.writelines(b"%x\n" % chaos.getrandbits(400) for _ in range(40_000))
    content = log.read_bytes()[known[str(log)].offset :]
    pack(log.rename(tmp_path / "app.log.1"))
    append(log, "new")

    async def scenario() -> None:
        async with following(log, checkpoints=known) as first:
            await first.until(lambda: len(first.blocks) >= 2)
        assert len(first.text) < len(content)
        async with following(log, checkpoints=first.checkpoints) as second:
            await second.until(lambda: second.text.endswith(b"new\n"))
        assert first.text + second.text == content + b"new\n"

    asyncio.run(scenario())


@pytest.mark.parametrize("content", [b"\x1f\x8b not really", gzip.compress(b"x" * 9000, mtime=0)[:-30], b""])
def test_f07_a_damaged_one_is_told_and_what_follows_is_read(tmp_path: Path, content: bytes) -> None:
    log = tmp_path / "app.log"
    known = read_before(log)
    log.rename(tmp_path / "app.log.1").unlink()
    (tmp_path / "app.log.1.gz").write_bytes(content)
    append(log, "new")
    assert [kind for kind, _ in gaps(resumed(log, known, "new"))] == [SourceEventKind.VANISHED]


def test_f07_one_that_is_not_packed_as_its_name_says_is_told(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    known = read_before(log, "unread")
    log.rename(tmp_path / "app.log.1.zst")
    append(log, "new")
    assert [kind for kind, _ in gaps(resumed(log, known, "new"))] == [SourceEventKind.VANISHED]


def test_f07_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "MAX_BYTES", 4 * 1024 * 1024)
    log = tmp_path / "app.log"
    known = read_before(log)
    with log.open("ab") as writer:
        writer.write(b"\0" * 8 * 1024 * 1024)
    pack(log.rename(tmp_path / "app.log.1"))
    append(log, "new")
    [(kind, told)] = gaps(resumed(log, known, "new"))
    assert kind is SourceEventKind.VANISHED
    assert "unpacks to more than" in told


def test_a_file_that_is_gone_for_good_is_told_as_a_gap(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    known = read_before(log, "lost with it")
    log.unlink()
    append(log, "new")
    [(kind, told)] = gaps(resumed(log, known, "new"))
    assert kind is SourceEventKind.VANISHED
    assert "is gone" in told


@pytest.mark.slow
@pytest.mark.parametrize("extension", [".xz", ".bz2", ".zst"])
def test_f07_a_small_file_of_an_absurd_ratio_is_not_unpacked(tmp_path: Path, extension: str) -> None:
    log = tmp_path / "app.log"
    known = read_before(log)
    with log.open("ab") as writer:
        writer.write(b"\0" * 64 * 1024 * 1024)
    small = pack(log.rename(tmp_path / "app.log.1"), extension)
    assert 64 * 1024 * 1024 / small.stat().st_size > packed.MAX_RATIO
    append(log, "new")
    [(kind, told)] = gaps(resumed(log, known, "new"))
    assert kind is SourceEventKind.VANISHED
    assert "unpacks to more than" in told


def test_f07_packed_files_that_a_glob_finds_are_no_logs(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    append(log, "plain")
    (tmp_path / "app.log.2.gz").write_bytes(gzip.compress(b"packed\n"))

    async def scenario() -> None:
        async with following(tmp_path / "app.log*", from_start=True) as seen:
            await seen.until_lines("plain")
            await seen.until_settled(log)
            assert [row["origin"] for row in seen.source.health()] == [str(log)]

    asyncio.run(scenario())


def test_an_xz_that_asks_for_gigabytes_is_damaged_and_takes_none(tmp_path: Path) -> None:
    """Its header says how much memory a reader needs (the .xz format, 3.1 and 5.3.1), and anybody can write one."""
    sound = lzma.compress(b"a line\n" * 100)
    size = (sound[12] + 1) * 4
    header = bytearray(sound[12 : 12 + size - 4])
    header[header.index(b"\x21\x01") + 2] = 39  # of LZMA2: 3 GiB
    path = tmp_path / "app.log.1.xz"
    path.write_bytes(sound[:12] + header + zlib.crc32(header).to_bytes(4, "little") + sound[12 + size :])
    answer = packed.unpack_all([str(path)])
    assert answer.files == []
    assert "Memory usage limit" in answer.complaints[0]


def test_what_xz_packs_at_its_best_is_read(tmp_path: Path) -> None:
    path = tmp_path / "app.log.1.xz"
    path.write_bytes(lzma.compress(b"one\n", preset=9 | lzma.PRESET_EXTREME) + lzma.compress(b"two\n"))
    [file] = packed.unpack_all([str(path)]).files
    try:
        assert os.pread(file.fd, 100, 0) == b"one\ntwo\n"
    finally:
        file.close()
