"""The rules in force, and what they matched."""

from __future__ import annotations

from collections.abc import Iterator

from logmedic.core.figures.snapshot import RuleFacts, Snapshot
from logmedic.model.metric import Family, Kind, Metric, Names

LOADED = Metric("logmedic_rules", Kind.GAUGE, "Rules in force.")
PROBLEMS = Metric("logmedic_rule_problems", Kind.GAUGE, "Mistakes in the rule files, as of the last load.")
STALE = Metric(
    "logmedic_rule_files_stale", Kind.GAUGE, "Rule files of which the last good version is in force, not the present."
)
QUARANTINED = Metric("logmedic_rules_quarantined", Kind.GAUGE, "Rules that are not heard, for they cost too much time.")
MATCHES = Metric(
    "logmedic_rule_matches_total",
    Kind.COUNTER,
    "Records that this rule matched, ever; goes on after a restart. Beyond 200 rules: `other`.",
    ("rule",),
    lasting=True,
)
LOADED_AT = Metric("logmedic_reload_last_success_timestamp_seconds", Kind.GAUGE, "When the rules in force were loaded.")
RELOAD_OK = Metric(
    "logmedic_reload_successful", Kind.GAUGE, "1 when the last load went through, and found no mistake in any file."
)
RELOADS = Metric(
    "logmedic_reloads_total",
    Kind.COUNTER,
    "Reloads by result (good, partly, failed), since the daemon's start.",
    ("result",),
)
METRICS = (LOADED, PROBLEMS, STALE, QUARANTINED, MATCHES, LOADED_AT, RELOAD_OK, RELOADS)


def families(now: Snapshot) -> Iterator[Family]:
    rules = now.rules
    yield LOADED.alone(rules.loaded)
    yield PROBLEMS.alone(rules.problems)
    yield STALE.alone(rules.stale_files)
    yield QUARANTINED.alone(rules.quarantined)
    yield MATCHES.each(_matches(rules, now.sums.rules))
    yield LOADED_AT.alone(rules.loaded_at.timestamp() if rules.loaded_at is not None else None)
    yield RELOAD_OK.alone(float(rules.reload_ok))
    yield RELOADS.each(rules.reloads)


def _matches(rules: RuleFacts, places: Names) -> dict[str, float]:
    """Rules that never matched are told of as well (at 0), while there is a place for every rule."""
    matched = sorted((rule, n) for rule, n in rules.matches.items() if n)
    silent = sorted((rule, n) for rule, n in rules.matches.items() if not n)
    sums = places.summed(matched)
    if places.room_for([rule for rule, _ in silent]):
        sums.update(places.summed(silent))
    return sums
