"""docs/metrics.md, the alert rules and the dashboard are about figures that exist, and tools take them as they are."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from logmedic.cli.root import logmedic
from logmedic.core.figures import METRICS
from logmedic.model.issue import IncidentStatus
from logmedic.model.metric import Kind

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGE = (DOCS / "metrics.md").read_text()
RULES = yaml.safe_load((DOCS / "prometheus-rules.yaml").read_text())
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"] if "alert" in rule]
DASHBOARD = json.loads((DOCS / "grafana-dashboard.json").read_text())
LABELS = {
    name: set(each.labels) for each in METRICS for name in ((each.name,) if each.kind is not Kind.HISTOGRAM else ())
}
for metric in METRICS:
    if metric.kind is Kind.HISTOGRAM:
        LABELS[f"{metric.name}_bucket"] = {*metric.labels, "le"}
        LABELS |= {f"{metric.name}_{each}": set(metric.labels) for each in ("sum", "count")}
OF_PROMETHEUS = {"job", "instance"}
LABELS["up"] = set()
_SERIES = re.compile(r"\b((?:logmedic|process)_[a-z0-9_]+|up)\b(?:\{([^}]*)\})?")
_LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_GROUPED = re.compile(r"\b(?:by|on|without)\s*\(([^)]*)\)")


def promtool(*arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    if shutil.which("promtool") is None:
        assert not os.environ.get("CI"), "install prometheus: scripts/system-packages dev"
        pytest.skip("promtool is not installed")
    return subprocess.run(
        ["promtool", *arguments], input=given, capture_output=True, text=True, timeout=60, check=False
    )


def about_nothing(expression: str) -> list[str]:
    """Names and labels in it that no figure has."""
    used, allowed = [], set(OF_PROMETHEUS)
    wrong = []
    for name, labels in _SERIES.findall(expression):
        used.append(name)
        if name not in LABELS:
            wrong.append(name)
            continue
        allowed |= LABELS[name]
        wrong += [f"{name}{{{each}}}" for each in _LABEL.findall(labels) if each not in LABELS[name] | OF_PROMETHEUS]
    grouped = {each.strip() for names in _GROUPED.findall(expression) for each in names.split(",")}
    return [*wrong, *sorted(grouped - allowed), *(["no figure at all"] if not used else [])]


def panels() -> Iterator[dict[str, Any]]:
    yield from (each for each in DASHBOARD["panels"] if each["type"] != "row")


def test_the_tables_are_those_of_the_figures_there_are() -> None:
    page = runpy.run_path(str(ROOT / "scripts" / "metrics-page"))
    assert page["written"](PAGE) == PAGE, "make metrics-page"
    for metric in METRICS:
        assert f"| `{metric.name}` |" in PAGE


def test_the_search_for_what_does_not_exist_finds_it() -> None:
    assert about_nothing('sum by (source) (rate(logmedic_source_lines_total{job="x"}[5m]))') == []
    assert about_nothing("logmedic_source_lines") == ["logmedic_source_lines"]
    assert about_nothing('logmedic_armed{file="x"}') == ["logmedic_armed{file}"]
    assert about_nothing("sum by (file) (logmedic_rules)") == ["file"]
    assert about_nothing("vector(1)") == ["no figure at all"]


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule["alert"]) for rule in ALERTS])
def test_each_alert_is_about_figures_that_exist_and_says_what_to_do(rule: dict[str, Any]) -> None:
    assert about_nothing(rule["expr"]) == []
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert set(rule["annotations"]) == {"summary", "description"}
    named = set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])))
    known = {label for name, _ in _SERIES.findall(rule["expr"]) for label in LABELS[name]}
    assert named <= known | OF_PROMETHEUS


def test_what_is_asked_for_was_thought_of() -> None:
    names = {rule["alert"] for rule in ALERTS}
    assert {"LogmedicDown", "LogmedicAbsent", "LogmedicDisarmed", "LogmedicSourceLags", "LogmedicReceiverDead"} <= names
    assert {"LogmedicBreakerOpen", "LogmedicFixBudgetUsedUp", "LogmedicStoreNearLimit"} <= names


def test_constants_in_expressions_are_values_that_occur() -> None:
    everything = json.dumps(RULES) + json.dumps(DASHBOARD).replace('\\\\"', '\\"')
    for label, known in {
        "state": {each.value for each in IncidentStatus} | {"open", "closed", "half_open"},
        "mode": {"observe", "approve", "auto"},
        "status": {"sent", "folded", "dead", "pending", "sending", "deferred"},
        "part": {"file", "log", "archive", "snapshots", "backups"},
        "result": {"worked", "failed", "sent", "good", "partly"},
    }.items():
        found = set(re.findall(rf'\b{label}!?=\\"(\w+)\\"', everything))
        assert found
        assert found <= known


def test_commands_in_the_alerts_exist() -> None:
    commands = re.findall(r"`logmedic ([^`]+)`", json.dumps(RULES, ensure_ascii=False))
    assert commands
    for command in commands:
        there(logmedic, command.split())


def there(group: click.Command, words: list[str]) -> None:
    context = click.Context(group)
    while words and isinstance(group, click.Group):
        found = group.get_command(context, words[0])
        assert found is not None, words
        group, words = found, words[1:]
    options = {option for each in group.params for option in each.opts}
    assert {word for word in words if word.startswith("--")} <= options, words


def test_promtool_takes_the_alert_rules() -> None:
    ran = promtool("check", "rules", str(DOCS / "prometheus-rules.yaml"))
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_promtool_takes_the_scrape_config_of_the_page(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```yaml\n(scrape_configs:.*?)^```", PAGE, re.M | re.S)
    config = tmp_path / "prometheus.yml"
    config.write_text(example)
    ran = promtool("check", "config", "--syntax-only", str(config))
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_alerts_fire_when_they_should(tmp_path: Path) -> None:
    """In Prometheus' own simulator: a daemon that is down, disarmed, with a dead receiver and a full store."""
    shutil.copy(DOCS / "prometheus-rules.yaml", tmp_path / "rules.yaml")
    (tmp_path / "test.yaml").write_text(SIMULATED)
    ran = promtool("test", "rules", str(tmp_path / "test.yaml"))
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_each_panel_and_choice_of_the_dashboard_is_about_figures_that_exist() -> None:
    expressions = [target["expr"] for panel in panels() for target in panel["targets"]]
    expressions += [each["expr"] for each in DASHBOARD["annotations"]["list"]]
    expressions += [
        each["definition"].removeprefix("label_values(").rpartition(",")[0]
        for each in DASHBOARD["templating"]["list"]
        if each["type"] == "query"
    ]
    wrong = {each: found for each in expressions if (found := about_nothing(each))}
    assert wrong == {}
    assert len(expressions) > 60


