"""The sources that the settings, or the command line, ask for."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from logmedic.adapters.sources.command import CommandSource
from logmedic.adapters.sources.discovery import WatchdogDiscovery
from logmedic.adapters.sources.files import FileSource
from logmedic.adapters.sources.journal import JournalSource
from logmedic.adapters.sources.stdin import StdinSource
from logmedic.adapters.sources.syslog import SyslogSource
from logmedic.adapters.sources.wake import InotifyWake
from logmedic.core.framing import TRACES
from logmedic.ports import Clock, Source
from logmedic.settings import Settings
from logmedic.settings.form import SourceSettings

ARGUMENT = "argument"
"""The source name of files named on the command line: heard by every rule, as standard input is."""


@asynccontextmanager
async def inputs(
    clock: Clock, settings: Settings, named: Sequence[str], *, once: bool
) -> AsyncIterator[tuple[list[Source], InotifyWake, WatchdogDiscovery]]:
    """The sources of the settings, or those `named` (paths, `-` for standard input) when there are any; and what tells
    of changes in files and in directories. All that they share is closed on exit."""
    wake, discovery = InotifyWake(), WatchdogDiscovery()
    maker = _Maker(clock, wake, discovery, once)
    try:
        if named:
            yield [maker.of_argument(name) for name in named], wake, discovery
        else:
            yield [maker.of_settings(name, spec) for name, spec in settings.sources.items()], wake, discovery
    finally:
        wake.close()
        await discovery.close()


class _Maker:
    def __init__(self, clock: Clock, wake: InotifyWake, discovery: WatchdogDiscovery, once: bool) -> None:
        self._clock = clock
        self._wake = wake
        self._discovery = discovery
        self._once = once

    def of_argument(self, name: str) -> Source:
        if name == "-":
            return StdinSource(stream=sys.stdin.buffer, clock=self._clock)
        return self._files(ARGUMENT, [name], from_start=True, once=True)

    def of_settings(self, name: str, spec: SourceSettings) -> Source:
        if spec.journal is not None:
            return JournalSource(
                name,
                clock=self._clock,
                units=spec.journal.units or (),
                identifiers=spec.journal.identifiers or (),
                directory=str(spec.journal.directory or ""),
                from_start=spec.from_start,
                once=self._once,
                framing=spec.multiline.framing() if spec.multiline is not None else TRACES,
            )
        if spec.command is not None:
            return CommandSource(name, spec.command, clock=self._clock, once=self._once)
        if spec.syslog is not None:
            listen = spec.syslog
            return SyslogSource(
                name, clock=self._clock, address=listen.address, udp=listen.udp, tcp=listen.tcp, unix=listen.unix
            )
        return self._files(name, spec.files or (), from_start=spec.from_start, once=self._once)

    def _files(self, name: str, globs: Sequence[str], *, from_start: bool, once: bool) -> FileSource:
        return FileSource(
            name,
            globs,
            clock=self._clock,
            wake=self._wake,
            discovery=self._discovery,
            from_start=from_start,
            once=once,
        )
