"""Fixes of a real daemon: two rungs, a breaker with its trial, a storm, the kill switch, a kill in the middle."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import forked
from endtoend.test_daemon import World, daemon, until

RULE = """\
version: 1
rules:
  - id: shop-down
    title: "the shop is down"
    severity: high
    match: {{ pattern: 'shop (?P<what>down)', captures: {{ what: word }} }}
    fix:
      mode: auto
{fix}
    tests:
      - name: it fires
        lines: ["shop down"]
        expect: {{ fires: 1 }}
      - name: near miss, the shop is up
        lines: ["shop up"]
        expect: {{ fires: 0 }}
"""


class Ground:
    """A world with a shop that is well once the file `fixed` is there."""

    def __init__(self, home: Path) -> None:
        self.world = World(home)
        self.work = home / "work"
        self.work.mkdir(mode=0o777)
        self.work.chmod(0o777)
        for directory in (home, *home.parents[:-2]):
            directory.chmod(directory.stat().st_mode | 0o011)  # the user of fixes has to get there
        self.world.config.write_text(
            "mode: auto\nactions: { max_per_ten_minutes: 50 }\n" + self.world.config.read_text()
        )

    def rule(self, fix: str) -> None:
        text = "\n".join(f"      {line}" for line in fix.replace("WORK", str(self.work)).strip().splitlines())
        (self.world.home / "rules" / "shop.yaml").write_text(RULE.format(fix=text))

    def down(self, times: int = 1) -> None:
        self.world.write(*["shop down"] * times)

    def incident(self) -> dict[str, Any]:
        rows = self.world.ask("incidents?all=true") or [{}]
        return dict(self.world.ask(f"incidents/{rows[0]['id']}")) if rows and rows[0] else {}

    def breaker(self) -> str:
        return "".join(row["status"] for row in self.world.ask("breakers") or [])

    def typed(self, *arguments: str) -> str:
        command = self.world.command(*arguments)
        ran = forked.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    @contextmanager
    def shop(self) -> Iterator[str]:
        """Its address."""
        fixed = self.work / "fixed"

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200 if fixed.exists() else 503)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground(tmp_path)


def kinds(incident: dict[str, Any]) -> list[str]:
    return [event["kind"] for event in incident["events"]]


@pytest.mark.slow
def test_f59_the_story_of_two_rungs_tells_what_each_did_and_what_proved_it(ground: Ground) -> None:
    with ground.shop() as address:
        ground.rule(
            f"""
steps:
  - name: clear the queue
    run: [/usr/bin/touch, WORK/first]
    sandbox: {{ write: [WORK] }}
    retry: {{ attempts: 1 }}
  - name: fail over
    run: [/usr/bin/touch, WORK/fixed]
    sandbox: {{ write: [WORK] }}
    retry: {{ attempts: 1 }}
verify:
  http: {{ get: "{address}", within: 300ms, every: 100ms }}
"""
        )
        with daemon(ground.world):
            ground.down()
            until(lambda: ground.incident().get("status") == "resolved", "it is fixed")
            incident = ground.incident()
            story = ground.typed("show", incident["id"][-8:])
    tried = [(each["step_name"], each["exit_code"], each["verdict"]) for each in incident["attempts"]]
    assert tried == [("clear the queue", 0, "not_fixed"), ("fail over", 0, "fixed")]
    assert incident["resolution"] == "fixed"
    for words in ("clear the queue", "answered 503", "fail over", "answered 200"):
        assert words in story, story


def test_a_breaker_opens_its_trial_works_and_it_closes(ground: Ground) -> None:
    ground.rule(
        """
steps:
  - name: install the part
    run: [/usr/bin/cat, WORK/part]
    sandbox: { read: [WORK] }
    retry: { attempts: 1 }
verify: { quiet: 300ms }
limits: { cooldown: 100ms, max_per_hour: 100 }
breaker: { failures: 2, open_for: 2s }
"""
    )
    with daemon(ground.world):
        until(lambda: ground.down() or ground.breaker() == "open", "the breaker is open")
        (ground.work / "part").write_text("here")
        told = ground.typed("breakers")
        until(lambda: ground.down() or ground.breaker() in ("half_open", "closed"), "its trial runs, or ran")
        until(lambda: ground.breaker() == "closed", "the trial worked")
        incident = ground.incident()
        story = ground.typed("show", incident["id"][-8:])
    assert "shop-down" in told
    order = [each for each in kinds(incident) if each in ("fix_failed", "breaker_open", "breaker_closed", "resolved")]
    assert order == ["fix_failed", "fix_failed", "breaker_open", "breaker_closed", "resolved"]
    assert "No such file" in story


@pytest.mark.slow
def test_an_always_failing_fix_under_ten_thousand_lines_is_tried_n_times_and_told_once(ground: Ground) -> None:
    ground.rule(
        """
steps: [{ name: hopeless, run: [/usr/bin/false], retry: { attempts: 1 } }]
verify: { quiet: 5s }
limits: { cooldown: 10ms, max_per_hour: 100 }
breaker: { failures: 3, open_for: 1h }
"""
    )
    with daemon(ground.world):
        until(lambda: ground.down(100) or ground.breaker() == "open", "the breaker is open")
        seen = ground.world.log.read_text().count("\n")
        ground.down(10_000)
        until(lambda: ground.incident()["occurrences"] == seen + 10_000, "all lines are counted")
        incident, stats = ground.incident(), json.loads(ground.typed("stats", "-o", "json"))
    assert [each["verdict"] for each in incident["attempts"]] == ["not_fixed"] * 3
    assert incident["hold"] == "breaker_open"
    assert (stats["escalations"], stats["circuit_breaker_opens"]) == (1, 1)
