"""Checks before and after a step. Tried again until they pass or their time is over."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from logmedic.adapters.fixes import httpcall, ondisk
from logmedic.adapters.fixes.apart import Apart, NotBack
from logmedic.adapters.fixes.catalogue import as_step
from logmedic.adapters.fixes.systembus import BusError, BusGone
from logmedic.adapters.fixes.units import UnitControl
from logmedic.adapters.fixes.unitstate import UnitState
from logmedic.core.targets import asked_once
from logmedic.model.fix import FixAttempt, ProbeResult
from logmedic.model.probe import (
    AllOf,
    AnyOf,
    CommandProbe,
    DiskProbe,
    FileProbe,
    HttpProbe,
    Not,
    Probe,
    TcpProbe,
    UnitProbe,
)
from logmedic.ports import Clock, FixRunner

ONE_TRY_S = 10.0
"""The longest a single try may take: a server that drips does not use up all of `within`."""
SHORTEST_TRY_S = 1.0
"""The last try gets as much, and `within` so much more: cut shorter it would only say that it was cut."""

Leaf = HttpProbe | TcpProbe | CommandProbe | UnitProbe | FileProbe | DiskProbe
Try = Callable[[float], Awaitable[str]]
"""Of so many seconds at most. Answers what passed; raises _Failed, _Unknown."""


class _Failed(Exception):
    """One try did not pass; its text says why."""


class _Unknown(Exception):
    """One try could not tell; its text says why."""


class Probes:
    """Implements ports.Prober. Commands run through `runner`, in the same sandbox as steps. `units` None: of the states
    of units nobody can say."""

    def __init__(self, *, runner: FixRunner, clock: Clock, units: UnitControl | None = None) -> None:
        self._runner = runner
        self._clock = clock
        self._units = units
        self._apart = Apart()

    async def probe(self, probes: Sequence[Probe]) -> ProbeResult:
        return await self._all(probes)

    async def _one(self, probe: Probe) -> ProbeResult:
        match probe:
            case AllOf(probes):
                return await self._all(probes)
            case AnyOf(probes):
                return await self._any(probes)
            case Not(inner):
                found = await self._one(asked_once(inner))
                return ProbeResult(None if found.passed is None else not found.passed, f"not: {found.detail}")
            case _:
                return await self._until_passed(probe, *self._asking(probe))

    # -- several -------------------------------------------------------------------------------------------------------

    async def _all(self, probes: Sequence[Probe]) -> ProbeResult:
        """In order; the first that does not pass decides, and what nobody can say does not pass unless a later one
        fails."""
        passed: list[str] = []
        unknown: ProbeResult | None = None
        for probe in probes:
            result = await self._one(probe)
            if result.passed is False:
                return result
            if result.passed is None:
                unknown = unknown or result
            passed.append(result.detail)
        return unknown or ProbeResult(True, "; ".join(passed))

    async def _any(self, probes: Sequence[Probe]) -> ProbeResult:
        """All at once; the first that passes ends the others."""
        asked = [asyncio.create_task(self._one(probe)) for probe in probes]
        try:
            for done in asyncio.as_completed(asked):
                if (result := await done).passed:
                    return result
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
        results = [task.result() for task in asked]
        unknown = [each.detail for each in results if each.passed is None]
        if unknown:
            return ProbeResult(None, "; ".join(unknown))
        return ProbeResult(False, "; ".join(each.detail for each in results))

    # -- one -----------------------------------------------------------------------------------------------------------

    async def _until_passed(self, probe: Leaf, name: str, attempt: Try) -> ProbeResult:
        """What nobody can say is asked again as well: a bus that restarts, a limit of the sandbox. The last try decides
        between no and nobody knows."""
        started = self._clock.now()
        tries = 0
        while True:
            tries += 1
            left = (started + probe.within - self._clock.now()).total_seconds()
            try:
                return ProbeResult(True, f"{name}: {await attempt(max(left, SHORTEST_TRY_S))}")
            except (_Failed, _Unknown) as failed:
                if self._clock.now() + probe.every - started >= probe.within:
                    passed = None if isinstance(failed, _Unknown) else False
                    return ProbeResult(passed, f"{name}: {failed}{_times(probe, tries)}")
            await self._clock.sleep(probe.every.total_seconds())

    def _asking(self, probe: Leaf) -> tuple[str, Try]:
        """What it is called, and how it is tried."""
        match probe:
            case HttpProbe():
                return f"http {probe.url}", lambda left: _http(probe, left)
            case TcpProbe():
                return f"tcp {probe.address}", lambda left: _tcp(probe, left)
            case CommandProbe():
                return f"command {' '.join(probe.run)}", lambda left: self._command(probe, left)
            case UnitProbe():
                return f"unit {probe.unit}", lambda left: self._unit(probe, left)
            case FileProbe():
                return f"file {probe.path}", lambda left: self._file(probe, left)
            case DiskProbe():
                return f"disk {probe.path}", lambda left: self._disk(probe, left)

    async def _command(self, probe: CommandProbe, left_s: float) -> str:
        step = as_step(probe, timedelta(seconds=left_s))
        result = await self._runner.run(step, _nobodys(probe, self._clock))
        if result.ok:
            return "exit 0"
        if not result.started:
            raise _Unknown(result.detail or "it could not be started")
        raise _Failed(result.detail or f"exit {result.exit_code}")

    async def _unit(self, probe: UnitProbe, left_s: float) -> str:
        if self._units is None:
            raise _Unknown("there is no service manager to ask")
        try:
            async with asyncio.timeout(min(left_s, ONE_TRY_S)):
                state = await self._units.state(probe.unit)
        except TimeoutError:
            raise _Unknown("the service manager does not answer") from None
        except (BusGone, BusError) as error:
            raise _Unknown(str(error)) from None
        return _as_wanted(probe, state)

    async def _file(self, probe: FileProbe, left_s: float) -> str:
        status: os.stat_result | None = None
        try:
            status = await self._apart.call(
                ("stat", probe.path), lambda: os.stat(probe.path), within_s=min(left_s, ONE_TRY_S)
            )
        except (FileNotFoundError, NotADirectoryError):
            pass
        except (OSError, ValueError, NotBack) as error:
            raise _Unknown(f"cannot be looked at: {_reason(error)}") from None
        return _told(ondisk.of_file(probe, status, self._clock.now()))

    async def _disk(self, probe: DiskProbe, left_s: float) -> str:
        try:
            status = await self._apart.call(
                ("statvfs", probe.path), lambda: os.statvfs(probe.path), within_s=min(left_s, ONE_TRY_S)
            )
        except (OSError, ValueError, NotBack) as error:
            raise _Unknown(f"cannot be looked at: {_reason(error)}") from None
        return _told(ondisk.of_disk(probe, status))


def _told(seen: ondisk.Seen) -> str:
    passed, words = seen
    if passed is None:
        raise _Unknown(words)
    if not passed:
        raise _Failed(words)
    return words


def _as_wanted(probe: UnitProbe, state: UnitState) -> str:
    if state.load == "not-found":
        raise _Failed(state.problem)
    if state.active != probe.state:
        raise _Failed(f"{state.words}, wanted {probe.state}")
    if state.lasted is None:
        if probe.up_for:
            raise _Failed(f"{state.words}, wanted for {_seconds(probe.up_for)}, and since when is not known")
        return state.words
    lasted = timedelta(seconds=int(state.lasted.total_seconds()))
    if state.lasted < probe.up_for:
        raise _Failed(f"{state.words} for {_seconds(lasted)}, wanted {_seconds(probe.up_for)}")
    return f"{state.words} for {_seconds(lasted)}"


def _nobodys(probe: CommandProbe, clock: Clock) -> FixAttempt:
    """A probe belongs to no attempt of its own."""
    return FixAttempt("", "", "", "", "", 0, "probe", 1, probe.run, clock.now())


def _times(probe: Leaf, tries: int) -> str:
    if probe.within <= probe.every:
        return ""  # only one was meant
    return f" ({'1 try' if tries == 1 else f'{tries} tries'} in {_seconds(probe.within)})"


def _seconds(duration: timedelta) -> str:
    return f"{duration.total_seconds():g} s"


def _reason(error: Exception) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)


async def _tcp(probe: TcpProbe, left_s: float) -> str:
    host, _, port = probe.address.rpartition(":")
    if not (port.isascii() and port.isdigit() and len(port) < 6):
        raise _Failed("the address has no port")
    try:
        async with asyncio.timeout(min(left_s, ONE_TRY_S)):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except TimeoutError:
        raise _Failed("no connection in time") from None
    except (OSError, OverflowError, UnicodeError) as error:
        raise _Failed(httpcall.reason(error)) from None
    writer.close()
    return "connected"


async def _http(probe: HttpProbe, left_s: float) -> str:
    try:
        answer = await httpcall.ask("GET", probe.url, within_s=min(left_s, ONE_TRY_S))
    except httpcall.NoAnswer as error:
        raise _Failed(str(error)) from None
    if answer.status != probe.status:
        raise _Failed(f"answered {answer.status}, wanted {probe.status}")
    if probe.contains and probe.contains.encode() not in answer.body:
        raise _Failed(f"answered {answer.status} without {probe.contains!r}")
    return f"answered {answer.status}"
