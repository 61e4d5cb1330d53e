"""Scenarios 7, 8, 10 to 13, 17 and 19: the whole daemon as a process, on real files, with store and learning."""

from __future__ import annotations

import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.corpus import MB, Corpus, blocks, hit, rule_files
from benchmarks.scanning import scan
from benchmarks.table import Row
from crash.process import Daemon

CONFIG = """\
sources: {{ app: {{ files: ["{home}/log/**/*.log"], from_start: true }} }}
rules: {{ paths: ["{home}/rules"] }}
storage: {{ path: "{home}/state/logmedic.duckdb" }}
web: {{ socket: "{home}/state/logmedic.sock" }}
"""
MARKED = """\
version: 1
rules:
  - id: marked
    title: "mark {n}"
    match: { pattern: 'ERROR mark (?P<n>\\d+)', captures: { n: int } }
    when: { threshold: { count: 1, within: 60s, by: [n] } }
"""
TICKS = os.sysconf("SC_CLK_TCK")
LATENCY_LINES = 200
IDLE_S = 60
PACED_S = 30
PACED_RATE = 10_000
TORN_S = 20
TORN_RATE = 50_000
LONG_S = 120


def until(condition: Callable[[], bool], limit_s: float, what: Callable[[], str]) -> None:
    """Asking costs the daemon something: not too often."""
    ends = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < ends, f"not within {limit_s:g} s: {what()}"
        time.sleep(0.5)


