"""Checks after a fix: http, tcp, command. Tried again until they pass or their time is over."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from urllib.parse import SplitResult, urlsplit

import h11

from logmedic.model.fix import FixAttempt, ProbeResult
from logmedic.model.probe import CommandProbe, HttpProbe, Probe, TcpProbe
from logmedic.model.step import Command, Step
from logmedic.ports import Clock, FixRunner

BODY_LIMIT = 64 * 1024
"""Bytes of an answer that `contains` is looked for in."""
ONE_TRY_S = 10.0
"""The longest a single try may take: a server that drips does not use up all of `within`."""


SHORTEST_TRY_S = 1.0
"""The last try gets as much, and `within` so much more: cut shorter it would only say that it was cut."""


class _Failed(Exception):
    """One try did not pass; its text says why."""


class Probes:
    """Implements ports.Prober. Commands run through `runner`, in the same sandbox as steps."""

    def __init__(self, *, runner: FixRunner, clock: Clock) -> None:
        self._runner = runner
        self._clock = clock

    async def probe(self, probes: Sequence[Probe]) -> ProbeResult:
        passed: list[str] = []
        for probe in probes:
            result = await self._one(probe)
            if not result.passed:
                return result
            passed.append(result.detail)
        return ProbeResult(True, "; ".join(passed))

    async def _one(self, probe: Probe) -> ProbeResult:
        match probe:
            case HttpProbe():
                return await self._until_passed(probe, f"http {probe.url}", lambda left: _http(probe, left))
            case TcpProbe():
                return await self._until_passed(probe, f"tcp {probe.address}", lambda left: _tcp(probe, left))
            case CommandProbe():
                name = f"command {' '.join(probe.run)}"
                return await self._until_passed(probe, name, lambda left: self._command(probe, left))
            case _:
                return ProbeResult(None, "this check is not known here")

    async def _until_passed(
        self, probe: HttpProbe | TcpProbe | CommandProbe, name: str, attempt: Callable[[float], Awaitable[str]]
    ) -> ProbeResult:
        started = self._clock.now()
        tries = 0
        while True:
            tries += 1
            left = (started + probe.within - self._clock.now()).total_seconds()
            try:
                said = await attempt(max(left, SHORTEST_TRY_S))
            except _Failed as failed:
                over = self._clock.now() + probe.every - started
                if over >= probe.within:
                    times = "1 try" if tries == 1 else f"{tries} tries"
                    return ProbeResult(False, f"{name}: {failed} ({times} in {_seconds(probe.within)})")
            else:
                return ProbeResult(True, f"{name}: {said}")
            await self._clock.sleep(probe.every.total_seconds())

    async def _command(self, probe: CommandProbe, left_s: float) -> str:
        step = Step("probe", Command(probe.run), timeout=timedelta(seconds=left_s), sandbox=probe.sandbox)
        result = await self._runner.run(step, _nobodys(probe, self._clock))
        if result.ok:
            return "exit 0"
        raise _Failed(result.detail or f"exit {result.exit_code}")


def _nobodys(probe: CommandProbe, clock: Clock) -> FixAttempt:
    """A probe belongs to no attempt of its own."""
    return FixAttempt("", "", "", "", "", 0, "probe", 1, probe.run, clock.now())


def _seconds(duration: timedelta) -> str:
    return f"{duration.total_seconds():g} s"


async def _tcp(probe: TcpProbe, left_s: float) -> str:
    host, _, port = probe.address.rpartition(":")
    if not port.isdigit():
        raise _Failed("the address has no port")
    try:
        async with asyncio.timeout(min(left_s, ONE_TRY_S)):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except TimeoutError:
        raise _Failed("no connection in time") from None
    except (OSError, OverflowError) as error:
        raise _Failed(_reason(error)) from None
    writer.close()
    return "connected"


async def _http(probe: HttpProbe, left_s: float) -> str:
    try:
        parts = urlsplit(probe.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise _Failed("no address") from None
    try:
        async with asyncio.timeout(min(left_s, ONE_TRY_S)):
            status, body = await _get(parts, port)
    except TimeoutError:
        raise _Failed("no answer in time") from None
    except (OSError, h11.ProtocolError, OverflowError) as error:
        raise _Failed(_reason(error)) from None
    if status != probe.status:
        raise _Failed(f"answered {status}, wanted {probe.status}")
    if probe.contains and probe.contains.encode() not in body:
        raise _Failed(f"answered {status} without {probe.contains!r}")
    return f"answered {status}"


def _reason(error: Exception) -> str:
    match error:
        case ConnectionRefusedError():
            return "connection refused"
        case ssl.SSLError():
            return f"TLS: {error.reason or error}"
        case h11.ProtocolError():
            return f"no HTTP: {error}"
        case OSError() if error.strerror:
            return error.strerror
    return str(error) or type(error).__name__


async def _get(parts: SplitResult, port: int) -> tuple[int, bytes]:
    secure = ssl.create_default_context() if parts.scheme == "https" else None
    reader, writer = await asyncio.open_connection(parts.hostname or "", port, ssl=secure)
    try:
        connection = h11.Connection(h11.CLIENT)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = [("Host", parts.netloc), ("Connection", "close"), ("User-Agent", "logmedic"), ("Accept", "*/*")]
        writer.write(connection.send(h11.Request(method="GET", target=target, headers=headers)))
        writer.write(connection.send(h11.EndOfMessage()))
        await writer.drain()
        return await _answer(connection, reader)
    finally:
        writer.close()


async def _answer(connection: h11.Connection, reader: asyncio.StreamReader) -> tuple[int, bytes]:
    status, body = 0, bytearray()
    while True:
        match connection.next_event():
            case h11.NEED_DATA:
                connection.receive_data(await reader.read(65536))
            case h11.Response(status_code=code):
                status = code
            case h11.Data(data=chunk):
                body += chunk
                if len(body) >= BODY_LIMIT:
                    return status, bytes(body[:BODY_LIMIT])
            case h11.EndOfMessage() | h11.ConnectionClosed():
                return status, bytes(body)
