"""Queries of operators beside the writer: what each reads is copied into files by a second connection, which sees one
moment and holds up no commit; a process that can be killed runs it over them."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb

from logmedic.adapters.store import copies, views
from logmedic.adapters.store.connection import knows, queries_of, quoted
from logmedic.adapters.store.contents import identifier
from logmedic.adapters.store.sql import Columns, out_of_memory, too_slow
from logmedic.model.errors import QueryRefused, StoreBusy
from logmedic.model.query import Limits

WORKER = "logmedic.adapters.store.asked"
REFUSED = 3
"""As of the worker: its exit code with an error that is told."""
AT_ONCE = 2
"""Queries that run beside one another (I6)."""
_OVERHEAD_BYTES = 1024 * 1024
"""Of an answer, beside its rows: names and types of columns."""
_PART_BYTES = 1024 * 1024
_COPY_MEMORY = "64MB"

Pin = Callable[[], Awaitable[duckdb.DuckDBPyConnection]]
"""A second connection that sees what is committed now; the caller closes it. Raises StoreBusy, StoreFull."""


class QueryRoom:
    """Runs queries over the store at `path`. `python` runs the workers; it must be able to import this package."""

    def __init__(self, path: Path, pin: Pin, *, python: str = sys.executable) -> None:
        self._room = queries_of(path)
        self._pin = pin
        self._python = python
        self._running = 0
        self._columns: Columns = {}

    def tidy(self) -> None:
        """What a daemon left behind that was killed while it had a query."""
        shutil.rmtree(self._room, ignore_errors=True)

    async def answer(self, sql: str, limits: Limits) -> bytes:
        """As answers.answer_of gives it. Raises QueryRefused, StoreBusy, StoreFull. A cancel ends all of it."""
        if self._running >= AT_ONCE:
            raise StoreBusy(f"{AT_ONCE} queries are running already", "ask again when one of them has its answer")
        self._running += 1
        try:
            async with asyncio.timeout(limits.time_s):
                return await self._answer(sql, limits)
        except TimeoutError:
            raise too_slow(limits.time_s) from None
        except OSError as error:
            raise StoreBusy(
                f"the query could not be run: {error.strerror or error}", "see the room on the disk"
            ) from None
        finally:
            self._running -= 1
            if not self._running:
                self.tidy()

    async def _answer(self, sql: str, limits: Limits) -> bytes:
        if not self._columns:
            self._columns = await self._copying(views.columns_of)
        process = await self._started(limits)
        try:
            return await self._asked(process, sql, limits)
        finally:
            await _end(process)

    async def _started(self, limits: Limits) -> asyncio.subprocess.Process:
        """Raises OSError."""
        return await asyncio.create_subprocess_exec(
            *(self._python, "-I", "-X", "utf8", "-m", WORKER),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
            env={"PATH": os.defpath, "LANG": "C.UTF-8"},
            limit=_PART_BYTES,
        )

    async def _asked(self, process: asyncio.subprocess.Process, sql: str, limits: Limits) -> bytes:
        assert process.stdout is not None  # noqa: S101  it is a pipe
        await _tell(process, {"sql": sql, "limits": asdict(limits), "columns": self._columns})
        needs = await _said(process)
        self._room.mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._room, ignore_cleanup_errors=True) as directory:
            plan = self._plan(needs.get("needs", {}), Path(directory))
            if plan:
                await self._copying(lambda connection: _copy(connection, plan))
            await _tell(process, {"files": {name: str(file) for name, (file, _) in plan.items()}})
            answer = await _read(process.stdout, limits.answer_bytes + _OVERHEAD_BYTES)
            return _checked(answer, await process.wait())

    def _plan(self, needs: Mapping[str, Any], directory: Path) -> dict[str, tuple[Path, str]]:
        """Where what is needed goes, and the SQL that gives it, by view. The worker is not believed: what it asks for
        is taken from what there is."""
        plan = {}
        for name, known in self._columns.items():
            if name in needs:
                wanted = [each for each in known if needs[name] is None or each in needs[name]]
                columns = ", ".join(map(identifier, wanted or list(known)[:1]))
                plan[name] = directory / f"{name}.parquet", f"SELECT {columns} FROM ({views.VIEWS[name]})"  # noqa: S608
        return plan

    async def _copying(self, copy: Callable[[duckdb.DuckDBPyConnection], Any]) -> Any:
        """Raises StoreBusy, StoreFull."""
        connection = await self._pin()
        try:
            return await copies.beside(connection.interrupt, lambda: copy(connection))
        finally:
            connection.close()


def _copy(connection: duckdb.DuckDBPyConnection, plan: Mapping[str, tuple[Path, str]]) -> None:
    """Raises duckdb.Error, QueryRefused."""
    try:
        if knows(connection, "operator_memory_limit"):  # DuckDB 1.5 has none: its memory_limit alone bounds it
            connection.execute(f"SET operator_memory_limit = '{_COPY_MEMORY}'")
        for file, sql in plan.values():
            connection.execute(f"COPY ({sql}) TO {quoted(file)} (FORMAT parquet, ROW_GROUP_SIZE 20480)")
    except duckdb.OutOfMemoryException:
        raise out_of_memory() from None


async def _tell(process: asyncio.subprocess.Process, what: Mapping[str, Any]) -> None:
    """A worker that is gone already says why by its exit code."""
    assert process.stdin is not None  # noqa: S101  it is a pipe
    with suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(json.dumps(what).encode() + b"\n")
        await process.stdin.drain()


async def _said(process: asyncio.subprocess.Process) -> Any:
    """Raises QueryRefused."""
    assert process.stdout is not None  # noqa: S101  it is a pipe
    line = await process.stdout.readline()
    said = _parsed(line)
    if "needs" not in said:
        raise _refusal(said, await process.wait())
    return said


async def _read(stream: asyncio.StreamReader, most: int) -> bytes:
    """To its end. Raises QueryRefused when that is further than `most` bytes."""
    read = bytearray()
    while part := await stream.read(_PART_BYTES):
        read += part
        if len(read) > most:
            raise QueryRefused("the answer is too long", "ask for fewer rows or columns")
    return bytes(read)


def _checked(answer: bytes, status: int) -> bytes:
    """Raises QueryRefused."""
    if status != 0:
        raise _refusal(_parsed(answer), status)
    return answer


def _refusal(said: Mapping[str, Any], status: int) -> QueryRefused:
    if status == REFUSED and "error" in said:
        return QueryRefused(str(said["error"]), str(said.get("hint", "")))
    if status in (-signal.SIGABRT, -signal.SIGKILL, -signal.SIGSEGV):
        return out_of_memory()
    return QueryRefused(f"the query was ended (status {status})", "ask for less")


def _parsed(line: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        said = None
    return said if isinstance(said, dict) else {}


async def _end(process: asyncio.subprocess.Process) -> None:
    """It is gone on return."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
