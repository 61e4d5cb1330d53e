"""Three failures, one daemon, and the people it calls. Everything shown is read back from the running parts."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from logmedic.demo import stage as stages
from logmedic.demo.progress import Progress
from logmedic.demo.receivers import Arrived, Mailbox, SlackHook
from logmedic.demo.stage import Stage
from logmedic.settings import shipped_rules

START_S = 120.0
"""A first start compiles all of the program, which takes two seconds, or twenty on a small board that is busy."""
DEADLINE_S = 55.0
"""Of the scene itself, from the start on. It takes about half of it on two slow cores."""
ORDER_EVERY_S = 0.25


class Customers:
    """Keep using the shop, so that what is broken is noticed. Closed by `stop`."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._order, daemon=True)
        self._thread.start()

    def _order(self) -> None:
        while not self._over.wait(ORDER_EVERY_S):
            for path in ("/prices", "/pay", "/invoice"):
                _get(self._port, path)

    def stop(self) -> None:
        self._over.set()
        self._thread.join()


def _get(port: int, path: str) -> int | None:
    """The status, None when nobody answers."""
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


class Daemon:
    """The real daemon in its own process, asked over its socket."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._log = (stage.home / "daemon.log").open("ab")
        self.process = subprocess.Popen(  # noqa: S603
            logmedic(stage, "run"), stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log
        )

    def ask(self, path: str) -> Any:
        """The JSON that the daemon answers; None when it does not (yet)."""
        try:
            with socket.socket(socket.AF_UNIX) as wire:
                wire.settimeout(3)
                wire.connect(str(self._stage.socket))
                connection = HTTPConnection("logmedic")
                connection.sock = wire
                connection.request("GET", f"/v1/{path}")
                return json.loads(connection.getresponse().read())
        except (OSError, HTTPException, ValueError):
            return None

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._log.close()


def logmedic(stage: Stage, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "logmedic", "-c", str(stage.config), *arguments]


class Scene:
    """What was really seen so far. `arrived` is written by the receivers' threads, appends only."""

    def __init__(self, progress: Progress) -> None:
        self.arrived: list[Arrived] = []
        self._progress = progress

    def take(self, message: Arrived) -> None:
        self.arrived.append(message)
        self._progress.message(message)

    def came(self, mark: str) -> bool:
        """Whether an alert of that kind came through both channels."""
        return all(
            any(f"[{mark}]" in each.title + each.text and each.channel == channel for each in self.arrived)
            for channel in ("email", "slack")
        )


def checks(daemon: Daemon, scene: Scene) -> dict[str, bool]:
    """The four claims of the demo, each from what the daemon stored and what people got."""
    incidents = daemon.ask("incidents?all=true") or []
    issues = daemon.ask("issues") or []
    breakers = daemon.ask("breakers") or []
    fixed = {each["rule_id"] for each in incidents if each["resolution"] == "fixed"}
    learned = [each for each in issues if each["issue_type"] == "recurring_error"]
    breaker_issue = any(each["issue_type"] == "circuit_breaker_open" for each in issues)
    closed_again = any(
        each["rule_id"] == "shop-gateway-certificate" and each["status"] == "closed" and each["opens"] > 0
        for each in breakers
    )
    return {
        "healed": "shop-cache-corrupt" in fixed,
        "escalated": scene.came("BREAKER OPEN") and breaker_issue,
        "learned": bool(learned) and scene.came("UNKNOWN ERROR"),
        "recovered": "shop-gateway-certificate" in fixed and closed_again and scene.came("RECOVERED"),
    }


def main(keep: bool = False) -> int:
    """Run the scene. Answers 0 when all four claims were seen, 1 otherwise."""
    packs = shipped_rules()
    stage = stages.build()
    progress = Progress()
    with ExitStack() as stack:
        if not keep:
            stack.callback(shutil.rmtree, stage.home, ignore_errors=True)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        try:
            return _play(stage, packs, progress, stack, keep)
        except KeyboardInterrupt:
            progress.say("stopped")
            return 130


