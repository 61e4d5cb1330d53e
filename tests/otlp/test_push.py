"""Figures on their way to an OpenTelemetry collector: whole, in time, and no matter what the collector does."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, Metric

from fakes.clock import FakeClock
from logmedic.adapters.otlp.exporter import Collector, OtlpExporter, resource
from logmedic.adapters.otlp.posting import retry_after_s
from logmedic.core.figures import METRICS
from logmedic.core.figures import families as made_of
from logmedic.model.metric import Kind, Pushed
from otlp.collecting import Collecting, collecting, dripping, hanging, saying
from web.test_metrics import everything, told

BEGAN = datetime(2026, 11, 24, 3, tzinfo=UTC)
NOW = BEGAN + timedelta(hours=2)
FAMILIES = made_of(everything())
T = TypeVar("T")


def run(what: Coroutine[object, object, T]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(20):
            return await what

    return asyncio.run(bounded())


def exporter(url: str, deadline_s: float = 5.0, **headers: str) -> OtlpExporter:
    itself = resource("db1", "1.2", "/var/lib/logmedic/logmedic.duckdb")
    return OtlpExporter(Collector(url, deadline_s, headers), resource=itself, began=BEGAN, clock=FakeClock(NOW))


async def pushed(*answers: object, **given: object) -> tuple[Pushed, Collecting]:
    async with collecting(*answers) as collector:  # type: ignore[arg-type]
        return await exporter(collector.url, **given).push(FAMILIES), collector  # type: ignore[arg-type]


def by_name(collector: Collecting) -> dict[str, Metric]:
    (request,) = collector.taken
    return {metric.name: metric for metric in request.resource_metrics[0].scope_metrics[0].metrics}


def test_everything_arrives_with_its_values_and_labels() -> None:
    outcome, collector = run(pushed())
    assert outcome == Pushed()
    metrics = by_name(collector)
    assert list(metrics) == [each.name for each in METRICS]
    found: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
    for name, metric in metrics.items():
        for point in (*metric.sum.data_points, *metric.gauge.data_points):
            found[name, frozenset((each.key, each.value.string_value) for each in point.attributes)] = point.as_double
    wanted = told(each for each in FAMILIES if each.metric.kind is not Kind.HISTOGRAM)
    assert found == wanted


def test_counters_are_cumulative_and_tell_since_when_where_that_is_known() -> None:
    metrics = by_name(run(pushed())[1])
    for each in METRICS:
        metric = metrics[each.name]
        began = 0 if each.lasting else int(BEGAN.timestamp()) * 10**9
        if each.kind is Kind.COUNTER:
            assert metric.sum.is_monotonic
            assert metric.sum.aggregation_temporality == AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
            assert {point.start_time_unix_nano for point in metric.sum.data_points} == {began}
            assert {point.time_unix_nano for point in metric.sum.data_points} == {int(NOW.timestamp()) * 10**9}


def test_a_histogram_arrives_with_its_buckets() -> None:
    metric = by_name(run(pushed())[1])["logmedic_fix_duration_seconds"]
    (point,) = metric.histogram.data_points
    assert (metric.unit, point.count, point.sum) == ("s", 1, 3.25)
    assert len(point.bucket_counts) == len(point.explicit_bounds) + 1
    assert list(point.bucket_counts) == [int(bound == 5.0) for bound in (*point.explicit_bounds, 0)]
    assert metric.histogram.aggregation_temporality == AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE


def test_it_says_who_it_is_and_a_restart_is_the_same_instance() -> None:
    _, collector = run(pushed())
    (whose,) = collector.taken
    found = {each.key: each.value.string_value for each in whose.resource_metrics[0].resource.attributes}
    assert (found["service.name"], found["service.version"], found["host.name"]) == ("logmedic", "1.2", "db1")
    again, elsewhere = (resource("db1", "1.3", store) for store in ("/var/lib/logmedic/logmedic.duckdb", "/other"))
    assert again["service.instance.id"] == found["service.instance.id"] != elsewhere["service.instance.id"]


def test_headers_of_the_config_go_along_and_are_not_in_what_is_shown() -> None:
    _, collector = run(pushed(Authorization="Bearer hunter2canary"))
    (head,) = collector.heads
    assert head.startswith("POST /v1/metrics HTTP/1.1\r\n")
    assert "Authorization: Bearer hunter2canary" in head
    assert "Content-Type: application/x-protobuf" in head
    assert "hunter2canary" not in repr(Collector("http://x", 1.0, {"Authorization": "hunter2canary"}))


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (saying(503, "Retry-After: 120"), Pushed("it answered 503", 120.0)),
        (saying(429, "Retry-After: nonsense"), Pushed("it answered 429")),
        (saying(400, body="bad protobuf"), Pushed("it answered 400")),
        (saying(302, "Location: http://127.0.0.1:1/elsewhere"), Pushed("it answered 302")),
        (saying(200, body="x" * 100), Pushed()),
        (saying(204), Pushed()),
    ],
    ids=["503", "429", "400", "a redirection", "200", "204"],
)
def test_what_the_collector_answers_is_told(answer: object, wanted: Pushed) -> None:
    assert run(pushed(answer))[0] == wanted


@pytest.mark.parametrize("answer", [hanging, dripping], ids=["hangs", "drips"])
def test_a_collector_that_never_ends_is_given_up_at_the_deadline_and_no_thread_stays(answer: object) -> None:
    async def scenario() -> Pushed:
        outcome, _ = await pushed(answer, deadline_s=0.5)
        while any(each.name == "otlp" for each in threading.enumerate()):
            await asyncio.sleep(0.01)
        return outcome

    assert run(scenario()) == Pushed("it took too long")


def test_nobody_there_is_told_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        outcome = run(exporter(f"http://127.0.0.1:{taken.getsockname()[1]}/v1/metrics").push(FAMILIES))
    assert "Connection refused" in outcome.problem


def test_what_is_no_http_and_what_is_no_tls_are_told() -> None:
    async def strange(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        await writer.drain()

    async def answered_in_plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async def plain() -> Pushed:
        server = await asyncio.start_server(answered_in_plain, "127.0.0.1", 0)
        async with server:
            return await exporter(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/").push(FAMILIES)

    assert run(pushed(strange))[0].problem.startswith("BadStatusLine")
    assert run(plain()).problem.startswith("SSLError")


def test_a_stop_does_not_wait_for_a_push() -> None:
    async def scenario() -> float:
        async with collecting(hanging) as collector:
            pushing = asyncio.create_task(exporter(collector.url, deadline_s=15).push(FAMILIES))
            while not collector.taken:
                await asyncio.sleep(0.01)
            begun = asyncio.get_running_loop().time()
            pushing.cancel()
            await asyncio.gather(pushing, return_exceptions=True)
            assert pushing.cancelled()
            return asyncio.get_running_loop().time() - begun

    assert run(scenario()) < 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30.0),
        ("0", 0.0),
        ("999999999999", 3600.0),
        ("-1", None),
        ("", None),
        ("soon", None),
        ("H1 Jan 1 0:2337203685", None),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 0.0),
        ("Tue, 24 Nov 2026 05:02:00 GMT", 120.0),
        ("Tue, 24 Nov 2026 04:00:00 GMT", 0.0),
    ],
)
def test_a_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert retry_after_s(text, NOW) == seconds
