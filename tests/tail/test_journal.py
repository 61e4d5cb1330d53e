"""The journal as a source: the real journalctl, on real journal files."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shlex
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.adapters.sources.journal import JournalSource
from logmedic.adapters.sources.journalbatch import BATCH_S, HOLD_MAX_S, Batch
from logmedic.adapters.sources.journalentry import SUPPRESSED, JournalEntry, parse
from logmedic.core.framing import TRACES as FRAMES
from logmedic.core.framing import Framing
from logmedic.core.records import MAX_RECORD_LINES
from logmedic.model.gap import SourceEventKind
from logmedic.model.record import Checkpoint
from tail.collector import Collector, SystemClock
from tail.journals import log_to
from traces import TRACES

ORIGIN = "journal:journal"
NOW = datetime(2026, 11, 24, 3, 30, tzinfo=UTC)


@asynccontextmanager
async def reading(
    directory: Path, checkpoints: Mapping[str, Checkpoint] | None = None, **options: Any
) -> AsyncIterator[Collector]:
    source = JournalSource(
        "journal",
        clock=SystemClock(),
        directory=str(directory),
        restart_base=timedelta(milliseconds=20),
        **{"from_start": True, **options},
    )
    async with Collector(source, checkpoints) as seen:
        yield seen


def said(seen: Collector) -> list[str]:
    """What the entries say, without the header of the line."""
    return [line.partition("]: ")[2] for line in seen.lines]


def gaps(seen: Collector) -> list[str]:
    return [gap.detail for block in seen.commits for gap in block.gaps if gap.kind is SourceEventKind.MISSED]


def problem(seen: Collector) -> str:
    return str(seen.source.health()[0]["problem"])


def test_entries_are_lines_as_syslog_writes_them_with_their_fields_and_times(tmp_path: Path) -> None:
    async def scenario() -> None:
        log_to(tmp_path / "a.journal", "it broke", fields={"ORDER": "17"})
        async with reading(tmp_path) as seen:
            await seen.until(lambda: seen.lines)
        [block] = seen.blocks
        [entry] = block.entries
        assert seen.lines[0].endswith(" web1 shop[7]: it broke")
        assert entry.unit == "shop.service"
        assert {"message": "it broke", "ORDER": "17", "priority": "3", "identifier": "shop"}.items() <= (
            entry.fields.items()
        )
        assert entry.at is not None
        assert abs((datetime.now(UTC) - entry.at).total_seconds()) < 60

    asyncio.run(scenario())


def test_what_is_written_later_comes_soon(tmp_path: Path) -> None:
    async def scenario() -> None:
        log_to(tmp_path / "a.journal", "before")
        async with reading(tmp_path, from_start=False) as seen:
            await seen.until(lambda: ORIGIN in seen.checkpoints)
            await asyncio.to_thread(log_to, tmp_path / "a.journal", "after")
            await seen.until(lambda: said(seen) == ["after"])

    asyncio.run(scenario())


def test_f27_a_restart_goes_on_behind_the_last_entry_and_doubles_none(tmp_path: Path) -> None:
    async def scenario() -> None:
        log_to(tmp_path / "a.journal", "one", "two")
        async with reading(tmp_path) as first:
            await first.until(lambda: len(first.lines) == 2)
        log_to(tmp_path / "a.journal", "three")
        async with reading(tmp_path, first.checkpoints) as second:
            await second.until(lambda: len(second.lines) >= 1)
            assert said(second) == ["three"]
            assert gaps(second) == []
            assert second.blocks[0].start == len(first.text)

    asyncio.run(scenario())


def test_f27_what_was_written_at_the_end_of_the_boot_before_is_read_too(tmp_path: Path) -> None:
    """journalctl --follow keeps to one boot, unless it is told otherwise."""

    async def scenario() -> None:
        before = {"_BOOT_ID": "f" * 32}
        log_to(tmp_path / "a.journal", "one", fields=before)
        async with reading(tmp_path) as first:
            await first.until(lambda: len(first.lines) == 1)
        log_to(tmp_path / "a.journal", "two", fields=before)
        log_to(tmp_path / "a.journal", "three")
        async with reading(tmp_path, first.checkpoints) as second:
            await second.until(lambda: "three" in said(second))
            assert said(second) == ["two", "three"]

    asyncio.run(scenario())


def test_f27_resuming_with_a_unit_filter_skips_none(tmp_path: Path) -> None:
    mine, other = {"_SYSTEMD_UNIT": "mine.service"}, {"_SYSTEMD_UNIT": "other.service"}

    async def scenario() -> None:
        log_to(tmp_path / "a.journal", "mine 1", fields=mine)
        async with reading(tmp_path, units=["mine.service"]) as first:
            await first.until(lambda: len(first.lines) == 1)
        log_to(tmp_path / "a.journal", "other", fields=other)
        log_to(tmp_path / "a.journal", "mine 2", "mine 3", fields=mine)
        async with reading(tmp_path, first.checkpoints, units=["mine.service"]) as second:
            await second.until(lambda: len(second.lines) >= 2)
            assert said(second) == ["mine 2", "mine 3"]

    asyncio.run(scenario())


def test_f27_a_vanished_cursor_is_a_gap_and_what_is_there_is_read(tmp_path: Path) -> None:
    async def scenario() -> None:
        log_to(tmp_path / "a.journal", "old")
        async with reading(tmp_path) as first:
            await first.until(lambda: first.lines)
        (tmp_path / "a.journal").unlink()
        log_to(tmp_path / "b.journal", "new one", "new two")
        async with reading(tmp_path, first.checkpoints) as second:
            await second.until(lambda: len(second.lines) >= 2)
            assert said(second) == ["new one", "new two"]
            [told] = gaps(second)
            assert "not in the journal any more" in told

    asyncio.run(scenario())


def test_f27_what_journald_dropped_is_a_gap(tmp_path: Path) -> None:
    async def scenario() -> None:
        told = "Suppressed 97 messages from shop.service"
        log_to(tmp_path / "a.journal", told, fields={"MESSAGE_ID": SUPPRESSED})
        async with reading(tmp_path) as seen:
            await seen.until(lambda: seen.lines)
            assert gaps(seen) == [told]

    asyncio.run(scenario())


def test_f27_long_and_binary_messages_come_whole(tmp_path: Path) -> None:
    async def scenario() -> None:
        log_to(tmp_path / "a.journal", "x" * 200_000, b"bytes \xff\x00 end", "two\nlines", "")
        async with reading(tmp_path) as seen:
            await seen.until(lambda: len(seen.blocks) >= 1 and len(seen.blocks[0].entries) == 4)
        data, starts = seen.blocks[0].data, [entry.start for entry in seen.blocks[0].entries]
        whole = [data[a:b].partition(b"]: ")[2] for a, b in zip(starts, [*starts[1:], len(data)], strict=True)]
        assert whole == [b"x" * 200_000 + b"\n", b"bytes \xff\x00 end\n", b"two\nlines\n", b"\n"]

    asyncio.run(scenario())


def test_the_lines_of_one_writer_stand_together(tmp_path: Path) -> None:
    async def scenario() -> None:
        log_to(tmp_path / "a.journal", "a 1", "b 1", "a 2", "b 2", pids=(1, 2))
        async with reading(tmp_path) as seen:
            await seen.until(lambda: len(seen.lines) == 4)
            assert said(seen) == ["a 1", "a 2", "b 1", "b 2"]
            assert seen.blocks[-1].checkpoint.cursor

    asyncio.run(scenario())


def _readers(directory: Path) -> list[int]:
    found = subprocess.run(["pgrep", "-f", f"journalctl.*--follow.*{directory}"], capture_output=True, check=False)
    return [int(pid) for pid in found.stdout.split()]


def test_f28_a_reader_that_dies_is_started_again_at_its_cursor(tmp_path: Path) -> None:
    async def scenario() -> None:
        log_to(tmp_path / "a.journal", "one")
        async with reading(tmp_path) as seen:
            await seen.until(lambda: seen.lines)
            for pid in _readers(tmp_path):
                os.kill(pid, signal.SIGKILL)
            await seen.until(lambda: "killed by signal 9" in problem(seen) or _readers(tmp_path))
            await asyncio.to_thread(log_to, tmp_path / "a.journal", "two")
            await seen.until(lambda: said(seen) == ["one", "two"])

    asyncio.run(scenario())


def test_f28_a_reader_that_stalls_is_replaced(tmp_path: Path) -> None:
    async def scenario() -> None:
        log_to(tmp_path / "a.journal", "one")
        async with reading(tmp_path, stall_s=0.3) as seen:
            await seen.until(lambda: seen.lines)
            [stalled] = _readers(tmp_path)
            os.kill(stalled, signal.SIGSTOP)
            await asyncio.to_thread(log_to, tmp_path / "a.journal", "two")
            await seen.until(lambda: said(seen) == ["one", "two"])
            assert stalled not in _readers(tmp_path)

    asyncio.run(scenario())


def test_once_it_is_read_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    async def scenario() -> None:
        log_to(tmp_path / "a.journal", "one", "two")
        async with reading(tmp_path, once=True, from_start=False) as seen:
            await seen.ended()
            assert said(seen) == ["one", "two"]

    asyncio.run(scenario())


def test_without_journalctl_the_command_to_type_is_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with reading(tmp_path, journalctl=str(tmp_path / "none")) as seen:
            await seen.until(lambda: "does not start" in problem(seen))

    asyncio.run(scenario())


def test_what_is_no_entry_is_a_gap_and_the_rest_is_read(tmp_path: Path) -> None:
    entry = '{"__CURSOR":"c%d","__REALTIME_TIMESTAMP":"1795537963408534","MESSAGE":"fine"}'
    lines = [entry % 1, "{broken", '{"__CURSOR":"c"}', "[1]", entry % 2]
    fake = tmp_path / "journalctl"
    fake.write_text("#!/bin/sh\ncat <<'END'\n" + "\n".join(lines) + "\nEND\nexec sleep 60\n")
    fake.chmod(0o755)

    async def scenario() -> None:
        async with reading(tmp_path, journalctl=str(fake)) as seen:
            await seen.until(lambda: len(seen.lines) == 2)
            assert len(gaps(seen)) == 3

    asyncio.run(scenario())


@pytest.mark.parametrize("value", ["null", "7", "[300]", "[[1]]", '{"a":1}', '"x"', "[1,2]"])
def test_fields_of_any_shape_become_text(value: str) -> None:
    entry = parse(b'{"__CURSOR":"c","__REALTIME_TIMESTAMP":"1","MESSAGE":%s}' % value.encode())
    assert isinstance(entry.fields["MESSAGE"], str)


def records(seen: Collector) -> list[str]:
    """What each record says."""
    found = []
    for block in seen.blocks:
        starts = [entry.start for entry in block.entries]
        texts = [block.data[a:b].decode() for a, b in zip(starts, [*starts[1:], None], strict=True)]
        found += [text.partition("]: ")[2] for text in texts]
    return found


def interleaved(*writers: list[str]) -> list[str]:
    """A line of each in turn; who has no more is silent."""
    return [line for turn in itertools.zip_longest(*writers) for line in turn if line is not None]


def test_traces_of_every_language_that_many_write_at_once_are_one_record_each(tmp_path: Path) -> None:
    async def scenario() -> None:
        traces = [trace.decode().splitlines() for trace in TRACES.values()]
        longest = max(map(len, traces))
        padded = [[*trace, *["after"] * (longest - len(trace))] for trace in traces]
        log_to(tmp_path / "a.journal", *interleaved(*padded), pids=range(1, len(traces) + 1))
        async with reading(tmp_path) as seen:
            await seen.until(lambda: len(seen.lines) == longest * len(traces))
        assert [record for record in records(seen) if record != "after\n"] == [
            trace.decode() for trace in TRACES.values()
        ]

    asyncio.run(scenario())


def fake_journalctl(path: Path, *entries: str, pause_s: float) -> str:
    """Prints each entry so long after the one before, and then waits for more."""
    usual = {"__REALTIME_TIMESTAMP": "1795537963408534", "SYSLOG_IDENTIFIER": "shop", "_PID": "7"}
    rows = [json.dumps({"__CURSOR": f"c{index}", **usual, "MESSAGE": each}) for index, each in enumerate(entries)]
    printing = f"\nsleep {pause_s}\n".join(f"printf '%s\\n' {shlex.quote(row)}" for row in rows)
    path.write_text(f"#!/bin/sh\n{printing}\nexec sleep 60\n")
    path.chmod(0o755)
    return str(path)


TRACE = ["Traceback (most recent call last):", '  File "shop.py", line 3, in buy', "    pay()", "ValueError: no money"]


def test_a_trace_that_comes_slowly_is_one_record_and_its_cursor_waits_with_it(tmp_path: Path) -> None:
    program = fake_journalctl(tmp_path / "journalctl", "before", *TRACE, "after", pause_s=BATCH_S * 1.5)

    async def scenario() -> None:
        async with reading(tmp_path, journalctl=program) as seen:
            await seen.until(lambda: len(seen.lines) == 6)
        assert records(seen) == ["before\n", "\n".join([*TRACE, ""]), "after\n"]
        assert not {"c1", "c2", "c3"} & {block.checkpoint.cursor for block in seen.commits}

    asyncio.run(scenario())


ENTRIES = st.tuples(st.sampled_from([*TRACE, "other"]), st.sampled_from("abc"), st.sampled_from([0.0, 0.01, 0.2, 1.0]))


@given(st.lists(ENTRIES, max_size=40))
def test_all_entries_leave_in_their_order_and_none_waits_for_long(lines: list[tuple[str, str, float]]) -> None:
    batch, left, at, came = Batch(FRAMES), list[JournalEntry](), 0.0, dict[str, float]()
    for number, (line, writer, pause_s) in enumerate(lines):
        entry = JournalEntry(str(number), NOW, b"", f"{line}\n".encode(), {}, "", (writer, "", ""))
        at, came[entry.cursor] = at + pause_s, at + pause_s
        batch.add([entry], at)
        while batch.is_due(at):
            taken = batch.take(at)
            left += taken
            assert all(at - came[each.cursor] <= HOLD_MAX_S + 1.0 for each in taken)
            if not taken:
                break
    left += batch.take(at, everything=True)
    assert [entry.cursor for entry in left] == [str(number) for number in range(len(lines))]
    assert len(batch) == 0


def test_a_trace_without_an_end_is_let_go_after_a_while(tmp_path: Path) -> None:
    program = fake_journalctl(tmp_path / "journalctl", *TRACE[:2], pause_s=0)

    async def scenario() -> None:
        async with reading(tmp_path, journalctl=program) as seen:
            await seen.until(lambda: len(seen.lines) == 2)
        assert records(seen) == ["\n".join([*TRACE[:2], ""])]

    asyncio.run(scenario())


@pytest.mark.parametrize("framing", [Framing(start="^BEGIN"), Framing(continues=r"^\+")], ids=["start", "continue"])
def test_records_are_what_the_operator_says_they_are(tmp_path: Path, framing: Framing) -> None:
    async def scenario() -> None:
        log_to(tmp_path / "a.journal", *interleaved(["BEGIN 1", "+ a", "BEGIN 2", "+ b"], ["BEGIN x"] * 4), pids=(1, 2))
        async with reading(tmp_path, framing=framing) as seen:
            await seen.until(lambda: len(seen.lines) == 8)
        assert sorted(records(seen)) == ["BEGIN 1\n+ a\n", "BEGIN 2\n+ b\n", *["BEGIN x\n"] * 4]

    asyncio.run(scenario())


def test_i6_a_record_without_an_end_is_cut_at_the_size_of_the_largest(tmp_path: Path) -> None:
    async def scenario() -> None:
        log_to(tmp_path / "a.journal", "error: x", *["  more"] * (2 * MAX_RECORD_LINES))
        async with reading(tmp_path) as seen:
            await seen.until(lambda: len(seen.lines) == 2 * MAX_RECORD_LINES + 1)
        assert max(record.count("\n") for record in records(seen)) <= MAX_RECORD_LINES

    asyncio.run(scenario())


def test_a_trace_that_was_written_line_by_line_is_one_record_among_the_lines_of_others(tmp_path: Path) -> None:
    between = [line for own in TRACE for line in (own, "another writer")]

    async def scenario() -> None:
        log_to(tmp_path / "a.journal", *between, "after", "another writer", pids=(1, 2))
        async with reading(tmp_path) as seen:
            await seen.until(lambda: len(seen.lines) == 10)
        assert records(seen) == ["\n".join([*TRACE, ""]), "after\n", *["another writer\n"] * 5]

    asyncio.run(scenario())
