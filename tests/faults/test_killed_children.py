"""Each process that the daemon starts is killed at some moment (F30): nobody pays for it but what it was asked."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from alerts.servers import HttpServer
from crash.process import until
from faults.children import STORE_HELPER, killing, running
from faults.scene import Scene

RULE_COMPILER = "logmedic.adapters.rulefiles.compiling"
RUNNER = "fixrun"
ALERT_WORKER = "logmedic.adapters.alerts.worker"
SEEDS = 4
"""After five failures in a row the fix would wait for an approval."""


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("times", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_f30_a_store_helper_that_is_killed_makes_no_store_a_damaged_one(scene: Scene, times: int) -> None:
    """It looks at the file before the daemon opens it. What killed it (somebody, want of memory) says nothing of it."""
    scene.leaves_a_log_behind()
    with killing(scene.pid, STORE_HELPER, times) as killer:
        scene.daemon.start()
        scene.daemon.answers()
    assert len(killer.killed) == times
    assert scene.ask("status")["store"]["notices"] == []
    scene.write()
    scene.until_mended()
    scene.daemon.stop()
    assert scene.damaged() == []
    assert scene.differences() == []


HEAVY = """\
version: 1
rules:
  - id: heavy
    title: "a long word"
    match: { pattern: 'word (?P<w>(?:[a-z]{80}){80})!' }
    tests:
      - { name: long, lines: [{ text: "word WORD!" }], expect: { fires: 0 } }
"""


def test_f42_a_child_that_compiles_patterns_and_is_killed_blames_no_pattern(scene: Scene) -> None:
    (scene.home / "rules" / "heavy.yaml").write_text(HEAVY)
    with killing(scene.pid, RULE_COMPILER) as killer:
        scene.daemon.start()
        scene.daemon.answers()
    assert len(killer.killed) == 1
    rules = scene.ask("status")["rules"]
    assert (rules["loaded"], rules["problems"]) == (2, [])


@pytest.mark.parametrize("words", [RUNNER, "bin/release"], ids=["the runner", "the step"])
def test_f62_a_fix_whose_process_is_killed_runs_no_second_time(scene: Scene, words: str) -> None:
    """At moments by chance; the seed is the number of the round."""
    slow = scene.home / "bin" / "release"
    slow.write_text(slow.read_text() + "sleep 0.3\n")
    scene.daemon.start()
    scene.daemon.answers()
    for seed in range(SEEDS):
        print("seed", seed)
        wait_s = random.Random(seed).uniform(0, 0.3)
        with killing(scene.pid, words, wait_s=lambda wait_s=wait_s: wait_s) as killer:  # type: ignore[misc]
            scene.write()
            until(lambda: is_over(scene, scene.orders), 20, scene.daemon.said)
        assert killer.killed, f"seed {seed}"
    scene.write()
    until(lambda: scene.ran()[str(scene.orders)] == 1, 20, scene.daemon.said)
    scene.daemon.stop()
    assert scene.differences() == []


def is_over(scene: Scene, order: int) -> bool:
    rows = scene.ask("incidents?all=true&limit=1000") or []
    return any(row["group_key"] == str(order) and row["status"] in ("resolved", "failed") for row in rows)


SMOKE = """\
version: 1
rules:
  - id: smoke
    title: "smoke"
    match: { pattern: 'smoke \\d+' }
    tests:
      - { name: smoke, lines: ["smoke 1"], expect: { fires: 1 } }
"""


def telling(home: Path, server: HttpServer) -> Scene:
    """People are told of smoke, for which there is no fix."""
    scene = Scene(
        home,
        f'alerts: {{ receivers: {{ chat: "json://127.0.0.1:{server.port}/chat" }}, routes: {{ oncall: chat }}, '
        "default_route: oncall, group_wait: 100ms, group_interval: 100ms }\n",
    )
    (home / "rules" / "smoke.yaml").write_text(SMOKE)
    return scene


def test_f67_an_alert_whose_worker_is_killed_is_sent_again(tmp_path: Path) -> None:
    with HttpServer() as server:
        scene = telling(tmp_path, server)
        try:
            scene.daemon.start()
            scene.daemon.answers()
            until(lambda: not running(scene.pid(), ALERT_WORKER), 20, scene.daemon.said)  # it checks the receivers
            with killing(scene.pid, ALERT_WORKER) as killer:
                scene.log.write_text("smoke 1\n")
                until(lambda: server.posted != [], 40, scene.daemon.said)
            until(lambda: scene.ask("alerts?status=waiting") == [], 30, scene.daemon.said)
            assert len(killer.killed) == 1
            scene.daemon.stop()
        finally:
            scene.close()
    assert len({json.loads(each.body)["logmedic"]["id"] for each in server.posted}) == 1


def test_f70_receivers_whose_check_was_killed_are_checked_again(tmp_path: Path) -> None:
    with HttpServer() as server:
        scene = telling(tmp_path, server)
        try:
            with killing(scene.pid, ALERT_WORKER) as killer:
                scene.daemon.start()
                scene.daemon.answers()
                until(lambda: "receiver_unusable" in scene.daemon.said(), 20, scene.daemon.said)
            assert len(killer.killed) == 1
            until(lambda: scene.ask("status")["receivers"] == {}, 30, scene.daemon.said)
        finally:
            scene.close()
