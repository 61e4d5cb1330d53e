"""`/metrics`: the figures as Prometheus reads them, as text or, where it asks for it, as OpenMetrics."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

from prometheus_client import exposition
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString
from starlette.requests import Request
from starlette.responses import Response

from logmedic.model.metric import Family, Kind, Sample, Spread
from logmedic.ports import Control

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
MOST_ACCEPTED = 50
"""Media types that are looked at."""
_OPENMETRICS_TYPE = "application/openmetrics-text"
_VERSIONS = frozenset({"0.0.1", "1.0.0"})
_QUALITY = re.compile(r"[01](\.[0-9]{0,3})?", re.ASCII)


def endpoint(control: Control) -> Callable[[Request], Awaitable[Response]]:
    async def metrics(request: Request) -> Response:
        families = await control.metrics()
        accepted = request.headers.get("accept", "")
        body, kind = await asyncio.to_thread(written, families, accepted)
        return Response(body, headers={"Content-Type": kind, "Cache-Control": "no-store"})

    return metrics


def written(families: Sequence[Family], accepted: str) -> tuple[bytes, str]:
    """`accepted`: an Accept header. Answers the text and its media type."""
    collected = _Collected(families)
    if _wants_openmetrics(accepted):
        return bytes(openmetrics.generate_latest(collected)), OPENMETRICS  # type: ignore[no-untyped-call]
    return exposition.generate_latest(collected), TEXT


def _wants_openmetrics(accepted: str) -> bool:
    """At least as much as text, and in a version that we speak; what cannot be read is not asked for. (The library's
    own choice raises over a version that is no number.)"""
    best = {_OPENMETRICS_TYPE: 0.0, "text/plain": 0.0}
    for each in accepted.split(",")[:MOST_ACCEPTED]:
        kind, *parts = (part.strip().lower() for part in each.split(";"))
        given = dict(part.split("=", 1) for part in parts if "=" in part)
        if kind in best and (kind == "text/plain" or given.get("version", "1.0.0") in _VERSIONS):
            best[kind] = max(best[kind], _weight(given.get("q", "1")))
    return best[_OPENMETRICS_TYPE] > 0 and best[_OPENMETRICS_TYPE] >= best["text/plain"]


def _weight(text: str) -> float:
    return float(text) if _QUALITY.fullmatch(text) else 0.0


class _Collected(Collector):
    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        """Those without a sample are left out: nothing is known of them."""
        yield from (_metric(family) for family in self._families if family.samples)


def _metric(family: Family) -> Metric:
    metric = family.metric
    match metric.kind:
        case Kind.COUNTER:
            counter = CounterMetricFamily(metric.name, metric.help, labels=metric.labels)
            for sample in family.samples:
                counter.add_metric(sample.values, _number(sample))
            return counter
        case Kind.GAUGE:
            gauge = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
            for sample in family.samples:
                gauge.add_metric(sample.values, _number(sample))
            return gauge
        case Kind.INFO:
            said = InfoMetricFamily(metric.name.removesuffix("_info"), metric.help)
            for sample in family.samples:
                said.add_metric((), dict(zip(metric.labels, sample.values, strict=True)))
            return said
        case Kind.HISTOGRAM:
            return _histogram(family)


def _histogram(family: Family) -> Metric:
    histogram = HistogramMetricFamily(family.metric.name, family.metric.help, labels=family.metric.labels)
    for sample in family.samples:
        assert isinstance(sample.value, Spread)  # noqa: S101  that is what the kind says
        buckets = [(_bound(bound), float(count)) for bound, count in sample.value.cumulative()]
        histogram.add_metric(sample.values, buckets, sample.value.sum)
    return histogram


def _bound(upper: float) -> str:
    return str(floatToGoString(upper))  # type: ignore[no-untyped-call]


def _number(sample: Sample) -> float:
    assert not isinstance(sample.value, Spread)  # noqa: S101
    return sample.value
