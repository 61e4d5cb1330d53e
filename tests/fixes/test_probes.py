"""Whether a fix worked is decided by what answers, against real servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from fakes.scripted_fixes import ScriptedRunner
from logmedic.adapters.fixes.bubblewrap import BubblewrapRunner
from logmedic.adapters.fixes.probes import Probes
from logmedic.model.fix import FixResult, ProbeResult
from logmedic.model.probe import CommandProbe, HttpProbe, Probe, TcpProbe


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(talk: Talk) -> AsyncIterator[int]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def answering(*statuses: int, body: str = "", head: str = "") -> Talk:
    """Each in turn, the last one for ever."""
    left = list(statuses)

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        status = left.pop(0) if len(left) > 1 else left[0]
        writer.write(f"HTTP/1.1 {status} X\r\n{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        await writer.drain()

    return talk


async def dripping(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n":
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.1)


async def rude(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def strange(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
    await writer.drain()


def http(port: int, within_s: float = 2, path: str = "/healthz", **options: object) -> HttpProbe:
    return HttpProbe(
        f"http://127.0.0.1:{port}{path}",
        within=timedelta(seconds=within_s),
        every=timedelta(seconds=0.05),
        **options,  # type: ignore[arg-type]
    )


async def probe(*probes: Probe, runner: object = None) -> ProbeResult:
    return await Probes(runner=runner or ScriptedRunner(), clock=SystemClock()).probe(probes)  # type: ignore[arg-type]


def against(talk: Talk, within_s: float = 1, **options: object) -> ProbeResult:
    async def scenario() -> ProbeResult:
        async with serving(talk) as port:
            result = await probe(http(port, within_s, **options))
            return ProbeResult(result.passed, result.detail.replace(str(port), "PORT"))

    return asyncio.run(scenario())


def test_the_wanted_status_passes() -> None:
    assert against(answering(200)) == ProbeResult(True, "http http://127.0.0.1:PORT/healthz: answered 200")


def test_it_is_tried_until_it_passes() -> None:
    assert against(answering(503, 503, 200), within_s=5).passed


def test_what_was_wrong_is_said_with_the_number_of_tries() -> None:
    result = against(answering(503), within_s=0.3)
    assert not result.passed
    assert "answered 503, wanted 200" in result.detail
    assert "tries in 0.3 s" in result.detail


def test_a_redirect_is_not_followed() -> None:
    assert "answered 302" in against(answering(302, head="Location: /elsewhere\r\n"), within_s=0.1).detail


def test_the_text_that_has_to_be_there() -> None:
    assert against(answering(200, body="status: green"), contains="green").passed
    assert "without 'green'" in against(answering(200, body="red"), within_s=0.1, contains="green").detail


@pytest.mark.parametrize(("talk", "why"), [(dripping, "no answer in time"), (rude, "no HTTP"), (strange, "no HTTP")])
def test_bad_servers_do_not_pass(talk: Talk, why: str) -> None:
    result = against(talk, within_s=0.4)
    assert not result.passed
    assert why in result.detail


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://no-such-host.invalid/",
        "http://[::1",
        "http://127.0.0.1:99999/",
        "https://127.0.0.1:1",
    ],
)
def test_what_cannot_be_reached_does_not_pass_and_does_not_raise(url: str) -> None:
    result = asyncio.run(probe(HttpProbe(url, within=timedelta(seconds=0.2), every=timedelta(seconds=0.1))))
    assert not result.passed


def test_a_port_that_accepts_passes() -> None:
    async def scenario() -> None:
        async with serving(rude) as port:
            passed = await probe(TcpProbe(f"127.0.0.1:{port}", timedelta(seconds=1), timedelta(seconds=0.1)))
            assert passed.passed
        refused = await probe(TcpProbe("127.0.0.1:1", timedelta(seconds=0.2), timedelta(seconds=0.1)))
        assert "connection refused" in refused.detail

    asyncio.run(scenario())


def command(*argv: str) -> CommandProbe:
    return CommandProbe(argv, within=timedelta(seconds=0.3), every=timedelta(seconds=0.05))


def test_a_command_is_tried_until_it_exits_0() -> None:
    runner = ScriptedRunner({"probe": [FixResult(1, 0.0), FixResult(1, 0.0), FixResult(0, 0.0)]})
    assert asyncio.run(probe(command("/usr/bin/test"), runner=runner)).passed
    assert len(runner.ran) == 3


def test_a_command_runs_in_the_real_sandbox() -> None:
    real = BubblewrapRunner()
    assert asyncio.run(probe(command("/usr/bin/test", "-d", "/usr"), runner=real)).passed
    failed = asyncio.run(probe(command("/usr/bin/test", "-e", "/etc/shadow"), runner=real))
    assert not failed.passed
    assert "exit 1" in failed.detail


def test_all_must_pass_in_order_and_the_first_failure_is_told() -> None:
    async def scenario() -> None:
        async with serving(answering(200)) as port:
            runner = ScriptedRunner({"probe": [FixResult(1, 0.0)]})
            result = await probe(http(port), command("/bin/x"), http(1), runner=runner)
            assert not result.passed
            assert result.detail.startswith("command /bin/x")

    asyncio.run(scenario())
