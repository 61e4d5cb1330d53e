"""The report socket as a source: each report is a record, with all that its sender said as fields."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from logmedic.adapters.sources.reports.limits import Limits
from logmedic.adapters.sources.reports.receipts import Receipt
from logmedic.adapters.sources.reports.reception import Reception
from logmedic.adapters.sources.reports.refusals import FOLD_S
from logmedic.adapters.sources.reports.session import Session
from logmedic.core.reports import entry_of
from logmedic.model.changeset import Changeset
from logmedic.model.errors import PermanentError
from logmedic.model.gap import Gap
from logmedic.model.record import Block, Checkpoint, Entry
from logmedic.model.report import ReportCounts
from logmedic.ports import Answers, Clock
from logmedic.unixsocket.listening import Listener, listen
from logmedic.unixsocket.lookups import Lookups
from logmedic.unixsocket.peers import name_of

EVERYBODY, THE_GROUP = 0o666, 0o660
SETTING = "reports.socket"
USUAL = Limits()

log = structlog.get_logger("logmedic.reports")


class ReportSource:
    """Implements ports.Source; the origin is `reports:PATH`. A report that is asked about has a block of its own. What
    was read and is not stored when this ends is lost here, and sent again: `noted` is what its sender waits for."""

    def __init__(
        self,
        name: str,
        *,
        clock: Clock,
        path: Path,
        group: str = "",
        limits: Limits = USUAL,
        answers: Answers,
        host: str,
        names: Lookups[int, str] | None = None,
    ) -> None:
        """`group`: who may connect, empty: everybody. `names`: of users."""
        self._name = name
        self._clock = clock
        self._path = path
        self._group = group
        self._host = host
        self._news = asyncio.Event()
        self._folded = asyncio.Event()
        """Refusals were gathered for long enough."""
        self._reception = Reception(
            limits=limits,
            answers=answers,
            names=Lookups(name_of) if names is None else names,
            now=clock.now,
            news=self._news.set,
        )
        self._origin = f"reports:{path}"
        self._offset = 0
        self._last_read_at: datetime | None = None
        self._problem = ""
        self._listens = False

    @property
    def name(self) -> str:
        return self._name

    @property
    def is_listening(self) -> bool:
        return self._listens

    def health(self) -> list[dict[str, Any]]:
        waiting = self._reception.waiting.bytes
        crowded = "more comes than is taken in: not read" if self._reception.is_crowded else ""
        return [
            {
                "origin": self._origin,
                "offset": self._offset,
                "size": self._offset + waiting,
                "lag_bytes": waiting,
                "last_read_at": _iso(self._last_read_at),
                "problem": self._problem or crowded or self._reception.refusals.problem(self._clock.now()),
            }
        ]

    def counts(self) -> ReportCounts:
        return self._reception.counts()

    def noted(self, changeset: Changeset) -> None:
        """Of every changeset that is committed: whoever reported what it covers is told that it is stored."""
        for mark in changeset.checkpoints:
            if mark.key == (self._name, self._origin):
                self._reception.stored(mark.offset)

    async def blocks(self, checkpoints: Mapping[str, Checkpoint]) -> AsyncGenerator[Block, None]:
        """Offsets go on where they were; nothing else of `checkpoints` counts. Raises PermanentError when it cannot
        listen: the supervisor tries again."""
        known = checkpoints.get(self._origin)
        self._offset = max(self._offset, known.offset if known is not None else 0)
        self._reception.begin_anew()
        async with self._listening():
            while True:
                await self._news.wait()
                self._news.clear()
                while (block := self._block()) is not None:
                    yield block

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        listener = self._listen()
        server = await asyncio.get_running_loop().create_unix_server(
            lambda: Session(self._reception), sock=listener.socket, start_serving=False
        )
        folding = asyncio.create_task(self._fold())
        try:
            await server.start_serving()
            self._listens = True
            yield
        finally:
            self._listens = False
            server.close()
            listener.close()
            folding.cancel()
            self._reception.close()
            _log_refused(self._reception.refusals.gaps())  # nobody takes blocks any more
            await asyncio.gather(folding, return_exceptions=True)

    def _listen(self) -> Listener:
        mode = THE_GROUP if self._group else EVERYBODY
        try:
            listener = listen(self._path, mode, group=self._group, setting=SETTING)
        except PermanentError as error:
            self._problem = error.text
            raise
        self._problem = ""
        if not listener.grouped:
            self._problem = f"its file cannot be given to the group {self._group}: only the daemon's user can report"
            log.warning("report_group_not_set", group=self._group, path=str(self._path))
        return listener

    async def _fold(self) -> None:
        """What is refused is told of together, not each time."""
        while True:
            await self._clock.sleep(FOLD_S)
            if self._reception.refusals.untold:
                self._folded.set()
                self._news.set()

    # -- what is handed on -------------------------------------------------------------------------------------------

    def _block(self) -> Block | None:
        taken = self._reception.take()
        gaps = self._reception.refusals.gaps() if self._folded.is_set() else ()
        self._folded.clear()
        _log_refused(gaps)
        if not taken and not gaps:
            return None
        now, start = self._clock.now(), self._offset
        data, entries = self._records(taken, now)
        self._offset += len(data)
        self._reception.handed_on(taken, self._offset)
        self._last_read_at = now if taken else self._last_read_at
        mark = Checkpoint(self._origin, self._name, self._offset, now)
        return Block(self._name, self._origin, data, start, mark, now, complete=True, gaps=gaps, entries=entries)

    def _records(self, taken: Sequence[Receipt], now: datetime) -> tuple[bytes, tuple[Entry, ...]]:
        data, entries = bytearray(), list[Entry]()
        for receipt in taken:
            text, entry = entry_of(receipt.report, len(data), self._host, now)
            data += text
            entries.append(entry)
        return bytes(data), tuple(entries)


def _log_refused(gaps: Sequence[Gap]) -> None:
    if gaps:
        log.warning("reports_refused", what=[each.detail for each in gaps])


def _iso(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at is not None else None
