"""Hands figures to an OpenTelemetry collector (OTLP over HTTP, protobuf)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from logmedic.adapters.otlp.encoding import encoded
from logmedic.adapters.otlp.posting import post
from logmedic.model.metric import Family, Pushed
from logmedic.ports import Clock


@dataclass(frozen=True, slots=True)
class Collector:
    """`url`: of its metrics, .../v1/metrics. `headers` may be secret."""

    url: str
    deadline_s: float
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def resource(host: str, version: str, store: str) -> dict[str, str]:
    """Of the daemon that keeps its things in `store`: the same one after a restart is the same instance."""
    return {
        "service.name": "logmedic",
        "service.version": version,
        "service.instance.id": str(uuid5(NAMESPACE_URL, f"logmedic://{host}{store}")),
        "host.name": host,
    }


class OtlpExporter:
    def __init__(self, collector: Collector, *, resource: Mapping[str, str], began: datetime, clock: Clock) -> None:
        self._collector = collector
        self._resource = resource
        self._began = began
        self._clock = clock

    async def push(self, families: Sequence[Family]) -> Pushed:
        """Inside the collector's deadline. Never raises for what it does."""
        body = await asyncio.to_thread(self._body, families)
        return await post(self._collector.url, body, self._collector.headers, self._collector.deadline_s)

    def _body(self, families: Sequence[Family]) -> bytes:
        version = self._resource["service.version"]
        return encoded(families, resource=self._resource, version=version, began=self._began, now=self._clock.now())
