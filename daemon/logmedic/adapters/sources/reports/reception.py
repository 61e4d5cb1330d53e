"""Hears what sessions say, and decides what comes of each line: taken, refused, shared."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from logmedic.adapters.sources.reports.board import Board
from logmedic.adapters.sources.reports.guests import Guest, Guests
from logmedic.adapters.sources.reports.limits import LEAST_WAIT_S, Limits
from logmedic.adapters.sources.reports.questions import Questions
from logmedic.adapters.sources.reports.receipts import Receipt, Receipts
from logmedic.adapters.sources.reports.refusals import BUSY, CROWD, OTHERS, RATE, Refusals
from logmedic.adapters.sources.reports.session import Session
from logmedic.adapters.sources.reports.sharing import Shared, followed, shared
from logmedic.adapters.sources.reports.waiting import Waiting
from logmedic.adapters.sources.reports.wire import HELLO, id_of, object_of, refused
from logmedic.core.reports import BadReport, report_of
from logmedic.model.report import Answer, AnswerState, Report, ReportCounts, Sender
from logmedic.ports import Answers
from logmedic.unixsocket.lookups import Lookups
from logmedic.unixsocket.peers import Peer, number_of

HASTY_S, HASTY_MOST = 0.25, 16
"""Who was refused for its rate is not read for so long, times the connections of its user up to so many: to refuse
costs as well, some 10 ms for what is read at once."""
BUFFER_BYTES = 64 * 1024
TOLD_BEFORE = "it was reported before, over another connection"


class Reception:
    """`news` is called when something waits to be handed on; `now` is for people, limits go by the loop's time."""

    def __init__(
        self,
        *,
        limits: Limits,
        answers: Answers,
        names: Lookups[int, str],
        now: Callable[[], datetime],
        news: Callable[[], None],
    ) -> None:
        self.unread_bytes = limits.unread_bytes
        self.buffer = memoryview(bytearray(BUFFER_BYTES))
        self.waiting = Waiting()
        self.refusals = Refusals()
        self._limits = limits
        self._names = names
        self._now = now
        self._news = news
        self._guests = Guests(limits)
        self._receipts = Receipts()
        self._questions = Questions(answers, limits.questions, limits.user_questions)
        self._board: Board[Session] = Board()
        self._sessions: dict[Session, Guest] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._taken = self._repeated = self._cut_off = 0

    # -- who comes and goes ------------------------------------------------------------------------------------------

    def arrive(self, session: Session, peer: Peer) -> Guest | None:
        guest = self._guests.of(peer.uid, _loop_time())
        if not self._guests.enter(guest, session):
            self.refusals.note(CROWD, number_of(peer.uid), self._now())
            session.tell(refused("", BUSY, "there are too many connections", "use one a process", LEAST_WAIT_S))
            return None
        self._sessions[session] = guest
        session.tell(HELLO)
        task = asyncio.get_running_loop().create_task(self._introduce(session, peer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return guest

    async def _introduce(self, session: Session, peer: Peer) -> None:
        user = await self._names.of(peer.uid, number_of(peer.uid))
        session.welcome(Sender(peer.uid, peer.gid, peer.pid, user))

    def cut_off(self, session: Session) -> None:
        self._cut_off += 1

    def leave(self, session: Session) -> None:
        guest = self._sessions.pop(session, None)
        if guest is not None:
            self._guests.leave(guest, session)
            self._board.left(session)
            self._questions.drop(session)

    def close(self) -> None:
        """What waits is dropped, and nobody was told that it was taken: it is sent again."""
        for task in self._tasks:
            task.cancel()
        for session in tuple(self._sessions):
            session.close()
            self.leave(session)
        self.waiting.clear()
        self._questions.clear()
        for guest in self._guests:
            guest.fill(False)

    def begin_anew(self) -> None:
        """Everything that was handed on is stored by now, or never will be."""
        self._receipts.begin_anew()

    # -- what is handed on -------------------------------------------------------------------------------------------

    def take(self) -> list[Receipt]:
        """For one block; empty when nothing waits."""
        taken = self.waiting.take()
        for receipt in taken:
            if receipt.report.asks:
                self._questions.begin(receipt)
        for guest in [each for each in self._guests if each.full]:
            guest.fill(self._is_full(guest.uid))
        return taken

    def handed_on(self, receipts: Sequence[Receipt], end: int) -> None:
        self._receipts.handed_on(receipts, end)

    def stored(self, offset: int) -> None:
        """Everything before it is: tell its senders."""
        ids: dict[Session, list[str]] = {}
        stored = list(self._receipts.stored(offset))
        for receipt in stored:
            self._taken += 1
            if isinstance(receipt.teller, Session):
                ids.setdefault(receipt.teller, []).append(receipt.report.id)
        for session, taken in ids.items():
            session.told_taken(taken)
        self._questions.settled(stored)

    # -- what is said ------------------------------------------------------------------------------------------------

    def hear(self, session: Session, line: bytes | None) -> None:
        """`line` None: it was too long."""
        guest = self._sessions.get(session)
        if guest is None:
            return
        wait = guest.bucket.take(_loop_time())
        if wait:
            session.pause(HASTY_S * min(len(guest.visitors), HASTY_MOST))
        try:
            told = object_of(line)
            if wait:
                self._refuse(session, RATE, "more than the limit a second", "send less often", id_of(told), wait)
            else:
                self._hear(session, guest, told, len(line or b""))
        except BadReport as bad:
            self._refuse(session, bad.reason, bad.text, bad.hint, bad.id)

    def _hear(self, session: Session, guest: Guest, told: Mapping[str, Any], size: int) -> None:
        match told.get("type"):
            case "report":
                assert session.sender is not None, "it is not read before"  # noqa: S101
                self._report(session, guest, report_of(told, session.sender), size)
            case "breaker":
                self._share(session, guest, shared(told))
            case "follow":
                self._follow(session, guest, followed(told))
            case _:
                raise BadReport("form", "`type`: it is none that is known", "one of report, breaker, follow")

    def _report(self, session: Session, guest: Guest, report: Report, size: int) -> None:
        if self._receipts.knows(guest.uid, report.id):
            self._repeat(session, guest, report)
            return
        if report.asks and not self._questions.has_room(guest.uid):
            self._refuse(session, BUSY, "too many reports wait for their answers", "ask less", report.id, LEAST_WAIT_S)
            return
        receipt = Receipt(report, size, session)
        self._receipts.enter(receipt)
        session.owes += 1
        if report.asks:
            self._questions.reserve(receipt)
            session.asks += 1
        self.waiting.put(receipt)
        guest.fill(self._is_full(guest.uid))
        self._news()

    def _repeat(self, session: Session, guest: Guest, report: Report) -> None:
        """It was taken, or is on its way: its sender could not know."""
        self._repeated += 1
        receipt = self._receipts.on_its_way(guest.uid, report.id)
        follows = report.asks and receipt is not None and self._questions.can_move(receipt)
        if report.asks and not follows and (receipt is None or receipt.teller is not session):
            session.asks += 1
            session.told_answer(Answer(report.id, AnswerState.UNPROVEN, final=True, detail=TOLD_BEFORE))
        if receipt is None:
            session.owes += 1
            session.told_taken([report.id])
        elif receipt.teller is not session:
            receipt.teller.hand_over(session, asks=follows)
            receipt.teller = session

    def _share(self, session: Session, guest: Guest, breaker: Shared) -> None:
        now = _loop_time()
        if not breaker.is_open:
            news = self._board.closed(guest.uid, breaker.name)
        elif not (news := self._board.opened(guest.uid, breaker.name, breaker.open_for, now)):
            self._refuse(session, BUSY, "too many circuit breakers are open", "share fewer", "", LEAST_WAIT_S)
        if news:
            for each in self._board.followers(guest.uid, breaker.name) - {session}:
                each.tell(breaker.told())

    def _follow(self, session: Session, guest: Guest, names: Sequence[str]) -> None:
        if not self._board.follow(session, guest.uid, names):
            self._refuse(
                session, BUSY, "one connection follows fewer circuit breakers", "follow fewer", "", LEAST_WAIT_S
            )
        for name, rest in self._board.open_now(guest.uid, names, _loop_time()):
            session.tell(Shared(name, True, round(rest, 3)).told())

    # -- what is too much --------------------------------------------------------------------------------------------

    def _refuse(
        self, session: Session, reason: str, text: str, hint: str, report_id: str = "", retry_after: float = 0.0
    ) -> None:
        self.refusals.note(reason, session.sender.user if session.sender is not None else OTHERS, self._now())
        session.tell(refused(report_id, reason, text, hint, retry_after))

    def _is_full(self, uid: int) -> bool:
        """Whoever has nothing there is heard all the same: nobody else's flood keeps them out."""
        own = self.waiting.bytes_of(uid)
        crowded = self.waiting.bytes >= self._limits.waiting_bytes and own >= self._limits.line_bytes
        return own >= self._limits.user_waiting_bytes or crowded

    @property
    def is_crowded(self) -> bool:
        """Some are not read at present, because more comes than is taken in."""
        return any(guest.full for guest in self._guests)

    def counts(self) -> ReportCounts:
        self._board.sweep(_loop_time())
        return ReportCounts(
            taken=self._taken,
            refused={reason: times for reason, times in self.refusals.by_reason.items() if reason != CROWD},
            repeated=self._repeated,
            turned_away=self.refusals.by_reason[CROWD],
            cut_off=self._cut_off,
            waiting=self.waiting.count,
            connections=self._guests.connections,
            questions=len(self._questions),
            breakers=len(self._board),
        )


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
