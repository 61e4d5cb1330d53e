"""What checks of files and disks say of what they see. Pure."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from logmedic.core.durations import duration_text
from logmedic.model.probe import DiskProbe, FileProbe

Seen = tuple[bool | None, str]
"""Whether it is as wanted (None: nobody can say), and the words."""

LAST_S = datetime(9000, 1, 1, tzinfo=UTC).timestamp()
"""File systems keep times that no calendar has: anybody may `touch -d @99999999999999`."""


def of_file(probe: FileProbe, status: os.stat_result | None, now: datetime) -> Seen:
    """`status` None: it is not there."""
    if status is None:
        return not probe.exists, "is not there"
    if not probe.exists:
        return False, "is there, and should not be"
    changed = datetime.fromtimestamp(min(max(status.st_mtime, 0.0), LAST_S), UTC)
    if probe.newer_than is not None and now - changed > probe.newer_than:
        return False, f"changed {_ago(now, changed)} ago, wanted {duration_text(probe.newer_than)}"
    if probe.max_bytes is not None and status.st_size > probe.max_bytes:
        return False, f"{size_text(status.st_size)}, wanted at most {size_text(probe.max_bytes)}"
    return True, f"is there, {size_text(status.st_size)}, changed {_ago(now, changed)} ago"


def of_disk(probe: DiskProbe, status: os.statvfs_result) -> Seen:
    """What users may take counts, of all that there is, as in the step `free`. A file system that makes inodes as it
    needs them tells of none, and is never short of them."""
    if not status.f_blocks:
        return None, "has no size"
    free = status.f_bavail * status.f_frsize
    percent = 100 * status.f_bavail / status.f_blocks
    if percent < probe.percent:
        return False, f"{number(percent)} % free, wanted {number(probe.percent)} %"
    if free < probe.free_bytes:
        return False, f"{size_text(free)} free, wanted {size_text(probe.free_bytes)}"
    inodes = 100 * status.f_favail / status.f_files if status.f_files else 100.0
    if inodes < probe.inodes_percent:
        return False, f"{number(inodes)} % of the inodes free, wanted {number(probe.inodes_percent)} %"
    more = f", {number(inodes)} % of the inodes" if probe.inodes_percent else ""
    return True, f"{number(percent)} % free ({size_text(free)}){more}"


def number(value: float) -> str:
    """Never rounded up to what is wanted: 9.999 stays below 10."""
    return f"{int(value * 100) / 100:g}"


def size_text(size: int) -> str:
    """In the largest unit that it is at least one of."""
    for unit, worth in (("TiB", 1024**4), ("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024)):
        if size >= worth:
            return f"{number(size / worth)} {unit}"
    return f"{size} B"


def _ago(now: datetime, then: datetime) -> str:
    seconds = max(0, round((now - then).total_seconds()))
    for name, worth in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * worth:
            return f"{seconds // worth} {name}"
    return f"{seconds} s"
