"""Logs of the past: read whole, cut between records, in parts, kept in bounded memory."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import pickle
import random
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from logmedic.adapters.sources import past, searching
from logmedic.adapters.sources.gathering import Bundle, Matches, TooManyMatches
from logmedic.adapters.sources.past import PastLog
from logmedic.adapters.sources.rotated import in_order
from logmedic.adapters.sources.searching import Search, Wanted
from logmedic.core.backtest import Kept, Log, kept
from logmedic.core.framing import TRACES, Framing
from logmedic.core.matcher import Matcher
from logmedic.model.match import MatchSpec
from logmedic.model.record import Block, Match, Record
from logmedic.model.rule import Rule

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
WRITTEN = datetime(2025, 11, 3, 12, 0, tzinfo=UTC)
RULES = [Rule("trace", "", MatchSpec(("ValueError: boom",))), Rule("odd", "", MatchSpec(("[13579] is odd",)))]


def written(path: Path, content: bytes, at: datetime = WRITTEN) -> Path:
    packer = PACKERS.get(path.suffix, bytes)
    path.write_bytes(packer(content))
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def opened(path: Path, framing: Framing = TRACES, moved: Callable[[int], None] = lambda _: None) -> PastLog:
    return PastLog(str(path), "app", framing=framing, zone=UTC, moved=moved)


def blocks(log: PastLog) -> Iterator[Block]:
    with closing(log):
        while (block := log.next_block()) is not None:
            yield block


def searched(*paths: Path, workers: int = 2, held: int = 1000) -> tuple[list[Kept], list[Log]]:
    matcher, wanted = Matcher(RULES, zone=UTC, learning=False), Wanted({"trace": 0, "odd": 1})
    with closing(Matches(held)) as matches:
        logs = Search([opened(path) for path in paths], matcher, wanted, matches, lambda _: None).run(workers)
        return list(matches.in_order()), logs


def numbered(count: int) -> bytes:
    start = WRITTEN - timedelta(hours=1)
    lines = (f"{start + timedelta(seconds=n % 1800):%Y-%m-%dT%H:%M:%S}Z line {n} is odd\n" for n in range(count))
    return "".join(lines).encode()


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past, "BLOCK_BYTES", 4096)


@pytest.mark.parametrize("extension", ["", *PACKERS])
@pytest.mark.usefixtures("small_blocks")
def test_every_byte_is_in_one_block_and_blocks_end_between_lines(tmp_path: Path, extension: str) -> None:
    content = numbered(2000)
    read = list(blocks(opened(written(tmp_path / f"app.log{extension}", content))))
    assert b"".join(each.data for each in read) == content
    assert [each.start for each in read] == [sum(len(each.data) for each in read[:n]) for n in range(len(read))]
    assert all(each.data.endswith(b"\n") for each in read)
    assert len(read) > 10


def traces(count: int) -> bytes:
    dice = random.Random(7)
    trace = "ERROR job failed\nTraceback (most recent call last):\n" + '  File "a.py", line 1, in f\n' * 40
    trace += "ValueError: boom\n"
    return "".join(trace if dice.random() < 0.2 else "INFO quiet\n" * dice.randrange(90) for _ in range(count)).encode()


@pytest.mark.usefixtures("small_blocks")
def test_a_stack_trace_is_one_record_wherever_the_reads_cut_it(tmp_path: Path) -> None:
    content = traces(300)
    found, _ = searched(written(tmp_path / "app.log", content))
    assert len(found) == content.count(b"boom")
    assert {each.text[:16] for each in found} == {"ERROR job failed"}


@pytest.mark.slow
@pytest.mark.parametrize("part_bytes", [50_000, 77_777, 1_000_000])
@pytest.mark.parametrize("workers", [1, 3])
def test_a_large_file_is_searched_in_parts_as_if_it_were_searched_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part_bytes: int, workers: int
) -> None:
    path = written(tmp_path / "app.log", traces(1500))
    whole = searched(path)
    monkeypatch.setattr(searching, "PART_BYTES", part_bytes)
    monkeypatch.setattr(past, "BLOCK_BYTES", 16 * 1024)
    assert searched(path, workers=workers) == whole
    assert (whole[1][0].bytes, whole[1][0].lines) == (path.stat().st_size, path.read_bytes().count(b"\n"))


@pytest.mark.usefixtures("small_blocks")
def test_records_begin_where_the_source_says(tmp_path: Path) -> None:
    content = "".join(f"#{n}\n" + "more\n" * 50 for n in range(200)).encode()
    read = blocks(opened(written(tmp_path / "app.log", content), Framing(start="^#")))
    assert all(each.data.startswith(b"#") for each in read)


@pytest.mark.usefixtures("small_blocks")
def test_of_a_line_that_is_too_long_the_beginning_is_read_and_the_rest_passed_over(tmp_path: Path) -> None:
    content = b"before\n" + b"x" * 20_000 + b"\nafter\n"
    data = b"".join(each.data for each in blocks(opened(written(tmp_path / "app.log", content))))
    assert data == b"before\n" + b"x" * 4096 + b"after\n"


def test_a_mark_at_the_beginning_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    log = opened(written(tmp_path / "app.log", b"\xef\xbb\xbffirst"))
    assert [each.data for each in blocks(log)] == [b"first"]


@pytest.mark.parametrize("extension", ["", *PACKERS])
def test_an_empty_file_has_no_block_and_no_problem(tmp_path: Path, extension: str) -> None:
    log = opened(written(tmp_path / f"app.log{extension}", b""))
    assert list(blocks(log)) == []
    assert log.log.problem == ""


@pytest.mark.slow
@pytest.mark.parametrize("extension", PACKERS)
@pytest.mark.usefixtures("small_blocks")
def test_of_an_archive_that_is_cut_off_what_is_there_is_read_and_the_rest_told(tmp_path: Path, extension: str) -> None:
    dice = random.Random(3)
    content = b"".join(b"%032x\n" % dice.getrandbits(128) for _ in range(100_000))
    path = written(tmp_path / f"app.log{extension}", content)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 9 // 10])
    log = opened(path)
    data = b"".join(each.data for each in blocks(log))
    assert log.log.problem == "is cut off: its end is missing"
    assert content.startswith(data)
    assert data.endswith(b"\n")
    assert len(data) > len(content) / 4


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("app.log.gz", b"no archive", "is damaged: Not a gzipped file"),
        ("app.log.xz", b"no archive", "is damaged: "),
        ("app.log.bz2", b"no archive", "is damaged: "),
        ("app.log.zst", b"no archive", "is damaged: "),
        ("app.log.gz", gzip.compress(b"x" * 100, mtime=0)[:-6] + b"\0\0\0\0\0\0", "is damaged: CRC check failed"),
        ("app.log", "text".encode("utf-16"), "is UTF-16, which is not supported"),
        ("app.log.zst", zstd.compress(b"\n" * 50_000_000), "unpacks to more than 1100 times its size"),
    ],
)
def test_what_cannot_be_read_is_told_behind_its_name(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    (tmp_path / name).write_bytes(content)
    log = opened(tmp_path / name)
    assert zlib.crc32(b"".join(each.data for each in blocks(log))) is not None
    assert log.log.problem.startswith(told)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "app.log")
    log = opened(tmp_path / "app.log")
    assert list(blocks(log)) == []
    assert "not a regular file" in log.log.problem


def test_times_without_a_year_are_of_the_year_in_which_the_file_was_written(tmp_path: Path) -> None:
    path = written(tmp_path / "syslog.1", b"Dec 31 23:59:00 h a: 1 is odd\nJan  1 00:00:01 h a: 3 is odd\n")
    os.utime(path, (datetime(2024, 1, 2, tzinfo=UTC).timestamp(),) * 2)
    found, (log,) = searched(path)
    assert (log.first, log.last) == (
        datetime(2023, 12, 31, 23, 59, tzinfo=UTC),
        datetime(2024, 1, 1, 0, 0, 1, tzinfo=UTC),
    )
    assert [each.text[-8:] for each in found] == ["1 is odd", "3 is odd"]


def test_how_far_reading_came_is_told_in_bytes_of_the_file_itself(tmp_path: Path) -> None:
    told: list[int] = []
    path = written(tmp_path / "app.log.gz", numbered(50_000))
    list(blocks(opened(path, moved=told.append)))
    assert sum(told) == path.stat().st_size
    assert len(told) > 2


@pytest.mark.parametrize("held", [10, 10_000], ids=["on disk", "in memory"])
@pytest.mark.usefixtures("small_blocks")
def test_matches_of_all_files_come_in_the_order_of_their_times(tmp_path: Path, held: int) -> None:
    content = numbered(3000)
    paths = [written(tmp_path / "app.log.1.gz", content), written(tmp_path / "app.log", content)]
    found, logs = searched(*paths, workers=3, held=held)
    assert [(each.at_us, each.log, each.start) for each in found] == sorted(
        (each.at_us, each.log, each.start) for each in found
    )
    assert len(found) == 2 * len([n for n in range(3000) if n % 2])
    assert [log.lines for log in logs] == [3000, 3000]
    assert found[0].text.endswith("line 1 is odd")


def test_more_matches_than_a_backtest_takes_in_are_refused_with_what_to_do() -> None:
    record = Record("app", "a", "odd text \u2028\nsecond line", 0, 1, WRITTEN)
    one = kept(Match("odd", record, {"a": "ü"}), 0, 0)
    with closing(Matches(10, most=25)) as matches:
        bundle = Bundle(matches)
        bundle.add([one] * 25)
        matches.take(bundle)
        assert list(matches.in_order()) == [one] * 25
        with pytest.raises(TooManyMatches) as refused:
            matches.take(bundle)
    assert str(pickle.loads(pickle.dumps(refused.value))) == str(refused.value)
    assert not matches.room.exists()
    assert "--since" in refused.value.hint


@pytest.mark.parametrize(
    ("names", "ordered"),
    [
        (
            ["app.log", "app.log.1", "app.log.10.gz", "app.log.2.gz"],
            ["app.log.10.gz", "app.log.2.gz", "app.log.1", "app.log"],
        ),
        (
            ["app-20251103.log.zst", "app.log", "app-20251025.log.xz"],
            ["app-20251025.log.xz", "app-20251103.log.zst", "app.log"],
        ),
        (["b.log", "a.log.1", "b.log.1", "a.log"], ["b.log.1", "b.log", "a.log.1", "a.log"]),
    ],
    ids=["numbered", "dated", "two logs"],
)
def test_the_files_of_one_log_are_put_in_order(tmp_path: Path, names: Sequence[str], ordered: Sequence[str]) -> None:
    for name in names:
        written(tmp_path / name, b"x\n")
    assert in_order(str(tmp_path / name) for name in names) == [str(tmp_path / name) for name in ordered]


SHM = Path("/dev/shm")


@pytest.mark.skipif(not os.access(SHM, os.W_OK), reason="tmpfs keeps any time; others cut it")
@pytest.mark.parametrize("at", [99_999_999_999_999, -99_999_999_999])
def test_a_file_may_have_a_time_that_no_calendar_has(at: int) -> None:
    with tempfile.NamedTemporaryFile(dir=SHM, suffix=".log") as file:
        file.write(b"line 1 is odd\n")
        file.flush()
        os.utime(file.name, (at, at))
        found, logs = searched(Path(file.name))
    assert ([each.text for each in found], [each.problem for each in logs]) == (["line 1 is odd"], [""])
