"""The kill switch of a running daemon: the file and the command, over kills and restarts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from endtoend.test_daemon import World, daemon, until
from logmedic.cli.client import Client

FIX = """\
version: 1
rules:
  - id: smoke
    title: "smoke was seen"
    match: { pattern: 'smoke (?P<n>\\d+)', captures: { n: int } }
    when: { threshold: { count: 1, within: 1m, by: [n] } }
    fix:
      mode: auto
      steps: [{ name: mend it, run: [/usr/bin/true, "{n}"], sandbox: { kind: none } }]
      verify: { command: { run: [/usr/bin/true], sandbox: { kind: none } } }
      limits: { cooldown: 1s }
    tests:
      - { name: it fires, lines: ["smoke 1"], expect: { fires: 1 } }
      - { name: no number, lines: ["smoke one"], expect: { fires: 0 } }
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    (tmp_path / "rules" / "smoke.yaml").write_text(FIX)
    with made.config.open("a") as config:
        config.write(f"mode: auto\nactions: {{ allow_unsandboxed: true, pause_file: {tmp_path}/paused }}\n")
    return made


def post(world: World, path: str, **body: Any) -> Any:
    return Client(world.home / "state" / "logmedic.sock", wait_s=10).post(path, **body)


def held(world: World, n: int) -> bool:
    rows = world.ask("incidents") or []
    return any(row["captures"]["n"] == str(n) and row["hold"] == "paused" for row in rows)


def ran(world: World, n: int) -> bool:
    """Verified."""
    return any(row["argv"][1:] == [str(n)] and row["verdict"] == "fixed" for row in world.ask("fixes"))


@pytest.mark.slow
def test_while_the_file_is_there_nothing_runs_and_once_it_is_gone_what_waited_does(world: World) -> None:
    file = world.home / "paused"
    file.write_text("a big release\n")
    with daemon(world):
        (pause,) = world.ask("status")["pauses"]
        assert (pause["by"], pause["why"]) == (f"file {file}", "a big release")
        world.write("smoke 1")
        until(lambda: held(world, 1), "the fix is held")
        (row,) = world.ask("incidents")
        checks = world.ask(f"incidents/{row['id']}/why")["checks"]
        assert [each["name"] for each in checks if not each["ok"]] == ["pause"]
        file.unlink()
        until(lambda: ran(world, 1), "the fix runs once the file is gone")
        until(lambda: world.ask("incidents") == [], "the incident is over")
        assert world.ask("status")["pauses"] == []


@pytest.mark.slow
def test_a_pause_by_command_outlives_a_kill(world: World) -> None:
    with daemon(world):
        assert post(world, "pause", why="look first")["paused"]
    with daemon(world):
        world.write("smoke 2")
        until(lambda: held(world, 2), "the fix is held after the restart")
        assert not ran(world, 2)
        assert post(world, "resume") == {"paused": False, "pauses": []}
        until(lambda: ran(world, 2), "the fix runs")


@pytest.mark.slow
def test_a_file_that_went_while_no_daemon_ran_pauses_no_longer(world: World) -> None:
    file = world.home / "paused"
    file.touch()
    with daemon(world):
        assert world.ask("status")["pauses"]
    file.unlink()
    with daemon(world):
        assert world.ask("status")["pauses"] == []
        world.write("smoke 3")
        until(lambda: ran(world, 3), "the fix runs")
