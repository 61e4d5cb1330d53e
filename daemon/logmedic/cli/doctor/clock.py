"""The clock: kept in time by somebody, and not set back behind what was written already."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from logmedic.cli.doctor.finding import Finding, warning, well, wrong

SYNCHRONIZED = Path("/run/systemd/timesync/synchronized")
SET_BACK_S = 60.0
"""Files have their time from the same clock: one that is further ahead was written before it was set back."""
_ERROR = 5
"""adjtimex(2), TIME_ERROR: the kernel's word that nobody keeps the clock in time."""
_TIMEX_BYTES = 512
"""More than struct timex has anywhere; all zero, nothing is set."""
_REPAIR = "timedatectl set-ntp true, or: apt-get install chrony; see timedatectl timesync-status, chronyc tracking"


@dataclass(frozen=True, slots=True)
class Kept:
    """`kernel`: whether the kernel takes the clock for synchronised; None where it does not tell."""

    kernel: bool | None
    timesyncd: bool


def kept(synchronized: Path = SYNCHRONIZED) -> Kept:
    buffer = ctypes.create_string_buffer(_TIMEX_BYTES)
    try:
        answer = ctypes.CDLL(None, use_errno=True).adjtimex(buffer)
    except AttributeError:
        answer = -1
    return Kept(None if answer < 0 else answer != _ERROR, synchronized.exists())


def of_keeping(seen: Kept) -> Finding:
    if seen.kernel:
        return well("clock", "kept in time" + (" by systemd-timesyncd" if seen.timesyncd else ""))
    if seen.timesyncd:
        return well("clock", "systemd-timesyncd has set it; the kernel does not take it for exact yet")
    if seen.kernel is None:
        return warning("clock", "the kernel does not tell whether it is kept in time", _REPAIR)
    return warning("clock", "nobody keeps it in time: ages, windows and silences go by it", _REPAIR)


def of_jump(now: float, newest: float, what: str) -> Finding:
    """`newest`: when `what` was written, by the clock of then. Both in seconds since 1970."""
    if newest - now > SET_BACK_S:
        found = f"it was set back: {what} was written {newest - now:,.0f} s in the future"
        return wrong("clock jump", found, "timedatectl; what was timed then waits until the clock is there again")
    return well("clock jump", "nothing was written in the future")


def look(paths: list[Path], synchronized: Path = SYNCHRONIZED) -> Iterator[Finding]:
    """`paths`: what the daemon and this program wrote."""
    yield of_keeping(kept(synchronized))
    written: list[tuple[float, Path]] = []
    for each in paths:
        try:
            written.append((each.stat().st_mtime, each))
        except OSError:
            continue
    if written:
        newest, what = max(written)
        yield of_jump(time.time(), newest, str(what))
