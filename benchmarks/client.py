"""Scenario 35: what logmedic.client costs an application: each successful call, a report, the import. CPU time, the
best of several rounds; the plain call is taken off."""

from __future__ import annotations

import asyncio
import gc
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pybreaker
import tenacity

from benchmarks.table import Row
from logmedic.client.breaker import CircuitBreaker
from logmedic.client.client import Client
from logmedic.client.healing import self_healing
from logmedic.client.retrying import retry

CALLS, ROUNDS = 100_000, 7
LIMIT_US = 5.0
BURST, BURSTS = 200, 20
"""Reports that the client's buffer holds for sure, and how often."""
IMPORTS = 15
DAEMON = """\
import json, socket, sys
listening = socket.socket(socket.AF_UNIX)
listening.bind(sys.argv[1])
listening.listen()
print(flush=True)
connection, _ = listening.accept()
connection.sendall(b'{"type":"hello","protocol":1,"version":"0"}\\n')
for line in connection.makefile("rb"):
    told = json.loads(line)
    if told.get("type") == "report":
        connection.sendall(json.dumps({"type": "taken", "ids": [told["id"]]}).encode() + b"\\n")
"""

retrying = retry(OSError)
breaker = CircuitBreaker("bench", on=OSError)
tenacious = tenacity.retry(
    retry=tenacity.retry_if_exception_type(OSError),
    stop=tenacity.stop_after_attempt(3),
    wait=tenacity.wait_exponential_jitter(initial=1, max=10),
    reraise=True,
)


def overhead(_: int) -> Iterator[Row]:
    yield from _sync_rows()
    yield from _async_rows()
    yield from _report_rows()
    yield from _import_rows()


def _answer(number: int) -> int:
    return number


async def _answer_later(number: int) -> int:
    return number


def _sync_rows() -> Iterator[Row]:
    other = pybreaker.CircuitBreaker(fail_max=5, reset_timeout=60)
    heals = self_healing("bench")
    both, theirs = _extra_us(retrying(breaker(_answer))), _extra_us(tenacious(other(_answer)))
    yield _row("breaker + retry", both, "tenacity + pybreaker", theirs, LIMIT_US)
    yield _row("retry", _extra_us(retrying(_answer)), "tenacity", _extra_us(tenacious(_answer)))
    yield _row("breaker", _extra_us(breaker(_answer)), "pybreaker", _extra_us(other(_answer)))
    yield _row("self_healing", _extra_us(heals(_answer)))
    yield _row("self_healing, breaker + retry", _extra_us(heals(retrying(breaker(_answer)))))


def _async_rows() -> Iterator[Row]:
    both, theirs = _extra_async_us(retrying(breaker(_answer_later))), _extra_async_us(tenacious(_answer_later))
    yield _row("breaker + retry, async", both, "tenacity alone", theirs, LIMIT_US)
    yield _row("self_healing, async", _extra_async_us(self_healing("bench")(_answer_later)))


def _row(what: str, ours: float, peer: str = "", theirs: float = 0.0, limit: float | None = None) -> Row:
    beside, ratio = (f"{peer}: {theirs:.2f} us", f"{ours / theirs:.2f}") if peer else ("", "")
    reach, met = (f"< {limit:.0f} us", ours < limit) if limit else ("", None)
    return Row("35", f"client, {what}", f"{ours:.2f} us a call", beside, ratio, reach, met)


def _extra_us(wrapped: Callable[[int], Any]) -> float:
    return (_best_s(wrapped) - _best_s(_answer)) / CALLS * 1e6


def _best_s(call: Callable[[int], Any]) -> float:
    took = []
    for _ in range(ROUNDS):
        with _undisturbed():
            begun = time.process_time()
            for number in range(CALLS):
                call(number)
            took.append(time.process_time() - begun)
    return min(took)


def _extra_async_us(wrapped: Callable[[int], Awaitable[Any]]) -> float:
    return (asyncio.run(_best_async_s(wrapped)) - asyncio.run(_best_async_s(_answer_later))) / CALLS * 1e6


async def _best_async_s(call: Callable[[int], Awaitable[Any]]) -> float:
    took = []
    for _ in range(ROUNDS):
        with _undisturbed():
            begun = time.process_time()
            for number in range(CALLS):
                await call(number)
            took.append(time.process_time() - begun)
    return min(took)


@contextmanager
def _undisturbed() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _report_rows() -> Iterator[Row]:
    """Of an error with a traceback; what the caller waits for, while the client's thread sends beside it."""
    with tempfile.TemporaryDirectory() as room:
        socket = Path(room) / "report.sock"
        with subprocess.Popen([sys.executable, "-c", DAEMON, str(socket)], stdout=subprocess.PIPE) as daemon:
            assert daemon.stdout is not None
            daemon.stdout.readline()
            client = Client(socket=socket, component="bench")
            yield _report_row("report(), the daemon takes it", client, lambda: client.flush(10.0))
            assert client.stats().dropped == 0
            client.close()
            daemon.kill()
        away = Client(socket=Path(room) / "nobody.sock", component="bench")
        yield _report_row("report(), no daemon", away, lambda: True)
        away.close(0.0)


def _report_row(what: str, client: Client, between: Callable[[], bool]) -> Row:
    error, took = _raised(), []
    for _ in range(BURSTS):
        for _ in range(BURST):
            begun = time.perf_counter()
            client.report(error, action="charge", request_id="bench")
            took.append((time.perf_counter() - begun) * 1e6)
        assert between()
    ordered = sorted(took)
    ours = f"median {statistics.median(ordered):.0f} us, p99 {ordered[int(len(ordered) * 0.99)]:.0f} us"
    return Row("35", f"client, {what}", ours, f"wall time, {BURSTS} bursts of {BURST}")


def _raised() -> OSError:
    def deeper(levels: int) -> None:
        if levels:
            deeper(levels - 1)
        raise OSError("the card service is away")

    try:
        deeper(10)
    except OSError as error:
        return error
    raise AssertionError


def _import_rows() -> Iterator[Row]:
    """Each in an interpreter of its own, less one that does nothing."""
    bare = _import_ms("pass")
    ours = _import_ms("from logmedic.client import CircuitBreaker, retry, self_healing") - bare
    theirs = _import_ms("import tenacity, pybreaker") - bare
    yield Row(
        "35", "client, import", f"{ours:.0f} ms", f"tenacity + pybreaker: {theirs:.0f} ms", f"{ours / theirs:.2f}"
    )


def _import_ms(code: str) -> float:
    timed = f"import time; begun = time.process_time()\n{code}\nprint(time.process_time() - begun)"
    ran = [subprocess.run([sys.executable, "-c", timed], capture_output=True, check=True) for _ in range(IMPORTS)]
    return statistics.median(float(each.stdout) for each in ran) * 1000
