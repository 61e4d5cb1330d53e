"""I1 and I3: whenever the daemon is killed, no count is lost or doubled and no fix runs twice."""

from __future__ import annotations

import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from crash.lines import Tally
from crash.logs import Log, Numbered
from crash.process import Daemon
from crash.releasing import put_release
from crash.stored import tally
from crash.storm import differing, furnish, rows
from logmedic.adapters.store.reading import open_readonly

KILLS = 9
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
        quiet: 4s  # its incident stays open for as long as its lines are taken for the fix's own: all are counted in it
      limits: {{ cooldown: 24h, max_per_hour: 1000, one_at_a_time: orders }}
      breaker: {{ failures: 1000, open_for: 1s }}
    tests:
      - name: a stuck order
        lines: ["2026-11-23 03:12:41 ERROR orders: order 17 is stuck"]
        expect: {{ fires: 1, captures: {{ order: "17" }} }}
      - name: near miss, an order that goes through
        lines: ["2026-11-23 03:12:41 INFO orders: order 17 is done"]
        expect: {{ fires: 0 }}
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
    """Says what its log says, and counts it."""

    def __init__(self) -> None:
        self.wrote = Tally()
        self._chance = random.Random(7)

    def record(self) -> str:
        self.wrote.lines += 1
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        match self._chance.randrange(20):
            case 0:
                order = self._chance.randrange(1, 60)
                self.wrote.match("order-stuck", str(order))
                return f"{stamp} ERROR orders: order {order} is stuck\n"
            case 1 | 2:
                self.wrote.unknown["ledger"] += 1
                return f"{stamp} ERROR ledger: cannot book entry {self.wrote.lines} twice\n"
            case _:
                return f"{stamp} INFO shop: all is well {self.wrote.lines}\n"


@pytest.mark.slow
def test_f30_no_count_is_lost_and_no_fix_runs_twice_whenever_the_daemon_is_killed(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    home = tmp_path_factory.mktemp("crash")
    furnish(home, CONFIG.format(home=home), RULES.format(home=home))
    put_release(home)
    daemon, shop = Daemon(home), Shop()
    log = Log(home / "log" / "shop.log", shop.record, Numbered(), random.Random(7), pause_s=0.1, batch=10, rotate_s=4)
    moments = random.Random(3).sample([(m, n) for m in ("before", "between", "after") for n in range(1, 9)], KILLS)
    try:
        read_to_the_end(daemon, log)  # it has met the log: what is rotated away before that was never its to read
        with log:
            for moment, n in moments:
                daemon.start(sys.executable, str(VICTIM), str(daemon.config), moment, str(n))
                daemon.ended(-signal.SIGKILL, 30)
        read_to_the_end(daemon, log)
    finally:
        daemon.put_down()
    assert differing(rows(shop.wrote, tally(daemon.store))) == [], daemon.said()
    no_fix_ran_twice(home, daemon)


def read_to_the_end(daemon: Daemon, log: Log) -> None:
    """A run that is not killed, ended as the service manager ends it."""
    daemon.start()
    daemon.settle([log.path])
    daemon.stop()


def no_fix_ran_twice(home: Path, daemon: Daemon) -> None:
    """The cooldown lets a fix of one order run once; only an unknown outcome may have run without a result."""
    with open_readonly(daemon.store) as store:
        incidents = store.incidents(everything=True, limit=1000)
        attempts = [each for row in incidents for each in store.incident(row["id"])["attempts"]]
    ran = Counter((home / "done" / "runs").read_text().split())
    assert ran, "the fixes ran"
    assert max(ran.values()) == 1, ran
    assert set(ran) <= {str(each["group_key"]) for each in attempts}
