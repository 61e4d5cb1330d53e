"""Getting a store to open again, whatever happened to it (I4).

The attempts run in a child, `python -m logmedic.adapters.store.salvage PATH [NEW]`: a damaged file can abort the
process that opens it. With NEW, what can still be read is copied there. Originals are kept beside; what was done is
told.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from logmedic.adapters.store.connection import connect
from logmedic.adapters.store.migrations import migrate
from logmedic.adapters.store.rows import TABLES
from logmedic.model.errors import LogmedicError

TRIES = 5
OPEN_LIMIT_S = 120.0
"""For replaying a large log on a slow disk."""
_POSITION = re.compile(r"byte position (\d+)")


def wal_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")


def make_openable(path: Path) -> list[str]:
    """Afterwards `path` opens, or is not there. Answers what people have to be told."""
    if not path.exists() and not wal_of(path).exists():
        return []
    error = try_open(path)
    if error is None:
        return []
    kept = _keep_originals(path)
    notices = [f"the store did not open ({error}); its originals are kept as {kept.name}*"]
    for _ in range(TRIES):
        if not wal_of(path).exists():
            break
        notices.append(_shorten(wal_of(path), error))
        error = try_open(path)
        if error is None:
            return notices
    return [*notices, _begun_anew(path)]


def _begun_anew(path: Path) -> str:
    """A new store with whatever can still be read of the old one."""
    new = path.with_name(f"{path.name}.rescued")
    new.unlink(missing_ok=True)
    report = _child(path, new)
    rescued = report.get("rescued", {})
    for each in (path, wal_of(path)):
        each.unlink(missing_ok=True)
    if rescued and new.exists():
        new.rename(path)
        lost = ", ".join(report["lost"]) or "nothing"
        return f"a new store was begun with {sum(rescued.values())} rows of the old one; not readable there: {lost}"
    new.unlink(missing_ok=True)
    return "it could not be salvaged: a new store was begun, and what was learned is in the kept files only"


def _keep_originals(path: Path) -> Path:
    kept = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}")
    for original, copy in ((path, kept), (wal_of(path), kept.with_name(f"{kept.name}.wal"))):
        if original.exists():
            shutil.copyfile(original, copy)
            copy.chmod(0o600)
    return kept


def _shorten(wal: Path, error: str) -> str:
    """Cut the write-ahead log where the error says that it is damaged; else set it aside."""
    found = _POSITION.search(error)
    size = wal.stat().st_size
    if found and 0 < int(found[1]) < size:
        os.truncate(wal, int(found[1]))
        return f"the last {size - int(found[1])} bytes of its write-ahead log were damaged and are left out"
    wal.unlink()
    return f"its write-ahead log of {size} bytes was damaged as a whole and is left out"


def try_open(path: Path) -> str | None:
    """Open and read `path` in a child. None when that went well, else the error."""
    report = _child(path)
    return str(report["error"]) if "error" in report else None


def _child(*paths: Path) -> dict[str, Any]:
    """What the child reports; `error` when it could not."""
    command = [sys.executable, "-I", "-m", "logmedic.adapters.store.salvage", *map(str, paths)]
    try:
        child = subprocess.run(  # noqa: S603
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=OPEN_LIMIT_S, check=False
        )
        report: dict[str, Any] = json.loads(child.stdout)
    except subprocess.TimeoutExpired:
        return {"error": f"not open within {OPEN_LIMIT_S:g} s"}
    except ValueError:
        return {"error": f"the process that opened it ended with status {child.returncode}"}
    return report


def _read_all(path: Path) -> dict[str, Any]:
    """Every table: damage inside the file shows only then."""
    with connect(path) as connection:
        for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall():
            answer = connection.execute(f'SELECT * FROM "{name}"')  # noqa: S608  a count would read no values
            while answer.fetchmany(1000):
                pass
    return {}


def _rescue(path: Path, new: Path) -> dict[str, Any]:
    """Copy table by table. A table that cannot be read is left out."""
    rescued, lost = {}, []
    os.umask(0o077)
    with connect(new) as connection:
        migrate(connection)
        connection.execute(f"ATTACH '{str(path).replace(chr(39), chr(39) * 2)}' AS old (READ_ONLY)")
        for table in TABLES:
            try:
                copied = connection.execute(f"INSERT INTO {table.name} BY NAME FROM old.{table.name}")
                rescued[table.name] = int((copied.fetchone() or (0,))[0])
            except duckdb.Error:
                lost.append(table.name)
    return {"rescued": rescued, "lost": lost}


def main() -> None:
    paths = [Path(each) for each in sys.argv[1:]]
    try:
        report = _rescue(*paths) if len(paths) > 1 else _read_all(paths[0])
    except (duckdb.Error, OSError, LogmedicError) as error:
        report = {"error": " ".join(str(error).split())[:500]}
    json.dump(report, sys.stdout)
    sys.stdout.flush()
    os._exit(0)  # a broken connection must not get another chance to write while it is torn down


if __name__ == "__main__":
    main()
