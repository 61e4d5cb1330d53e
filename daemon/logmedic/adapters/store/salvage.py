"""Getting a store to open again, whatever happened to it (I4).

The ladder: cut the write-ahead log where it is damaged; take over the tables that can be read, and of the others those
of the newest good snapshot; the snapshot itself, when nothing can be read; a new store.

Everything is tried in a child (see `trying`). Originals are kept beside; what was done is told. What is no damage (a
full disk, missing rights, a newer form, another process that has it open) is raised, and the files stay as they are.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from logmedic.adapters.store import copies, replacing
from logmedic.adapters.store.children import Children
from logmedic.adapters.store.connection import (
    COPY_ENDING,
    backups_of,
    before_compaction_of,
    is_no_damage,
    trouble,
)
from logmedic.adapters.store.contents import Contents
from logmedic.adapters.store.walog import find_gap, wal_of
from logmedic.model.errors import StoreBusy, StoreFull, StoreTooNew

TRIES = 5
STAND_INS = 3
"""So many copies are tried, the newest first: each takes its time."""
AHEAD_S = 86400.0
"""What is dated so far ahead was made under a wrong clock."""
_HELD = "what held fixes back is not known any more, so none is run until somebody types: logmedic resume"
_POSITION = re.compile(r"byte position (\d+)")


def make_openable(path: Path, children: Children) -> list[str]:
    """Afterwards `path` opens, or is not there. Answers what people have to be told. Raises StoreTooNew, StoreFull and
    StoreBusy for what is no damage. `children` look the file through, and may be ended; what mends it then may not, or
    nobody would hear of what it did."""
    if not path.exists() and not wal_of(path).exists():
        return []
    gap = find_gap(wal_of(path))
    error: str | None
    if gap:  # opening it now would drop what lies behind the gap, and the log with it
        refuse_what_is_no_damage(path, proven=True)
        error = str(gap)
    else:
        error = try_open(path, children)
    if error is None:
        return []
    kept = _keep_originals(path)
    notices = [f"the store did not open ({error}); its originals are kept as {kept.name}*"]
    for _ in range(TRIES):
        if not wal_of(path).exists():
            break
        notices.append(_shorten(wal_of(path), error))
        error = try_open(path, Children())
        if error is None:
            return notices
    # Its log may be cut by now: what it was is in the kept files alone, and they stay whatever comes.
    return [*notices, _begun_anew(path)]


def is_damage(error: Exception) -> bool:
    """Whether an error of DuckDB says that the file's content is damaged, and not only that something did not work."""
    words = str(error)
    return "Corrupt database file" in words or "checksum" in words


def may_be_damage(error: duckdb.Error) -> bool:
    """Whether an answer that failed with it is a reason to read the whole file through."""
    odd = (duckdb.IOException, duckdb.InternalException, duckdb.FatalException, duckdb.SerializationException)
    return is_damage(error) or (isinstance(error, odd) and not is_no_damage(str(error)))


def begin_anew(path: Path, error: str) -> list[str]:
    """For a store that opens and cannot be written to. Nobody has it open. Answers what people have to be told. Raises
    StoreFull, StoreBusy for what is no damage; then it is as it was."""
    kept = _keep_originals(path)
    told = f"the store was damaged inside ({error}); its originals are kept as {kept.name}*"
    return [told, _begun_anew(path, kept)]


def _begun_anew(path: Path, *kept: Path) -> str:
    """A new store with whatever can still be read of the old one; else the first copy that can be read; else an empty
    one. It is made beside, and takes the place when it is whole. `kept`: copies that go again when it comes to none,
    since the store is as it was."""
    new = path.with_name(f"{path.name}.rescued")
    try:
        told = _rescued(path, new) or _taken(path, new) or _empty(new)
        replacing.replace(path, new)
    except OSError as error:
        if not replacing.replacement_of(path).exists():  # else the next start finishes it
            _put_away(new, *kept)
        raise trouble(error) from None
    except (StoreFull, StoreBusy, StoreTooNew):
        _put_away(new, *kept)  # or each new start would leave one on the full disk
        raise
    return told


def _put_away(*files: Path) -> None:
    for each in files:
        for file in (each, wal_of(each)):
            file.unlink(missing_ok=True)


def _rescued(path: Path, new: Path) -> str:
    """Empty when nothing of it can be read. Raises StoreFull, StoreBusy."""
    report = Children().report("rescue", path, new, *stand_ins(path))
    _damage(report)
    return _told(report) if report.get("rescued") else ""


