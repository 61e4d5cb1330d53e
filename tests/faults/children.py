"""The processes that a daemon starts, found by what they run."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOOK_S = 0.002
STORE_HELPER = "logmedic.adapters.store.trying"


def descendants(pid: int) -> list[int]:
    """Of `pid`, the nearest first; of a process that is gone none."""
    found = [int(each) for task in _tasks(pid) for each in _words(task / "children")]
    return [*found, *(each for child in found for each in descendants(child))]


def _tasks(pid: int) -> list[Path]:
    with suppress(FileNotFoundError, ProcessLookupError, NotADirectoryError):
        return list(Path(f"/proc/{pid}/task").iterdir())
    return []


def _words(path: Path) -> list[str]:
    with suppress(FileNotFoundError, ProcessLookupError):
        return path.read_text().split()
    return []


def running(pid: int, words: str) -> list[int]:
    """The descendants of `pid` whose command line holds `words`."""
    return [each for each in descendants(pid) if words in _command(each)]


def _command(pid: int) -> str:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


class Killer:
    """Ends what `words` name as soon as it is seen, at most `times` times; `wait_s()`: how long after. `killed`: its
    pids."""

    def __init__(self, daemon: Callable[[], int], words: str, times: int, wait_s: Callable[[], float]) -> None:
        self.killed: list[int] = []
        self._daemon = daemon
        self._words = words
        self._times = times
        self._wait_s = wait_s
        self._over = threading.Event()

    def work(self) -> None:
        while len(self.killed) < self._times and not self._over.wait(LOOK_S):
            for each in running(self._daemon(), self._words):
                if each in self.killed or len(self.killed) == self._times:
                    continue
                self._over.wait(self._wait_s())
                with suppress(ProcessLookupError):
                    os.kill(each, signal.SIGKILL)
                    self.killed.append(each)

    def end(self) -> None:
        self._over.set()


@contextmanager
def killing(
    daemon: Callable[[], int], words: str, times: int = 1, wait_s: Callable[[], float] = lambda: 0.0
) -> Iterator[Killer]:
    killer = Killer(daemon, words, times, wait_s)
    thread = threading.Thread(target=killer.work, name="killer")
    thread.start()
    try:
        yield killer
    finally:
        killer.end()
        thread.join()