def cpu_s(pid: int) -> float:
    """Of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Host:
    """A daemon in a home of its own, with `files` empty logs, in directories of a hundred."""

    def __init__(self, home: Path, files: int, rules: list[str]) -> None:
        self.logs = [home / "log" / f"{n // 100:03d}" / f"{n:05d}.log" for n in range(files)]
        for name in ("rules", "state"):
            (home / name).mkdir()
        for log in self.logs:
            log.parent.mkdir(parents=True, exist_ok=True)
            log.touch()
        for number, text in enumerate(rules):
            (home / "rules" / f"bench-{number}.yaml").write_text(text)
        (home / "logmedic.yaml").write_text(CONFIG.format(home=home))
        self.home = home
        self.daemon = Daemon(home)
        self.begun = 0

    def start(self) -> None:
        """Until every log is followed."""
        self.daemon.start(sys.executable, "-m", "logmedic", "-c", str(self.daemon.config), "run")
        until(lambda: self.status().get("sources_total", 0) >= len(self.logs), LONG_S, self.daemon.said)
        for log in (self.logs[0], self.logs[-1]):  # those that were read last were read
            log.write_bytes(b"begin\n")
        until(lambda: self.lines() >= min(2, len(self.logs)), LONG_S, self.daemon.said)
        time.sleep(2)
        self.begun = self.lines()

    def status(self) -> Any:
        return self.daemon.ask("status", 60) or {}

    def lines(self) -> int:
        """Those since the start."""
        return self.count("lines") - self.begun

    def count(self, kind: str) -> int:
        return int((self.daemon.ask("counts", 60) or {}).get(kind, 0))

    def cpu_s(self) -> float:
        return cpu_s(self.daemon.pid)

    def rss_mb(self) -> float:
        words = Path(f"/proc/{self.daemon.pid}/status").read_text().partition("VmRSS:")[2].split()
        return int(words[0]) / 1024


@contextmanager
def hosted(files: int, rules: list[str]) -> Iterator[Host]:
    with tempfile.TemporaryDirectory(prefix="logmedic-bench-") as room:
        host = Host(Path(room), files, rules)
        try:
            host.start()
            yield host
        finally:
            host.daemon.put_down()


def whole(megabytes: int) -> Iterator[Row]:
    """A log is appended to four followed files as fast as it goes."""
    corpus = Corpus(megabytes)
    limit = scan(corpus, 1000)
    with hosted(4, rule_files(1000)) as host:
        before, begun = host.cpu_s(), time.perf_counter()
        wanted = 0
        with_open = [log.open("ab", buffering=0) for log in host.logs]
        for n, block in enumerate(blocks(corpus.made(), 4 * MB)):
            with_open[n % len(with_open)].write(block)
            wanted += block.count(b"\n")
        until(lambda: host.lines() >= wanted, LONG_S, lambda: f"{host.lines()} of {wanted} lines")
        spent, took = host.cpu_s() - before, time.perf_counter() - begun
        counts = {"lines": host.lines(), "matched": host.count("matched")}
    rate = megabytes / spent
    exact = counts["lines"] == wanted and counts["matched"] == limit.matches
    ours = f"{rate:,.0f} MB/s of CPU, {megabytes / took:,.0f} of wall"
    beside = f"scan-1k: {limit.rate:,.0f} MB/s"
    yield Row(
        "7", "whole daemon, 1000 rules", ours, beside, f"{rate / limit.rate:.2f}", "0.5", rate >= 0.5 * limit.rate
    )
    told = f"{counts['lines']:,} lines, {counts['matched']:,} matches"
    yield Row("7", "whole daemon, count", told, f"{wanted:,} lines, {limit.matches:,} matches", "", "equal", exact)


def latency(_: int) -> Iterator[Row]:
    """From the write of a line to the decision, as the incident holds it."""
    peer = statistics.median(_of_grep())
    for files in (100, 10_000):
        with hosted(files, [MARKED]) as host:
            took = sorted(_of_daemon(host))
        p50, p99 = (took[int(len(took) * share)] for share in (0.5, 0.99))
        ours = f"p50 {p50 * 1000:.2f} ms, p99 {p99 * 1000:.2f} ms"
        ratio = p50 / peer
        beside = f"tail -F | grep: p50 {peer * 1000:.2f} ms"
        yield Row("8", f"latency, {files:,} files", ours, beside, f"{ratio:.1f}x", "3x", ratio <= 3)


def _of_daemon(host: Host) -> list[float]:
    dice, written = random.Random(5), {}
    for n in range(LATENCY_LINES):
        written[str(n)] = _write(dice.choice(host.logs), n)
        time.sleep(0.02)
    wanted = LATENCY_LINES
    time.sleep(1)
    until(lambda: host.count("matched") >= wanted, LONG_S, host.daemon.said)
    rows = host.daemon.ask(f"incidents?all=true&limit={wanted}")
    opened = {row["group_key"]: datetime.fromisoformat(row["opened_at"]).timestamp() for row in rows}
    return [opened[n] - at for n, at in written.items()]


def _write(log: Path, n: int) -> float:
    with log.open("ab", buffering=0) as out:
        written = time.time()
        out.write(b"ERROR mark %d\n" % n)
        return written


def _of_grep() -> list[float]:
    with tempfile.TemporaryDirectory() as room:
        logs = [Path(room) / f"{n}.log" for n in range(100)]
        for log in logs:
            log.touch()
        tail = subprocess.Popen(
            ["tail", "-q", "-n0", "-F", *map(str, logs)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        grep = subprocess.Popen(["grep", "--line-buffered", "ERROR mark"], stdin=tail.stdout, stdout=subprocess.PIPE)
        assert grep.stdout is not None
        time.sleep(1)
        dice, took = random.Random(5), []
        for n in range(LATENCY_LINES):
            written = _write(dice.choice(logs), n)
            os.read(grep.stdout.fileno(), 4096)
            took.append(time.time() - written)
            time.sleep(0.02)
        for each in (tail, grep):
            each.kill()
            each.wait()
        return took


def idle(_: int) -> Iterator[Row]:
    """CPU of a daemon that has nothing to do."""
    for files in (100, 10_000):
        with hosted(files, rule_files(100)) as host:
            time.sleep(5)
            before = host.cpu_s()
            time.sleep(IDLE_S)
            share = (host.cpu_s() - before) / IDLE_S
        ours = f"{share:.2%} of a core over {IDLE_S} s"
        yield Row("10", f"idle, {files:,} files", ours, "", "", "0.1 %", share <= 0.001)


def memory(_: int) -> Iterator[Row]:
    sizes = {}
    for files in (100, 10_000):
        with hosted(files, rule_files(1000)) as host:
            for log in host.logs:
                with log.open("ab") as out:
                    out.write(b"one line\n")
            until(lambda: host.lines() >= files, LONG_S, host.daemon.said)  # noqa: B023  called before the next round
            sizes[files] = host.rss_mb()
    few, many = sizes.values()
    each = (many - few) * 1024 / 9_900
    yield Row("11", "memory, 1000 rules, 100 files", f"{few:.0f} MB", "", "", "140 MB", few <= 140)
    yield Row("11", "memory, 9,900 files more", f"{each:.1f} KB a file", "", "", "1 KB", each <= 1)


def cold_start(_: int) -> Iterator[Row]:
    """From the start of the process to the first line matched, beside that of a daemon without rules; and the same
    again, when the rules are known and the database is kept."""
    took: dict[int, list[float]] = {}
    for count in (1, 1000, 10_000):
        with tempfile.TemporaryDirectory(prefix="logmedic-bench-") as room:
            host = Host(Path(room), 1, rule_files(count))
            took[count] = [_start(host, matched) for matched in (1, 2)]
    for count in (1000, 10_000):
        for turn, kind, reach in ((0, "never seen", 1.5), (1, "known", 0.5)):
            more = took[count][turn] - took[1][turn]
            wanted, met = (f"{reach:g} s", more <= reach) if count == 10_000 else ("", None)
            beside = f"1 rule: {took[1][turn]:.1f} s"
            yield Row("12", f"cold start, {count:,} rules, {kind}", f"{more:.2f} s more", beside, "", wanted, met)


def _start(host: Host, matched: int) -> float:
    """Seconds until so many lines have matched, the last of them written now."""
    with host.logs[0].open("a") as log:
        log.write(hit(random.Random(1), 0, "03:00:00") + "\n")
    begun = time.perf_counter()
    try:
        host.daemon.start()
        while host.count("matched") < matched:
            assert time.perf_counter() - begun < LONG_S, host.daemon.said()
            time.sleep(0.02)
        return time.perf_counter() - begun
    finally:
        host.daemon.put_down()


def hot_reload(megabytes: int) -> Iterator[Row]:
    """One rule into thousands while a log is read: until its first match, and the longest wait for an answer."""
    for count, reach in ((1000, 0.2), (10_000, 0.5)):
        with hosted(2, rule_files(count)) as host:
            feeding = _Feeder(host.logs[0], Corpus(min(megabytes, 200)).made())
            feeding.start()
            time.sleep(1)
            before, _ = _until_marked(host, lambda: None, limit_s=2)
            took, waited = _until_marked(host, lambda: (host.home / "rules" / "late.yaml").write_text(MARKED))
            feeding.stop()
        assert before is None, "the rule was there before"
        assert took is not None, host.daemon.said()
        name = f"hot reload, 1 rule into {count:,}, while a log is read"
        yield Row("13", name, f"live after {took:.2f} s", "", "", f"{reach} s", took <= reach)
        yield Row("13", "the longest wait for an answer meanwhile", f"{waited * 1000:.0f} ms", "", "", "", None)


def _until_marked(host: Host, act: Callable[[], object], limit_s: float = LONG_S) -> tuple[float | None, float]:
    """Seconds from `act` to the first match of the marked rule (None: not within the limit); the longest answer."""
    act()
    begun, number, longest = time.perf_counter(), 0, 0.0
    while time.perf_counter() - begun < limit_s:
        number += 1
        _write(host.logs[1], number)
        asked = time.perf_counter()
        rows = host.daemon.ask("incidents?all=true&limit=10") or []
        longest = max(longest, time.perf_counter() - asked)
        if any(row["rule_id"] == "marked" for row in rows):
            return time.perf_counter() - begun, longest
        time.sleep(0.01)
    return None, longest


class _Feeder(threading.Thread):
    """Appends the blocks of a corpus, a few megabytes a second."""

    def __init__(self, log: Path, corpus: Path) -> None:
        super().__init__(daemon=True)
        self._log, self._corpus, self._over = log, corpus, threading.Event()

    def run(self) -> None:
        with self._log.open("ab", buffering=0) as out:
            for block in blocks(self._corpus):
                out.write(block)
                if self._over.wait(0.02):
                    return

    def stop(self) -> None:
        self._over.set()
        self.join()


def many_files(_: int) -> Iterator[Row]:
    """10,000 lines a second, each in another one of 10,000 files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with hosted(10_000, rule_files(100)) as host:
        time.sleep(3)
        before, begun = host.cpu_s(), time.perf_counter()
        sent = _paced(host.logs)
        until(lambda: host.lines() >= sent, LONG_S, lambda: f"{host.lines()} of {sent} lines")
        spent, took = host.cpu_s() - before, time.perf_counter() - begun
        exact = host.lines() == sent
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    share = spent / took
    ours = f"{share:.0%} of a core, {sent / took:,.0f} lines/s"
    yield Row("17", "10 k lines/s over 10,000 files", ours, f"exact: {exact}", "", "35 %", share <= 0.35 and exact)


