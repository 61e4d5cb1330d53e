"""F67, F71: whenever the daemon is killed, people are told of everything, and of nothing that is not stored."""

from __future__ import annotations

import json
import random
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from alerts.servers import HttpServer
from crash.process import Daemon, until
from crash.storm import furnish
from crash.test_kill_points import VICTIM
from logmedic.adapters.store.connection import connect

RULES = """\
version: 1
rules:
  - id: order-stuck
    title: "order {order} is stuck"
    source: shop
    match: { pattern: 'order (?P<order>\\d+) is stuck', captures: { order: int } }
    when: { threshold: { count: 1, within: 60s, by: [order] } }
    tests:
      - name: a stuck order
        lines: ["order 17 is stuck"]
        expect: { fires: 1 }
      - name: near miss, it goes through
        lines: ["order 17 is done"]
        expect: { fires: 0 }
"""
CONFIG = """\
sources:
  shop: {{ files: ["{home}/log/shop.log"], from_start: true }}
rules: {{ paths: ["{home}/rules"] }}
storage: {{ path: "{home}/state/logmedic.duckdb" }}
web: {{ socket: "{home}/state/logmedic.sock" }}
incidents: {{ resolve_after: 24h }}
alerts:
  group_wait: 300ms
  group_interval: 300ms
  receivers: {{ chat: "json://127.0.0.1:{port}/chat" }}
  routes: {{ oncall: chat }}
  default_route: oncall
"""
KILLS = 9


@pytest.mark.slow
def test_f67_each_incident_is_told_and_no_message_is_unknown_to_the_store(tmp_path: Path) -> None:
    chance = random.Random(5)
    moments = chance.sample([(m, n) for m in ("before", "between", "after") for n in range(1, 8)], KILLS)
    with HttpServer() as server:
        furnish(tmp_path, CONFIG.format(home=tmp_path, port=server.port), RULES)
        daemon, orders = Daemon(tmp_path), Orders(tmp_path / "log" / "shop.log")
        try:
            for moment, n in moments:
                with orders:
                    daemon.start(sys.executable, str(VICTIM), str(daemon.config), moment, str(n), "messages")
                    daemon.ended(-signal.SIGKILL, 60)
            daemon.start()
            until(lambda: _is_told(daemon, orders.stuck), 60, daemon.said)
            daemon.stop()
        finally:
            daemon.put_down()
        posted = {json.loads(each.body)["logmedic"]["id"] for each in server.posted}
    stored = {row["id"]: row for row in _rows(daemon.store, "alerts")}
    incidents = {f"incident:{row['id']}" for row in _rows(daemon.store, "incidents")}
    assert posted <= stored.keys(), "nobody is told what is not stored"
    assert {row["status"] for row in stored.values()} <= {"sent", "folded"}
    assert {row["id"] for row in stored.values() if row["status"] == "sent"} <= posted
    assert len(incidents) == orders.stuck
    assert incidents <= {subject for row in stored.values() for subject in json.loads(row["tells"])}


class Orders:
    """One more gets stuck every 0.2 s, while it is entered."""

    def __init__(self, log: Path) -> None:
        self.stuck = 0
        self._log = log
        self._over = threading.Event()
        self._thread = threading.Thread()

    def __enter__(self) -> None:
        self._over.clear()
        self._thread = threading.Thread(target=self._write)
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _write(self) -> None:
        while not self._over.wait(0.2):
            with self._log.open("a") as out:
                out.write(f"order {self.stuck} is stuck\n")
            self.stuck += 1


def _is_told(daemon: Daemon, wanted: int) -> bool:
    """Of all that is open somebody was told, and no message waits any more."""
    rows = daemon.ask("incidents?limit=1000") or []
    stories = [daemon.ask(f"incidents/{row['id']}") for row in rows] if len(rows) == wanted else []
    told = [story for story in stories if any(each["kind"] == "alerted" for each in story["events"])]
    return len(told) == wanted and daemon.ask("alerts?status=waiting") == []


def _rows(store: Path, table: str) -> list[dict[str, Any]]:
    with connect(store, read_only=True) as opened:
        found = opened.execute(f"SELECT * FROM {table}")
        names = [each[0] for each in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
