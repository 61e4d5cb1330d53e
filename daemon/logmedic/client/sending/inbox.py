"""What the application's threads hand to the client's.

There is no lock in it: a report may be made in a signal handler or a destructor, in the middle of another one of the
same thread. The ends of a deque are safe to use from all threads, and the sums are about right."""

from __future__ import annotations

import os
import select
from collections import deque
from typing import Generic, TypeVar

from logmedic.client import guarded

J = TypeVar("J")
POLL_S = 60.0


class Inbox(Generic[J]):
    """Bounded by `most` jobs and by `most_bytes` of their weights. `open` (it raises OSError) and `close` go with the
    thread that takes out of it."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._jobs: deque[tuple[J, int]] = deque()
        self._bytes = 0
        self._asleep = False
        self._read_end = self._write_end = -1

    def __len__(self) -> int:
        return len(self._jobs)

    def open(self) -> None:
        self._read_end, self._write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        os.set_blocking(self._write_end, False)

    def close(self) -> None:
        ends, self._read_end, self._write_end = (self._read_end, self._write_end), -1, -1
        for each in ends:
            if each >= 0:
                guarded.silently(lambda end=each: os.close(end))  # type: ignore[misc]

    def put(self, job: J, weight: int) -> bool:
        """False: it is full."""
        if len(self._jobs) >= self._most or self._bytes + weight > self._most_bytes:
            return False
        self._bytes += weight
        self._jobs.append((job, weight))
        self.wake()
        return True

    def put_always(self, job: J) -> None:
        """For what ends a wait: it has to come through."""
        self._jobs.append((job, 0))
        self.wake()

    def wake(self) -> None:
        if self._asleep:
            self._asleep = False
            guarded.quietly(lambda: os.write(self._write_end, b"."), 0)

    def take(self) -> J | None:
        """The oldest job."""
        try:
            job, weight = self._jobs.popleft()
        except IndexError:
            self._bytes = 0
            return None
        self._bytes -= weight
        return job

    def wait(self, seconds: float, other: int = -1, events: int = 0) -> int:
        """Until there is a job, `seconds` (or a minute) are over, or `events` (of `select.poll`) come at the descriptor
        `other`, if it is one. Returns those that came there."""
        watched = select.poll()
        watched.register(self._read_end, select.POLLIN)
        if other >= 0:
            watched.register(other, events)
        self._asleep = True
        if self._jobs:
            seconds = 0.0
        milliseconds = int(min(seconds, POLL_S) * 1000 + 1) if seconds > 0 else 0
        came = dict(watched.poll(milliseconds))
        self._asleep = False
        if self._read_end in came:
            guarded.quietly(lambda: os.read(self._read_end, 4096), b"")
        return came.get(other, 0) if other >= 0 else 0
