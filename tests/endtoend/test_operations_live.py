"""docs/operations.md is true: each block of it is typed by some test, and those that need no systemd by these."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import forked
import operationspage as page
from alerts.servers import HttpServer
from crash.process import Daemon, until
from endtoend.test_daemon import World

LINE = "shop down"
PATIENCE_S = 120.0
RULE = """\
version: 1
rules:
  - id: shop-down
    title: "the shop is down"
    severity: high
    match: { pattern: 'shop down' }
    fix:
      mode: auto
      steps: [{ name: try, run: [/usr/bin/false], retry: { attempts: 1 } }]
      verify: { quiet: 200ms }
    tests:
      - { name: it fires, lines: ["shop down"], expect: { fires: 1 } }
      - { name: it is up, lines: ["shop up"], expect: { fires: 0 } }
  - id: cart-down
    title: "the cart is down"
    severity: high
    match: { pattern: 'cart down' }
    fix:
      mode: approve
      steps: [{ name: try, run: [/usr/bin/true] }]
      verify: { quiet: 200ms }
    tests:
      - { name: it fires, lines: ["cart down"], expect: { fires: 1 } }
      - { name: it is up, lines: ["cart up"], expect: { fires: 0 } }
"""
TYPED = """\
#!/bin/sh
case " $* " in
*" -f "*) timeout --signal=INT 4 {program} "$@"; test $? = 124 -o $? = 130 ;;
*" doctor "* | *" --dead "*) {program} "$@"; test $? -le 1 ;;
*) exec {program} "$@" ;;
esac
"""
"""What follows is ended as people end it; doctor may find something on whatever host this is, and nothing was given
up."""


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of somebody beside a daemon that has an open incident, and a receiver."""
    home = tmp_path_factory.mktemp("operations")
    with HttpServer() as server:
        world = World(home)
        (home / "rules" / "shop.yaml").write_text(RULE)
        world.config.write_text(
            f"mode: auto\nactions: {{ pause_file: {home}/paused }}\n{world.config.read_text()}"
            f'alerts: {{ receivers: {{ hook: "json://127.0.0.1:{server.port}/hook" }}, routes: {{ oncall: hook }} }}\n'
        )
        (home / "bin").mkdir()
        program = home / "bin" / "logmedic"
        program.write_text(TYPED.format(program=f"{sys.executable} -m logmedic"))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        running = Daemon(home)
        try:
            running.start()
            until(lambda: running.ask("status") is not None, PATIENCE_S, running.said)
            world.write(LINE)
            world.write("cart down")
            until(lambda: len(running.ask("incidents", PATIENCE_S) or ()) == 2, PATIENCE_S, running.said)
            ids = {each["rule_id"]: each["id"][-8:] for each in running.ask("incidents", PATIENCE_S)}
            yield {
                "PATH": f"{home}/bin:{os.environ['PATH']}",
                "HOME": str(home),
                "LOGMEDIC_CONFIG": str(world.config),
                "INCIDENT": ids["shop-down"],
                "WAITING": ids["cart-down"],
                "RULE": "shop-down",
                "LINE": LINE,
            }
        finally:
            running.put_down()


@pytest.mark.slow
@pytest.mark.parametrize("block", page.of("live"), ids=str)
def test_a_block_that_needs_no_systemd_works(block: page.Block, typed: dict[str, str]) -> None:
    script = f"set -e\ncd {typed['HOME']}\nrm -f report.tar.gz\n{block.text}"
    ran = subprocess.run(
        ["/bin/bash"], input=script, env=typed, capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.returncode == 0, f"{ran.stdout[-2000:]}{ran.stderr[-2000:]}"


@pytest.mark.parametrize("block", page.of("config"), ids=str)
def test_a_block_of_config_loads(block: page.Block, tmp_path: Path) -> None:
    (tmp_path / "logmedic.yaml").write_text(block.text)
    command = [sys.executable, "-m", "logmedic", "-c", str(tmp_path / "logmedic.yaml"), "config", "show"]
    ran = forked.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout).keys() >= yaml.safe_load(block.text).keys()


def test_no_block_of_the_page_is_typed_by_nobody() -> None:
    assert len(page.BLOCKS) * 2 == len(re.findall(r"^```", page.PAGE, re.MULTILINE))
    assert {each.place for each in page.BLOCKS} == {*page.PLACES}
    assert {(each.language, each.place == "config") for each in page.BLOCKS} == {("sh", False), ("yaml", True)}


def test_no_command_stands_between_the_blocks_alone() -> None:
    """What a sentence names is typed in some block, so what `$` stands for there has its own name here."""
    typed = [line.strip() for each in page.BLOCKS for line in each.text.splitlines()]
    for named in re.findall(r"`((?:logmedic|systemctl|systemd-tmpfiles|journalctl|apt-get|usermod) [^`]+)`", page.PAGE):
        assert any(line.startswith(named) for line in typed), named


def test_its_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.PAGE):
        name, _, anchor = target.partition("#")
        there = page.PATH.parent / name if name else page.PATH
        assert there.is_file(), target
        assert not anchor or anchor in anchors(there.read_text(encoding="utf-8")), target


def anchors(text: str) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in heads}
