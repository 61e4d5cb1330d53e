"""F72: a daemon whose only receiver refuses for good says so to whoever looks, and to the journal."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from alerts.servers import Answer, HttpServer
from endtoend.test_daemon import World, daemon, until

ALERTS = """\
alerts:
  group_wait: 0s
  receivers: {{ chat: "json://127.0.0.1:{port}/chat" }}
  routes: {{ oncall: chat }}
  default_route: oncall
"""


@pytest.mark.slow
def test_f72_when_the_last_receiver_is_revoked_status_fails_and_the_log_has_the_message(tmp_path: Path) -> None:
    world = World(tmp_path)
    with HttpServer({"chat": Answer(410)}) as server:
        world.config.write_text(world.config.read_text() + ALERTS.format(port=server.port))
        with daemon(world):
            assert status(world).returncode == 0
            world.write("smoke 1")
            until(lambda: status(world).returncode == 11, "nobody can be told", limit_s=60)
            assert "NOBODY CAN BE TOLD" in status(world).stdout
            until(lambda: critical(world), "the log has it")
    (entry,) = (each for each in critical(world) if "smoke was seen" in each["title"])
    assert "HTTP 410" in entry["why"]


def status(world: World) -> subprocess.CompletedProcess[str]:
    return subprocess.run(world.command("status"), capture_output=True, text=True, timeout=60, check=False)


def critical(world: World) -> list[dict[str, str]]:
    entries = [json.loads(line) for line in world.said().splitlines()]
    return [each for each in entries if each["level"] == "critical" and each["event"] == "alert_not_delivered"]
