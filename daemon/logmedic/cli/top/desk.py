"""Asks the daemon, and tells it what to do, in threads of their own: the keys never wait for an answer."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from logmedic.cli.ack import acked_text
from logmedic.cli.client import Client
from logmedic.cli.output import short
from logmedic.cli.styled import Text
from logmedic.cli.top.snapshot import SOURCES_ASKED, Answers
from logmedic.cli.top.view import SILENCED_FOR, Act, Order
from logmedic.core.rowwords import state_of
from logmedic.model.errors import LogmedicError, NotFound

EVERY_S = 1.0
EVERY_LIVE_S = 2.0
"""While the daemon tells of changes: rates alone are asked for."""
PATIENCE_S = 10.0
"""For one answer; a stream says that it is alive every 5 s."""
AGAIN_S = 5.0
SHOWN = 50
Story = Callable[[str], Sequence[Text]]


def ask(client: Client) -> Answers:
    """All that a picture needs. Raises LogmedicError."""
    status = client.get("status")
    few = status["sources_total"] <= SOURCES_ASKED
    return Answers(
        at=datetime.now(UTC),
        status=status,
        sources=client.get("sources") if few else status["sources"],
        fixes=client.get("fixes", limit=SHOWN),
        alerts=client.get("alerts", status="waiting", limit=SHOWN),
    )


def carry_out(client: Client, order: Order) -> str:
    """What came of it, in a line. Raises LogmedicError."""
    path = f"incidents/{quote(order.incident, safe='')}"
    match order.act:
        case Act.ACK:
            row = client.post(f"{path}/ack")
            return f"{order.incident[-8:]}: {acked_text(row)}"
        case Act.APPROVE | Act.REJECT:
            row = client.post(f"{path}/{order.act.name.lower()}")
            return f"{order.act.name.lower()}: {short(row)} is {state_of(row)}"
        case Act.SILENCE:
            row = client.post("silences", incident=order.incident, why=order.why, **{"for": SILENCED_FOR})
            return f"silence {short(row)}: nobody is told for {SILENCED_FOR}; logmedic silence end {short(row)} ends it"
        case Act.PAUSE:
            client.post("pause", why=order.why)
            return "fixes are paused; p lets them run again"
        case Act.RESUME:
            paused = client.post("resume")["paused"]
            return "they are still paused: logmedic status says by what" if paused else "fixes run again"
    raise AssertionError(order)


class Desk:
    """`answers`: the last ones; `before`: those that rates are counted from; `problem`: why there are none newer;
    `said`: what came of orders; `stories`: what was asked to be shown. Written by its own threads alone; each change is
    told by `changed`. The threads end with the process."""

    def __init__(self, client: Client, story: Story, changed: Callable[[], None], first: Answers) -> None:
        self._client = client.waiting(PATIENCE_S)
        self._story = story
        self._changed = changed
        self._orders: queue.SimpleQueue[Order | None] = queue.SimpleQueue()
        self.answers = self.before = first
        self.problem = ""
        self.said: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.stories: queue.SimpleQueue[Sequence[Text]] = queue.SimpleQueue()
        self.live = False

    def start(self) -> None:
        for each in (self._serve, self._listen):
            threading.Thread(target=each, daemon=True).start()

    def give(self, order: Order) -> None:
        self._orders.put(order)

    def _serve(self) -> None:
        while True:
            self._look()
            try:
                order = self._orders.get(timeout=EVERY_LIVE_S if self.live else EVERY_S)
            except queue.Empty:
                continue
            while order is None and not self._orders.empty():
                order = self._orders.get()
            if order is not None:
                self._carry_out(order)

    def _look(self) -> None:
        try:
            answers = ask(self._client)
        except LogmedicError as error:
            self.problem = error.text
        else:
            if (answers.at - self.before.at).total_seconds() >= 2 * EVERY_S:
                self.before = self.answers
            self.answers, self.problem = answers, ""
        self._changed()

    def _carry_out(self, order: Order) -> None:
        try:
            if order.act is Act.SHOW:
                self.stories.put(self._story(order.incident))
            else:
                self.said.put(carry_out(self._client, order))
        except LogmedicError as error:
            self.said.put(f"error: {error.text}" + (f"; {error.hint}" if error.hint else ""))
        self._changed()

    def _listen(self) -> None:
        """Look again whenever the daemon says that something changed; a daemon without such a stream is asked each
        second."""
        while True:
            try:
                with self._client.receiving("events/stream", {"Accept": "text/event-stream"}) as received:
                    self.live = True
                    while piece := received():
                        self._told(piece)
            except NotFound:
                return
            except LogmedicError:
                pass
            finally:
                self.live = False
            time.sleep(AGAIN_S)

    def _told(self, piece: bytes) -> None:
        if b"event: alive" not in piece or b"event: changed" in piece or b"event: entry" in piece:
            self._orders.put(None)
