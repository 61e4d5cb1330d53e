"""Figures as a request of OTLP: https://opentelemetry.io/docs/specs/otel/metrics/data-model/"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from logmedic.model.metric import Family, Kind, Sample, Spread

_CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
_UNITS = {"seconds": "s", "bytes": "By", "ratio": "1"}


def encoded(
    families: Sequence[Family], *, resource: Mapping[str, str], version: str, began: datetime, now: datetime
) -> bytes:
    """`began`: when counting did. Counters that go on after a restart are sent without it: nobody knows it any more."""
    moments = _nanoseconds(began), _nanoseconds(now)
    metrics = [_metric(family, *moments) for family in families if family.samples]
    scope = ScopeMetrics(scope=InstrumentationScope(name="logmedic", version=version), metrics=metrics)
    whose = Resource(attributes=_attributes(resource.items()))
    request = ExportMetricsServiceRequest(resource_metrics=[ResourceMetrics(resource=whose, scope_metrics=[scope])])
    return bytes(request.SerializeToString())


def _metric(family: Family, began: int, now: int) -> Metric:
    metric = family.metric
    about = Metric(name=metric.name, description=metric.help, unit=_unit(metric.name))
    start = 0 if metric.lasting else began
    match metric.kind:
        case Kind.COUNTER:
            points = list(_numbers(family, start, now))
            about.sum.CopyFrom(Sum(data_points=points, aggregation_temporality=_CUMULATIVE, is_monotonic=True))
        case Kind.HISTOGRAM:
            spreads = list(_spreads(family, start, now))
            about.histogram.CopyFrom(Histogram(data_points=spreads, aggregation_temporality=_CUMULATIVE))
        case Kind.GAUGE | Kind.INFO:
            about.gauge.CopyFrom(Gauge(data_points=list(_numbers(family, 0, now))))
    return about


def _numbers(family: Family, start: int, now: int) -> Iterator[NumberDataPoint]:
    for sample in family.samples:
        assert not isinstance(sample.value, Spread)  # noqa: S101  that is what the kind says
        yield NumberDataPoint(
            attributes=_labels(family, sample),
            start_time_unix_nano=start,
            time_unix_nano=now,
            as_double=sample.value,
        )


def _spreads(family: Family, start: int, now: int) -> Iterator[HistogramDataPoint]:
    for sample in family.samples:
        assert isinstance(sample.value, Spread)  # noqa: S101
        yield HistogramDataPoint(
            attributes=_labels(family, sample),
            start_time_unix_nano=start,
            time_unix_nano=now,
            count=sample.value.count,
            sum=sample.value.sum,
            bucket_counts=sample.value.counts,
            explicit_bounds=sample.value.bounds,
        )


def _labels(family: Family, sample: Sample) -> list[KeyValue]:
    return _attributes(zip(family.metric.labels, sample.values, strict=True))


def _attributes(pairs: Iterable[tuple[str, str]]) -> list[KeyValue]:
    return [KeyValue(key=key, value=AnyValue(string_value=value)) for key, value in pairs]


def _unit(name: str) -> str:
    return _UNITS.get(name.removesuffix("_total").rpartition("_")[2], "1")


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1000
