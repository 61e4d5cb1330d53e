"""I1 and I3: whenever the daemon is killed, no count is lost or doubled and no fix runs twice."""

from __future__ import annotations

import itertools
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from logmedic.adapters.store.duck import open_readonly
from logmedic.cli.client import Client
from logmedic.model.errors import DaemonUnreachable

KILLS = 24
VICTIM = Path(__file__).with_name("victim.py")

RULES = """\
version: 1
rules:
  - id: order-stuck
    title: "order {{order}} is stuck"
    source: shop
    match:
      pattern: 'ERROR orders: order (?P<order>\\d+) is stuck'
      captures: {{ order: {{ type: int, min: 1, max: 999999 }} }}
    when: {{ threshold: {{ count: 1, within: 60s, by: [order] }} }}
    fix:
      mode: auto
      steps:
        - name: release
          run: ["{home}/bin/release", "{{order}}"]
          timeout: 5s
          retry: {{ attempts: 1 }}
          sandbox: {{ write: ["{home}/done"], read: ["{home}/bin"] }}
      verify:
        command: {{ run: [/usr/bin/test, -e, "/usr"], within: 2s, every: 100ms }}
      limits: {{ cooldown: 24h, max_per_hour: 1000, one_at_a_time: orders }}
      breaker: {{ failures: 1000, open_for: 1s }}
    tests:
      - name: a stuck order
        lines: ["2026-11-23 03:12:41 ERROR orders: order 17 is stuck"]
        expect: {{ fires: 1, captures: {{ order: "17" }} }}
"""

CONFIG = """\
mode: auto
sources:
  shop: {{ files: ["{home}/log/shop.log"], from_start: true }}
rules: {{ paths: ["{home}/rules"] }}
actions: {{ max_per_hour: 10000, concurrency: 4 }}
storage: {{ path: "{home}/state/logmedic.duckdb" }}
web: {{ socket: "{home}/state/logmedic.sock" }}
"""


class Shop:
    """Writes all the time, and rotates its log now and then; knows what it wrote."""

    def __init__(self, home: Path) -> None:
        self._log = home / "log" / "shop.log"
        self._log.touch()
        self.wrote: Counter[str] = Counter()
        self.orders: set[int] = set()
        self._chance = random.Random(7)
        self._rotations = itertools.count(1)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        for turn in itertools.count(1):
            with self._log.open("a") as log:
                log.writelines(self._line() for _ in range(10))
            if turn % 40 == 0:
                self._log.rename(f"{self._log}.{next(self._rotations)}")
                self._log.touch()
            if self._over.wait(0.1):
                return

    def _line(self) -> str:
        self.wrote["lines"] += 1
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        match self._chance.randrange(20):
            case 0:
                order = self._chance.randrange(1, 60)
                self.orders.add(order)
                self.wrote["stuck"] += 1
                return f"{stamp} ERROR orders: order {order} is stuck\n"
            case 1 | 2:
                self.wrote["unknown"] += 1
                return f"{stamp} ERROR ledger: cannot book entry {self.wrote['lines']} twice\n"
            case _:
                return f"{stamp} INFO shop: all is well {self.wrote['lines']}\n"


def furnish(home: Path) -> Path:
    home.chmod(0o755)
    for name in ("log", "rules", "state", "bin", "done"):
        (home / name).mkdir()
    (home / "done").chmod(0o777)
    release = home / "bin" / "release"
    release.write_text(f'#!/bin/sh\necho "$1" >> {home}/done/runs\n')
    release.chmod(0o755)
    (home / "rules" / "orders.yaml").write_text(RULES.format(home=home))
    config = home / "logmedic.yaml"
    config.write_text(CONFIG.format(home=home))
    return config


def victim(config: Path, moment: str, n: int, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, VICTIM, config, moment, str(n)], stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )


def until(condition: Callable[[], bool], limit_s: float, pause: threading.Event, what: str) -> None:
    ends = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < ends, f"not within {limit_s} s: {what}"
        pause.wait(0.1)


@pytest.mark.slow
def test_f30_no_count_is_lost_and_no_fix_runs_twice_whenever_the_daemon_is_killed(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    home = tmp_path_factory.mktemp("crash")
    home.parent.chmod(0o755)
    home.parent.parent.chmod(0o755)
    config, log = furnish(home), home / "daemon.log"
    shop = Shop(home)
    _read_to_the_end(config, log, home)  # it has met the log: what is rotated away before that was never its to read
    shop.start()
    try:
        moments = random.Random(3).sample([(m, n) for m in ("before", "between", "after") for n in range(1, 9)], KILLS)
        for moment, n in moments:
            died = victim(config, moment, n, log).wait(timeout=30)
            assert died == -signal.SIGKILL, log.read_text()[-3000:]
    finally:
        shop.stop()
    _read_to_the_end(config, log, home)
    _compare(home, shop)


def _read_to_the_end(config: Path, log: Path, home: Path) -> None:
    """A run that is not killed, ended as the service manager ends it."""
    size = (home / "log" / "shop.log").stat().st_size
    last = victim(config, "never", 0, log)
    pause = threading.Event()
    try:
        until(lambda: _position(home) == (size, 0), 60, pause, "everything is read and nothing is under way")
    finally:
        last.send_signal(signal.SIGTERM)
        assert last.wait(timeout=40) == 0, log.read_text()[-3000:]


def _position(home: Path) -> tuple[int, int]:
    """How far the daemon says that it is, and how many fixes are under way."""
    try:
        status = Client(home / "state" / "logmedic.sock", wait_s=10).get("status")
    except DaemonUnreachable:
        return (-1, -1)
    offsets = [row["offset"] for row in status["sources"]]
    busy = sum(1 for row in status["open_incidents"] if row["status"] not in ("open", "failed"))
    return (max(offsets, default=-1), busy)


def _compare(home: Path, shop: Shop) -> None:
    with open_readonly(home / "state" / "logmedic.duckdb") as store:
        counts = store.counts()
        issues = {row["issue_type"]: row for row in store.issues()}
        incidents = store.incidents(everything=True, limit=1000)
        attempts = [each for row in incidents for each in store.incident(row["id"])["attempts"]]
    seen = {"lines": counts["lines"], "stuck": counts["matched"], "unknown": counts["unknown"]}
    assert seen == dict(shop.wrote), (home / "daemon.log").read_text()[-4000:]
    assert issues["order-stuck"]["occurrences"] == shop.wrote["stuck"]
    assert issues["recurring_error"]["occurrences"] == shop.wrote["unknown"]
    assert {row["group_key"] for row in incidents} == {str(order) for order in shop.orders}
    _no_fix_ran_twice(home, attempts)


def _no_fix_ran_twice(home: Path, attempts: list[dict[str, object]]) -> None:
    """The cooldown lets a fix of one order run once; only an unknown outcome may have run without a result."""
    ran = Counter((home / "done" / "runs").read_text().split())
    assert ran, "the fixes ran"
    assert max(ran.values()) == 1, ran
    intended = Counter(str(each["group_key"]) for each in attempts)
    assert set(ran) <= set(intended)
