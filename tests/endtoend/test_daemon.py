"""The daemon as a process: signals, reloads, a second instance, the socket."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from logmedic.cli.client import Client
from logmedic.model.errors import DaemonUnreachable

RULE = """\
version: 1
rules:
  - id: {id}
    title: "{word} was seen"
    match: {{ pattern: '{word} (?P<n>\\d+)', captures: {{ n: int }} }}
    tests:
      - name: it fires
        lines: ["{word} 1"]
        expect: {{ fires: 1 }}
      - name: near miss, no number
        lines: ["{word} one"]
        expect: {{ fires: 0 }}
"""


class World:
    """A directory with a log, rules and a config, and the daemon in it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        for name in ("log", "rules", "state"):
            (home / name).mkdir()
        self.log = home / "log" / "app.log"
        self.log.touch()
        self.drop_rule("smoke", "smoke")
        self.config = home / "logmedic.yaml"
        self.config.write_text(
            f'sources: {{ app: {{ files: ["{home}/log/*.log"], from_start: true }} }}\n'
            f'rules: {{ paths: ["{home}/rules"] }}\n'
            f'storage: {{ path: "{home}/state/logmedic.duckdb" }}\n'
            f'web: {{ socket: "{home}/state/logmedic.sock" }}\n'
        )

    def drop_rule(self, rule_id: str, word: str) -> None:
        """As editors do: written beside, renamed into place."""
        beside = self.home / "rules" / f".{rule_id}.tmp"
        beside.write_text(RULE.format(id=rule_id, word=word))
        beside.rename(self.home / "rules" / f"{rule_id}.yaml")

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "logmedic", "-c", str(self.config), *arguments]

    def ask(self, path: str) -> Any:
        """None while nobody answers."""
        try:
            return Client(self.home / "state" / "logmedic.sock", wait_s=5).get(path)
        except DaemonUnreachable:
            return None

    def write(self, *lines: str) -> None:
        with self.log.open("a") as log:
            log.writelines(f"{line}\n" for line in lines)

    def titles(self) -> set[str]:
        return {each["title"] for each in self.ask("incidents?all=true") or []}

    def said(self) -> str:
        return (self.home / "daemon.log").read_text()


def until(condition: Callable[[], object], what: str, limit_s: float = 20) -> None:
    ends, pause = time.monotonic() + limit_s, threading.Event()
    while not condition():
        assert time.monotonic() < ends, f"not within {limit_s} s: {what}"
        pause.wait(0.05)


@contextmanager
def daemon(world: World) -> Iterator[subprocess.Popen[bytes]]:
    with (world.home / "daemon.log").open("ab") as out:
        process = subprocess.Popen(
            world.command("run"), stdin=subprocess.DEVNULL, stdout=out, stderr=out, env={"PATH": os.environ["PATH"]}
        )
    try:
        until(lambda: world.ask("status") or process.poll() is not None, "the daemon answers")
        assert process.poll() is None, world.said()
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_line_becomes_an_incident_while_it_runs(world: World) -> None:
    with daemon(world):
        world.write("smoke 12")
        until(lambda: "smoke was seen" in world.titles(), "the incident is there")


def test_f31_sigterm_drains_and_exits_0(world: World) -> None:
    with daemon(world) as process:
        world.write(*(f"smoke {n}" for n in range(500)))
        until(lambda: world.titles(), "reading has begun")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0, world.said()
    assert "leaked" not in world.said()
    assert not (world.home / "state" / "logmedic.sock").exists()


SLOW_FIX = """\
    fix:
      mode: auto
      steps: [{{ name: wait, run: [/usr/bin/sleep, "{seconds}"], timeout: 60s }}]
      verify: {{ quiet: 10s }}
"""


def test_f31_a_second_signal_forces_and_the_fix_dies_with_the_daemon(world: World) -> None:
    seconds = f"51.{os.getpid()}"
    rule = world.home / "rules" / "smoke.yaml"
    rule.write_text(rule.read_text().replace("    tests:", SLOW_FIX.format(seconds=seconds) + "    tests:"))
    world.config.write_text("mode: auto\n" + world.config.read_text())
    with daemon(world) as process:
        world.write("smoke 1")
        until(lambda: sleeping(seconds), "the fix runs")
        process.send_signal(signal.SIGTERM)
        until(lambda: "stopping" in world.said(), "the first signal drains")
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 1
        until(lambda: not sleeping(seconds), "the fix is gone")


def sleeping(seconds: str) -> bool:
    lines = (_command_line(name) for name in os.listdir("/proc") if name.isdigit())
    return any(line.startswith(f"/usr/bin/sleep\0{seconds}") for line in lines)


def _command_line(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


@pytest.mark.slow
def test_after_a_stop_it_goes_on_where_it_was(world: World) -> None:
    for _ in range(2):
        with daemon(world) as process:
            world.write("smoke 1", "all is well")
            until(lambda: _lag(world) == 0, "everything is read")
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0, world.said()
    with daemon(world):
        assert world.ask("counts")["lines"] == 4


def _lag(world: World) -> int:
    rows = (world.ask("status") or {"sources": []})["sources"]
    size = world.log.stat().st_size
    return max((size - row["offset"] for row in rows if row["origin"] == str(world.log)), default=1)


def test_a_dropped_file_is_a_rule_soon(world: World) -> None:
    with daemon(world):
        world.drop_rule("sparks", "sparks")
        until(lambda: world.ask("status")["rules"]["loaded"] == 2, "the new rule is loaded")
        world.write("sparks 3")
        until(lambda: "sparks was seen" in world.titles(), "the new rule matched")


def test_f34_a_broken_file_keeps_its_last_good_version_in_force(world: World) -> None:
    with daemon(world):
        (world.home / "rules" / "smoke.yaml").write_text("version: 1\nrules: [}\n")
        until(lambda: world.ask("status")["rules"]["problems"], "the mistake is told")
        world.write("smoke 4")
        until(lambda: "smoke was seen" in world.titles(), "the last good version still works")
        assert world.ask("status")["rules"]["stale_files"]


def test_sighup_reloads(world: World) -> None:
    with daemon(world) as process:
        before = world.said().count("rules_loaded")
        process.send_signal(signal.SIGHUP)
        until(lambda: world.said().count("rules_loaded") > before, "the rules were loaded again")


def test_f70_a_receiver_that_cannot_be_used_is_told_at_the_start(world: World) -> None:
    world.config.write_text(world.config.read_text() + 'alerts: { receivers: { chat: "slack://s3cret" } }\n')
    with daemon(world):
        until(lambda: world.ask("status")["receivers"], "the receiver is checked")
        ran = subprocess.run(world.command("status"), capture_output=True, text=True, timeout=30, check=False)
        assert "! receiver chat:" in ran.stdout
        assert "s3cret" not in ran.stdout + world.said()


@pytest.mark.slow
def test_f38_a_second_instance_says_who_holds_the_store(world: World) -> None:
    with daemon(world) as process:
        second = subprocess.run(world.command("run"), capture_output=True, text=True, timeout=30, check=False)
        assert second.returncode == 7
        assert str(process.pid) in second.stderr
        assert "hint:" in second.stderr


def test_status_tells_how_far_every_file_is_read(world: World) -> None:
    with daemon(world):
        world.write("all is well")
        until(lambda: _lag(world) == 0, "everything is read")
        ran = subprocess.run(world.command("status"), capture_output=True, text=True, timeout=30, check=False)
        assert ran.returncode == 0, ran.stderr
        assert "app.log" in ran.stdout
