"""The report protocol: what the daemon hears of applications, and what they hear of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fuzz.target import Attempt, Target, claim
from fuzz.targets import by_name, words
from logmedic.adapters.sources.reports.limits import Limits
from logmedic.adapters.sources.reports.lines import Lines as DaemonLines
from logmedic.adapters.sources.reports.source import ReportSource
from logmedic.adapters.sources.reports.wire import object_of
from logmedic.client.sending.wire import MAX_LINE, Lines, message_of
from logmedic.core.reports import BadReport, entry_of, report_of
from logmedic.model.report import Sender
from reports.talking import KeptAnswers, Store, report
from tail.collector import SystemClock

WITHIN_S = 25.0
_SENDER = Sender(uid=1000, gid=1000, pid=12, user="app")
_PATIENT = Limits(max_per_second=1e6, burst=1_000_000, questions=10**6, user_questions=10**6)


class _House:
    """A daemon that listens, with a store that takes what comes; on a loop of its own."""

    def __init__(self, room: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._troubles: list[str] = []
        self._loop.set_exception_handler(lambda _, context: self._troubles.append(str(context)))
        self._path = room / "report.sock"
        self._answers = KeptAnswers()
        source = ReportSource(
            "reports", clock=SystemClock(), path=self._path, answers=self._answers, host="web1", limits=_PATIENT
        )
        self._store = Store(source, self._answers)
        self._task = self._loop.create_task(self._store.run({}))
        self._number = 0

    def wait(self) -> None:
        """Until it listens."""
        self._loop.run_until_complete(self._store.until(lambda: self._store.source.is_listening))

    def attempt(self, given: bytes) -> None:
        """What is given, and behind it a sound report, which is taken whatever came before."""
        self._number += 1
        self._loop.run_until_complete(asyncio.wait_for(self._said(given), WITHIN_S))
        claim(not self._task.done(), "the source ended")
        claim(not self._troubles, f"the loop tells of {self._troubles}")
        self._store.blocks.clear()
        self._store.stored = 0
        self._answers.asked.clear()
        self._answers.taken_back.clear()
        self._answers.stored.clear()

    async def _said(self, given: bytes) -> None:
        reader, writer = await asyncio.open_unix_connection(str(self._path), limit=2**20)
        try:
            claim(json.loads(await reader.readline())["type"] == "hello", "it is not greeted")
            own = f"own-{self._number}"
            writer.write(given + b"\n" + json.dumps(report(own)).encode() + b"\n")
            await writer.drain()
            while told := await reader.readline():
                answer = json.loads(told)
                if own in (answer.get("id"), *answer.get("ids", ())):
                    claim(answer["type"] == "taken", f"a sound report is not taken: {answer}")
                    break
        except ConnectionError:
            pass  # it is cut off, which is an answer
        finally:
            writer.transport.abort()

    def close(self) -> None:
        self._task.cancel()
        self._loop.run_until_complete(asyncio.gather(self._task, return_exceptions=True))
        self._loop.close()


@contextmanager
def _reports(room: Path) -> Iterator[Attempt]:
    """The reading of each line by itself, and the whole over a real socket."""
    house = _House(room)

    def attempt(given: bytes) -> None:
        lines = DaemonLines()
        for line in lines.take(given):
            try:
                _, entry = entry_of(report_of(object_of(line), _SENDER), 0, "web1", SystemClock().now())
                json.dumps(dict(entry.fields)).encode()
            except BadReport as refused:
                f"{refused.text} {refused.hint} {refused.id}".encode()
        house.attempt(given)

    try:
        house.wait()
        yield attempt
    finally:
        house.close()


@contextmanager
def _answers(room: Path) -> Iterator[Attempt]:
    """Cut anywhere, lines are the same; what they say can be written anywhere."""

    def attempt(given: bytes) -> None:
        whole = list(Lines().take(given))
        pieced, lines = list[bytes](), Lines()
        size = 1 + len(given) // 97
        for at in range(0, len(given), size):
            pieced += lines.take(given[at : at + size])
        claim(pieced == whole, "lines depend on where they are cut")
        claim(all(len(each) < MAX_LINE for each in whole), "a line is too long")
        for line in whole:
            repr(message_of(line)).encode()

    yield attempt


def _said_reports() -> Iterable[bytes]:
    def said(*told: dict[str, Any]) -> bytes:
        return b"".join(json.dumps(each).encode() + b"\n" for each in told)

    yield said(report(), report("r2", message="no answer", impact="high", tags=["a"], context={"order": "17"}, wait=5))
    yield said(
        report(
            "r3", kind="circuit_breaker_open", name="db", at="2026-11-26T15:00:00+14:00", attempts=3, strategy="retry"
        )
    )
    yield said(
        {"type": "follow", "names": ["db"]}, {"type": "breaker", "name": "db", "state": "open", "open_for": 30.0}
    )
    yield said(
        {"type": "follow", "names": ["db", "cache"]},
        report("r4", traceback="Traceback:\n  x\n", request_id="q/1", environment="test"),
    )


def _said_answers() -> Iterable[bytes]:
    yield b'{"type":"hello","protocol":1,"version":"1"}\n{"type":"taken","ids":["r1","r2"]}\n'
    yield b'{"type":"answer","id":"r1","state":"fixing","final":false,"incident":"n","rule":"x","detail":"d"}\n'
    yield b'{"type":"refused","id":"r2","reason":"rate","error":"too many","hint":"wait","retry_after":2.5}\n'
    yield b'{"type":"breaker","name":"db","state":"open","open_for":30.0}\n{"type":"new"}\n'


_TOKENS = (*words("reports"), b"[" * 2000, b'"' + b"x" * 70_000 + b'"')
TARGETS = by_name(
    Target("reports", _reports, _said_reports, _TOKENS, most_bytes=100_000),
    Target("answers", _answers, _said_answers, _TOKENS, most_bytes=100_000),
)
