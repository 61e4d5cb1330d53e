"""Scenario 31: what a scrape of /metrics costs, with 10,000 files, and 1,000 rules with an incident each."""

from __future__ import annotations

import random
import resource
import socket
import statistics
import time
from collections.abc import Iterator
from http.client import HTTPConnection

from benchmarks.corpus import hit, rule_files
from benchmarks.daemon import LONG_S, Host, hosted, until
from benchmarks.table import Row

FILES, RULES, SCRAPES = 10_000, 1_000, 50
LIMIT_MS = 50.0


def scraping(_: int) -> Iterator[Row]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with hosted(FILES, rule_files(RULES)) as host:
        _match_each(host)
        text = _scrape(host)[1]
        spent = host.cpu_s()
        took = [_scrape(host)[0] for _ in range(SCRAPES)]
        spent = (host.cpu_s() - spent) / SCRAPES
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    median = statistics.median(took) * 1000
    samples = sum(not line.startswith("#") for line in text.splitlines())
    ours = f"{median:.0f} ms, worst {max(took) * 1000:.0f} ms; {spent * 1000:.0f} ms of a core"
    scenario = f"/metrics, {FILES:,} files, {RULES:,} rules"
    yield Row("31", scenario, ours, f"{samples:,} samples, {len(text) / 1000:,.0f} kB", "", "50 ms", median <= LIMIT_MS)


def _match_each(host: Host) -> None:
    """Over logs of many files, of which each is read."""
    dice = random.Random(31)
    for number in range(RULES):
        with host.logs[number % FILES].open("a") as log:
            log.write(hit(dice, number, time.strftime("%H:%M:%S")) + "\n")
    until(lambda: host.count("matched") >= RULES, LONG_S, lambda: f"{host.count('matched')} of {RULES} matched")


def _scrape(host: Host) -> tuple[float, str]:
    """Seconds, and the text."""
    connection = HTTPConnection("logmedic")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(host.home / "state" / "logmedic.sock"))
    begun = time.perf_counter()
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    took = time.perf_counter() - begun
    connection.close()
    return took, text
