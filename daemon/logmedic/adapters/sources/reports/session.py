"""One connection to the report socket: bytes in, lines out, and when it is read."""

from __future__ import annotations

import asyncio
import json
import select
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from logmedic.adapters.sources.reports.guests import Guest
from logmedic.adapters.sources.reports.lines import Lines
from logmedic.adapters.sources.reports.receipts import Teller
from logmedic.core.reports import answer_line
from logmedic.model.report import Answer, Sender
from logmedic.unixsocket.peers import Peer, peer_of

IDS_A_LINE = 500
"""Of `taken`: 64 characters each stay below the longest line."""


class House(Protocol):
    """What a session is at the door of."""

    unread_bytes: int
    buffer: memoryview
    """What is read is handed over before anything else is read: one serves all sessions."""

    def arrive(self, session: Session, peer: Peer) -> Guest | None:
        """None: it is one too many, and is told so."""

    def hear(self, session: Session, line: bytes | None) -> None: ...

    def cut_off(self, session: Session) -> None:
        """Its other end does not read."""

    def leave(self, session: Session) -> None: ...


class Session(asyncio.BufferedProtocol):
    """Is not read before its sender's name is known (`welcome`). `owes`: reports that it waits to hear are stored."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._lines = Lines()
        self._early = b""
        self._transport: asyncio.Transport | None = None
        self._guest: Guest | None = None
        self._ended = False
        self._pausing: asyncio.TimerHandle | None = None
        self.sender: Sender | None = None
        self.owes = 0
        self.asks = 0

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    # -- asyncio's side ----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self._transport = transport
        transport.pause_reading()
        self._guest = self._house.arrive(self, peer_of(transport.get_extra_info("socket")))
        if self._guest is None:
            transport.close()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._house.buffer

    def buffer_updated(self, nbytes: int) -> None:
        fresh = bytes(self._house.buffer[:nbytes])
        if self.sender is None and self._transport is not None:
            # Of Python 3.11.2, asyncio reads once more after it was paused in connection_made.
            self._early += fresh
            self._transport.resume_reading()
            self._transport.pause_reading()
            return
        self._take(fresh)

    def _take(self, fresh: bytes) -> None:
        for line in self._lines.take(fresh):
            self._house.hear(self, line)

    def eof_received(self) -> bool:
        """It says nothing more, and may still wait to be told."""
        self._ended = True
        if line := self._lines.end():
            self._house.hear(self, line)
        return (self.owes > 0 or self.asks > 0) and not self._is_gone()

    def connection_lost(self, error: Exception | None) -> None:
        if self._pausing is not None:
            self._pausing.cancel()
        if self._guest is not None:
            self._house.leave(self)

    # -- the house's side --------------------------------------------------------------------------------------------

    def welcome(self, sender: Sender) -> None:
        """Who it is: from now on it is heard."""
        self.sender = sender
        early, self._early = self._early, b""
        self._take(early)
        self.attune()

    def attune(self) -> None:
        if self._transport is None or self.sender is None or self._guest is None or self._ended:
            return
        if self._guest.full or self._pausing is not None:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def pause(self, seconds: float) -> None:
        """Read nothing for so long, counted from the first of several calls."""
        if self._pausing is None and self.is_open:
            self._pausing = asyncio.get_running_loop().call_later(seconds, self._go_on)
            self.attune()

    def _go_on(self) -> None:
        self._pausing = None
        self.attune()

    def tell(self, told: Mapping[str, Any]) -> None:
        """Whoever does not read what it is told is cut off. Whoever is gone is not told: to write there would end the
        connection, with what was said and is not read yet."""
        if self._transport is None or self._transport.is_closing() or self._is_gone():
            return
        self._transport.write(json.dumps(told, separators=(",", ":")).encode() + b"\n")
        if self._transport.get_write_buffer_size() > self._house.unread_bytes:
            self._house.cut_off(self)
            self._transport.abort()

    def told_taken(self, ids: Sequence[str]) -> None:
        self.owes -= len(ids)
        for at in range(0, len(ids), IDS_A_LINE):
            self.tell({"type": "taken", "ids": list(ids[at : at + IDS_A_LINE])})
        self._part()

    def told_answer(self, answer: Answer) -> None:
        self.asks -= answer.final
        self.tell(answer_line(answer))
        self._part()

    def hand_over(self, other: Teller, *, asks: bool) -> None:
        self.owes -= 1
        other.owes += 1
        self.asks -= asks
        other.asks += asks
        self._part()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _is_gone(self) -> bool:
        """The other end is closed, not only done with writing (POLLHUP of unix(7) sockets)."""
        if self._transport is None:
            return True
        asked = select.poll()
        asked.register(self._transport.get_extra_info("socket").fileno(), 0)
        return any(events & select.POLLHUP for _, events in asked.poll(0))

    def _part(self) -> None:
        """There is nothing more to say on either side."""
        if self._ended and self.owes <= 0 and self.asks <= 0:
            self.close()
