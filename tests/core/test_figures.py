"""The figures: named as Prometheus wants them, bounded, complete, and never going back."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logmedic.core.figures import METRICS, families
from logmedic.core.figures.daemon import PROCESS
from logmedic.core.figures.snapshot import (
    SOURCES,
    DaemonFacts,
    EngineFacts,
    OpenFacts,
    PartFacts,
    RuleFacts,
    Snapshot,
    SourceFacts,
)
from logmedic.core.figures.tallies import MEANINGS
from logmedic.core.sums import RECEIVERS, RULES, Sums
from logmedic.model.alert import AlertStatus
from logmedic.model.issue import HoldReason, Resolution
from logmedic.model.metric import Family, Kind, Metric, Spread
from logmedic.model.report import REFUSALS, ReportCounts
from logmedic.model.rule import Mode
from logmedic.model.trust import TrustChangeKind

AT = datetime(2026, 11, 24, 3, tzinfo=UTC)
CORE = Path(__file__).parents[2] / "daemon" / "logmedic" / "core"


def values(now: Snapshot) -> dict[str, dict[tuple[str, ...], float]]:
    """By name and labels; of a histogram, how many."""
    return {
        family.metric.name: {
            each.values: each.value.count if isinstance(each.value, Spread) else each.value for each in family.samples
        }
        for family in families(now)
    }


# -- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", METRICS, ids=[each.name for each in METRICS])
def test_each_is_named_after_the_conventions(metric: Metric) -> None:
    name, kind, text = metric.name, metric.kind, metric.help
    assert re.fullmatch(r"(logmedic|process)_[a-z][a-z0-9_]*[a-z0-9]", name)
    assert name.endswith("_total") == (kind is Kind.COUNTER)
    assert name.endswith("_info") == (kind is Kind.INFO)
    assert not re.search(r"_(ms|millis|minutes|hours|kb|mb|percent|count|sum|bucket)(_|$)", name)
    assert text[0].isupper() or text.startswith(("0 when", "1 "))
    assert text.endswith(".")
    assert "\n" not in text
    assert metric.lasting == ("goes on after a restart" in text)
    begins_anew = name.startswith("logmedic_") and kind in (Kind.COUNTER, Kind.HISTOGRAM) and not metric.lasting
    assert begins_anew == ("since the daemon's start" in text)


def test_no_two_have_one_name_and_each_is_made_in_its_order() -> None:
    assert len({each.name for each in METRICS}) == len(METRICS)
    assert [family.metric for family in families(Snapshot())] == list(METRICS)


def test_the_labels_are_few_and_none_is_of_a_file_a_text_or_an_address() -> None:
    known = {"version", "python", "host", "mode", "part", "result", "source", "rule", "kind", "severity", "state"}
    known |= {"reason", "resolution", "status", "verdict", "span", "receiver"}
    assert {label for each in METRICS for label in each.labels} == known


# -- values -----------------------------------------------------------------------------------------------------------


def test_the_daemon_tells_its_mode_and_whether_fixes_can_run() -> None:
    parts = {"engine": PartFacts(True), "retention": PartFacts(False, 4)}
    daemon = DaemonFacts("1.2", "3.11.7", "db1", AT, Mode.AUTO, armed=True, paused=True, maintenance=1, parts=parts)
    found = values(Snapshot(daemon=daemon))
    assert found["logmedic_build_info"] == {("1.2", "3.11.7", "db1"): 1}
    assert found["logmedic_mode"] == {("observe",): 0, ("approve",): 0, ("auto",): 1}
    assert (found["logmedic_armed"], found["logmedic_paused"]) == ({(): 1}, {(): 1})
    assert found["logmedic_start_time_seconds"] == {(): AT.timestamp()}
    assert found["logmedic_part_up"] == {("engine",): 1, ("retention",): 0}
    assert found["logmedic_part_restarts_total"] == {("engine",): 0, ("retention",): 4}


def test_what_nobody_knows_has_no_sample() -> None:
    found = values(Snapshot())
    for name in (
        "logmedic_heartbeat_up",
        "logmedic_otlp_exports_total",
        "logmedic_incident_oldest_timestamp_seconds",
        "logmedic_day_auto_fix_success_ratio",
        "logmedic_store_limit_bytes",
        "logmedic_source_lines_total",
        "logmedic_reports_total",
        "logmedic_report_connections",
    ):
        assert found[name] == {}, name
    told = values(Snapshot(daemon=DaemonFacts(heartbeat_up=False, heartbeat_at=AT, exports={"sent": 3, "failed": 0})))
    assert told["logmedic_heartbeat_up"] == {(): 0}
    assert told["logmedic_heartbeat_last_success_timestamp_seconds"] == {(): AT.timestamp()}
    assert told["logmedic_otlp_exports_total"] == {("sent",): 3, ("failed",): 0}


def test_the_report_socket_tells_what_came_of_every_report_and_who_waits() -> None:
    counts = ReportCounts(
        taken=9, refused={"rate": 2}, repeated=1, turned_away=3, cut_off=4, waiting=5, connections=6, questions=7
    )
    found = values(Snapshot(reports=counts))
    refused = {(f"refused_{each}",): 2 if each == "rate" else 0 for each in REFUSALS}
    assert found["logmedic_reports_total"] == {("taken",): 9, ("repeated",): 1, **refused}
    assert found["logmedic_report_connections"] == {(): 6}
    assert found["logmedic_report_connections_ended_total"] == {("turned_away",): 3, ("cut_off",): 4}
    assert found["logmedic_reports_waiting"] == {(): 5}
    assert found["logmedic_report_questions"] == {(): 7}
    assert found["logmedic_report_breakers_open"] == {(): 0}


def test_a_source_that_a_reload_took_away_keeps_what_was_counted_and_calls_nobody() -> None:
    gone = SourceFacts(lines=7, part=PartFacts(up=False), followed=False)
    found = values(Snapshot(sources={"old": gone, "app": SourceFacts(lines=2, quiet=True, last_line_at=AT)}))
    assert found["logmedic_source_lines_total"] == {("old",): 7, ("app",): 2}
    assert found["logmedic_source_up"] == {("app",): 1}
    assert found["logmedic_source_quiet"] == {("app",): 1}
    assert found["logmedic_source_last_line_timestamp_seconds"] == {("app",): AT.timestamp()}


def test_sources_that_share_a_label_are_counted_together_and_the_worst_of_them_shows() -> None:
    named = {f"s{n:03d}": SourceFacts() for n in range(SOURCES)}
    late = {
        "x": SourceFacts(lines=3, lag_bytes=10, lag_s=5.0, origins=2),
        "y": SourceFacts(lines=4, lag_bytes=1, lag_s=90.0, origins=1, problems=1, quiet=True, part=PartFacts(False, 2)),
    }
    found = {name: each.get(("other",)) for name, each in values(Snapshot(sources=named | late)).items()}
    assert found["logmedic_source_lines_total"] == 7
    assert found["logmedic_source_lag_bytes"] == 11
    assert found["logmedic_source_lag_seconds"] == 90.0
    assert found["logmedic_source_files"] == 3
    assert (found["logmedic_source_quiet"], found["logmedic_source_up"]) == (1, 0)
    assert found["logmedic_source_restarts_total"] == 2


def test_rules_that_never_matched_are_told_of_while_every_rule_has_a_place() -> None:
    few = values(Snapshot(rules=RuleFacts(matches={"a": 3, "b": 0})))
    assert few["logmedic_rule_matches_total"] == {("a",): 3, ("b",): 0}
    many = {f"r{n:04d}": 0 for n in range(RULES)} | {"busy": 5}
    assert values(Snapshot(rules=RuleFacts(matches=many)))["logmedic_rule_matches_total"] == {("busy",): 5}


def test_what_is_open_is_told_by_severity_state_and_reason() -> None:
    known = OpenFacts(
        incidents={("critical", "failed"): 2},
        held={"paused": 1},
        breakers={"open": 1},
        issues={"new": 4},
        outbox={("chat", AlertStatus.PENDING): 3},
        receivers={"chat": True, "mail": False},
        budget_left={"hour": 0, "ten_minutes": 2},
    )
    found = values(Snapshot(open=known))
    assert found["logmedic_incidents_open"]["critical", "failed"] == 2
    assert sum(found["logmedic_incidents_open"].values()) == 2
    assert found["logmedic_incidents_held"]["paused",] == 1
    assert found["logmedic_breakers"] == {("closed",): 0, ("open",): 1, ("half_open",): 0}
    assert found["logmedic_known_issues"]["new",] == 4
    assert found["logmedic_outbox_alerts"]["chat", "pending"] == 3
    assert found["logmedic_outbox_alerts"]["mail", "pending"] == 0
    assert found["logmedic_receiver_up"] == {("chat",): 1, ("mail",): 0}
    assert found["logmedic_fix_budget_left"] == {("hour",): 0, ("ten_minutes",): 2}


def test_the_six_metrics_have_their_values_and_none_where_nothing_was_tried() -> None:
    six = dict.fromkeys(("total_errors", "auto_fixed", "circuit_breaker_opens", "escalations"), 3.0)
    found = values(Snapshot(day={**six, "auto_fix_success_rate": 0.75, "avg_recovery_time_s": None}))
    day = {name: each for name, each in found.items() if name.startswith("logmedic_day_")}
    assert len(day) == 6
    assert day["logmedic_day_auto_fix_success_ratio"] == {(): 0.75}
    assert day["logmedic_day_recovery_mean_seconds"] == {}
    assert day["logmedic_day_errors"] == {(): 3.0}


def test_the_engine_and_the_store_are_told_of() -> None:
    engine = EngineFacts(
        waiting=3, waiting_s=1.5, progress_s=0.1, problem=True, store_bytes={"file": 9}, store_limit=10
    )
    engine.commit_s.take(0.002)
    found = values(Snapshot(engine=engine))
    assert found["logmedic_engine_decision_lag_seconds"] == {(): 1.5}
    assert found["logmedic_store_problem"] == {(): 1}
    assert found["logmedic_store_bytes"] == {("file",): 9}
    assert found["logmedic_commit_seconds"] == {(): 1}


def test_figures_of_the_process_are_told_under_the_names_that_prometheus_clients_use() -> None:
    found = values(Snapshot(process={each.name: 7.0 for each in PROCESS}))
    assert [found[each.name] for each in PROCESS] == [{(): 7.0}] * 6


# -- completeness (I5) ------------------------------------------------------------------------------------------------


def test_i5_every_count_that_the_engine_keeps_is_told_with_what_it_means() -> None:
    said = "".join(path.read_text() for path in sorted(CORE.rglob("*.py")))
    kinds = set(re.findall(r'\.tally\(\s*"(\w+)"', said)) | set(re.findall(r'else "(\w+)"\)', said)) & set(MEANINGS)
    families_of = re.findall(r'\.tally\(\s*f"(\w+)_\{', said)
    assert set(families_of) == {"held", "resolved", "trust", "reports_refused"}
    kinds |= {f"held_{each}" for each in HoldReason}
    kinds |= {f"resolved_{each}" for each in Resolution if each.value}
    kinds |= {f"trust_{each}" for each in TrustChangeKind}
    kinds |= {f"reports_refused_{each}" for each in REFUSALS}
    assert kinds == set(MEANINGS)
    assert set(values(Snapshot())["logmedic_tallies_total"]) == {(kind,) for kind in MEANINGS}


def test_kinds_that_nobody_counts_any_more_are_one() -> None:
    found = values(Snapshot(sums=Sums.since({"lines": 4, "of_old": 2, "older": 1})))["logmedic_tallies_total"]
    assert (found["lines",], found["other",]) == (4, 3)
    assert ("of_old",) not in found


def test_every_fact_about_a_source_has_a_figure() -> None:
    """A new field that no figure shows would be a count that nobody sees."""
    one = values(Snapshot(sources={"app": SourceFacts()}))
    for each in fields(SourceFacts):
        if each.name in ("followed",):
            continue
        other = {"part": PartFacts(False, 9), "last_line_at": AT, "quiet": True}.get(each.name, 77)
        changed = values(Snapshot(sources={"app": replace(SourceFacts(), **{each.name: other})}))  # type: ignore[arg-type]
        assert changed != one, each.name


# -- bounds (I6) ------------------------------------------------------------------------------------------------------

names = st.lists(st.text(max_size=12), max_size=300, unique=True)


@settings(deadline=None, max_examples=50)
@given(names, names, names)
def test_i6_whatever_names_there_are_the_series_are_bounded(
    sources: list[str], rules: list[str], receivers: list[str]
) -> None:
    sums = Sums()
    for rule in rules:
        for verdict in ("fixed", "not_fixed", "unknown", "step", "rollback"):
            sums.attempts[sums.rules.of(rule), verdict] += 1
    now = Snapshot(
        daemon=DaemonFacts(parts=dict.fromkeys(sources, PartFacts(True))),
        sources=dict.fromkeys(sources, SourceFacts()),
        rules=RuleFacts(matches=dict.fromkeys(rules, 1)),
        open=OpenFacts(
            receivers=dict.fromkeys(receivers, True),
            outbox={(each, AlertStatus.PENDING): 1 for each in receivers},
        ),
        sums=sums,
    )
    for family in families(now):
        within(family, "source", SOURCES)
        within(family, "part", SOURCES)
        within(family, "rule", RULES)
        within(family, "receiver", RECEIVERS)
        assert len({each.values for each in family.samples}) == len(family.samples)


def within(family: Family, label: str, most: int) -> None:
    if label in family.metric.labels:
        at = family.metric.labels.index(label)
        assert len({each.values[at] for each in family.samples} - {"other"}) <= most


@settings(deadline=None, max_examples=50)
@given(st.lists(st.dictionaries(st.sampled_from([f"r{n}" for n in range(RULES + 40)]), st.integers(1, 5)), max_size=6))
def test_whatever_rules_come_no_count_of_matches_goes_back(steps: list[dict[str, int]]) -> None:
    now, matched, before = Snapshot(), Counter[str](), dict[tuple[str, ...], float]()
    for step in steps:
        matched.update(step)
        found = values(replace(now, rules=RuleFacts(matches=dict(matched))))["logmedic_rule_matches_total"]
        assert all(found[labels] >= n for labels, n in before.items())
        assert sum(found.values()) == matched.total()
        before = found
