"""What the docs show can be typed as it stands."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from builders import RULE, Bench, policy
from logmedic.core.alerting.routes import way_of
from logmedic.core.alerting.selecting import Facts
from logmedic.core.draft import Draft
from logmedic.core.holds import every_hold
from logmedic.model.alertevent import AlertEvent
from logmedic.model.severity import Severity
from logmedic.rulesets import make_rule_loader
from logmedic.settings import Settings, load_settings

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)  # a Tuesday
DOCS = Path(__file__).parents[2] / "docs"
CONFIGS = "".join((DOCS / page).read_text() for page in ("sources.md", "learning.md", "configuration.md"))
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", CONFIGS, re.MULTILINE | re.DOTALL)


def of(head: str) -> list[str]:
    found = [each for each in BLOCKS if each.startswith(head)]
    assert found, f"no example in the docs begins with {head}"
    return found


@pytest.mark.parametrize("example", of("sources:"))
def test_every_config_in_the_docs_of_sources_loads(tmp_path: Path, example: str) -> None:
    config = tmp_path / "logmedic.yaml"
    config.write_text(example)
    assert load_settings(config, {}).sources


@pytest.mark.parametrize("example", of("actions:"))
def test_every_example_of_actions_in_the_docs_loads(tmp_path: Path, example: str) -> None:
    config = tmp_path / "logmedic.yaml"
    config.write_text(example)
    assert load_settings(config, {}).actions.maintenance


PAGES = ("rules.md", "sources.md", *(path.name for path in sorted(DOCS.glob("from-*.md"))))
MODELINE = "# yaml-language-server:"
RULE_FILES = [
    pytest.param(block, id=f"{page} {number}")
    for page in PAGES
    for number, block in enumerate(re.findall(r"^```yaml\n(.*?)^```", (DOCS / page).read_text(), re.M | re.S), start=1)
    if block.startswith(("version: 1\n", MODELINE))
]


@pytest.mark.parametrize("example", RULE_FILES)
def test_every_rule_file_in_the_docs_loads_and_passes_its_tests(tmp_path: Path, example: str) -> None:
    path = tmp_path / "rule.yaml"
    path.write_text(example)
    loaded = make_rule_loader(Settings(), [path]).load()
    assert not loaded.problems
    assert loaded.rules
    assert any(rule.tests for rule in loaded.rules) or example.startswith(MODELINE)


def test_every_example_of_a_rule_on_the_page_of_rules_is_a_whole_file() -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```", (DOCS / "rules.md").read_text(), re.M | re.S)
    assert len(blocks) >= 10
    assert all(block.startswith(("version: 1\n", MODELINE)) for block in blocks)


TESTS = DOCS.parent / "tests"


def test_every_test_that_the_page_of_safety_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+(?:\.py)?)`", (DOCS / "safety.md").read_text()))
    there = {path.name for path in TESTS.rglob("test_*.py")}
    for path in TESTS.rglob("test_*.py"):
        there |= set(re.findall(r"^(?:async )?def (test_\w+)\(", path.read_text(), re.MULTILINE))
    assert len(named) > 30
    assert named - there == set()


def test_the_page_of_safety_has_every_reason_to_hold_a_fix() -> None:
    """In the order in which the governor asks."""
    bench = Bench(policy())
    bench.matched()
    draft = Draft(bench.state, bench.policy, bench.now, bench.mint)
    asked = [each.name for each in every_hold(draft, bench.incident(), RULE)]
    table = (DOCS / "safety.md").read_text().partition("## While it runs")[0]
    assert re.findall(r"^\| ([a-z ]+?) \|", table, re.MULTILINE)[1:] == asked


ALERTS = (DOCS / "alerts.md").read_text()
WAYS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in re.findall(r"^\|.*(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d\d:\d\d \|.*$", ALERTS, re.MULTILINE)
]


@pytest.mark.parametrize("example", re.findall(r"^```yaml\n(.*?)^```", ALERTS, re.MULTILINE | re.DOTALL))
def test_every_config_on_the_page_of_alerts_loads(tmp_path: Path, example: str) -> None:
    assert _with_secrets(tmp_path, example).policy(hostname="db1", started_at=NOON).alerts is not None


@pytest.mark.parametrize("way", WAYS, ids=lambda way: " ".join(way[:3]))
def test_the_route_tree_on_the_page_of_alerts_takes_what_its_table_says(tmp_path: Path, way: list[str]) -> None:
    severity, tags, rule, event, at, routes = way
    (example,) = (each for each in re.findall(r"^```yaml\n(.*?)^```", ALERTS, re.M | re.S) if "tree:" in each)
    plan = _with_secrets(tmp_path, example).policy(hostname="db1", started_at=NOON).alerts
    facts = Facts(Severity(severity), AlertEvent(event), frozenset(filter(None, [tags])), {"rule": rule, **plan.labels})
    day, clock = at.split()
    assert day == "Tue"
    now = NOON.replace(hour=int(clock[:2]))
    assert ", ".join(way_of(plan, facts, (), now).routes) == routes


def test_the_table_of_the_route_tree_has_rows() -> None:
    assert len(WAYS) >= 7


def _with_secrets(tmp_path: Path, example: str) -> Settings:
    """Credentials that the page names are there."""
    config = tmp_path / "logmedic.yaml"
    config.write_text(example)
    for name in re.findall(r"\$\{credential:([^}]*)\}", example):
        (tmp_path / name).write_text("word" if name == "smtp" else "https://alerts.example/hook")
    return load_settings(config, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