def test_the_dashboard_can_be_imported_anywhere() -> None:
    ids = [each["id"] for each in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    assert {each["title"] for each in DASHBOARD["panels"] if each["type"] == "row"} >= {
        *("Pulse", "Incidents", "Fixes", "Alerts", "Sources", "Daemon")
    }
    for panel in panels():
        assert panel["datasource"]["uid"] == "${datasource}"
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
    cells = [
        (x, y)
        for each in DASHBOARD["panels"]
        for x in range(each["gridPos"]["x"], each["gridPos"]["x"] + each["gridPos"]["w"])
        for y in range(each["gridPos"]["y"], each["gridPos"]["y"] + each["gridPos"]["h"])
    ]
    assert len(set(cells)) == len(cells), "panels lie on one another"


SIMULATED = """\
rule_files: [rules.yaml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - { series: 'up{job="logmedic", instance="web1"}', values: "1x5 0x30" }
      - { series: 'logmedic_armed{job="logmedic", instance="web1"}', values: "0x40" }
      - { series: 'logmedic_mode{job="logmedic", instance="web1", mode="observe"}', values: "0x40" }
      - { series: 'logmedic_armed{job="logmedic", instance="watching"}', values: "0x40" }
      - { series: 'logmedic_mode{job="logmedic", instance="watching", mode="observe"}', values: "1x40" }
      - { series: 'logmedic_receiver_up{job="logmedic", instance="web1", receiver="chat"}', values: "0x40" }
      - { series: 'logmedic_store_bytes{job="logmedic", instance="web1", part="file"}', values: "95x90" }
      - { series: 'logmedic_store_bytes{job="logmedic", instance="web1", part="backups"}', values: "900x90" }
      - { series: 'logmedic_store_limit_bytes{job="logmedic", instance="web1"}', values: "100x90" }
      - { series: 'logmedic_store_bytes{job="logmedic", instance="roomy", part="file"}', values: "5x90" }
      - { series: 'logmedic_store_limit_bytes{job="logmedic", instance="roomy"}', values: "100x90" }
    promql_expr_test:
      - expr: count by (alertname, instance) (ALERTS{alertstate="firing"})
        eval_time: 20m
        exp_samples:
          - { labels: '{alertname="LogmedicDown", instance="web1"}', value: 1 }
          - { labels: '{alertname="LogmedicDisarmed", instance="web1"}', value: 1 }
          - { labels: '{alertname="LogmedicReceiverDead", instance="web1"}', value: 1 }
      - expr: count by (alertname, instance) (ALERTS{alertstate="firing", alertname="LogmedicStoreNearLimit"})
        eval_time: 70m
        exp_samples:
          - { labels: '{alertname="LogmedicStoreNearLimit", instance="web1"}', value: 1 }
"""
