"""What is owed to the sender of a report: the word that it is stored, once it is."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from logmedic.model.report import Answer, Report

KEPT_OF_USER, KEPT = 10_000, 50_000
"""Ids that are remembered, of a user and of all: about 10 MB."""


class Teller(Protocol):
    """The connection that a report came over, as far as answers are concerned."""

    owes: int
    asks: int

    @property
    def is_open(self) -> bool:
        """It can still be told something."""

    def told_taken(self, ids: Sequence[str]) -> None: ...

    def told_answer(self, answer: Answer) -> None: ...

    def hand_over(self, other: Teller, *, asks: bool) -> None:
        """`other` is told of one report instead; with `asks`, also what becomes of it."""


@dataclass(slots=True, eq=False)
class Receipt:
    """Of one report on its way to the store. `size`: bytes of its line. `teller`: the last connection that it came
    over."""

    report: Report
    size: int
    teller: Teller

    @property
    def uid(self) -> int:
        return self.report.sender.uid


class Receipts:
    """Knows the last ids of each user. `None` of an id: it is stored."""

    def __init__(self) -> None:
        self._users: OrderedDict[int, OrderedDict[str, Receipt | None]] = OrderedDict()
        """Who was heard longest ago first."""
        self._count = 0
        self._handed: deque[tuple[int, Sequence[Receipt]]] = deque()
        """On their way, with the offset behind their block."""

    def __len__(self) -> int:
        """Ids that are remembered."""
        return self._count

    def enter(self, receipt: Receipt) -> None:
        """A report that is not known."""
        ids = self._users.setdefault(receipt.uid, OrderedDict())
        self._users.move_to_end(receipt.uid)
        ids[receipt.report.id] = receipt
        self._count += 1
        if len(ids) > KEPT_OF_USER:
            self._forget_first(receipt.uid)
        if self._count > KEPT:
            self._forget_first(next(iter(self._users)))

    def knows(self, uid: int, report_id: str) -> bool:
        return report_id in self._ids(uid)

    def on_its_way(self, uid: int, report_id: str) -> Receipt | None:
        """None: it is stored, or not known."""
        return self._ids(uid).get(report_id)

    def handed_on(self, receipts: Sequence[Receipt], end: int) -> None:
        """`end`: the offset behind their block; never less than those before."""
        self._handed.append((end, receipts))

    def stored(self, offset: int) -> Iterator[Receipt]:
        """Those whose blocks lie before `offset`; each once."""
        while self._handed and self._handed[0][0] <= offset:
            for receipt in self._handed.popleft()[1]:
                ids = self._ids(receipt.uid)
                if ids.get(receipt.report.id) is receipt:
                    ids[receipt.report.id] = None
                yield receipt

    def begin_anew(self) -> None:
        """What is not stored by now never will be: its senders send it again."""
        self._handed.clear()
        for uid, ids in self._users.items():
            self._users[uid] = OrderedDict((each, None) for each, receipt in ids.items() if receipt is None)
        self._count = sum(map(len, self._users.values()))

    def _ids(self, uid: int) -> OrderedDict[str, Receipt | None]:
        return self._users.get(uid) or OrderedDict()

    def _forget_first(self, uid: int) -> None:
        ids = self._users[uid]
        ids.popitem(last=False)
        self._count -= 1
        if not ids:
            del self._users[uid]
