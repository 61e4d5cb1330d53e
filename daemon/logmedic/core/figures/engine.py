"""The engine and its store: is it keeping up, does it keep what it decides."""

from __future__ import annotations

from collections.abc import Iterator

from logmedic.core.figures.snapshot import Snapshot
from logmedic.model.metric import Family, Kind, Metric

WAITING = Metric("logmedic_engine_inputs_waiting", Kind.GAUGE, "Inputs that wait to be decided; bounded by source.")
LAG = Metric(
    "logmedic_engine_decision_lag_seconds", Kind.GAUGE, "How long the oldest input waits to be decided and stored."
)
PROGRESS = Metric(
    "logmedic_engine_progress_age_seconds",
    Kind.GAUGE,
    "Since the engine's last sign of life: it gives one every 5 s when it has nothing to do.",
)
COMMITS = Metric(
    "logmedic_commit_seconds", Kind.HISTOGRAM, "How long commits took, tries included, since the daemon's start."
)
FAILURES = Metric(
    "logmedic_commit_failures_total", Kind.COUNTER, "Tries to commit that failed, since the daemon's start."
)
PROBLEM = Metric("logmedic_store_problem", Kind.GAUGE, "1 while nothing can be stored; then lines wait to be read.")
BYTES = Metric(
    "logmedic_store_bytes",
    Kind.GAUGE,
    "Room on the disk by what it is for (file, log, archive, snapshots, backups); looked at once a minute.",
    ("part",),
)
LIMIT = Metric(
    "logmedic_store_limit_bytes", Kind.GAUGE, "What all parts but backups may take together (storage.max_size)."
)
METRICS = (WAITING, LAG, PROGRESS, COMMITS, FAILURES, PROBLEM, BYTES, LIMIT)


def families(now: Snapshot) -> Iterator[Family]:
    engine = now.engine
    yield WAITING.alone(engine.waiting)
    yield LAG.alone(engine.waiting_s)
    yield PROGRESS.alone(engine.progress_s)
    yield COMMITS.alone(engine.commit_s.spread())
    yield FAILURES.alone(engine.commit_failures)
    yield PROBLEM.alone(float(engine.problem))
    yield BYTES.each(engine.store_bytes)
    yield LIMIT.alone(engine.store_limit or None)
