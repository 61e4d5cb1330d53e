"""The systemd journal, read through journalctl, by cursor: what was read is read once, also across crashes (F27)."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import structlog

from logmedic.adapters.sources.child import Child
from logmedic.adapters.sources.command import ENVIRONMENT
from logmedic.adapters.sources.journalbatch import Batch
from logmedic.adapters.sources.journalentry import JournalEntry, parse, records_of
from logmedic.adapters.sources.stream import LineStream
from logmedic.core.backoff import exponential
from logmedic.core.framing import TRACES, Framing
from logmedic.model.gap import Gap, SourceEventKind, with_gap
from logmedic.model.record import Block, Checkpoint, Entry
from logmedic.ports import Clock

READ_BYTES = 256 * 1024
MAX_ENTRY_BYTES = 8 * 1024 * 1024
"""Of its JSON: a binary message takes four bytes a byte. A longer entry is passed over, and told."""
STALL_S = 60.0
"""After so long without an entry the journal is asked whether there is a newer one (F28)."""
RESTART_BASE = timedelta(seconds=1)
RESTART_MAX = timedelta(minutes=1)

log = structlog.get_logger("logmedic.sources")


class JournalSource:
    """Implements ports.Source. The origin is `journal:NAME`. The entries of a writer (unit, identifier, process) stand
    together in a block, and a stack trace that was written line by line is one record, or what `framing` says; between
    writers the order inside a block is that of their first entries. Without a cursor it begins at the journal's end,
    with `from_start` or `once` at its beginning. `once` ends at its end."""

    def __init__(
        self,
        name: str,
        *,
        clock: Clock,
        zone: tzinfo = UTC,
        units: Sequence[str] = (),
        identifiers: Sequence[str] = (),
        directory: str = "",
        from_start: bool = False,
        once: bool = False,
        journalctl: str = "",
        stall_s: float = STALL_S,
        restart_base: timedelta = RESTART_BASE,
        framing: Framing = TRACES,
    ) -> None:
        self._name = name
        self._origin = f"journal:{name}"
        self._clock = clock
        self._zone = zone
        self._program = journalctl or shutil.which("journalctl", path=ENVIRONMENT["PATH"]) or ""
        self._asked = [
            *(f"--unit={each}" for each in units),
            *(f"--identifier={each}" for each in identifiers),
            *([f"--directory={directory}"] if directory else []),
        ]
        self._of_every_boot = ["--merge", *([] if directory else _of_this_machine())]
        self._from_start = from_start or once
        self._once = once
        self._stall_s = stall_s
        self._restart_base = restart_base
        self._framing = framing
        self._problem = ""
        self._offset = 0
        self._cursor = ""
        self._gaps: tuple[Gap, ...] = ()
        self._last_read_at: datetime | None = None

    @property
    def name(self) -> str:
        return self._name

    def health(self) -> list[dict[str, Any]]:
        at = self._last_read_at.isoformat().replace("+00:00", "Z") if self._last_read_at else None
        row = {"origin": self._origin, "offset": self._offset, "size": self._offset, "lag_bytes": 0}
        return [{**row, "last_read_at": at, "problem": self._problem}]

    async def blocks(self, checkpoints: Mapping[str, Checkpoint]) -> AsyncGenerator[Block, None]:
        mark = checkpoints.get(self._origin)
        self._cursor, self._offset, self._gaps = (mark.cursor, mark.offset, ()) if mark else ("", 0, ())
        failures = 0
        while True:
            before = self._cursor
            async with aclosing(self._one_run()) as run:
                async for block in run:
                    yield block
            if self._once and not self._problem:
                return
            failures = 1 if self._cursor != before else failures + 1
            wait = exponential(failures, self._restart_base, RESTART_MAX).total_seconds()
            log.warning("journal_reader_ended", source=self._name, problem=self._problem, wait_s=wait)
            await asyncio.sleep(wait)

    # -- one reader --------------------------------------------------------------------------------------------------

    async def _one_run(self) -> AsyncGenerator[Block, None]:
        """Until the reader ends, dies or stalls; `_problem` says which."""
        if not self._program:
            self._problem = "journalctl is not installed: apt-get install systemd"
            return
        if not self._cursor and not self._from_start:
            newest = await self._newest()  # "the end" is a place: what comes later is not passed over
            if newest is None:
                self._problem = "journalctl does not tell where the journal ends"
                return
            self._cursor = newest
            if self._cursor:
                yield self._block([], self._clock.now())
        try:
            child = await Child.start([self._program, *self._arguments()], ENVIRONMENT)
        except OSError as error:
            self._problem = f"{self._program} does not start: {error.strerror}"
            return
        self._problem = ""
        try:
            async with aclosing(self._batches(child)) as batches:
                async for block in batches:
                    yield block
            if not self._problem:
                ended = await child.ended()
                self._problem = "" if self._once and ended.endswith("code 0") else f"journalctl {ended}"
        finally:
            await child.close()

    def _arguments(self) -> list[str]:
        place = [f"--cursor={self._cursor}"] if self._cursor else []
        follow = [] if self._once else ["--follow", "--no-tail", *self._of_every_boot]
        return ["--output=json", "--all", "--no-pager", *follow, *place, *self._asked]

    async def _batches(self, child: Child) -> AsyncGenerator[Block, None]:
        lines = LineStream(self._name, self._origin, max_line=MAX_ENTRY_BYTES)
        resumed, batch = bool(self._cursor), Batch(self._framing)
        heard_at = asyncio.get_running_loop().time()
        reading = asyncio.ensure_future(child.read(READ_BYTES))
        try:
            while True:
                done, _ = await asyncio.wait({reading}, timeout=self._patience(batch, heard_at))
                now = asyncio.get_running_loop().time()
                fresh = reading.result() if done else b""
                if done:
                    heard_at = now
                    entries = self._parsed(lines.take(fresh, self._clock.now(), ended=not fresh))
                    if resumed and entries:
                        resumed, entries = False, self._resumed(entries)
                    batch.add(entries, now)
                over = bool(done) and not fresh
                if (over or batch.is_due(now)) and (taken := batch.take(now, everything=over)):
                    yield self._block(taken, self._clock.now())
                if over:
                    return
                if not done and not batch and now - heard_at >= self._stall_s:
                    heard_at = now
                    if await self._stalls():
                        return
                if done:
                    reading = asyncio.ensure_future(child.read(min(READ_BYTES, lines.room)))
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    def _patience(self, batch: Batch, heard_at: float) -> float:
        until = batch.due_at() if batch else heard_at + self._stall_s
        return max(0.0, until - asyncio.get_running_loop().time())

    def _parsed(self, block: Block | None) -> list[JournalEntry]:
        """What is no entry is told, and passed over (I1, I5)."""
        entries: list[JournalEntry] = []
        if block is None:
            return entries
        for gap in block.gaps:
            self._gaps = with_gap(self._gaps, replace(gap, kind=SourceEventKind.MISSED, detail="an entry is too long"))
        for line in block.data.splitlines():
            try:
                entries.append(parse(line, self._zone))
            except (ValueError, KeyError, OverflowError, RecursionError) as error:
                told = Gap(SourceEventKind.MISSED, len(line), f"journalctl printed what is no entry: {error}"[:200])
                self._gaps = with_gap(self._gaps, told)
        return entries

    def _resumed(self, entries: list[JournalEntry]) -> list[JournalEntry]:
        """Without the entry that was the last one read. When it is not there any more, what followed it may be gone
        too: vacuumed, or rotated away (F27)."""
        if entries[0].cursor == self._cursor:
            return entries[1:]
        told = Gap(
            SourceEventKind.MISSED,
            0,
            "the last entry read is not in the journal any more, and what followed it may not be",
        )
        self._gaps = with_gap(self._gaps, told)
        return entries

    def _block(self, batch: Sequence[JournalEntry], now: datetime) -> Block:
        data, entries = bytearray(), list[Entry]()
        for first, text in records_of(batch, self._framing):
            entries.append(Entry(len(data), first.at, first.fields, first.unit))
            data += text
        for dropped in (entry.dropped for entry in batch if entry.dropped):
            self._gaps = with_gap(self._gaps, Gap(SourceEventKind.MISSED, 0, dropped[:200]))
        start, gaps = self._offset, self._gaps
        self._offset += len(data)
        self._gaps = ()
        if batch:
            self._cursor, self._last_read_at = batch[-1].cursor, now
        mark = Checkpoint(self._origin, self._name, self._offset, now, cursor=self._cursor)
        return Block(
            self._name,
            self._origin,
            bytes(data),
            start,
            mark,
            now,
            complete=True,
            gaps=gaps,
            entries=tuple(entries),
        )

    # -- is there more than what is read? -----------------------------------------------------------------------------

    async def _stalls(self) -> bool:
        """The journal has an entry that the reader should have given (F28)."""
        newest = await self._newest()
        if newest is None or newest in ("", self._cursor):
            return False
        self._problem = "journalctl stalls: the journal has newer entries than it gives"
        return True

    async def _newest(self) -> str | None:
        """The cursor of the journal's last entry; empty when there is none, None when it cannot be told."""
        arguments = ["--output=json", "--all", "--no-pager", "--lines=1", *self._asked]
        try:
            child = await Child.start([self._program, *arguments], ENVIRONMENT)
        except OSError:
            return None
        try:
            async with asyncio.timeout(10):
                answer = b""
                while chunk := await child.read(READ_BYTES):
                    answer += chunk
            return parse(answer.splitlines()[0]).cursor if answer.strip() else ""
        except (TimeoutError, ValueError, KeyError, OverflowError, RecursionError):
            return None
        finally:
            await child.close()


def _of_this_machine(told: Path = Path("/etc/machine-id")) -> list[str]:
    """Beside --merge. Without that --follow keeps to the boot that the kernel names: what was written at the end of the
    one before, or in a container, which has an id of its own, would never be given. With it come the journals of other
    machines that are kept here."""
    try:
        machine = told.read_text().strip()
    except OSError:
        return []
    return [f"_MACHINE_ID={machine}"] if machine else []
