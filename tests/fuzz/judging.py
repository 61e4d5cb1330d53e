"""One input, read by a target, with its bounds: what came of it."""

from __future__ import annotations

import resource
import time
from pathlib import Path

from fuzz.finding import Find, find_of
from fuzz.heartbeat import Heartbeat
from fuzz.target import MIB, Attempt, Target

_PAGE = resource.getpagesize()


class Judge:
    """Runs inputs through an opened target. Its answers: None, or a find that is not minimized."""

    def __init__(self, target: Target, attempt: Attempt, heartbeat: Heartbeat | None = None) -> None:
        self._target = target
        self._attempt = attempt
        self._heartbeat = heartbeat

    def judge(self, given: bytes) -> Find | None:
        if self._heartbeat is not None:
            self._heartbeat.begin(given)
        highest, begun = highest_rss(), time.process_time()
        try:
            self._attempt(given)
        except self._target.refusals:
            pass
        except Exception as error:  # noqa: BLE001  what it is, is what we are here for
            return find_of(self._target.name, error, given)
        return self._in_bounds(given, time.process_time() - begun, highest_rss() - highest)

    def _in_bounds(self, given: bytes, cpu_s: float, more: int) -> Find | None:
        if cpu_s > self._target.cpu_s:
            return Find(self._target.name, "slow", "", f"it took {cpu_s:.1f} s of CPU", given)
        if more > self._target.peak:
            forget_highest()  # or the next one would not show
            return Find(self._target.name, "memory", "", f"it took {more // MIB} MiB at once", given)
        return None


def highest_rss() -> int:
    # Not ru_maxrss: over an exec it keeps the peak of the process before, a worker of pytest that has grown large.
    (line,) = (each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def forget_highest() -> None:
    """The highest RSS is the present one from here on (proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5")


def rss() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


def bound_memory(more: int) -> None:
    """The address space of this process: what it has, and `more` bytes. What wants more gets a MemoryError."""
    has = int(Path("/proc/self/statm").read_text().split()[0]) * _PAGE
    resource.setrlimit(resource.RLIMIT_AS, (has + more, has + more))