def _taken(path: Path, new: Path) -> str:
    """The first copy that can be read is taken; it stays beside as well. Empty: there is none. Raises StoreFull,
    StoreBusy."""
    for each in stand_ins(path):
        copies.remove(new)
        _copy(each, new)
        report = Children().report("hold", new)
        if "newer" not in report and _damage(report) is None:
            return (
                f"nothing of it could be read: the copy {each.name} took its place; what came after it is read again "
                f"as far as the logs have it; {_HELD}"
            )
    return ""


def _empty(new: Path) -> str:
    """Raises StoreFull, StoreBusy."""
    copies.remove(new)
    if error := _damage(Children().report("hold", new)):
        raise StoreBusy(f"a new store could not be begun: {error}", "look at the disk")
    return f"it could not be salvaged: a new store was begun, and what was learned is in the kept files only; {_HELD}"


def _told(report: dict[str, Any]) -> str:
    lost = ", ".join(report["lost"]) or "nothing"
    told = (
        f"a new store was begun with {sum(report['rescued'].values())} rows of the old one; not readable there: {lost}"
    )
    filled = ", ".join(report["filled"])
    if filled:
        told += f"; as they were in the copy {report['copy']}: {filled}"
    if "checkpoints" in report["lost"]:  # what was counted of the lines behind them is in other tables (I1, I5)
        told += (
            "; how far the logs were read is not known any more: lines of before may be counted twice, or passed over"
        )
    return f"{told}; {_HELD}" if report["held"] else told


def stand_ins(path: Path) -> list[Path]:
    """What can take the place of the store at `path`, the best first: the file as it was before a compaction that was
    cut off, then the newest copies; behind them those that a clock which was ahead dates as of a time to come."""
    before, latest = before_compaction_of(path), time.time() + AHEAD_S

    def worth(copy: Path) -> tuple[bool, float]:
        made_at = copy.stat().st_mtime
        return made_at <= latest, made_at

    copies = sorted(backups_of(path).glob(f"*{COPY_ENDING}"), key=worth, reverse=True)[:STAND_INS]
    return [*([before] if before.exists() else []), *copies]


def _keep_originals(path: Path) -> Path:
    kept = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}")
    for original, copy in ((path, kept), (wal_of(path), kept.with_name(f"{kept.name}.wal"))):
        if original.exists():
            _copy(original, copy)
    return kept


def _copy(original: Path, copy: Path) -> None:
    """Raises StoreFull; half a copy does not stay, or each new start would leave one on the full disk."""
    try:
        copy.touch(0o600)
        shutil.copyfile(original, copy)
    except OSError as error:
        copy.unlink(missing_ok=True)
        raise trouble(error) from None


def _shorten(wal: Path, error: str) -> str:
    """Cut the write-ahead log where it is damaged; else set it aside."""
    gap, named = find_gap(wal), _POSITION.search(error)
    place = gap.at if gap else int(named[1]) if named else 0
    size = wal.stat().st_size
    if 0 < place < size:
        os.truncate(wal, place)
        return f"the last {size - place} bytes of its write-ahead log were damaged and are left out"
    wal.unlink()
    return f"its write-ahead log of {size} bytes was damaged as a whole and is left out"


def try_open(path: Path, children: Children) -> str | None:
    """Open and read `path` in a child. None when that went well, else what is damaged."""
    return _damage(children.report("read", path))


def read_contents(path: Path, children: Children) -> Contents:
    """Open `path`, which nobody writes to, in a child, and read all of it. Raises StoreTooNew, StoreFull, StoreBusy."""
    report = children.report("digest", path)
    if error := _damage(report):
        raise StoreBusy(f"{path} cannot be read: {error}", "take another copy")
    return {name: (rows, digest) for name, (rows, digest) in report["contents"].items()}


def settle(path: Path) -> None:
    """What the log of `path` has is brought into the file, in a child, and all of it is read. Raises as
    `read_contents`."""
    if error := _damage(Children().report("settle", path)):
        raise StoreBusy(f"{path} cannot be read: {error}", "take another copy")


def refuse_what_is_no_damage(path: Path, *, proven: bool = False) -> None:
    """Raises StoreTooNew, StoreFull, StoreBusy; writes nothing. `proven`: its log is known to be damaged, and DuckDB
    1.5 may run out of memory by the length of an entry there."""
    _damage(Children().report("look", path), proven=proven)


def _damage(report: dict[str, Any], *, proven: bool = False) -> str | None:
    if "newer" in report:
        raise StoreTooNew(*report["newer"])
    error = report.get("error")
    if error is not None and is_no_damage(error) and not (proven and "allocation failure" in error.lower()):
        raise trouble(error)
    return error
