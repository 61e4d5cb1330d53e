"""The syslog listener: real sockets on loopback, and the real logger program."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.adapters.sources.syslog import SyslogSource
from logmedic.adapters.sources.syslogformat import parse_syslog
from logmedic.model.gap import SourceEventKind
from tail.collector import Collector, SystemClock

OLD = "<34>Nov 24 03:12:41 web1 sshd[811]: Failed password for root"
NEW = (
    '<165>1 2026-11-24T03:12:41.003Z web1 shop 4711 ORDER [order@1 id="17" note="a \\"b\\" \\]"][x@1 k="v"] '
    "\ufeffit broke"
)


@asynccontextmanager
async def listening(**options: Any) -> AsyncIterator[Collector]:
    source = SyslogSource("net", clock=SystemClock(), **options)
    async with Collector(source) as seen:
        await seen.until(lambda: len(source.health()) == sum(name in options for name in ("udp", "tcp", "unix")))
        yield seen


def port(seen: Collector, kind: str) -> int:
    assert isinstance(seen.source, SyslogSource)
    return seen.source.ports[kind]


def send_udp(seen: Collector, *messages: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for message in messages:
            sender.sendto(message, ("127.0.0.1", port(seen, "udp")))


async def send_tcp(seen: Collector, *chunks: bytes) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port(seen, "tcp"))
    for chunk in chunks:
        writer.write(chunk)
        await writer.drain()
        await asyncio.sleep(0)
    writer.close()
    await writer.wait_closed()


def test_messages_over_udp_are_lines_with_fields() -> None:
    async def scenario() -> None:
        async with listening(udp=0) as seen:
            send_udp(seen, OLD.encode(), NEW.encode())
            await seen.until(lambda: len(seen.lines) == 2)
            assert seen.lines[0] == "Nov 24 03:12:41 web1 sshd[811]: Failed password for root"
            assert seen.lines[1] == "2026-11-24T03:12:41.003Z web1 shop[4711]: it broke"
            entries = [entry for block in seen.blocks for entry in block.entries]
            assert entries[0].fields["severity"] == "crit"
            assert entries[0].unit == "sshd"
            assert entries[1].fields["order@1.id"] == "17"
            assert entries[1].at == datetime(2026, 11, 24, 3, 12, 41, 3000, tzinfo=UTC)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "chunks",
    [
        (b"<13>one\n<13>two\n",),
        (b"<13>o", b"ne\n<13>t", b"wo"),
        (b"7 <13>one7 <13>two",),
        (b"7", b" <13>on", b"e7 <13>two"),
        (b"7 <13>one<13>two\n",),
    ],
    ids=["newlines", "torn", "octets", "torn octets", "mixed"],
)
def test_messages_over_tcp_end_with_a_newline_or_begin_with_their_length(chunks: tuple[bytes, ...]) -> None:
    async def scenario() -> None:
        async with listening(tcp=0) as seen:
            await send_tcp(seen, *chunks)
            await seen.until(lambda: seen.lines == ["one", "two"])

    asyncio.run(scenario())


def test_a_counted_message_may_hold_newlines_and_is_one_entry() -> None:
    async def scenario() -> None:
        async with listening(tcp=0) as seen:
            await send_tcp(seen, b"15 <13>one\n two\nx\n")
            await seen.until(lambda: len(seen.lines) == 3)
            assert [entry.start for block in seen.blocks for entry in block.entries] == [0]

    asyncio.run(scenario())


def test_a_unix_socket_is_made_serves_the_real_logger_and_goes(tmp_path: Path) -> None:
    path = tmp_path / "run" / "log"
    assert shutil.which("logger")

    async def scenario() -> None:
        async with listening(unix=path) as seen:
            logger = await asyncio.create_subprocess_exec(
                *("logger", "--socket", str(path), "-d", "-t", "backup", "-p", "daemon.err", "disk is full")
            )
            assert await logger.wait() == 0
            await seen.until(lambda: len(seen.lines) == 1)
            assert seen.lines[0].endswith("disk is full")
            assert seen.blocks[0].entries[0].fields["severity"] == "err"
        assert not path.exists()

    asyncio.run(scenario())


def test_a_socket_that_an_earlier_run_left_is_replaced_and_a_file_is_not(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as left:
        left.bind(str(path))

    async def scenario() -> None:
        async with listening(unix=path) as seen:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"<13>hello", str(path))
            await seen.until_lines("hello")

    asyncio.run(scenario())
    path.write_text("somebody's")
    with pytest.raises(FileExistsError):
        asyncio.run(anext(SyslogSource("net", clock=SystemClock(), unix=path).blocks({})))  # type: ignore[call-overload]
    assert path.read_text() == "somebody's"


def test_what_the_kernel_dropped_is_told() -> None:
    async def scenario() -> None:
        async with listening(udp=0, budget=20_000) as seen:
            message = b"<13>" + b"x" * 8000
            for _ in range(4):  # nobody takes turns here: the loop is busy with sending
                send_udp(seen, *[message] * 2000)
                await asyncio.sleep(0)
            await seen.until(lambda: seen.source.health()[0]["lag_bytes"] == 0 and len(seen.lines) > 100)
            send_udp(seen, b"<13>last")
            await seen.until(lambda: seen.lines[-1] == "last")
            missed = [gap.detail for block in seen.commits for gap in block.gaps if gap.kind is SourceEventKind.MISSED]
            dropped = sum(int(told.split()[3]) for told in missed)
            assert len(seen.lines) + dropped == 8001
            assert dropped > 0

    asyncio.run(scenario())


def test_a_sender_over_tcp_waits_and_nothing_is_dropped() -> None:
    async def scenario() -> None:
        async with listening(tcp=0, budget=10_000) as seen:
            await send_tcp(seen, *[b"<13>%07d\n" % n * 1 for n in range(20_000)])
            await seen.until(lambda: len(seen.lines) == 20_000)
            assert seen.lines == [f"{n:07d}" for n in range(20_000)]

    asyncio.run(scenario())


def test_an_over_long_message_is_cut_and_told() -> None:
    async def scenario() -> None:
        async with listening(tcp=0) as seen:
            await send_tcp(seen, b"<13>" + b"x" * 100_000 + b"\n<13>after\n")
            await seen.until(lambda: seen.lines[-1:] == ["after"])
            assert len(seen.lines[0]) < 66_000
            assert any(gap.kind is SourceEventKind.LONG_LINE for block in seen.blocks for gap in block.gaps)

    asyncio.run(scenario())


def test_connections_beyond_the_limit_are_closed_and_the_others_are_served() -> None:
    async def scenario() -> None:
        async with listening(tcp=0) as seen:
            opened = [await asyncio.open_connection("127.0.0.1", port(seen, "tcp")) for _ in range(258)]
            await seen.until(lambda: "connections" in seen.source.health()[0]["problem"])
            opened[0][1].write(b"<13>hello\n")
            await seen.until_lines("hello")
            for _, writer in opened:
                writer.close()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("message", "text", "fields"),
    [
        (b"no priority at all", "no priority at all", {"message": "no priority at all"}),
        (b"<999>x", "<999>x", {"message": "<999>x"}),
        (b"<0>x", "x", {"facility": "kern", "severity": "emerg", "message": "x"}),
        (b"<191>x", "x", {"facility": "local7", "severity": "debug", "message": "x"}),
        (
            b"<13>Nov  4 03:12:41 cron: no host",
            "Nov  4 03:12:41 cron: no host",
            {"facility": "user", "severity": "notice", "app": "cron", "message": "no host"},
        ),
        (b"<13>1 - - - - - -", "- - -: ", {"facility": "user", "severity": "notice", "message": ""}),
        (b"<13>1 - h a - - [broken x", "- h a: [broken x", {"host": "h", "app": "a", "message": "[broken x"}),
    ],
)
def test_what_senders_get_wrong_is_a_line_all_the_same(message: bytes, text: str, fields: dict[str, str]) -> None:
    parsed = parse_syslog(message)
    assert parsed.text == text
    assert fields.items() <= parsed.fields.items()


@given(st.binary(max_size=300).map(lambda tail: b"<13>1 " + tail) | st.binary(max_size=300))
def test_no_message_is_too_odd(message: bytes) -> None:
    assert isinstance(parse_syslog(message).text, str)
