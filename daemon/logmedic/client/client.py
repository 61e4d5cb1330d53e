"""What applications call: `report` and forget, or `ask` and wait for what the daemon makes of it.

Nothing here raises for a reason of its own, and nothing waits but `ask`, `ask_async`, `flush` and `close`, which say
how long. See docs/client.md."""

from __future__ import annotations

import atexit
import contextlib
import itertools
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Literal, TypedDict, Unpack

from logmedic.client import guarded, requestid
from logmedic.client.answers import Answer, Question, State
from logmedic.client.sending.building import Impact as Impact
from logmedic.client.sending.building import Words, component_of, draft_of, weight_of
from logmedic.client.sending.sender import EXIT_S, Flush, Follow, Sender, Share, close_at_exit
from logmedic.client.sending.sharing import Told
from logmedic.client.sending.wire import MAX_WORDS

SOCKET = "/run/logmedic/report.sock"
MIB = 1024 * 1024
_FAULT = Answer(State.AWAY, detail="the report could not be made")


@dataclass(frozen=True, slots=True)
class Stats:
    """Since the client began, or the fork: `sent` (one that is sent twice counts twice), `taken` by the daemon,
    `refused` by it, `dropped`, `spooled` (put into a file). `pending`: not taken yet."""

    sent: int = 0
    taken: int = 0
    refused: int = 0
    dropped: int = 0
    spooled: int = 0
    connected: bool = False
    pending: int = 0


class Settings(TypedDict, total=False):
    """As `Client` takes them."""

    socket: str | os.PathLike[str] | None
    component: str
    environment: str
    spool: str | os.PathLike[str] | None
    buffer: int
    buffer_bytes: int


