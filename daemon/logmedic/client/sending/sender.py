"""The client's thread, and the way into it. The thread alone talks with the daemon and owns all that waits; the
application only puts jobs into its inbox, and waits for it only where it asks to."""

from __future__ import annotations

import _thread
import math
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from logmedic.client import guarded
from logmedic.client.answers import Question
from logmedic.client.sending.building import Draft, line_of
from logmedic.client.sending.inbox import Inbox
from logmedic.client.sending.losses import Losses
from logmedic.client.sending.pending import Pending, Waiting
from logmedic.client.sending.sharing import Told
from logmedic.client.sending.spool import Spool
from logmedic.client.sending.talk import Talk

EXIT_S = 2.0
"""So long the end of the program waits for all clients together."""
FAULT_PAUSE_S = 1.0
FAULT = "a fault of the client"


@dataclass(frozen=True, slots=True)
class Share:
    name: str
    is_open: bool
    open_for: float


@dataclass(frozen=True, slots=True)
class Follow:
    name: str
    told: Told


@dataclass(slots=True)
class Flush:
    """`patient`: a daemon that is away is waited for. `empty`: whether nothing waited any more when it was done."""

    patient: bool
    empty: bool = False
    done: Event = field(default_factory=Event)


@dataclass(slots=True)
class End:
    """The thread leaves what it has in the spool or in the log, and ends."""

    done: Event = field(default_factory=Event)


Job = tuple[Draft, Question | None] | Share | Follow | Flush | End


class Sender:
    """`seed`: differs from process to process. Nothing runs before the first job."""

    def __init__(self, path: str, spool: Path | None, most: int, most_bytes: int, seed: str) -> None:
        self.losses = Losses(path)
        self._inbox: Inbox[Job] = Inbox(most, most_bytes)
        self._kept = Spool(spool, seed) if spool is not None else None
        self.talk = Talk(path, Pending(most, most_bytes), self.losses, self._kept, seed)
        self._flushes: list[Flush] = []
        self._starting = _thread.allocate_lock()
        self._runs = self._ended = False
        self.faults = 0
        """Of the client itself: tests hold it at none."""

    @property
    def runs(self) -> bool:
        return self._runs

    @property
    def waiting(self) -> int:
        """Reports that are not taken yet, about."""
        return len(self._inbox) + len(self.talk.pending)

    def hand_over(self, job: Job, weight: int = 0) -> bool:
        """False: it is dropped. Never waits."""
        if self._ended or guarded.is_speaking():
            return False
        if not self._inbox.put(job, weight):
            self.losses.drop("more came than could be taken over")
            return False
        if not self._runs:
            self.start()
        return True

    def start(self) -> None:
        """Where no thread can be had, the next job tries again."""
        if not self._starting.acquire(blocking=False):
            return  # somebody does so just now
        try:
            if not self._runs:
                self._inbox.open()
                self._runs = True
                guarded.silently(lambda: _end_with_worker(self))
                # threading.Thread.start waits, and holds a lock that whoever a signal interrupted may hold as well
                self._runs = guarded.silently(lambda: _thread.start_new_thread(self._run, ()))
                if not self._runs:
                    self._inbox.close()
        except OSError:
            self._runs = False
        finally:
            self._starting.release()

    def wait(self, job: Flush | End, seconds: float) -> None:
        """Hand it over, and wait until it is done."""
        if self._runs and not self._ended:
            self._inbox.put_always(job)
            job.done.wait(max(0.0, seconds))

    def end(self, seconds: float) -> None:
        """Nothing is taken over after it."""
        self.wait(End(), seconds)
        if not self._runs and not self._ended:
            guarded.silently(lambda: self._talk_here(time.monotonic() + seconds))
            self._drain(time.monotonic())
            self.talk.leave()
            self.losses.say_now()
        self._ended = True

    def _talk_here(self, until: float) -> None:
        """Where no thread could be had: once Python 3.12 runs what is registered with `atexit`, there is none."""
        self._drain(time.monotonic())
        if self.waiting == 0:
            return
        self._inbox.open()
        try:
            while self.waiting and not self.talk.away and (left := until - time.monotonic()) > 0:
                self._turn(left)
        finally:
            self._inbox.close()

    def abandon(self) -> None:
        """In a child of the process whose thread it was: that thread is not there, and what waits is its parent's."""
        self._ended = True
        self._inbox.close()
        self.talk.abandon()

    def _run(self) -> None:
        while not self._ended:
            if not guarded.silently(self._turn) and not self._ended:
                self.faults += 1
                guarded.silently(lambda: self.talk.lose(FAULT, time.monotonic()))
                time.sleep(FAULT_PAUSE_S)

    def _turn(self, at_most: float = math.inf) -> None:
        """`at_most`: seconds that it waits for what comes."""
        now = time.monotonic()
        self._drain(now)
        if self._ended:
            return
        wait = min(self.talk.turn(now), self.losses.due_in(now), at_most)
        self._answer_flushes()
        self.losses.say(now)
        link = self.talk.link
        if self._inbox.wait(wait, *((link.number, link.events) if link is not None else ())):
            self.talk.hear(time.monotonic())
            self._answer_flushes()

    def _drain(self, now: float) -> None:
        while (job := self._inbox.take()) is not None:
            if not guarded.silently(lambda job=job: self._take(job, now)):  # type: ignore[misc]
                self.faults += 1
                self.losses.drop(FAULT)

    def _take(self, job: Job, now: float) -> None:
        match job:
            case Share(name, is_open, open_for):
                self.talk.board.share(name, is_open, open_for, now)
            case Follow(name, told):
                self.talk.board.follow(name, told)
            case Flush():
                self._flushes.append(job)
            case End():
                self._finish(job)
            case (draft, question):
                self.talk.keep(Waiting(draft.id, line_of(draft), question))

    def _answer_flushes(self) -> None:
        """Those that have come to their end."""
        empty = self.waiting == 0
        for each in [each for each in self._flushes if empty or (self.talk.away and not each.patient)]:
            self._flushes.remove(each)
            each.empty = empty
            each.done.set()

    def _finish(self, end: End) -> None:
        self._ended = True
        guarded.silently(self.talk.leave)
        self.losses.say_now()
        self._inbox.close()
        for done in (*(each.done for each in self._flushes), end.done):
            done.set()


def _end_with_worker(sender: Sender) -> None:
    """Processes of `multiprocessing` end without `atexit`; they have ends of their own."""
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.Finalize(None, close_at_exit, args=(sender, EXIT_S), exitpriority=0)


def close_at_exit(sender: Sender, seconds: float) -> None:
    """So long for the daemon to take what waits; where it is away, not at all."""
    until = time.monotonic() + seconds
    sender.wait(Flush(patient=False), seconds)
    sender.end(max(0.1, until - time.monotonic()))
