"""The talk with the daemon: what is connected, sent, taken, refused and answered. All of it runs in the client's
thread; times are seconds of `time.monotonic`."""

from __future__ import annotations

from logmedic.client import guarded
from logmedic.client.answers import CONNECT_S, Question
from logmedic.client.sending.building import finished
from logmedic.client.sending.link import Link, LinkLost
from logmedic.client.sending.losses import Losses
from logmedic.client.sending.pending import Pending, Waiting
from logmedic.client.sending.sharing import Board
from logmedic.client.sending.spool import Spool
from logmedic.client.sending.trying import Tries
from logmedic.client.sending.wire import PROTOCOL, BreakerNews, Hello, Message, Refused, Taken, Told

UNTAKEN_S = 30.0
"""A daemon that took nothing for so long, although something was sent, is not believed to be well."""
LEAST_PAUSE_S, MOST_PAUSE_S = 0.05, 30.0
SPOOL_EVERY_S = 60.0
"""Other processes leave files."""
SPOOL_BATCH = 100
MOST_ASKED = 1000
_NEVER = float("inf")


class Talk:
    """`pending` and `board` are its own; `spool` None: there is none."""

    def __init__(self, path: str, pending: Pending, losses: Losses, spool: Spool | None, seed: str) -> None:
        self._path, self._losses, self._spool = path, losses, spool
        self.pending = pending
        self.board = Board()
        self._tries = Tries(seed)
        self._link: Link | None = None
        self._asked: dict[str, Question] = {}
        """By report: taken, and not answered for good."""
        self._paused_until = self._spool_due = -_NEVER
        self._quiet_since = _NEVER
        self._useful = False
        """Something was taken on this connection."""
        self.sent = self.taken = self.spooled = 0
        self.away = False
        self._trouble = ""
        """The last try failed, and no daemon has greeted since."""

    @property
    def link(self) -> Link | None:
        return self._link

    @property
    def connected(self) -> bool:
        """And greeted."""
        link = self._link
        return link is not None and link.greeted

    def keep(self, waiting: Waiting) -> None:
        """A new report."""
        self._tries.hasten()
        if self.pending.add(waiting):
            return
        if waiting.question is not None:
            waiting.question.away("too many reports wait")
        self._put_by(waiting, "more came than could be sent")

    def turn(self, now: float) -> float:
        """Connect, and say what is to be said. Returns after how many seconds there is more to do."""
        try:
            self._connect(now)
            return self._converse(now)
        except (OSError, ValueError) as error:  # ValueError: a path with a NUL
            self.lose(str(error), now)
            return self._tries.due_in(now) if self._wanted else _NEVER

    def hear(self, now: float) -> None:
        """What the daemon said."""
        if self._link is None:
            return
        try:
            for message in self._link.read(now):
                self._heard(message, now)
        except OSError as error:
            self.lose(str(error), now)

    def lose(self, why: str, now: float) -> None:
        """The connection is over, or did not come about."""
        link, self._link = self._link, None
        if link is not None:
            link.close()
        if link is not None and link.greeted and self._useful:
            self._tries.worked()
        else:
            self._tries.failed(now)
            self._leave_alone(why)
        for each in self.pending.lost():
            self._losses.drop("the daemon never took them")
            _away(each.question, "the daemon did not take it")
        asked, self._asked = self._asked, {}
        for question in asked.values():
            question.away("the connection ended before the outcome")
        self._useful, self._quiet_since = False, _NEVER

    def leave(self) -> None:
        """The end: what waits goes to the spool, or is lost."""
        for each in self.pending:
            _away(each.question, "the program ends")
            if not each.spooled:
                because = f" ({self._trouble})" if self.away else ""
                self._put_by(each, f"the program ended first{because}")
        for question in self._asked.values():
            question.away("the program ends")
        self.close()

    def close(self) -> None:
        if self._spool is not None:
            self._spool.close()
        if self._link is not None:
            self._link.close()
            self._link = None

    def abandon(self) -> None:
        """In a child of the process whose talk it is."""
        for abandoned in (self._spool, self._link):
            if abandoned is not None:
                guarded.silently(abandoned.close)

    @property
    def _wanted(self) -> bool:
        return len(self.pending) > 0 or self.board.wants_connection

    def _put_by(self, waiting: Waiting, why: str) -> None:
        if self._spool is not None and self._spool.put(waiting.begun):
            self.spooled += 1
            self._spool_due = -_NEVER
        else:
            self._losses.drop(why if self._spool is None else f"{why}, and the spool took no more")

    def _connect(self, now: float) -> None:
        if self._link is None and self._wanted and self._tries.due_in(now) <= 0:
            self._link = Link(self._path, now)

    def _converse(self, now: float) -> float:
        link = self._link
        if link is None:
            return self._tries.due_in(now) if self._wanted else _NEVER
        left = link.left(now)
        if not link.greeted:
            patience = link.began + CONNECT_S - now
            if patience <= 0:
                self._leave_alone("the daemon does not say anything")
            return patience if patience > 0 else left
        self._fetch_spooled(now)
        self._say(link, now)
        link.write(now)
        return min(link.left(now), self._untaken_left(now), self._pause_left(now), self._spool_left(now))

    def _say(self, link: Link, now: float) -> None:
        for line in self.board.lines(now):
            link.send(line, now)
        while link.has_room and now >= self._paused_until and (waiting := self.pending.next()) is not None:
            asked = waiting.question.remaining(now) if waiting.question is not None else 0.0
            link.send(finished(waiting.begun, asked), now)
            self._quiet_since = min(self._quiet_since, now)
            self.sent += 1

    def _fetch_spooled(self, now: float) -> None:
        """The next of them when all before were taken."""
        if self._spool is None or self.pending.spooled or now < self._spool_due:
            return
        batch = self._spool.batch(SPOOL_BATCH)
        self._spool_due = -_NEVER if batch else now + SPOOL_EVERY_S
        for id, begun in batch:
            self.pending.add(Waiting(id, begun, spooled=True))

    def _untaken_left(self, now: float) -> float:
        if not self.pending.in_flight:
            self._quiet_since = _NEVER
        left = self._quiet_since + UNTAKEN_S - now
        if left <= 0:
            raise LinkLost("the daemon takes nothing")
        return left

    def _pause_left(self, now: float) -> float:
        """Infinite where nothing waits for its end."""
        return max(0.0, self._paused_until - now) if self.pending.unsent and now < self._paused_until else _NEVER

    def _spool_left(self, now: float) -> float:
        return max(0.0, self._spool_due - now) if self._spool is not None and not self.pending.spooled else _NEVER

    def _leave_alone(self, why: str) -> None:
        """Whoever waits is told that the daemon is away."""
        self.away, self._trouble = True, why
        for each in self.pending:
            _away(each.question, why)

    def _heard(self, message: Message, now: float) -> None:
        link = self._link
        if isinstance(message, Hello):
            if message.protocol != PROTOCOL:
                raise LinkLost(f"the daemon speaks protocol {message.protocol}")
            if link is not None and not link.greeted:
                link.greeted, self.away = True, False
                self.board.connected(now)
            return
        if link is None or not link.greeted:
            return
        match message:
            case Taken(ids):
                for id in ids:
                    self._was_taken(id, now)
            case Refused():
                self._was_refused(message, now)
            case Told(answer, final):
                self._was_told(answer.report_id, message, final)
            case BreakerNews():
                self.board.heard(message)

    def _was_taken(self, id: str, now: float) -> None:
        waiting = self.pending.remove(id)
        if waiting is None:
            return
        self.taken += 1
        self._useful, self._quiet_since = True, now
        self._tries.worked()
        if waiting.question is None:
            return
        if len(self._asked) >= MOST_ASKED:
            self._asked = {key: each for key, each in self._asked.items() if each.remaining(now) > 0}
        self._asked[id] = waiting.question

    def _was_told(self, id: str, message: Told, final: bool) -> None:
        """An answer may come before its report is said to be taken."""
        question = self._asked.get(id) or self.pending.question(id)
        if question is not None:
            question.told(message.answer, final)
        if final:
            self._asked.pop(id, None)

    def _was_refused(self, refused: Refused, now: float) -> None:
        if refused.reason in ("rate", "busy"):
            pause = min(max(refused.retry_after or 1.0, LEAST_PAUSE_S), MOST_PAUSE_S)
            self._paused_until, self._quiet_since = now + pause, now
            self._useful = True
            waiting = self.pending.again(refused.id)
        elif (waiting := self.pending.remove(refused.id)) is not None:
            self._losses.refuse(refused.error or refused.reason)
            self._useful = True
        if waiting is not None:
            _away(waiting.question, refused.error)


def _away(question: Question | None, why: str) -> None:
    if question is not None:
        guarded.silently(lambda: question.away(why))
