"""Other tools, on the same lines, measured from outside: CPU seconds, their start-up subtracted."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks import corpus
from benchmarks.corpus import MB

ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/tmp"}


@dataclass(frozen=True, slots=True)
class Peer:
    """`rate`: megabytes a second of CPU, 0 when it is not installed. `found`: what it counted, -1 when it does not
    tell."""

    name: str
    rate: float = 0.0
    found: int = -1

    @property
    def absent(self) -> bool:
        return not self.rate


def cpu_s(*argv: str | Path) -> tuple[float, str]:
    """CPU seconds (user and system) of a program, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(list(map(str, argv)), capture_output=True, text=True, env=ENVIRONMENT, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, done.stdout


def _rate(path: Path, spent: float) -> float:
    return path.stat().st_size / MB / max(spent, 1e-3)


def grep(log: Path, patterns: Path) -> Peer:
    if not shutil.which("grep"):
        return Peer("grep")
    spent, said = cpu_s("grep", "-E", "-c", "-f", patterns, log)
    start, _ = cpu_s("grep", "-E", "-c", "-f", patterns, os.devnull)
    return Peer("grep -E -f", _rate(log, spent - start), int(said))


def ripgrep(log: Path, patterns: Path) -> Peer:
    if not shutil.which("rg"):
        return Peer("ripgrep")
    spent, said = cpu_s("rg", "-j1", "-c", "-f", patterns, log)
    start, _ = cpu_s("rg", "-j1", "-c", "-f", patterns, os.devnull)
    return Peer("rg -f", _rate(log, spent - start), int(said))


def fail2ban(log: Path, count: int, room: Path) -> Peer:
    if not shutil.which("fail2ban-regex"):
        return Peer("fail2ban-regex")
    rules = "\n ".join(_of_fail2ban(number) for number in range(count))
    (room / "bench.conf").write_text(f"[Definition]\nfailregex = {rules}\n")
    (room / "nothing.log").write_text("2026-11-23 03:00:00,000 INFO nothing\n")
    spent, said = cpu_s("fail2ban-regex", log, room / "bench.conf")
    start, _ = cpu_s("fail2ban-regex", room / "nothing.log", room / "bench.conf")
    matched = [line for line in said.splitlines() if line.startswith("Lines:")]
    found = int(matched[0].split(" matched")[0].split()[-1]) if matched else -1
    return Peer("fail2ban-regex", _rate(log, spent - start), found)


def _of_fail2ban(number: int) -> str:
    known = corpus.pattern(number).removeprefix("^").removesuffix("$")
    begin = known.index("(?P<host>")
    end = known.index(")", begin) + 1
    return f"^.*{known[:begin]}<HOST>{known[end:]}".replace("(?P<tries>", "(?:")


def sec(log: Path, count: int, room: Path) -> Peer:
    if not shutil.which("sec"):
        return Peer("sec")
    rules = "".join(
        f"type=Single\nptype=RegExp\npattern={corpus.pattern(n)}\ndesc=rule {n}\naction=none\n\n" for n in range(count)
    )
    (room / "sec.conf").write_text(rules)
    (room / "nothing.log").write_text("")

    def run(path: Path) -> float:
        return cpu_s("sec", f"--conf={room / 'sec.conf'}", f"--input={path}", "--fromstart", "--notail")[0]

    return Peer("sec", _rate(log, run(log) - run(room / "nothing.log")))
