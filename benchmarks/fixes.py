"""Scenario 9: from the write of a line to the first word of the sandboxed fix that it sets off, the commit included."""

from __future__ import annotations

import os
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.table import Row
from crash.process import Daemon, until

LINES = 30
PAUSE_S = 0.4
RULE = """\
version: 1
rules:
  - id: marked
    title: "mark {{n}}"
    match: {{ pattern: 'ERROR mark (?P<n>\\d+)', captures: {{ n: int }} }}
    when: {{ threshold: {{ count: 1, within: 60s, by: [n] }} }}
    fix:
      mode: auto
      steps:
        - name: note it
          run: ["{home}/bin/note", "{{n}}"]
          sandbox: {{ write: ["{home}/done"], read: ["{home}/bin"] }}
      verify: {{ command: {{ run: [/usr/bin/true], within: 2s, every: 100ms }} }}
      limits: {{ max_per_hour: 1000, one_at_a_time: "mark" }}
      breaker: {{ failures: 1000, open_for: 1s }}
    tests:
      - name: a mark
        lines: ["ERROR mark 1"]
        expect: {{ fires: 1 }}
      - name: near miss, no number
        lines: ["ERROR mark one"]
        expect: {{ fires: 0 }}
"""
CONFIG = """\
mode: auto
sources: {{ app: {{ files: ["{home}/app.log"], from_start: true }} }}
rules: {{ paths: ["{home}/rules"] }}
actions: {{ max_per_hour: 1000, concurrency: 4 }}
storage: {{ path: "{home}/state/logmedic.duckdb" }}
web: {{ socket: "{home}/state/logmedic.sock" }}
"""
NOTE = "#!/bin/sh\nset -C\ndate +%s.%N > {home}/done/$1\n"
JAIL = """\
[DEFAULT]
action = note
[bench]
enabled = true
filter = bench
logpath = {home}/app.log
backend = {backend}
maxretry = 1
bantime = 3600
"""
FILTER = "[Definition]\nfailregex = ^.* ERROR mark \\d+ of <HOST>$\n"
ACTION = "[Definition]\nactionban = date +%%s.%%N > {home}/done/<ip>\nactionunban = true\n"


def latency(_: int) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="logmedic-bench-") as room:
        ours = _of_daemon(Path(room))
    with tempfile.TemporaryDirectory(prefix="logmedic-bench-") as room:
        theirs = _of_fail2ban(Path(room))
    p50 = statistics.median(ours)
    told = f"p50 {p50 * 1000:.1f} ms, max {max(ours) * 1000:.1f} ms"
    yield Row("9", "latency to a started fix", told, "", "", "25 ms", p50 <= 0.025)
    if theirs is None:
        yield Row("9", "latency to a started fix", told, "fail2ban: not installed")
        return
    peer = statistics.median(theirs)
    yield Row(
        "9",
        "latency to a started fix",
        told,
        f"fail2ban, unsandboxed: p50 {peer * 1000:.0f} ms",
        f"{p50 / peer:.2f}x",
        "0.2x",
        p50 <= 0.2 * peer,
    )


def _measured(home: Path, line: str, names: list[str]) -> list[float]:
    """Seconds from each write until the effect began, by the effect's own clock."""
    took = []
    for n, name in enumerate(names):
        with (home / "app.log").open("a") as log:
            log.write(line.format(n=n, name=name) + "\n")
        written = time.time()
        took.append(float(_word_of(home / "done" / name)) - written)
        time.sleep(PAUSE_S)
    return took


def _word_of(done: Path) -> str:
    until(lambda: done.exists() and done.stat().st_size > 10, 30, lambda: f"no {done}")
    return done.read_text()


def _of_daemon(home: Path) -> list[float]:
    home.chmod(0o755)
    for name in ("rules", "state", "bin", "done"):
        (home / name).mkdir()
    (home / "done").chmod(0o777)
    (home / "app.log").touch()
    note = home / "bin" / "note"
    note.write_text(NOTE.format(home=home))
    note.chmod(0o755)
    (home / "rules" / "marked.yaml").write_text(RULE.format(home=home))
    (home / "logmedic.yaml").write_text(CONFIG.format(home=home))
    daemon = Daemon(home)
    try:
        daemon.start()
        daemon.answers()
        return _measured(home, "ERROR mark {n}", [str(n) for n in range(LINES)])
    finally:
        daemon.put_down()


def _of_fail2ban(home: Path) -> list[float] | None:
    program = shutil.which("fail2ban-server")
    if program is None:
        return None
    shutil.copytree("/etc/fail2ban", home / "conf")
    for place in (home / "conf" / "jail.d", home / "conf" / "fail2ban.d"):
        shutil.rmtree(place, ignore_errors=True)
    (home / "done").mkdir()
    (home / "app.log").touch()
    backend = "pyinotify" if _has_pyinotify() else "polling"
    (home / "conf" / "fail2ban.local").write_text("[Definition]\ndbfile = :memory:\n")
    (home / "conf" / "jail.conf").write_text(JAIL.format(home=home, backend=backend))
    (home / "conf" / "filter.d" / "bench.conf").write_text(FILTER)
    (home / "conf" / "action.d" / "note.conf").write_text(ACTION.format(home=home))
    options = ["-c", home / "conf", "-s", home / "s.sock", "-p", home / "s.pid", "--logtarget", home / "f2b.log", "-x"]
    server = subprocess.Popen(
        [program, "-f", *map(str, options), "start"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        time.sleep(4)
        line = time.strftime("%Y-%m-%d %H:%M:%S") + " ERROR mark {n} of {name}"
        return _measured(home, line, [f"192.0.2.{n + 1}" for n in range(LINES)])
    finally:
        os.kill(server.pid, signal.SIGTERM)
        server.wait()


def _has_pyinotify() -> bool:
    return (
        subprocess.run(["/usr/bin/python3", "-c", "import pyinotify"], capture_output=True, check=False).returncode == 0
    )
