"""Plain applications beside a real daemon: what they report is learned, counted once, and drafted as a rule; their
breakers open together; what they degrade to is remembered."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from endtoend.shop import HERE, Shop
from endtoend.test_daemon import daemon, until

COUNTED = """\
version: 1
rules:
  - id: packer-fails
    title: "the packer fails"
    match: { report: { component: packer, action: pack } }
    tests:
      - { name: it does, lines: [{ report: { component: packer, action: pack, message: no } }], expect: { fires: 1 } }
      - { name: another, lines: [{ report: { component: packer, action: send, message: no } }], expect: { fires: 0 } }
"""


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


@dataclass(frozen=True, slots=True)
class Reporter:
    process: subprocess.Popen[str]

    def does(self, *what: str) -> Any:
        """See reporter.py."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@contextmanager
def reporter(shop: Shop, *arguments: str) -> Iterator[Reporter]:
    process = subprocess.Popen(
        [sys.executable, str(HERE / "reporter.py"), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=shop.environment(),
    )
    with process:
        try:
            yield Reporter(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(timeout=20) == 0


def issue(shop: Shop, source: str) -> dict[str, Any]:
    """The only one; empty: there is none."""
    rows = shop.world.ask(f"issues?source={source}") or [{}]
    assert len(rows) == 1, rows
    return dict(rows[0])


@pytest.mark.slow
def test_what_is_reported_while_the_daemon_is_away_is_counted_once_when_it_is_back(shop: Shop) -> None:
    (shop.world.home / "rules" / "packer.yaml").write_text(COUNTED)
    with reporter(shop) as packer:
        packer.does("report", "before there is a daemon")
        with daemon(shop.world):
            packer.does("report", "while it runs")
            assert packer.does("flush")
        for number in range(20):
            packer.does("report", f"while it is away {number}")
        with daemon(shop.world):
            assert packer.does("flush")
            incident = shop.incident("packer-fails")
    assert incident["occurrences"] == 22
    assert len(set(incident["requests"])) == len(incident["requests"]) == 20


@pytest.mark.slow
def test_what_an_application_leaves_behind_is_delivered_by_the_next_one(shop: Shop) -> None:
    (shop.world.home / "rules" / "packer.yaml").write_text(COUNTED)
    spool = str(shop.world.home / "spool")
    for _ in range(2):
        with reporter(shop, spool) as packer:
            packer.does("report", "nobody is there")
    with daemon(shop.world), reporter(shop, spool) as packer:
        packer.does("report", "somebody is there")
        until(lambda: shop.incident("packer-fails").get("occurrences") == 3, "all are counted")
        assert packer.does("flush")
    assert list(Path(spool).iterdir()) == []


@pytest.mark.slow
def test_an_unknown_error_that_is_reported_again_and_again_is_learned_and_drafted_as_a_rule(shop: Shop) -> None:
    draft = shop.world.home / "draft.yaml"
    with daemon(shop.world), reporter(shop) as packer:
        for number in range(3):
            packer.does("report", f"no room left in box {number}")
        assert packer.does("flush")
        until(lambda: issue(shop, "learned").get("occurrences") == 3, "it is a known issue")
        learned = issue(shop, "learned")
        shop.typed("learned", "promote", learned["id"][-8:], "--write", str(draft))
        shop.typed("rules", "check", "--strict", str(draft))
        shop.world.home.joinpath("rules", "draft.yaml").write_text(draft.read_text())
        until(lambda: shop.world.ask("status")["rules"]["loaded"] == 2, "the draft is loaded")
        for number in range(4, 7):
            packer.does("report", f"no room left in box {number}")
        assert packer.does("flush")
        until(lambda: [each for each in shop.world.titles() if "no room left" in each], "the draft knows it")
    assert "report: { component: ['packer'], action: ['pack'], error: ['RuntimeError'] }" in draft.read_text()


@pytest.mark.slow
def test_breakers_of_one_name_open_and_close_together_and_their_issue_with_them(shop: Shop) -> None:
    with daemon(shop.world), reporter(shop) as first, reporter(shop) as second:
        assert [each.does("call", "payments", "ok") for each in (first, second)] == ["worked"] * 2
        for _ in range(5):
            assert first.does("call", "payments", "does not answer") == "failed"
        assert first.does("state", "payments") == "open"
        until(lambda: second.does("state", "payments") == "open", "the other one is open as well")
        until(lambda: issue(shop, "breaker"), "it is a known issue")
        (opened,) = json.loads(shop.typed("issues", "-o", "json"))
        until(lambda: first.does("call", "payments", "ok") == "worked" and _closed(first), "it closed")
        until(lambda: second.does("state", "payments") == "closed", "the other one is closed as well")
        until(lambda: issue(shop, "breaker")["status"] == "resolved", "the issue is resolved")
    assert (opened["issue_type"], opened["severity"]) == ("circuit_breaker_open", "high")
    assert opened["tags"][:2] == ["circuit_breaker", "payments"]
    assert opened["status"] == "new"


@pytest.mark.slow
def test_what_is_reported_sets_off_no_rule_about_lines_and_is_learned(shop: Shop) -> None:
    with daemon(shop.world), reporter(shop) as packer:
        for _ in range(3):
            packer.does("report", "smoke 12")
        assert packer.does("flush")
        until(lambda: issue(shop, "learned"), "nobody knows it")
        assert shop.world.titles() == set()
        shop.world.write("smoke 12")
        until(lambda: "smoke was seen" in shop.world.titles(), "a line of the log does")


def _closed(packer: Reporter) -> bool:
    return packer.does("state", "payments") == "closed"


@pytest.mark.slow
def test_a_feature_that_goes_on_without_what_it_had_is_a_learning(shop: Shop) -> None:
    with daemon(shop.world), reporter(shop) as packer:
        assert packer.does("search", "lamp") == "names with lamp"
        assert packer.does("flush")
        until(lambda: _learnings(shop), "it is learned")
        (learning,) = _learnings(shop)
    assert (learning["pattern_type"], learning["confidence"]) == ("graceful_degradation", 1.0)
    assert "packer went on without search" in learning["learnings"]


def _learnings(shop: Shop) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(shop.typed("learnings", "-o", "json"))
    return rows
