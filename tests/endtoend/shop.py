"""A shop (one of the examples, served by uvicorn), the stock service that it depends on under a supervisor, and a real
daemon that hears the shop and may restart the service. Each is a process of its own."""

from __future__ import annotations

import os
import pwd
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

import forked
from endtoend.test_daemon import World, until

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
USER = pwd.getpwuid(os.getuid()).pw_name
LONGEST_S = 30.0
"""No answer takes longer: the shop waits 20 s for a fix."""

RULE = """\
version: 1
rules:
  - id: stock-wedged
    title: "{{component}} gets no answer of the stock service"
    severity: high
    match:
      report: {{ component: shop, error: "*RemoteDisconnected", users: [{user}] }}
      captures: {{ component: word }}
    fix:
      mode: auto
{fix}
    alert: {{ page_after: {page_after} }}
    tests:
      - name: it hangs up
        lines: [{{ report: {{ component: shop, error: http.client.RemoteDisconnected, user: {user} }} }}]
        expect: {{ fires: 1 }}
      - name: another user says so
        lines: [{{ report: {{ component: shop, error: http.client.RemoteDisconnected, user: somebody }} }}]
        expect: {{ fires: 0 }}
"""
FIX = """\
steps:
  - name: restart the stock service
    run: [{command}]
    sandbox: {{ write: ["{work}"] }}
    retry: {{ attempts: 1 }}
verify:
  http: {{ get: "http://127.0.0.1:{port}/healthz", status: 200, within: {within}, every: 100ms }}
{quiet}limits: {{ cooldown: 100ms, max_per_hour: 100 }}
"""


@dataclass(frozen=True, slots=True)
class Stock:
    """`control`: of its supervisor. `log`: what the lives of the service said."""

    port: int
    control: Path
    log: Path

    @property
    def lives(self) -> list[int]:
        """Their process ids, oldest first."""
        return [int(each) for each in re.findall(r"^ready (\d+)$", self.log.read_text(), re.MULTILINE)]

    def wedge(self) -> None:
        os.kill(self.lives[-1], signal.SIGUSR1)
        until(lambda: not self.answers(), "the stock service is wedged")

    def restart(self) -> None:
        """As the fix does it."""
        before = len(self.lives)
        self.control.write_text("restart\n")
        until(lambda: len(self.lives) > before, "the stock service is there again")

    def answers(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/healthz", timeout=5, trust_env=False).is_success
        except httpx.TransportError:
            return False


@dataclass(frozen=True, slots=True)
class Application:
    """`log`: what it wrote."""

    address: str
    log: Path

    def get(self, path: str, *, request_id: str = "", limit_s: float = LONGEST_S) -> httpx.Response:
        headers = {"X-Request-ID": request_id} if request_id else {}
        return httpx.get(self.address + path, headers=headers, timeout=limit_s, trust_env=False)

    def post(self, path: str) -> httpx.Response:
        return httpx.post(self.address + path, timeout=LONGEST_S, trust_env=False)

    def said(self) -> str:
        return self.log.read_text()


class Shop:
    """A world, with the user of fixes let in. `socket`: where the daemon hears reports."""

    def __init__(self, home: Path) -> None:
        self.world = World(home)
        self.work = home / "work"
        self.work.mkdir()
        self.work.chmod(0o777)
        for directory in (home, *home.parents[:-2]):
            directory.chmod(directory.stat().st_mode | 0o011)
        (self.work / "restart").write_text("restart\n")
        self.socket = home / "state" / "report.sock"
        self.set("mode: auto")

    def set(self, *lines: str) -> None:
        """More of the config."""
        with self.world.config.open("a") as config:
            config.writelines(f"{line}\n" for line in lines)

    def call(self, port: int) -> None:
        """People, at this port."""
        self.set(
            f'alerts: {{ receivers: {{ chat: "json://127.0.0.1:{port}/chat" }},',
            "  routes: { oncall: { to: chat, group_wait: 0s } } }",
        )

    def rule(
        self, stock: Stock, *command: str, within: str = "10s", stays_well: str = "", page_after: str = "5m"
    ) -> None:
        """Its fix runs `command`; without one, what restarts the service. `stays_well`: so long the rule has to be
        silent after it."""
        argv = command or ("/usr/bin/cp", f"{self.work}/restart", f"{self.work}/control")
        quiet = f"  quiet: {stays_well}\n" if stays_well else ""
        quoted = ", ".join(f'"{each}"' for each in argv)
        fix = FIX.format(command=quoted, work=self.work, port=stock.port, within=within, quiet=quiet)
        indented = "\n".join(f"      {line}" for line in fix.splitlines())
        (self.world.home / "rules" / "stock.yaml").write_text(
            RULE.format(user=USER, fix=indented, page_after=page_after)
        )

    def incident(self, rule_id: str = "stock-wedged") -> dict[str, Any]:
        """The newest of the rule; empty: there is none."""
        rows = [each for each in self.world.ask("incidents?all=true") or [] if each["rule_id"] == rule_id]
        return dict(self.world.ask(f"incidents/{rows[0]['id']}")) if rows else {}

    def typed(self, *arguments: str) -> str:
        ran = forked.run(self.world.command(*arguments), capture_output=True, text=True, timeout=60, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return str(ran.stdout)

    def environment(self, **more: str) -> Mapping[str, str]:
        """Of an application."""
        return {"PATH": os.environ["PATH"], "LOGMEDIC_REPORT_SOCKET": str(self.socket), **more}

    @contextmanager
    def stock(self) -> Iterator[Stock]:
        log, control = self.world.home / "stock.log", self.work / "control"
        with socket.create_server(("127.0.0.1", 0)) as listening, log.open("wb") as out:
            handed = listening.fileno()
            python, script = sys.executable, str(HERE / "stock_service.py")
            supervisor = subprocess.Popen(
                [python, str(HERE / "supervisor.py"), str(control), python, script, str(handed)],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                pass_fds=[handed],
            )
            stock = Stock(listening.getsockname()[1], control, log)
            try:
                until(lambda: stock.lives, "the stock service is there")
                yield stock
            finally:
                supervisor.communicate(timeout=20)

    @contextmanager
    def application(self, stock: Stock, example: str = "starlette_app") -> Iterator[Application]:
        log = self.world.home / f"{example}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "uvicorn", "--app-dir", str(EXAMPLES), f"{example}:app", "--port", "0"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=self.environment(STOCK_SERVICE=f"127.0.0.1:{stock.port}"),
            )
        try:
            until(lambda: _address(log) or process.poll() is not None, "the application listens")
            assert process.poll() is None, log.read_text()
            yield Application(_address(log), log)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=20)
            finally:
                process.kill()
                process.wait()


def _address(log: Path) -> str:
    found = re.search(r"running on (http://127\.0\.0\.1:\d+)", log.read_text())
    return found[1] if found else ""
