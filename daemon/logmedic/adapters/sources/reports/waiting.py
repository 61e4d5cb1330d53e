"""Reports that wait to be handed on: those that somebody waits for first, and of every user in turn."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque

from logmedic.adapters.sources.reports.receipts import Receipt

BATCH, BATCH_BYTES = 256, 128 * 1024
"""Of one block; the last report may go over it."""
IN_A_ROW = 32
"""So many that are asked about, and then one block of others."""


class _Turns:
    """A queue a user, taken from in turn."""

    def __init__(self) -> None:
        self._users: OrderedDict[int, deque[Receipt]] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._users)

    def put(self, receipt: Receipt) -> None:
        self._users.setdefault(receipt.uid, deque()).append(receipt)

    def take(self) -> Receipt:
        uid, waiting = self._users.popitem(last=False)
        receipt = waiting.popleft()
        if waiting:
            self._users[uid] = waiting
        return receipt


class Waiting:
    def __init__(self) -> None:
        self._asked, self._others = _Turns(), _Turns()
        self._row = 0
        self._bytes: Counter[int] = Counter()
        self.bytes = 0
        self.count = 0

    def put(self, receipt: Receipt) -> None:
        (self._asked if receipt.report.asks else self._others).put(receipt)
        self._add(receipt, 1)

    def bytes_of(self, uid: int) -> int:
        return self._bytes[uid]

    def take(self) -> list[Receipt]:
        """For one block; empty when nothing waits."""
        if self._asked and (self._row < IN_A_ROW or not self._others):
            self._row += 1
            taken = [self._asked.take()]
        else:
            self._row = 0
            taken = self._batch()
        for receipt in taken:
            self._add(receipt, -1)
        return taken

    def clear(self) -> None:
        while self.take():
            pass

    def _batch(self) -> list[Receipt]:
        taken: list[Receipt] = []
        size = 0
        while self._others and len(taken) < BATCH and size < BATCH_BYTES:
            taken.append(self._others.take())
            size += taken[-1].size
        return taken

    def _add(self, receipt: Receipt, sign: int) -> None:
        self.count += sign
        self.bytes += sign * receipt.size
        self._bytes[receipt.uid] += sign * receipt.size
        if not self._bytes[receipt.uid]:
            del self._bytes[receipt.uid]
