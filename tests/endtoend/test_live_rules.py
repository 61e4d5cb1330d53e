"""Rule files of a running daemon: written, broken, removed; what they bring along, and what outlives a restart."""

from __future__ import annotations

import shutil
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest

from endtoend.test_daemon import RULE, World, daemon, until

PACK = """\
version: 1
service: cache
sources: {{ cache: {{ files: ["{home}/cache/*.log"] }} }}
rules:
  - id: cache-full
    title: "the cache is full"
    source: cache
    match: {{ pattern: '^cache is full' }}
"""
PAIR = """\
version: 1
rules:
  - id: job-hangs
    title: "{job} does not end"
    match: { pattern: '^\\S+ (?P<job>\\w+) begins', captures: { job: word } }
    when: { absence: { of: '^\\S+ (?P<job>\\w+) ends', within: 3s, by: [job] } }
"""
THREE = """\
version: 1
rules:
  - id: three
    title: "three of {job}"
    match: { pattern: '^bad (?P<job>\\w+)', captures: { job: word } }
    when: { threshold: { count: 3, within: 1h, by: [job] } }
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def drop(world: World, name: str, text: str) -> None:
    beside = world.home / "rules" / f".{name}.tmp"
    beside.write_text(text)
    beside.rename(world.home / "rules" / f"{name}.yaml")


def rules(world: World) -> dict[str, object]:
    answer: dict[str, object] = world.ask("status")["rules"]
    return answer


@pytest.mark.slow
def test_a_pack_brings_its_log_along_and_switches_on_when_the_log_appears(world: World) -> None:
    world.config.write_text(world.config.read_text() + "discover: true\n")
    with daemon(world):
        drop(world, "cache", PACK.format(home=world.home))
        until(lambda: rules(world)["loaded"] == 2, "the pack is loaded")
        log = world.home / "cache" / "cache.log"
        log.parent.mkdir()
        log.write_text("cache is well\n")
        until(lambda: world.ask("sources?source=cache"), "its log is followed")
        with log.open("a") as more:  # a log that is there when a source begins is read from its end
            more.write("cache is full\n")
        until(lambda: "the cache is full" in world.titles(), "its log is read")
        (world.home / "rules" / "cache.yaml").unlink()
        until(lambda: "source cache" not in {part["name"] for part in world.ask("status")["parts"]}, "it is left alone")


@pytest.mark.slow
def test_f34_a_broken_file_is_told_keeps_what_was_and_is_mended_by_itself(world: World) -> None:
    with daemon(world):
        revision = rules(world)["revision"]
        drop(world, "smoke", "version: 1\nrules: [{ id: smoke, titel: x }]\n")
        until(lambda: rules(world)["problems"], "the mistake is told")
        assert rules(world)["loaded"] == 1
        world.write("smoke 1")
        until(lambda: "smoke was seen" in world.titles(), "the last good version is in force")
        world.drop_rule("smoke", "smoke")
        until(lambda: not rules(world)["problems"], "it is well again")
        assert rules(world)["revision"] == revision


@pytest.mark.slow
def test_a_removed_rule_stops_at_once(world: World) -> None:
    with daemon(world):
        (world.home / "rules" / "smoke.yaml").unlink()
        until(lambda: rules(world)["loaded"] == 0, "it is gone")
        world.write("smoke 1")
        drop(world, "three", THREE)
        until(lambda: rules(world)["loaded"] == 1, "another one came")
        assert world.titles() == set()


@pytest.mark.slow
def test_i1_windows_and_waits_outlive_restarts(world: World) -> None:
    drop(world, "pair", PAIR)
    drop(world, "three", THREE)
    with daemon(world) as process:
        now = datetime.now(UTC).isoformat()
        world.write("bad a", "bad a", f"{now} backup begins", f"{now} sync begins")
        until(lambda: (world.ask("counts") or {}).get("matched") == 4, "all is counted")
        process.send_signal(signal.SIGKILL)
        process.wait()
    world.write("bad a", f"{now} sync ends")
    with daemon(world):
        until(lambda: "three of a" in world.titles(), "the third one counts with those before")
        until(lambda: "backup does not end" in world.titles(), "what was waited for did not come")
        assert "sync does not end" not in world.titles()


@pytest.mark.slow
def test_f36_a_directory_that_disappears_leaves_what_was_and_is_heard_of_again(world: World) -> None:
    directory = world.home / "rules"
    with daemon(world):
        shutil.rmtree(directory)
        until(lambda: rules(world)["problems"], "it is told")
        world.write("smoke 1")
        until(lambda: "smoke was seen" in world.titles(), "the last good rules are in force")
        assert rules(world)["loaded"] == 1
        directory.mkdir()
        drop(world, "smoke", RULE.format(id="smoke", word="smoke"))
        drop(world, "sparks", RULE.format(id="sparks", word="sparks"))
        until(lambda: rules(world)["loaded"] == 2, "what is written there now is loaded")
        assert not rules(world)["problems"]


@pytest.mark.slow
def test_f42_f34_two_files_with_one_id_are_both_named(world: World) -> None:
    with daemon(world):
        drop(world, "other", (world.home / "rules" / "smoke.yaml").read_text())
        until(lambda: rules(world)["problems"], "the mistake is told")
        (problem,) = rules(world)["problems"]  # type: ignore[misc]
        assert "other.yaml" in str(problem) or "smoke.yaml" in str(problem)


@pytest.mark.slow
def test_f43_what_rules_cost_is_known(world: World) -> None:
    with daemon(world):
        world.write(*(f"smoke {n}" for n in range(50)))
        until(lambda: (world.ask("counts") or {}).get("matched") == 50, "all is counted")
        (row,) = world.ask("rules")
        assert (row["rule"], row["asked"], row["matched"], row["quarantined"]) == ("smoke", 50, 50, "")
        assert 0 < row["spent_s"] < 1