def _paced(logs: list[Path]) -> int:
    """Lines written."""
    dice, out = random.Random(3), [os.open(log, os.O_WRONLY | os.O_APPEND) for log in logs]
    begun, sent = time.perf_counter(), 0
    while (now := time.perf_counter() - begun) < PACED_S:
        while sent < now * PACED_RATE:
            os.write(dice.choice(out), b"2026-11-23 03:12:41,123 INFO shop.worker: job %d finished in 7 ms\n" % sent)
            sent += 1
        time.sleep(0.002)
    for each in out:
        os.close(each)
    return sent


def torn(_: int) -> Iterator[Row]:
    """50,000 lines a second, written in pieces that end anywhere, the log renamed every second."""
    with hosted(1, rule_files(100)) as host:
        sent, rotations = _torn(host.logs[0])
        until(lambda: host.lines() >= sent, LONG_S, lambda: f"{host.lines()} of {sent} lines")
        counts = {"lines": host.lines(), "matched": host.count("matched")}
    told = f"{counts['lines']:,} lines, {counts['matched']:,} matches"
    wanted = f"{sent:,} lines, {sent // 50:,} matches, {rotations} rotations"
    exact = (counts["lines"], counts["matched"]) == (sent, sent // 50)
    yield Row("19", "torn writes and rotation", told, wanted, "", "equal", exact)


def _torn(log: Path) -> tuple[int, int]:
    dice, sent, rotations, held = random.Random(11), 0, 0, b""
    out = log.open("ab", buffering=0)
    begun = time.perf_counter()
    while (now := time.perf_counter() - begun) < TORN_S:
        made = bytearray(held)
        while sent < now * TORN_RATE:
            sent += 1
            text = (
                hit(dice, sent % 10, "03:00:00") if sent % 50 == 0 else f"2026-11-23 03:00:00,1 INFO shop: line {sent}"
            )
            made += f"{text}\n".encode()
        cut = dice.randrange(len(made) + 1) if made else 0
        out.write(made[:cut])
        held = bytes(made[cut:])
        if now > rotations + 1:
            out.write(held)
            held = b""
            _rotate(log)
            out.close()
            out = log.open("ab", buffering=0)
            rotations += 1
        time.sleep(0.002)
    out.write(held)
    out.close()
    return sent, rotations


def _rotate(log: Path) -> None:
    for n in range(5, 0, -1):
        older = log.with_name(f"{log.name}.{n}")
        if older.exists():
            older.rename(log.with_name(f"{log.name}.{n + 1}"))
    log.rename(log.with_name(f"{log.name}.1"))
    log.touch()
