"""The figures of a real daemon: what was written is what is counted, also after it was killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
from http.client import HTTPConnection
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families as parsed

from endtoend.test_daemon import World, daemon, until
from logmedic.core.figures import METRICS
from otlp.collecting import collecting, hanging, saying

Key = tuple[str, frozenset[tuple[str, str]]]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def scrape(world: World) -> dict[Key, float]:
    connection = HTTPConnection("logmedic")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(10)
    connection.sock.connect(str(world.home / "state" / "logmedic.sock"))
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    return {(each.name, frozenset(each.labels.items())): each.value for m in parsed(text) for each in m.samples}


def value(found: dict[Key, float], name: str, **labels: str) -> float:
    return found[name, frozenset(labels.items())]


@pytest.mark.slow
def test_what_was_written_is_what_is_counted_and_a_kill_forgets_no_lasting_count(world: World) -> None:
    with daemon(world) as process:
        world.write(*(f"smoke {n}" for n in range(120)), *(f"all is well {n}" for n in range(30)))
        world.write(*(f"ERROR the disk of shelf {n} is gone" for n in range(9)))
        until(lambda: value(scrape(world), "logmedic_tallies_total", kind="lines") == 159, "all lines are stored")
        found = scrape(world)
        assert value(found, "logmedic_source_lines_total", source="app") == 159
        assert value(found, "logmedic_source_read_bytes_total", source="app") == world.log.stat().st_size
        assert value(found, "logmedic_source_lag_bytes", source="app") == 0
        assert value(found, "logmedic_rule_matches_total", rule="smoke") == 120
        assert value(found, "logmedic_errors_total", kind="matched") == 120
        assert value(found, "logmedic_errors_total", kind="unknown") == 9
        assert value(found, "logmedic_incidents_opened_total", severity="medium") == 1
        assert value(found, "logmedic_incidents_open", severity="medium", state="open") == 1
        assert value(found, "logmedic_commit_seconds_count") > 0
        assert value(found, "logmedic_store_bytes", part="file") > 0
        assert value(found, "process_resident_memory_bytes") > 10_000_000
        process.send_signal(signal.SIGKILL)
        process.wait()
    with daemon(world):
        again = scrape(world)
        assert value(again, "logmedic_rule_matches_total", rule="smoke") == 120
        assert value(again, "logmedic_errors_total", kind="unknown") == 9
        assert value(again, "logmedic_source_lines_total", source="app") == 0
        world.write("smoke 121")
        until(lambda: value(scrape(world), "logmedic_rule_matches_total", rule="smoke") == 121, "it goes on")


@pytest.mark.slow
def test_no_line_and_no_path_is_in_what_is_scraped(world: World) -> None:
    with daemon(world):
        world.write("smoke 1", "ERROR hunter2canary <script>")
        until(lambda: value(scrape(world), "logmedic_errors_total", kind="unknown") == 1, "it is counted")
        said = " ".join(str(labels) for _, labels in scrape(world))
    assert "hunter2canary" not in said
    assert str(world.home) not in said
    assert "app.log" not in said


@pytest.mark.slow
def test_a_reload_is_told_of_and_a_broken_file_is(world: World) -> None:
    with daemon(world) as process:
        world.drop_rule("fire", "fire")
        until(lambda: value(scrape(world), "logmedic_rules") == 2, "the second rule is in force")
        assert value(scrape(world), "logmedic_reload_successful") == 1
        (world.home / "rules" / "fire.yaml").write_text("version: 1\nrules: [nonsense")
        process.send_signal(signal.SIGHUP)
        until(lambda: value(scrape(world), "logmedic_reload_successful") == 0, "the mistake is told")
        found = scrape(world)
        assert value(found, "logmedic_rule_files_stale") == 1
        assert value(found, "logmedic_rules") == 2
        until(lambda: value(scrape(world), "logmedic_reloads_total", result="partly") >= 1, "the reload is over")


@pytest.mark.slow
def test_stats_shows_the_same_figures(world: World) -> None:
    with daemon(world):
        world.write(*(f"smoke {n}" for n in range(5)))
        until(lambda: value(scrape(world), "logmedic_errors_total", kind="matched") == 5, "they are counted")
        scraped = scrape(world)
        told = json.loads(run(world, "stats", "--all", "-o", "json"))
        lines = [json.loads(line) for line in run(world, "stats", "--all", "-o", "jsonl").splitlines()]
        table = run(world, "stats", "--all")
    assert told["total_errors"] == 5
    assert list(told)[-1] == "metrics"
    assert {each["name"] for each in told["metrics"]} <= {each.name for each in METRICS}
    assert [each["name"] for each in lines] == [each["name"] for each in told["metrics"]]
    for each in told["metrics"]:
        if each["name"].startswith(("logmedic_rule", "logmedic_errors", "logmedic_incidents", "logmedic_mode")):
            assert each["value"] == value(scraped, each["name"], **each["labels"])
    assert table.splitlines()[0].split() == ["METRIC", "VALUE", "MEANING"]
    (row,) = (line for line in table.splitlines() if line.startswith("logmedic_rule_matches_total"))
    assert row.split() == ["logmedic_rule_matches_total", "rule=smoke", "5"]


@pytest.mark.slow
def test_a_collector_gets_them_too_and_one_that_hangs_holds_nothing_up(world: World) -> None:
    def live() -> None:
        with daemon(world) as process:
            world.write("smoke 1", "smoke 2")
            until(lambda: world.ask("status")["otlp"]["failed"] == 1, "the push that hung is given up")
            assert "too long" in world.ask("status")["otlp"]["problem"]
            until(lambda: world.ask("status")["otlp"]["sent"] == 1, "the next one arrives", limit_s=30)
            world.write("smoke 3")
            until(lambda: value(scrape(world), "logmedic_rule_matches_total", rule="smoke") == 3, "it is counted")
            assert value(scrape(world), "logmedic_otlp_exports_total", result="sent") >= 1
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0, world.said()

    async def scenario() -> None:
        async with collecting(hanging, saying(200)) as collector:
            with world.config.open("a") as config:
                config.write(f"metrics: {{ otlp: {{ endpoint: '{collector.url}', every: 5s, timeout: 1s }} }}\n")
            await asyncio.to_thread(live)
            (whole, *_) = collector.taken[1:]
            metrics = {each.name: each for each in whole.resource_metrics[0].scope_metrics[0].metrics}
            (point,) = metrics["logmedic_rule_matches_total"].sum.data_points
            assert (point.as_double, point.attributes[0].value.string_value) == (2, "smoke")

    asyncio.run(scenario())


def run(world: World, *arguments: str) -> str:
    ran = subprocess.run(
        world.command(*arguments), capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]}
    )
    return ran.stdout
