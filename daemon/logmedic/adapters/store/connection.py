"""Opening the DuckDB file: its settings, what it may reach, and the lock that says whose it is."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import duckdb

from logmedic.model.errors import StoreBusy, StoreFull, StoreLocked, StoreTooNew

CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "memory_limit": "256MB",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
    "late_materialization_max_rows": 1000,
}
"""256 MB bounds what a query over a year's incidents may take, or a copy of the store; the daemon's own statements stay
below 10 MB. Names in SQL never mean this program's variables. A page of up to so many rows is found by its key first,
and read afterwards (measured, of 30,000 messages: 7 ms for the newest hundred instead of 52)."""
_SETTINGS = ("SET checkpoint_threshold = '16MB'", "SET TimeZone = 'UTC'")
_ONE_THREAD = "SET async_threads = 0"
"""DuckDB 2 has threads of its own for reading ahead; 1.5 has none, and does not know the word."""
COPY_ENDING = ".duckdb"
"""Of what is in the directory of backups."""
_ENDINGS = ("", ".wal", ".wal.checkpoint", ".wal.recovery")
"""Of the files that DuckDB makes beside one that it writes."""


def archive_of(path: Path) -> Path:
    """Where the days that left the store at `path` are."""
    return path.with_name("archive")


def backups_of(path: Path) -> Path:
    """Where copies of the store at `path` are."""
    return path.with_name("backups")


def calendar_of(path: Path) -> Path:
    """Where it is written what time it was at the last look at what is old."""
    return path.with_name(f"{path.name}.calendar")


def compacted_of(path: Path) -> Path:
    """The file that a compaction of `path` writes, until it takes its place."""
    return path.with_name(f"{path.name}.compacted")


def before_compaction_of(path: Path) -> Path:
    """The file as it was, while a compacted one takes its place."""
    return path.with_name(f"{path.name}.before-compaction")


def queries_of(path: Path) -> Path:
    """Where what a query reads lies while it runs."""
    return path.with_name(f"{path.name}.queries")


def connect(path: Path, *, read_only: bool = False, reach: Sequence[Path] = ()) -> duckdb.DuckDBPyConnection:
    """Its SQL reaches the file, its archive, its backups, what queries read, and the files of `reach`, and nothing else
    of the host. Raises duckdb.Error for a file that does not open."""
    connection = duckdb.connect(str(path), read_only=read_only, config=CONFIG)
    if knows(connection, "async_threads"):
        connection.execute(_ONE_THREAD)
    for setting in () if read_only else _SETTINGS:
        connection.execute(setting)
    _fence(connection, [archive_of(path), backups_of(path), queries_of(path)], [compacted_of(path), *reach])
    return connection


def knows(connection: duckdb.DuckDBPyConnection, setting: str) -> bool:
    return connection.execute("SELECT 1 FROM duckdb_settings() WHERE name = ?", [setting]).fetchone() is not None


def _fence(connection: duckdb.DuckDBPyConnection, directories: Sequence[Path], files: Sequence[Path]) -> None:
    """DuckDB takes what is allowed only before access is shut off, and never lets it on again: connections of one file
    share it."""
    if connection.execute("SELECT current_setting('enable_external_access')").fetchone() == (False,):
        return
    every_file = [each.with_name(f"{each.name}{end}") for each in files for end in _ENDINGS]
    connection.execute(f"SET allowed_directories = [{', '.join(map(quoted, directories))}]")
    connection.execute(f"SET allowed_paths = [{', '.join(map(quoted, every_file))}]")
    connection.execute("SET enable_external_access = false")


def quoted(value: object) -> str:
    """As SQL writes a text."""
    return "'" + str(value).replace("'", "''") + "'"


_FULL = ("no space left", "disk full", "disk is full", "read-only file system", "quota", "file too large")
_REFUSED = ("permission denied", "operation not permitted")
_FAILING = ("input/output error",)
_SHORT = ("out of memory", "too many open files")
_TAKEN = "could not set lock on file"


def is_no_damage(words: str) -> bool:
    """Whether an error is about the host's room, rights or disk, or another process that has the file open, and not
    about the file's content: salvage would only make it worse."""
    return is_taken(words) or any(each in words.lower() for each in _FULL + _REFUSED + _FAILING + _SHORT)


def made_by_newer(error: duckdb.Error) -> StoreTooNew | None:
    """Whether it is a file of a newer DuckDB: whole, and to be left as it is (F52)."""
    if "created with a newer version" not in str(error):
        return None
    return StoreTooNew(
        f"the store is a file of a newer DuckDB, and this is DuckDB {duckdb.__version__}",
        "install the newer one again (pip install 'duckdb>=2'), or name another storage.path",
    )


def is_taken(words: str) -> bool:
    """Whether an error says that another process has the file open."""
    return _TAKEN in words.lower()


def trouble(error: Exception | str) -> StoreFull | StoreBusy:
    said = " ".join(str(error).split())
    words, said = said[:300], said.lower()  # a long path comes before the reason
    if any(each in said for each in _FULL):
        return StoreFull(f"the store cannot be written: {words}", "make room on its disk (df -h)")
    if any(each in said for each in _REFUSED):
        return StoreFull(f"the store cannot be written: {words}", "see who owns it (ls -l), and as whom this runs")
    if any(each in said for each in _FAILING):
        return StoreFull(f"the store's disk fails: {words}", "see what the kernel says of it (dmesg)")
    return StoreBusy(f"the store did not take the change: {words}", "see the log; it is tried again")


READERS_S = 10.0
"""How long a start waits for those who read the file; a question has five seconds."""
LOOK_S = 0.02


class Lock:
    """An advisory lock beside the file: DuckDB's own would be dropped by any other open of it, and names nobody."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(f"{path.name}.lock")
        self._descriptor = -1

    @property
    def path(self) -> Path:
        return self._path

    def take(self, *, shared: bool = False) -> None:
        """Raises StoreLocked when somebody else has it, StoreFull when the directory cannot be written to."""
        try:
            flags = os.O_RDONLY if shared else os.O_RDWR | os.O_CREAT
            self._descriptor = os.open(self._path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            if shared:
                return  # never held by anybody
            raise
        except OSError as error:
            raise StoreFull(
                f"cannot write {self._path}: {error.strerror}", "see the rights of that directory"
            ) from None
        try:
            self._acquire(shared)
        except BlockingIOError:
            holder = os.pread(self._descriptor, 20, 0).decode("ascii", "replace").strip()
            self.release()
            raise StoreLocked(
                f"the store {self._path.with_suffix('')} is in use by process {holder or 'unknown'}",
                "a daemon that starts answers in a moment: logmedic status; or stop it first: systemctl stop logmedic",
            ) from None
        if not shared:
            self._sign()

    def _acquire(self, shared: bool) -> None:
        """Raises BlockingIOError. Commands that read the file while no daemon runs hold it for a moment: a daemon that
        starts meanwhile waits for them, and for nobody else."""
        end = time.monotonic() + READERS_S
        while True:
            try:
                fcntl.flock(self._descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            except BlockingIOError:
                if shared or time.monotonic() >= end or not self._only_readers():
                    raise
                time.sleep(LOOK_S)
            else:
                return

    def _only_readers(self) -> bool:
        """Nobody has it alone. Ours is let go again by the next try."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        return True

    def _sign(self) -> None:
        """Say who holds it. On a full disk the lock holds all the same, without a name."""
        with suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
