"""`/metrics` over the socket: what Prometheus, its own parsers and promtool make of it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parsed_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parsed_text

from fakes.served import serving
from logmedic.adapters.web.metrics import written
from logmedic.core.figures import METRICS, families
from logmedic.core.figures.daemon import PROCESS
from logmedic.core.figures.day import SIX
from logmedic.core.figures.snapshot import (
    DaemonFacts,
    EngineFacts,
    OpenFacts,
    PartFacts,
    RuleFacts,
    Snapshot,
    SourceFacts,
)
from logmedic.core.sums import Sums
from logmedic.model.alert import AlertStatus
from logmedic.model.metric import Family, Kind, Spread
from logmedic.model.report import ReportCounts

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)
"""What a Prometheus server asks for."""
AT = datetime(2026, 11, 24, 3, tzinfo=UTC)
HOSTILE = 'a"b\\c\nd{e="f"} 7 \x1b[31m <b>\u2028é'


def everything() -> Snapshot:
    """A sample of each metric there is."""
    sums = Sums.since({"matched": 3, "unknown": 2, "held_paused": 1, "alert_failures": 4})
    sums.attempts["web-down", "fixed"] += 2
    sums.alerts["chat", "sent"] += 5
    for spread in (sums.fix_s, sums.recovery_s, sums.delivery_s):
        spread.take(3.25)
    daemon = DaemonFacts(
        *("1.2", "3.11", "db1", AT),
        parts={"engine": PartFacts(True)},
        heartbeat_up=True,
        heartbeat_at=AT,
        exports={"sent": 1, "failed": 0},
    )
    daemon.loop_s.take(0.002)
    engine = EngineFacts(waiting=2, store_bytes={"file": 4096, "log": 0}, store_limit=1 << 30)
    engine.commit_s.take(0.004)
    return Snapshot(
        daemon=daemon,
        sources={"app": SourceFacts(lines=10, bytes_read=1234, last_line_at=AT)},
        rules=RuleFacts({"web-down": 3}, loaded=1, loaded_at=AT, reloads={"good": 1}),
        open=OpenFacts(
            {("high", "open"): 1},
            oldest_at=AT,
            outbox={("chat", AlertStatus.PENDING): 1},
            receivers={"chat": True},
            budget_left={"hour": 3},
        ),
        engine=engine,
        sums=sums,
        day=dict.fromkeys(SIX, 1.5),
        process={each.name: 2.0 for each in PROCESS},
        reports=ReportCounts(7, {"rate": 2}, 1, turned_away=1, cut_off=0, waiting=3, connections=2, questions=1),
    )


def ask(path: Path, target: str, accept: str = "") -> tuple[int, str, str]:
    connection = HTTPConnection("logmedic")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(10)
    connection.sock.connect(str(path))
    connection.request("GET", target, headers={"Accept": accept} if accept else {})
    response = connection.getresponse()
    answer = response.status, response.headers["Content-Type"], response.read().decode()
    connection.close()
    return answer


def told(made: Iterable[Family]) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """By the name and labels of each sample, as Prometheus has them."""
    found: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
    for family in made:
        for sample in family.samples:
            labels = frozenset(zip(family.metric.labels, sample.values, strict=True))
            match sample.value:
                case Spread() as spread:
                    found[f"{family.metric.name}_sum", labels] = spread.sum
                    found[f"{family.metric.name}_count", labels] = spread.count
                    for bound, count in spread.cumulative():
                        upper = "+Inf" if bound == float("inf") else str(bound)
                        found[f"{family.metric.name}_bucket", labels | {("le", upper)}] = count
                case value:
                    found[family.metric.name, labels] = value
    return found


def read(parsed: Any) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {(each.name, frozenset(each.labels.items())): each.value for metric in parsed for each in metric.samples}


def test_there_is_a_sample_of_everything_and_prometheus_reads_back_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "logmedic.sock"
    with serving(path) as control:
        control.figures = everything()
        status, kind, text = ask(path, "/metrics")
        _, json_kind, rows = ask(path, "/v1/figures")
    made = families(everything())
    assert all(family.samples for family in made)
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert read(parsed_text(text)) == told(made)
    assert json_kind == "application/json"
    assert {row["name"] for row in json.loads(rows)} == {each.name for each in METRICS}


def test_every_metric_has_its_help_and_its_type() -> None:
    text, _ = written(families(everything()), "")
    found = {metric.name: metric for metric in parsed_text(text.decode())}
    for metric in METRICS:
        read_back = found[metric.name.removesuffix("_total") if metric.kind is Kind.COUNTER else metric.name]
        assert read_back.documentation == metric.help
        assert read_back.type == ("gauge" if metric.kind is Kind.INFO else metric.kind.value)


@pytest.mark.parametrize("accept", [OPENMETRICS, PROMETHEUS], ids=["openmetrics", "as a server asks"])
def test_where_it_is_asked_for_the_answer_is_openmetrics(tmp_path: Path, accept: str) -> None:
    path = tmp_path / "logmedic.sock"
    with serving(path) as control:
        control.figures = everything()
        _, kind, text = ask(path, "/metrics", accept)
    assert kind.startswith("application/openmetrics-text; version=1.0.0")
    assert text.endswith("# EOF\n")
    assert read(parsed_openmetrics(text)) == told(families(everything()))


@pytest.mark.parametrize("accept", ["text/html", "*/*", "nonsense;;;,,q=", "application/openmetrics-text;version=x"])
def test_whatever_is_asked_for_there_is_an_answer(tmp_path: Path, accept: str) -> None:
    path = tmp_path / "logmedic.sock"
    with serving(path):
        status, _, text = ask(path, "/metrics", accept)
    assert status == 200
    assert "logmedic_armed 0.0" in text


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", False),
        ("text/plain", False),
        ("application/openmetrics-text", True),
        ("application/openmetrics-text;version=1.0.0;q=0.2,text/plain;q=0.9", False),
        ("application/openmetrics-text;version=2.0.0", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=nan, text/plain", False),
    ],
)
def test_openmetrics_is_for_whoever_asks_for_it_at_least_as_much_as_for_text(accept: str, wanted: bool) -> None:
    assert written(families(Snapshot()), accept)[1].startswith("application/openmetrics-text") is wanted


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20), max_size=5, unique=True))
def test_no_name_of_a_source_breaks_the_text(names: list[str]) -> None:
    now = Snapshot(sources=dict.fromkeys([*names, HOSTILE], SourceFacts(lines=1)))
    text, _ = written(families(now), "")
    found = read(parsed_text(text.decode()))
    for name in (*names, HOSTILE):
        assert found["logmedic_source_lines_total", frozenset({("source", name)})] == 1


def test_promtool_finds_nothing_to_mend() -> None:
    if shutil.which("promtool") is None:
        assert not os.environ.get("CI"), "install prometheus: scripts/system-packages dev"
        pytest.skip("promtool is not installed")
    text, _ = written(families(replace(everything(), sources={"app": SourceFacts(last_line_at=AT)})), "")
    ran = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")
