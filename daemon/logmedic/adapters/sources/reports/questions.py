"""Reports whose senders wait to hear what becomes of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from logmedic.adapters.sources.reports.receipts import Receipt, Teller
from logmedic.model.report import Answer
from logmedic.ports import Answers


@dataclass(slots=True)
class _Question:
    receipt: Receipt
    take_back: Callable[[], None] | None = None


class Questions:
    """By the report's key; open from the moment in which it is read. What is told of a connection that is gone is told
    nobody."""

    def __init__(self, answers: Answers, most: int, most_of_user: int) -> None:
        self._answers = answers
        self._most = most
        self._most_of_user = most_of_user
        self._open: dict[str, _Question] = {}
        self._of_user: Counter[int] = Counter()

    def __len__(self) -> int:
        return len(self._open)

    def has_room(self, uid: int) -> bool:
        return len(self._open) < self._most and self._of_user[uid] < self._most_of_user

    def can_move(self, receipt: Receipt) -> bool:
        """Its block was not handed on yet: who is told is the last that it came over."""
        question = self._open.get(receipt.report.key)
        return question is not None and question.receipt is receipt and question.take_back is None

    def reserve(self, receipt: Receipt) -> None:
        self._open[receipt.report.key] = _Question(receipt)
        self._of_user[receipt.uid] += 1

    def begin(self, receipt: Receipt) -> None:
        """Its block is handed on next."""
        question = self._open.get(receipt.report.key)
        if question is None or question.receipt is not receipt:
            return
        if not receipt.teller.is_open:
            self._end(receipt.report.key)
            return
        take_back = self._answers.ask(receipt.report, lambda answer: self._tell(question, answer))
        if self._open.get(receipt.report.key) is question:  # else it was answered at once
            question.take_back = take_back

    def settled(self, receipts: Iterable[Receipt]) -> None:
        """They are stored, and their senders were told."""
        self._answers.settled(each.report for each in receipts if each.report.asks)

    def drop(self, teller: Teller) -> None:
        """Nobody is there to be told. What was not handed on may still be asked by another connection."""
        gone = [each for each in self._open.values() if each.receipt.teller is teller and each.take_back is not None]
        for question in gone:
            self._take_back(question)

    def clear(self) -> None:
        for question in tuple(self._open.values()):
            self._take_back(question)

    def _take_back(self, question: _Question) -> None:
        self._end(question.receipt.report.key)
        if question.take_back is not None:
            question.take_back()

    def _tell(self, question: _Question, answer: Answer) -> None:
        receipt = question.receipt
        if self._open.get(receipt.report.key) is not question:
            return
        if answer.final:
            self._end(receipt.report.key)
        receipt.teller.told_answer(answer)

    def _end(self, key: str) -> None:
        question = self._open.pop(key)
        uid = question.receipt.uid
        self._of_user[uid] -= 1
        if not self._of_user[uid]:
            del self._of_user[uid]
