"""How long after a line is written does it have its effect? `python benchmarks/latency.py [LINES]`

Ours: the real daemon follows a file. `decided` is the time that the incident itself holds: woken, read, scanned,
confirmed, decided. `served` is when a client that asks all the time sees it over the socket: committed, and answered.
Peer, in the same run: `tail -F | grep --line-buffered`, whose effect is a line on a pipe, stored nowhere.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from logmedic.cli.client import Client

LINES = int(sys.argv[1]) if len(sys.argv) > 1 else 60
PAUSE_S = 0.05

RULE = """\
version: 1
rules:
  - id: marked
    title: "mark {n}"
    match: { pattern: 'ERROR mark (?P<n>\\d+)', captures: { n: int } }
    when: { threshold: { count: 1, within: 60s, by: [n] } }
    tests:
      - name: a mark
        lines: ["ERROR mark 1"]
        expect: { fires: 1 }
"""


def write(log: Path, n: int) -> float:
    with log.open("a") as out:
        out.write(f"ERROR mark {n}\n")
    return time.time()


def of_daemon(home: Path) -> tuple[list[float], list[float]]:
    """Seconds from each write until it was decided, and until it was served."""
    log, state = home / "ours.log", home / "state"
    log.touch()
    (home / "rules").mkdir()
    (home / "rules" / "marked.yaml").write_text(RULE)
    config = home / "logmedic.yaml"
    config.write_text(
        f'sources: {{ app: {{ files: ["{log}"], from_start: true }} }}\nrules: {{ paths: ["{home}/rules"] }}\n'
        f'storage: {{ path: "{state}/l.duckdb" }}\nweb: {{ socket: "{state}/l.sock" }}\n'
    )
    command = [sys.executable, "-m", "logmedic", "-c", str(config), "run"]
    daemon = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not (state / "l.sock").exists():
            time.sleep(0.05)
        time.sleep(1)
        decided, served = [], []
        for n in range(LINES):
            written = write(log, n)
            opened = _opened(state / "l.sock", n)
            served.append(time.time() - written)
            decided.append(opened - written)
            time.sleep(PAUSE_S)
        return decided, served
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait()


def _opened(path: Path, n: int) -> float:
    """When incident `n` was opened, as soon as it can be seen."""
    while True:
        for each in Client(path).get("incidents", all=True, limit=3):
            if each["group_key"] == str(n):
                return datetime.fromisoformat(each["opened_at"]).timestamp()


def of_grep(home: Path) -> list[float]:
    log = home / "peer.log"
    log.touch()
    tail = subprocess.Popen(["tail", "-n0", "-F", str(log)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    grep = subprocess.Popen(["grep", "--line-buffered", "ERROR mark"], stdin=tail.stdout, stdout=subprocess.PIPE)
    assert grep.stdout is not None
    time.sleep(1)
    took = []
    for n in range(LINES):
        written = write(log, n)
        os.read(grep.stdout.fileno(), 4096)
        took.append(time.time() - written)
        time.sleep(PAUSE_S)
    for each in (tail, grep):
        each.kill()
        each.wait()
    return took


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="logmedic-bench-") as room:
        (decided, served), peer = of_daemon(Path(room)), of_grep(Path(room))
    for name, took in (("logmedic, decided", decided), ("logmedic, served", served), ("tail -F | grep", peer)):
        ordered = sorted(took)
        print(
            f"{name:18} median {statistics.median(took) * 1000:7.2f} ms   "
            f"95 % {ordered[int(len(ordered) * 0.95)] * 1000:7.2f} ms   max {ordered[-1] * 1000:7.2f} ms"
        )
    print(f"ratio of the medians, decided to peer: {statistics.median(decided) / statistics.median(peer):.1f}")


if __name__ == "__main__":
    main()