class Client:
    """Keep one a process: `configure` and `default`. Thread-safe; usable from signal handlers, after a fork (the child
    begins with nothing), and from any event loop.

    `socket`: of the daemon; $LOGMEDIC_REPORT_SOCKET, or /run/logmedic/report.sock. `component`, `environment`: of
    reports that name none; the program's name, and $LOGMEDIC_ENVIRONMENT. `spool`: a directory for what is not
    delivered, at most 10 MiB a process; without one it is dropped, and the logger `logmedic.client` says how many.
    `buffer`, `buffer_bytes`: reports that wait for the daemon, and as many again that wait for the client's thread."""

    def __init__(
        self,
        *,
        socket: str | os.PathLike[str] | None = None,
        component: str = "",
        environment: str = "",
        spool: str | os.PathLike[str] | None = None,
        buffer: int = 1000,
        buffer_bytes: int = MIB,
    ) -> None:
        self._path = os.fspath(socket) if socket is not None else os.environ.get("LOGMEDIC_REPORT_SOCKET") or SOCKET
        self._component = component_of(component or Path(sys.argv[0] if sys.argv else "").stem)
        self._environment = environment or os.environ.get("LOGMEDIC_ENVIRONMENT", "")
        self._spool = Path(spool) if spool is not None else None
        self._limits = (buffer, buffer_bytes)
        self._followed: list[tuple[str, Told]] = []
        self._begin()
        _clients.add(self)

    def report(self, error: BaseException | str, **words: Unpack[Words]) -> str:
        """The report's id; empty when it is dropped at once. Never waits, never raises. Without `request_id` it is the
        current one (`requestid.bound`). What is too long is cut, what is malformed is cleaned."""
        return guarded.quietly(lambda: self._say(None, error, words), "")

    def ask(
        self, error: BaseException | str, *, wait: float, known_within: float = 1.0, **words: Unpack[Words]
    ) -> Answer:
        """Report, and wait for what becomes of it: at most `wait` seconds, and at most `known_within` for the daemon's
        first word. State AWAY comes at once where no daemon answers. Never raises."""
        return guarded.quietly(lambda: self._asked(error, wait, known_within, words), _FAULT)

    async def ask_async(
        self, error: BaseException | str, *, wait: float, known_within: float = 1.0, **words: Unpack[Words]
    ) -> Answer:
        """As `ask`; the loop goes on meanwhile. A cancel takes the question back; the report stays."""
        import asyncio  # who calls this has it

        woken, loop = asyncio.Event(), asyncio.get_running_loop()
        question = Question(time.monotonic(), wait, known_within)
        question.wake = lambda: loop.call_soon_threadsafe(woken.set)
        away: Answer | None = _FAULT
        answer: Answer | float | None = guarded.quietly(lambda: self._begun(question, error, words), away)
        try:
            while not isinstance(answer, Answer):
                woken.clear()
                answer = question.look(time.monotonic(), self._sender.talk.connected)
                if not isinstance(answer, Answer):
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(answer):
                            await woken.wait()
        finally:
            question.leave()
        return answer

    def share(self, breaker_name: str, state: Literal["open", "closed"], open_for: float = 0.0) -> None:
        """Tell all processes of this user that the breaker is open, for `open_for` seconds, or closed."""
        name = guarded.text_of(breaker_name, MAX_WORDS)
        guarded.quietly(lambda: self._sender.hand_over(Share(name, state == "open", float(open_for)), len(name)), False)

    def follow(self, breaker_name: str, told: Told) -> None:
        """`told` is called in the client's thread with ("open", seconds) or ("closed", 0.0), also in processes that are
        forked from this one. It must not wait."""
        name = guarded.text_of(breaker_name, MAX_WORDS)
        self._followed.append((name, told))
        guarded.quietly(lambda: self._sender.hand_over(Follow(name, told), len(name)), False)

    def flush(self, timeout: float) -> bool:
        """Wait until the daemon has taken everything (or it is in the spool). False: it has not, after `timeout`
        seconds."""
        flush = Flush(patient=True)
        guarded.quietly(lambda: self._sender.wait(flush, timeout), None)
        return flush.empty if self._sender.runs else self._sender.waiting == 0

    def close(self, timeout: float = EXIT_S) -> None:
        """Give the daemon so long to take what waits; the rest goes to the spool, or is lost and logged. Reports that
        come later are dropped. Where the daemon is away this does not wait."""
        _clients.discard(self)
        guarded.quietly(lambda: close_at_exit(self._sender, timeout), None)

    def stats(self) -> Stats:
        sender, talk = self._sender, self._sender.talk
        lost = sender.losses
        return Stats(talk.sent, talk.taken, lost.refused, lost.dropped, talk.spooled, talk.connected, sender.waiting)

    def _begin(self) -> None:
        seed = f"{os.getpid():x}-{os.urandom(6).hex()}"
        self._next_id = map(f"{seed}-{{:x}}".format, itertools.count(1)).__next__
        self._sender = Sender(self._path, self._spool, *self._limits, seed)

    def forked(self) -> None:
        """In a child: what waits, and the connection, are its parent's."""
        self._sender.abandon()
        self._begin()
        for name, told in self._followed:
            self._sender.hand_over(Follow(name, told), len(name))

    def _say(self, question: Question | None, error: object, words: Words) -> str:
        report_id = self._next_id()
        draft = draft_of(error, report_id, time.time(), self._completed(words))
        return report_id if self._sender.hand_over((draft, question), weight_of(draft)) else ""

    def _completed(self, words: Words) -> Words:
        words["component"] = words.get("component") or self._component
        words["environment"] = words.get("environment") or self._environment
        words["request_id"] = words.get("request_id") or requestid.current()
        return words

    def _begun(self, question: Question, error: object, words: Words) -> Answer | None:
        """None: the answer is to be waited for."""
        away = self._sender.talk.away
        report_id = self._say(None if away else question, error, words)
        if away or not report_id:
            return Answer(State.AWAY, detail="the daemon is away" if away else "it is dropped", report_id=report_id)
        question.report_id = report_id
        return None

    def _asked(self, error: object, wait: float, known_within: float, words: Words) -> Answer:
        question, woken = Question(time.monotonic(), wait, known_within), Event()
        question.wake = woken.set
        answer: Answer | float | None = self._begun(question, error, words)
        try:
            while not isinstance(answer, Answer):
                woken.clear()
                answer = question.look(time.monotonic(), self._sender.talk.connected)
                if not isinstance(answer, Answer):
                    woken.wait(answer)
        finally:
            question.leave()
        return answer


_clients: set[Client] = set()
"""Those that are not closed."""
_default: Client | None = None


def configure(**settings: Unpack[Settings]) -> Client:
    """The process's client, made with these (as `Client` takes them). One that was there before is closed: what waits
    in it goes where `close` says."""
    global _default
    before, _default = _default, Client(**settings)
    if before is not None:
        before.close()
    return _default


def default() -> Client:
    """The process's client; made when it is first asked for."""
    global _default
    if _default is None:
        _default = Client()
    return _default


def report(error: BaseException | str, **words: Unpack[Words]) -> str:
    """`default().report`."""
    return default().report(error, **words)


def _forked() -> None:
    guarded.forked()
    for each in list(_clients):
        guarded.quietly(each.forked, None)


def _at_exit() -> None:
    until = time.monotonic() + EXIT_S
    for each in list(_clients):
        each.close(max(0.0, until - time.monotonic()))


os.register_at_fork(after_in_child=_forked)
atexit.register(_at_exit)
