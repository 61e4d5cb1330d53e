"""Gaps are kept, and quiet sources told once (F29, I5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import builders as make
from logmedic.model.alert import AlertPlan
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Quiet, Speaking
from logmedic.model.gap import Gap, SourceEventKind, with_gap

SINCE = make.START - timedelta(minutes=10)


def test_a_gap_is_an_event_with_its_bytes() -> None:
    bench = make.Bench(make.policy())
    gaps = (Gap(SourceEventKind.TRUNCATED, 17, "at byte 4"), Gap(SourceEventKind.HOLE, 3))
    changeset = bench.give(replace(make.observed(), gaps=gaps))
    assert [(each.kind, each.origin, each.lost_bytes, each.detail) for each in changeset.source_events] == [
        (SourceEventKind.TRUNCATED, "a.log", 17, "at byte 4"),
        (SourceEventKind.HOLE, "a.log", 3, ""),
    ]
    assert (bench.tally("gaps"), bench.tally("bytes_lost")) == (2, 20)


def test_gaps_of_one_kind_that_follow_one_another_are_one() -> None:
    gaps: tuple[Gap, ...] = ()
    for each in (Gap(SourceEventKind.HOLE, 1), Gap(SourceEventKind.HOLE, 2), Gap(SourceEventKind.LONG_LINE, 4)):
        gaps = with_gap(gaps, each)
    assert gaps == (Gap(SourceEventKind.HOLE, 3), Gap(SourceEventKind.LONG_LINE, 4))


def test_f29_a_quiet_source_is_told_once_and_its_return_as_well() -> None:
    bench = make.Bench(make.policy())
    bench.give(Quiet("app", SINCE))
    (told,) = bench.new
    assert told.event is AlertEvent.QUIET
    assert told.title.startswith("[QUIET] db1: source app is silent")
    assert "since 2026-11-24 02:50:00 UTC" in told.body
    assert bench.give(Quiet("app", SINCE), after=60).empty
    assert bench.state.quiet_sources == {"app": make.START}
    bench.give(Speaking("app"), after=60)
    (back,) = bench.new
    assert back.event is AlertEvent.RECOVERED
    assert back.title == "[RECOVERED] db1: source app was silent - it speaks again"
    assert "noticed 2 min before the next one came" in back.body
    assert bench.state.quiet_sources == {}
    assert bench.give(Speaking("app")).empty


def test_f29_one_quiet_source_says_nothing_of_another() -> None:
    bench = make.Bench(make.policy())
    bench.give(Quiet("app", SINCE))
    bench.give(Quiet("web", SINCE))
    assert ["source web" in each.title for each in bench.new] == [True]
    assert set(bench.state.quiet_sources) == {"app", "web"}


def test_f29_without_receivers_it_is_still_recorded() -> None:
    bench = make.Bench(make.policy(alerts=AlertPlan({}, "")))
    changeset = bench.give(Quiet("app", SINCE))
    assert [each.kind for each in changeset.source_events] == [SourceEventKind.QUIET]
    assert bench.tally("alerts_without_receiver") == 1
