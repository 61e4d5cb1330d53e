"""The store: one DuckDB file, one thread that writes it, one transaction a changeset; questions beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from logmedic.adapters.store.queryroom import QueryRoom
from logmedic.adapters.store.readroom import Answer, DamageMet, ReadRoom, answered
from logmedic.adapters.store.writer import Writer
from logmedic.model.changeset import Changeset
from logmedic.model.query import Limits
from logmedic.model.state import EngineState

T = TypeVar("T")


class DuckStore:
    """Implements ports.Store. The directory of `path` is made when it is missing (0700)."""

    def __init__(self, path: Path, writer: Writer | None = None, answer: Answer = answered) -> None:
        self._writer = writer or Writer(path)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._queries = QueryRoom(self._writer.path, self._pinned)
        self._questions = ReadRoom(self._glanced, answer)
        self._mending = asyncio.Lock()

    @property
    def path(self) -> Path:
        return self._writer.path

    @property
    def notices(self) -> Sequence[str]:
        return tuple(self._writer.notices)

    async def open(self) -> EngineState:
        state = await self._in_thread(self._writer.open)
        self._queries.tidy()
        return state

    async def commit(self, changeset: Changeset) -> None:
        await self._in_thread(lambda: self._writer.commit(changeset))

    async def ask(self, question: str, /, **arguments: Any) -> Any:
        """As ports.Queries. Damage inside the file shows when an answer meets it, also long after the start: it is
        salvaged then, and asked again (F47)."""
        with suppress(DamageMet):
            return await self._questions.ask(question, arguments)
        async with self._mending:
            try:
                return await self._questions.ask(question, arguments)  # somebody else had it mended meanwhile
            except DamageMet:
                async with self.unread():
                    await self._in_thread(self._writer.mend)
        return await self._questions.ask(question, arguments)

    async def query(self, sql: str, limits: Limits) -> bytes:
        return await self._queries.answer(sql, limits)

    async def _pinned(self) -> duckdb.DuckDBPyConnection:
        connection, _ = await self._in_thread(self._writer.pinned)
        return connection

    async def _glanced(self) -> duckdb.DuckDBPyConnection:
        return await self._in_thread(self._writer.glance)

    def unread(self) -> AbstractAsyncContextManager[None]:
        """While no question is answered: they wait, or are interrupted (ReadRoom.held)."""
        return self._questions.held()

    async def between_commits(self, use: Callable[[Writer], T]) -> T:
        """Call `use` in the store's thread. Commits wait meanwhile. Raises what it raises."""
        return await self._in_thread(lambda: use(self._writer))

    def hurry(self) -> None:
        self._writer.hurry()

    async def close(self) -> None:
        self.hurry()
        await self._questions.close()
        try:
            await self._in_thread(self._writer.close)
        finally:
            self._thread.shutdown()

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)
