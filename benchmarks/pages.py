"""Scenario 33: a real daemon on a store with 10,000 incidents (200 open) and a million entries of their timelines: how
long each page, each endpoint and each command takes, and what a reader that never rests costs the lines."""

from __future__ import annotations

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmarks import load
from benchmarks.daemon import MARKED, cpu_s, until
from benchmarks.table import Row
from crash.process import Daemon
from logmedic.adapters.store.duck import DuckStore
from logmedic.adapters.web.endpoints import ENDPOINTS
from logmedic.adapters.web.pages.site import PAGES
from logmedic.adapters.web.tokens import hashed, new_token
from logmedic.cli.top.desk import EVERY_S

LIMIT_MS = load.LIMIT_MS
TIMES, RUNS = 15, 7
"""How often each address is asked, and each command run."""
MARKS, PAUSE_S = 200, 0.04
"""Lines of which each opens an incident, alone and beside the reader; so long between two."""
LONG_S = 120
CONFIG = """\
sources: {{ app: {{ files: ["{home}/log/*.log"], from_start: true }} }}
rules: {{ paths: ["{home}/rules"] }}
storage: {{ path: "{home}/state/logmedic.duckdb" }}
web:
  socket: "{home}/state/logmedic.sock"
  dashboard: "127.0.0.1:{port}"
  tokens: {{ bench: {{ sha256: {sha256} }} }}
"""
RULE = """\
  - id: rule-{n}
    title: "service {n} fails on {{host}}"
    severity: high
    match: {{ pattern: 'service-{n} failed on (?P<host>\\w+)', captures: {{ host: word }} }}
    when: {{ threshold: {{ count: 1, within: 1m, by: [host] }}, clear: {{ quiet: 7d }} }}
    fix:
      mode: observe
      steps: [{{ name: restart it, run: [/usr/bin/true] }}]
      verify: {{ quiet: 60s }}
"""
LINE = b"2026-11-23 03:12:41,123 INFO shop.worker: job finished in 7 ms\n"
COMMANDS = (
    "status",
    "incidents",
    "incidents --all",
    "show {incident}",
    "why {incident}",
    "fixes",
    "stats",
    "stats --since 30d",
    "learned",
    "alerts list",
    "events",
    "top --once",
)
"""`doctor` is none of them: it tries things out."""
WAITS = {"top --once": EVERY_S * 1e3}
"""Milliseconds that a command lies in wait: rates are of two looks."""


class Site:
    """The daemon, its log, and its pages over one connection that is kept."""

    def __init__(self, home: Path) -> None:
        for name in ("rules", "state", "log"):
            (home / name).mkdir()
        self.log = home / "log" / "app.log"
        self.log.touch()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.token = new_token()
        (home / "logmedic.yaml").write_text(CONFIG.format(home=home, port=self.port, sha256=hashed(self.token)))
        rules = "".join(RULE.format(n=n) for n in range(load.RULES))
        (home / "rules" / "services.yaml").write_text(f"version: 1\nrules:\n{rules}")
        (home / "rules" / "marked.yaml").write_text(MARKED)
        self.daemon = Daemon(home)

    def start(self) -> None:
        """Until it has its incidents again, and its pages are there."""
        self.daemon.start()
        wanted = {"open_incidents": load.OPEN}
        until(lambda: wanted.items() <= (self.daemon.ask("brief", 60) or {}).items(), LONG_S, self.daemon.said)
        until(self._listens, LONG_S, self.daemon.said)
        until(self._is_idle, LONG_S, lambda: "it is not idle")

    def _is_idle(self) -> bool:
        """It has done what it does after a start."""
        spent = self.cpu_s()
        time.sleep(1)
        return self.cpu_s() - spent < 0.05

    def connection(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=60)

    def get(self, connection: HTTPConnection, address: str) -> tuple[float, int, bytes]:
        """Milliseconds, the status, and the body."""
        begun = time.perf_counter()
        connection.request("GET", address, headers={"Authorization": f"Bearer {self.token}"})
        answer = connection.getresponse()
        body = answer.read()
        return (time.perf_counter() - begun) * 1e3, answer.status, body

    def cpu_s(self) -> float:
        """Of the daemon so far."""
        return cpu_s(self.daemon.pid)

    def _listens(self) -> bool:
        with suppress(OSError, HTTPException):
            return self.get(self.connection(), "/v1/brief")[1] == 200
        return False


@contextmanager
def _site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory(prefix="logmedic-bench-") as room:
        site = Site(Path(room))
        asyncio.run(_fill(site.daemon.store))
        try:
            site.start()
            yield site
        finally:
            site.daemon.put_down()


async def _fill(path: Path) -> None:
    store = DuckStore(path)
    await store.open()
    try:
        await load.fill(store, datetime.now(UTC))
    finally:
        await store.close()


def load_pages(_: int) -> Iterator[Row]:
    with _site() as site:
        known = _known(site)
        addresses = _addresses(known)
        connection = site.connection()
        for name, address in addresses.items():
            yield _row(name, *_asked(site, connection, address))
        bare = statistics.median(_run_ms("-c", "pass") for _ in range(RUNS))
        imported = statistics.median(_run_ms("-c", "import logmedic.cli.root") for _ in range(RUNS))
        beside = f"python: {bare:.0f} ms, with the command line imported: {imported:.0f} ms"
        for command in COMMANDS:
            words = command.format(**known).split()
            waits = WAITS.get(command, 0.0)
            took = [_run_ms("-m", "logmedic", "-c", str(site.daemon.config), *words) - waits for _ in range(RUNS)]
            name = (
                f"logmedic {command.format(incident='ID')}{f', beside its {waits:.0f} ms of waiting' if waits else ''}"
            )
            yield _row(name, took, beside)
        pages = [each for each in addresses.values() if not each.startswith("/v1/")]
        alone = _waits(site, "1", threading.Event().set)
        reader = _Reader(site, pages)
        reader.start()
        waits = _waits(site, "2", reader.stop)
    yield Row(
        "33",
        "line to incident, beside a reader of pages that never rests",
        f"{_told(waits)} ({reader.pages / reader.took_s:.0f} pages/s)",
        f"{_told(alone)} alone",
        f"{statistics.median(waits) / statistics.median(alone):.1f}",
        "p99 below 250 ms",
        _high(waits) < 0.25,
    )


