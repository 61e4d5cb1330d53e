"""A host for faults: a shop whose orders get stuck, the real daemon with a fix that leaves a mark, and what must be
true at the end, whatever happened in between."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from crash.lines import Tally
from crash.process import Daemon, until
from crash.releasing import put_release
from crash.stored import tally
from crash.storm import Row, differing, furnish, rows
from logmedic.adapters.store.reading import open_readonly

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
        - {{ name: release, run: ["{home}/bin/release", "{{order}}"], timeout: 20s, retry: {{ attempts: 1 }},
            sandbox: {{ kind: none }} }}
      verify: {{ command: {{ run: [/usr/bin/true], sandbox: {{ kind: none }}, within: 5s, every: 100ms }} }}
      limits: {{ cooldown: 24h, max_per_hour: 10000, one_at_a_time: orders }}
      breaker: {{ failures: 1000, open_for: 1s }}
    tests:
      - {{ name: stuck, lines: ["ERROR orders: order 17 is stuck"], expect: {{ fires: 1 }} }}
      - {{ name: it goes through, lines: ["INFO orders: order 17 is done"], expect: {{ fires: 0 }} }}
"""
CONFIG = """\
mode: {mode}
sources:
  shop: {{ files: ["{home}/log/shop.log"], from_start: true }}
rules: {{ paths: ["{home}/rules"] }}
actions:
  {{ max_per_hour: 10000, max_per_ten_minutes: 10000, concurrency: 4, allow_unsandboxed: true,
     pause_file: "{home}/paused" }}
storage: {{ path: "{home}/state/logmedic.duckdb" }}
web: {{ socket: "{home}/state/logmedic.sock" }}
"""
PATIENCE_S = 60.0
LEARNED_AFTER = 3
"""So many unknown errors of a kind are a known issue."""


class Scene:
    """`wrote` counts what its log says. Each order gets stuck once, so its fix must not run twice. Closed by `close`,
    which ends the daemon whatever its state."""

    def __init__(self, home: Path, more: str = "", mode: str = "auto") -> None:
        furnish(home, CONFIG.format(home=home, mode=mode) + more, RULES.format(home=home))
        self.runs = put_release(home)
        self.home = home
        self.daemon = Daemon(home)
        self.log = home / "log" / "shop.log"
        self.log.touch()
        self.wrote = Tally()
        self.orders = 0

    def pid(self) -> int:
        """Of the daemon; 0 when none runs."""
        return self.daemon.pid if self.daemon.runs else 0

    def close(self) -> None:
        self.daemon.put_down()

    def write(self, orders: int = 1) -> None:
        """So many orders get stuck, each with an error that no rule knows, and a line that is none."""
        text = ""
        for _ in range(orders):
            self.orders += 1
            self.wrote.match("order-stuck", str(self.orders))
            self.wrote.unknown["ledger"] += 1
            text += f"ERROR orders: order {self.orders} is stuck\n"
            text += f"ERROR ledger: cannot book entry {self.orders} twice\nINFO shop: all is well {self.orders}\n"
        self.wrote.lines += 3 * orders
        with self.log.open("a") as log:
            log.write(text)

    def ask(self, what: str) -> Any:
        return self.daemon.ask(what)

    def counts(self) -> dict[str, int]:
        return (self.daemon.ask("status") or {"counts": {}})["counts"]  # type: ignore[no-any-return]

    def until_counted(self, limit_s: float = PATIENCE_S) -> None:
        """Wait until every line that was written is stored."""
        until(lambda: self.counts().get("lines") == self.wrote.lines, limit_s, self._short)

    def held_as_paused(self) -> int:
        return sum(row["hold"] == "paused" for row in self.ask("incidents?limit=1000") or [])

    def log_is_read(self) -> bool:
        rows = (self.ask("status") or {"sources": []})["sources"]
        return any(row["origin"] == str(self.log) and row["offset"] == self.log.stat().st_size for row in rows)

    def until_mended(self, limit_s: float = PATIENCE_S) -> None:
        """Wait until the fix of every order ran, and was verified."""
        self.until_counted(limit_s)
        until(lambda: self.ran().total() >= self.wrote.rules.total(), limit_s, self._short)
        until(lambda: self.ask("incidents") == [], limit_s, self._short)

    def leaves_a_log_behind(self) -> None:
        """As a kill does: the last changes are in the store's write-ahead log alone."""
        self.daemon.start()
        self.daemon.answers()
        self.write(3)
        self.until_mended()
        self.daemon.kill()

    def _short(self) -> str:
        return f"of {self.wrote.lines} lines {self.counts()}; fixes ran {self.ran().total()}\n{self.daemon.said()}"

    def ran(self) -> Counter[str]:
        """How often the fix of each order ran."""
        return Counter(self.runs.read_text().split()) if self.runs.exists() else Counter()

    def differences(self) -> list[str]:
        """What is not as it must be, with nobody at the store: each line has its effect once (I1), no fix ran twice or
        without an attempt (I3)."""
        found = [f"{row.what}: {row.written} written, {row.stored} stored{_more(row)}" for row in self._rows()]
        with open_readonly(self.daemon.store) as store:
            incidents = store.incidents(everything=True, limit=100_000)
            known = {str(each["group_key"]) for row in incidents for each in store.incident(row["id"])["attempts"]}
        ran = self.ran()
        found += [f"the fix of order {order} ran {count} times" for order, count in ran.items() if count > 1]
        return found + [f"the fix of order {order} ran without an attempt" for order in ran.keys() - known]

    def _rows(self) -> list[Row]:
        found = differing(rows(self.wrote, tally(self.daemon.store)))
        return [each for each in found if not each.what.startswith("learned") or each.written >= LEARNED_AFTER]

    def damaged(self) -> list[str]:
        """What was set aside as damaged."""
        return sorted(each.name for each in (self.home / "state").glob("*.damaged-*"))


def _more(row: Row) -> str:
    return ", more than once" if row.difference > 0 else ""
