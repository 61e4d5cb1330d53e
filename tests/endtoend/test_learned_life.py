"""The life of a learned issue in a real daemon: noticed, resolved, back with the next version, muted; over a kill."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import forked
from endtoend.test_daemon import World, daemon, until


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    (tmp_path / "VERSION").write_text("1.2\n")
    config = world.config.read_text()
    world.config.write_text(
        config.replace("from_start: true", f'from_start: true, version: {{file: "{tmp_path}/VERSION"}}')
    )
    return world


def lost(world: World, number: int) -> None:
    world.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ} ERROR cannot book order {number}", "order booked")


def learned(world: World) -> dict[str, Any]:
    rows = world.ask("issues?source=learned") or [{}]
    return dict(rows[0])


def typed(world: World, *arguments: str) -> str:
    ran = forked.run(world.command(*arguments), capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.slow
def test_an_issue_comes_back_with_the_next_version_and_its_mute_outlives_the_daemon(world: World) -> None:
    with daemon(world):
        for number in range(5):
            lost(world, number)
        until(lambda: learned(world).get("occurrences") == 5, "it is a known issue")
        name = learned(world)["id"][-8:]
        assert learned(world)["version"] == "1.2"
        typed(world, "learned", "resolve", name, "--because", "restarted")
        assert learned(world)["status"] == "resolved"
        (world.home / "VERSION").write_text("1.3\n")
        until(lambda: _back(world), "it is back, with the next version")
        assert learned(world)["resolution_notes"] == "restarted"
        story = typed(world, "learned", "show", name)
        assert "It was seen in versions 1.2 to 1.3." in story
        typed(world, "learned", "mute", name, "--for", "7d")
    with daemon(world):
        assert learned(world)["status"] == "muted"
        assert json.loads(typed(world, "learned", "unmute", name, "-o", "json"))["status"] == "new"
    without_a_daemon = typed(world, "learned", "show", name)
    assert "It was seen in versions 1.2 to 1.3." in without_a_daemon
    assert "mute" in without_a_daemon
    assert name in typed(world, "learned")


def _back(world: World) -> bool:
    lost(world, 7)
    issue = learned(world)
    return (issue["status"], issue["version"]) == ("regressed", "1.3")


@pytest.mark.slow
def test_ordinary_lines_are_kept_for_patterns_that_must_match_none(world: World) -> None:
    with daemon(world):
        for number in range(5):
            lost(world, number)
        until(lambda: learned(world).get("occurrences") == 5, "it is a known issue")
        until(lambda: _kept(world), "an ordinary line is kept")
        assert _kept(world) == {"order booked"}


def _kept(world: World) -> set[str]:
    lost(world, 9)
    return set(world.ask(f"learned/{learned(world)['id']}")["ordinary"])
