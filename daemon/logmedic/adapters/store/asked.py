"""The disposable process that runs one query of somebody's: `python -m logmedic.adapters.store.asked`.

DuckDB's limit of memory does not hold for texts that are being made, and nothing interrupts it while it plans
(measured: `repeat('x', 1000000000)` takes 2 GB, 300 joined tables more than 100 s). A thread of the daemon cannot be
taken back, a process can. It has no store open: the daemon writes what the query reads into files, and tells their
names.

    {"sql": "...", "limits": {...}, "columns": {"v_issues": {"id": "VARCHAR", ...}}}
        -> {"needs": {"v_issues": ["id"] or null}}
    {"files": {"v_issues": "..."}}
        -> the answer, exit 0
    At any time {"error": "...", "hint": "..."}, exit 3
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb

from logmedic.adapters.store.answers import answer_of
from logmedic.adapters.store.connection import quoted
from logmedic.adapters.store.sql import needs_of, out_of_memory
from logmedic.model.errors import QueryRefused
from logmedic.model.query import Limits

REFUSED = 3
"""The exit code that says so."""
MEMORY = "200MB"
ROOM_BYTES = 500 << 20
"""Of memory that can be written to: 100 MB at the start (measured), DuckDB's own, and what it does not count. Address
space is no measure: DuckDB reserves 600 MB of it that it does not use."""
_PR_SET_PDEATHSIG = 1


def main() -> int:
    _fence()
    request = json.loads(sys.stdin.readline())
    try:
        limits = Limits(**request["limits"])
        signal.setitimer(signal.ITIMER_REAL, limits.time_s * 2)  # the daemon ends it in time; nobody else would
        needs = needs_of(request["sql"], request["columns"])
        _tell({"needs": needs.views})
        files = json.loads(sys.stdin.readline() or '{"files": {}}')["files"]
        answer = answer_of(_connected(files), request["sql"], limits)
    except QueryRefused as error:
        return _told(error)
    except MemoryError:
        return _told(out_of_memory())
    sys.stdout.buffer.write(answer)
    return 0


def _fence() -> None:
    """Less of everything, first in line where memory is short, and gone with the daemon."""
    for limit, value in (
        (resource.RLIMIT_DATA, ROOM_BYTES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(limit, (value, value))
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    with suppress(OSError):
        os.nice(10)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _told(error: QueryRefused) -> int:
    _tell({"error": error.text, "hint": error.hint})
    return REFUSED


def _tell(what: Mapping[str, Any]) -> None:
    sys.stdout.write(f"{json.dumps(what)}\n")
    sys.stdout.flush()


def _connected(files: Mapping[str, str]) -> duckdb.DuckDBPyConnection:
    """A database of its own that reaches `files` and nothing else. Raises duckdb.Error."""
    connection = duckdb.connect(
        config={
            "threads": 1,
            "memory_limit": MEMORY,
            "temp_directory": "",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
        }
    )
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"SET allowed_paths = [{', '.join(map(quoted, files.values()))}]")
    for name, file in files.items():
        connection.execute(f"CREATE VIEW {name} AS FROM read_parquet({quoted(file)})")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


if __name__ == "__main__":
    sys.exit(main())
