"""The sources that the settings, or the command line, ask for."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from logmedic.adapters.sources.command import CommandSource
from logmedic.adapters.sources.discovery import WatchdogDiscovery
from logmedic.adapters.sources.files import FileSource
from logmedic.adapters.sources.journal import JournalSource
from logmedic.adapters.sources.reports.limits import Limits
from logmedic.adapters.sources.reports.source import ReportSource
from logmedic.adapters.sources.stdin import StdinSource
from logmedic.adapters.sources.syslog import SyslogSource
from logmedic.adapters.sources.wake import InotifyWake
from logmedic.core.framing import TRACES
from logmedic.core.reportmatch import SOURCE
from logmedic.ports import Answers, Clock, Source
from logmedic.rulesets import ARGUMENT
from logmedic.settings.reports import Reports
from logmedic.settings.sources import SourceSettings


@asynccontextmanager
async def inputs(clock: Clock, *, once: bool) -> AsyncIterator[Inputs]:
    """What makes sources. `once`: they end where their files end now. All that they share is closed on exit."""
    made = Inputs(clock, once)
    try:
        yield made
    finally:
        made.wake.close()
        await made.discovery.close()


class Inputs:
    """`wake` and `discovery` tell of changes in files and in directories."""

    def __init__(self, clock: Clock, once: bool) -> None:
        self.wake = InotifyWake()
        self.discovery = WatchdogDiscovery()
        self._clock = clock
        self._once = once

    def of_argument(self, name: str) -> Source:
        """A path, or `-` for standard input."""
        if name == "-":
            return StdinSource(stream=sys.stdin.buffer, clock=self._clock)
        return self._files(ARGUMENT, SourceSettings(files=(name,), from_start=True), once=True)

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
        return self._files(name, spec, once=self._once)

    def of_reports(self, spec: Reports, socket: Path, *, answers: Answers, host: str) -> ReportSource:
        """What applications report; `host`: this one's name, in their records."""
        return ReportSource(
            SOURCE,
            clock=self._clock,
            path=socket,
            group=spec.group,
            limits=Limits(max_per_second=spec.max_per_second, burst=spec.burst),
            answers=answers,
            host=host,
        )

    def _files(self, name: str, spec: SourceSettings, *, once: bool) -> FileSource:
        return FileSource(
            name,
            spec.files or (),
            clock=self._clock,
            wake=self.wake,
            discovery=self.discovery,
            from_start=spec.from_start,
            once=once,
            optional=spec.optional,
        )