def _known(site: Site) -> dict[str, str]:
    """Names of what the addresses are about."""
    page = site.daemon.ask("incidents?all=true&limit=5000", 60)
    (alert,) = site.daemon.ask("alerts?limit=1", 60)
    return {
        "incident": page[-1]["id"],
        "open": page[0]["id"],
        "alert": alert["id"],
        "rule": "rule-7",
        "issue": f"issue-{load.LEARNED}",
    }


def _addresses(known: dict[str, str]) -> dict[str, str]:
    """By the name of their row."""
    since = quote((datetime.now(UTC) - timedelta(days=1)).isoformat())
    queries = {
        "/v1/explain": f"?line={quote('service-7 failed on web1')}",
        "/v1/sparks": "?" + "&".join(f"rules=rule-{n}" for n in range(50)),
        "/v1/events": f"?since={since}",
    }
    pages = [each.path for each in PAGES]
    as_json = [f"{'/needs-you' if each == '/' else each}.json" for each in pages]
    more = ["/incidents?all=1", "/incidents?all=1&text=CAFE", "/metrics", "/navigation"]
    api = [each.path for each in ENDPOINTS if each.method == "GET" and each.media == "application/json"]
    paths = [*pages, *as_json, *more, *api, "/v1/incidents?all=true", "/v1/events?newest=true", "/v1/openapi.json"]
    found = {path: path.replace("{id}", known[_kind(path)]) + queries.get(path, "") for path in paths}
    return {**found, "/incidents/{id}, open": f"/incidents/{known['open']}"}


def _kind(path: str) -> str:
    """Of what `{id}` in it stands for."""
    noun = path.removeprefix("/v1").split("/")[1]
    return {"incidents": "incident", "alerts": "alert", "trust": "rule", "rules": "rule"}.get(noun, "issue")


def _asked(site: Site, connection: HTTPConnection, address: str) -> tuple[list[float], str]:
    """Milliseconds each, and what was answered."""
    _, status, body = site.get(connection, address)
    assert status == 200, f"{address}: {status} {body[:300]!r}"
    spent = site.cpu_s()
    took = [site.get(connection, address)[0] for _ in range(TIMES)]
    spent = (site.cpu_s() - spent) / TIMES
    return took, f"{len(body) / 1000:,.0f} kB, {spent * 1e3:.0f} ms of a core"


def _row(name: str, took: list[float], beside: str) -> Row:
    median, worst = statistics.median(took), sorted(took)[int(len(took) * 0.95)]
    ours = f"median {median:.1f} ms, p95 {worst:.1f} ms"
    return Row("33", name, ours, beside, f"{median / LIMIT_MS:.2f}", f"{LIMIT_MS:.0f} ms", median <= LIMIT_MS)


def _run_ms(*arguments: str) -> float:
    """As somebody at a terminal waits for it; what it found does not count as a failure."""
    begun = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, *arguments], capture_output=True, check=False, env={**os.environ, "COLUMNS": "120"}
    )
    took = (time.perf_counter() - begun) * 1e3
    assert ended.returncode in (0, 1), f"{arguments}: {ended.returncode} {ended.stderr[-500:]!r}"
    assert not ended.stderr, f"{arguments}: {ended.stderr[-500:]!r}"
    return took


class _Reader(threading.Thread):
    """Asks for one page after the other."""

    def __init__(self, site: Site, addresses: list[str]) -> None:
        super().__init__(daemon=True)
        self._site, self._addresses, self._over = site, addresses, threading.Event()
        self.pages, self.took_s = 0, 0.0

    def run(self) -> None:
        connection, begun = self._site.connection(), time.monotonic()
        while not self._over.is_set():
            self._site.get(connection, self._addresses[self.pages % len(self._addresses)])
            self.pages += 1
        self.took_s = time.monotonic() - begun

    def stop(self) -> None:
        self._over.set()
        self.join()


def _waits(site: Site, turn: str, over: Callable[[], None]) -> list[float]:
    """Seconds from the write of a line to the decision, as its incident holds it. `turn`: a digit; `over`: called when
    all are written."""
    written: dict[str, float] = {}
    with site.log.open("ab", buffering=0) as out:
        for n in range(MARKS):
            number = f"{turn}{n:05d}"
            written[number] = time.time()
            out.write(LINE * 100 + b"ERROR mark %s\n" % number.encode())
            time.sleep(PAUSE_S)
    over()
    rows: list[dict[str, Any]] = []

    def all_there() -> bool:
        found = site.daemon.ask(f"incidents?rule=marked&limit={2 * MARKS}", 60) or []
        rows[:] = [row for row in found if row["group_key"] in written]
        return len(rows) == MARKS

    until(all_there, LONG_S, lambda: f"{len(rows)} of {MARKS} incidents\n{site.daemon.said()}")
    return [datetime.fromisoformat(row["opened_at"]).timestamp() - written[row["group_key"]] for row in rows]


def _high(waits: list[float]) -> float:
    return statistics.quantiles(waits, n=100)[98]


def _told(waits: list[float]) -> str:
    return f"p50 {statistics.median(waits) * 1e3:.1f} ms, p99 {_high(waits) * 1e3:.0f} ms"