def _play(stage: Stage, packs: Path, progress: Progress, stack: ExitStack, keep: bool) -> int:
    scene = Scene(progress)
    mailbox, hook = Mailbox(scene.take), SlackHook(scene.take)
    stack.callback(mailbox.stop)
    stack.callback(hook.stop)
    stages.configure(stage, slack_port=hook.port, smtp_port=mailbox.port, packs=packs)
    shop = subprocess.Popen(stages.shop_command(stage), stdin=subprocess.DEVNULL)  # noqa: S603
    stack.callback(_end, shop)
    daemon = Daemon(stage)
    stack.callback(daemon.stop)
    started = time.monotonic()
    status = _await_start(daemon, stage, progress)
    if status is None:
        return 1
    armed = bool(status["arming"]["armed"])
    if not armed:
        progress.say(f"fixes are DISARMED: {status['arming']['reason']}")
    customers = Customers(stage.port)
    stack.callback(customers.stop)
    seen = _act(stage, daemon, scene, progress, time.monotonic(), armed)
    _report(stage, seen, armed, time.monotonic() - started, progress)
    if keep:
        progress.say(f"still running (KEEP): {stage.home}; Ctrl-C ends it")
        signal.pause()
    return 0 if all(seen.values()) else 1


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait()


def _await_start(daemon: Daemon, stage: Stage, progress: Progress) -> dict[str, Any] | None:
    """The first status, None when the daemon ended instead."""

    def up() -> bool:
        return daemon.process.poll() is not None or (
            daemon.ask("status") is not None and _get(stage.port, "/healthz/pay") == 200
        )

    progress.say(f"a small shop on 127.0.0.1:{stage.port}, its log {stage.log}")
    _until(up, START_S, progress, "starting the daemon")
    status: dict[str, Any] | None = daemon.ask("status")
    if status is None:
        progress.say("the daemon did not start:\n" + (stage.home / "daemon.log").read_text()[-3000:])
        return None
    progress.say(f"logmedic {status['version']} watches it: {status['rules']['loaded']} rules, mode {status['mode']}")
    return status


def _act(
    stage: Stage, daemon: Daemon, scene: Scene, progress: Progress, started: float, armed: bool
) -> dict[str, bool]:
    progress.say("break 1: the price cache is corrupted (a rule's fix can heal it)")
    stage.corrupt_the_cache()
    progress.say("break 2: the payment certificate expires (the fix cannot work: there is no spare)")
    stage.expire_the_certificate()
    progress.say("break 3: invoices for a country without VAT rate (no rule knows this error)")
    stage.expand_to_a_country_without_rate()
    seen: dict[str, bool] = {}
    repaired = False

    def over() -> bool:
        nonlocal repaired
        seen.update(checks(daemon, scene))
        if seen["escalated"] and not repaired:
            repaired = True
            stage.put_a_spare_certificate()
            progress.say("whoever was called puts a spare certificate there; the breaker will try again by itself")
        if not armed:
            return seen["learned"]
        return all(seen.values())

    def words() -> str:
        marks = "  ".join(f"{'✓' if done else '·'} {name}" for name, done in seen.items())
        return f"{marks}   alerts {len(scene.arrived)}"

    _until(over, DEADLINE_S - (time.monotonic() - started), progress, words)
    return seen


def _until(done: Callable[[], bool], limit_s: float, progress: Progress, words: str | Callable[[], str]) -> None:
    ends = time.monotonic() + limit_s
    while not done() and time.monotonic() < ends:
        progress.line(words if isinstance(words, str) else words())
        time.sleep(0.2)
    progress.clear()


def _report(stage: Stage, seen: dict[str, bool], armed: bool, took_s: float, progress: Progress) -> None:
    for command in ("status", "stats"):
        progress.say("")
        progress.say(f"$ logmedic {command}")
        subprocess.run(logmedic(stage, command), check=False)  # noqa: S603
    progress.say("")
    for name, done in seen.items():
        progress.say(f"{'✓' if done else '✗'} {name}")
    if all(seen.values()):
        progress.say(f"all four seen in {took_s:.0f} s")
    elif not armed:
        progress.say("fixes were DISARMED, so nothing was healed: install the sandbox (the reason above says how)")
    progress.say("where to look next: README.md (a first rule in two minutes), rules/ (the shipped packs),")
    progress.say("  KEEP=1 make demo   keeps it running;  logmedic --help   lists the commands")
