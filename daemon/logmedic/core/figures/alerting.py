"""Messages to people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from logmedic.core.figures.snapshot import Snapshot
from logmedic.model.alert import UNDELIVERED, AlertStatus
from logmedic.model.metric import Family, Kind, Metric, Names, Sample

OUTBOX = Metric(
    "logmedic_outbox_alerts",
    Kind.GAUGE,
    "Messages that are still to be told, by receiver and status (pending, sending, deferred).",
    ("receiver", "status"),
)
ALERTS = Metric(
    "logmedic_alerts_total",
    Kind.COUNTER,
    "Messages that are done with, by receiver and status (sent, folded into another, dead: given up), since the "
    "daemon's start.",
    ("receiver", "status"),
)
FAILURES = Metric(
    "logmedic_alert_failures_total", Kind.COUNTER, "Tries to send that failed; goes on after a restart.", lasting=True
)
DELAY = Metric(
    "logmedic_alert_delivery_seconds",
    Kind.HISTOGRAM,
    "From made to sent, digests and quiet hours included, since the daemon's start.",
)
RECEIVER_UP = Metric(
    "logmedic_receiver_up",
    Kind.GAUGE,
    "0 when nothing can be sent to it: its URL is no good, it refuses for good, or its breaker is open.",
    ("receiver",),
)
SILENCES = Metric("logmedic_silences", Kind.GAUGE, "Silences that are in force.")
METRICS = (OUTBOX, ALERTS, FAILURES, DELAY, RECEIVER_UP, SILENCES)
_WAITING = tuple(each for each in AlertStatus if each in UNDELIVERED)
_DONE = tuple(each for each in AlertStatus if each not in UNDELIVERED)


def families(now: Snapshot) -> Iterator[Family]:
    known, sums = now.open, now.sums
    labels = {sums.receivers.of(name): None for name in known.receivers}
    yield OUTBOX.family(_outbox(labels, known.outbox, sums.receivers))
    done = {(label, status.value): 0 for label in labels for status in _DONE} | sums.alerts
    yield ALERTS.family(Sample(each, n) for each, n in done.items())
    yield FAILURES.alone(sums.tallies["alert_failures"])
    yield DELAY.alone(sums.delivery_s.spread())
    yield RECEIVER_UP.each(_up(known.receivers, sums.receivers))
    yield SILENCES.alone(known.silences)


def _outbox(
    labels: Mapping[str, None], outbox: Mapping[tuple[str, AlertStatus], int], places: Names
) -> Iterator[Sample]:
    sums = {(label, status): 0 for label in labels for status in _WAITING}
    for (receiver, status), n in outbox.items():
        label = places.of(receiver)
        sums[label, status] = sums.get((label, status), 0) + n
    yield from (Sample((label, status.value), n) for (label, status), n in sums.items())


def _up(receivers: Mapping[str, bool], places: Names) -> dict[str, float]:
    """Those that share a label are up when all of them are."""
    found: dict[str, float] = {}
    for name, works in receivers.items():
        label = places.of(name)
        found[label] = min(found.get(label, 1.0), float(works))
    return found
