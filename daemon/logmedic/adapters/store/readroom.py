"""Questions beside the writer: a thread of their own answers them from a second connection, which sees one moment, so
that none holds up a commit."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import duckdb

from logmedic.adapters.store.queries import DuckQueries
from logmedic.adapters.store.salvage import may_be_damage
from logmedic.model.errors import LogmedicError, StoreBusy

MOST_WAITING = 100
"""Questions, the one that is being answered among them (I6)."""
PATIENCE_S = 5.0
"""So long a question may go on while the file is to be let go; then it is interrupted."""
INTERRUPT_EVERY_S = 0.1
STUCK_S = 15.0
"""A commit that takes so long is stuck, on a disk that hangs or crawls: who asks is told so, and waits no longer."""

Pin = Callable[[], Awaitable[duckdb.DuckDBPyConnection]]
"""A second connection that sees what is committed now; the caller closes it. Raises StoreBusy."""
Answer = Callable[[duckdb.DuckDBPyConnection, str, Mapping[str, Any]], Any]
"""What a question is answered with, in the thread of questions."""


class DamageMet(StoreBusy):
    """The answer would have been read from what is damaged, as it seems."""


def answered(connection: duckdb.DuckDBPyConnection, question: str, arguments: Mapping[str, Any]) -> Any:
    """Raises duckdb.Error, NotFound, BadCursor."""
    return getattr(DuckQueries(connection), question)(**arguments)


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    question: str
    arguments: Mapping[str, Any]
    answer: asyncio.Future[Any]


class ReadRoom:
    """Used in the loop's thread alone, as DuckStore is. Questions are answered in the order in which they came, and
    what waits together sees the same moment: it is pinned after all of them were asked, so each sees every commit that
    was durable when it was."""

    def __init__(
        self, pin: Pin, answer: Answer = answered, *, patience_s: float = PATIENCE_S, stuck_s: float = STUCK_S
    ) -> None:
        self._pin = pin
        self._answer = answer
        self._patience_s = patience_s
        self._stuck_s = stuck_s
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="questions")
        self._waiting: deque[_Asked] = deque()
        self._asked = 0
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._reading: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()
        self._holding = 0
        self._closed = False

    async def ask(self, question: str, arguments: Mapping[str, Any]) -> Any:
        """Raises NotFound, BadCursor; StoreBusy when too many wait, a commit is stuck, or the store is closed;
        DamageMet. A cancel takes the question back, unless it is being answered."""
        if self._closed:
            raise _closing()
        if self._asked >= MOST_WAITING:
            raise StoreBusy(f"{MOST_WAITING} questions wait for the store already", "ask again")
        asked = _Asked(question, arguments, asyncio.get_running_loop().create_future())
        self._waiting.append(asked)
        self._asked += 1
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
        return await asked.answer

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Nobody reads meanwhile: what is asked waits, what is being answered has `patience_s` to end."""
        self._holding += 1
        held = asyncio.ensure_future(self._one_at_a_time.acquire())
        try:
            await asyncio.wait({held}, timeout=self._patience_s)
            await self._interrupted(held)
            yield
        finally:
            self._holding -= 1
            if not held.cancel():
                self._one_at_a_time.release()

    async def close(self) -> None:
        """What waits is not answered, what is being answered is interrupted. May be called again."""
        self._closed = True
        if self._reading is not None:
            await self._interrupted(self._reading)
        self._thread.shutdown()

    async def _interrupted(self, waited_for: asyncio.Future[Any]) -> None:
        """Until `waited_for` is done. Again and again: an interrupt that comes between two statements is lost."""
        while not waited_for.done():
            if self._connection is not None:
                self._connection.interrupt()
            await asyncio.wait({waited_for}, timeout=INTERRUPT_EVERY_S)

    async def _read(self) -> None:
        try:
            while self._waiting:
                async with self._one_at_a_time:
                    await self._read_together(len(self._waiting))
        finally:
            while self._waiting:
                self._settle(self._waiting.popleft(), _closing())

    async def _read_together(self, count: int) -> None:
        """The first `count` of those that wait, while nobody holds them up."""
        asked = self._asked
        try:
            self._connection = await self._pinned()
        except LogmedicError as error:
            self._refuse(min(count, len(self._waiting)), error)
            return
        if self._asked < asked:
            count = 0  # who was asked for was told that it is stuck: those who came since may have seen a newer moment
        try:
            while count and not self._holding:
                count -= 1
                await self._answer_one(self._waiting.popleft(), self._connection)
        finally:
            connection, self._connection = self._connection, None
            connection.close()

    async def _pinned(self) -> duckdb.DuckDBPyConnection:
        """Raises what pinning raises. Nobody waits for a store that is stuck: they are told, again and again."""
        pinning, since = asyncio.ensure_future(self._pin()), asyncio.get_running_loop().time()
        try:
            while not (await asyncio.wait({pinning}, timeout=self._stuck_s))[0]:
                self._refuse(len(self._waiting), _stuck(asyncio.get_running_loop().time() - since))
            return pinning.result()
        finally:
            pinning.cancel()

    def _refuse(self, count: int, error: LogmedicError) -> None:
        """The first `count` of those that wait."""
        for _ in range(count):
            self._settle(self._waiting.popleft(), error)

    async def _answer_one(self, asked: _Asked, connection: duckdb.DuckDBPyConnection) -> None:
        if self._closed or asked.answer.done():
            self._settle(asked, _closing())
            return
        answering = asyncio.get_running_loop().run_in_executor(
            self._thread, self._answer, connection, asked.question, asked.arguments
        )
        try:
            await asyncio.wait({answering})
        except asyncio.CancelledError:  # it still uses the connection, which is closed next
            connection.interrupt()
            await asyncio.wait({answering})
            self._settle(asked, _closing())
            raise
        error = answering.exception()
        if isinstance(error, duckdb.Error):
            met = DamageMet if may_be_damage(error) else StoreBusy
            error = met(f"the store did not answer: {error}", "ask again")
        self._settle(asked, error, None if error is not None else answering.result())

    def _settle(self, asked: _Asked, error: BaseException | None, answer: Any = None) -> None:
        """Who took the question back is told nothing."""
        self._asked -= 1
        if asked.answer.done():
            return
        if error is not None:
            asked.answer.set_exception(error)
        else:
            asked.answer.set_result(answer)


def _stuck(for_s: float) -> StoreBusy:
    return StoreBusy(
        f"the store does not answer: it has been writing for {for_s:.0f} s; its disk hangs, or is very slow",
        "see what the kernel says of the disk (dmesg); log lines wait where they are, nothing is lost",
    )


def _closing() -> StoreBusy:
    return StoreBusy("the store is closed", "ask again once the daemon runs")
