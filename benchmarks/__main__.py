"""`python -m benchmarks [NAME...]`: one command a scenario; all of them without a name."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import (
    alerting,
    asking,
    backtest,
    client,
    daemon,
    engine,
    fixes,
    helping,
    keeping,
    learning,
    load,
    lookback,
    mining,
    pages,
    scanning,
    scraping,
    startup,
    table,
)
from benchmarks.table import Row

SCENARIOS: dict[str, Callable[[int], Iterator[Row]]] = {
    "scan": scanning.scan_few,
    "scan-1k": scanning.scan_1k,
    "scan-10k": scanning.scan_10k,
    "storm-1k": scanning.storm,
    "learn": scanning.learn_share,
    "differential": scanning.differential,
    "daemon": daemon.whole,
    "latency": daemon.latency,
    "fix": fixes.latency,
    "tiers": startup.startup,
    "help": helping.helps,
    "idle": daemon.idle,
    "memory": daemon.memory,
    "start": daemon.cold_start,
    "reload": daemon.hot_reload,
    "learn-rate": learning.learn_rate,
    "learn-growth": learning.learn_growth,
    "store": engine.store,
    "many-files": daemon.many_files,
    "two-cores": scanning.two_cores,
    "torn": daemon.torn,
    "backtest": backtest.backtest,
    "learn-past": lookback.learn_past,
    "mining": lambda _: mining.quality(None),
    "engine": engine.decisions,
    "alerts": alerting.alerting,
    "query": asking.query,
    "keeping": keeping.keeping,
    "mining-soak": mining.soak,
    "scrape": scraping.scraping,
    "load": load.load,
    "load-pages": pages.load_pages,
    "client": client.overhead,
}
PAGE = Path(__file__).parent.parent / "docs" / "performance.md"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SCENARIOS))
    parser.add_argument("--megabytes", type=int, default=1000, help="size of each log (default: 1000)")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    parser.add_argument("--labelled", metavar="DIR", help="of labelled CSVs for `mining` (default: a made corpus)")
    asked = parser.parse_args()
    scenarios = {**SCENARIOS, "mining": lambda _: mining.quality(asked.labelled)}
    if unknown := set(asked.names) - set(SCENARIOS):
        parser.error(f"no scenario is called {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    where = table.machine()
    print(where, flush=True)
    rows = []
    for name in asked.names or SCENARIOS:
        for row in scenarios[name](asked.megabytes):
            rows.append(row)
            print(row, flush=True)
    if asked.write:
        table.write(PAGE, rows, where, all_of_them=not asked.names)
    return 0


if __name__ == "__main__":
    sys.exit(main())
