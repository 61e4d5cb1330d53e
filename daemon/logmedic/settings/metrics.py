"""`metrics`: where the daemon's figures go, beside /metrics."""

from __future__ import annotations

import re
from datetime import timedelta
from importlib.util import find_spec
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from logmedic.core.addresses import is_loopback
from logmedic.settings.endpoints import address_problem
from logmedic.settings.parts import Duration, Part

SHORTEST, LONGEST_DEADLINE = timedelta(seconds=5), timedelta(minutes=1)
_NEEDED = "opentelemetry.proto.collector.metrics.v1"
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}\Z", re.ASCII)
_RESERVED = frozenset({"content-type", "content-encoding", "content-length", "host", "connection", "user-agent"})


class OtlpSettings(Part):
    """An OpenTelemetry collector that the figures are pushed to; none unless `endpoint` is set. Needs the extra
    `otlp`."""

    endpoint: str = Field(default="", max_length=2000)
    """Of its metrics, OTLP over HTTP: http://127.0.0.1:4318/v1/metrics."""
    every: Duration = timedelta(minutes=1)
    headers: Annotated[dict[str, SecretStr], Field(max_length=20)] = Field(default_factory=dict)
    """What it asks for. Write secrets as ${file:/path}, ${credential:name} or ${env:NAME}."""
    timeout: Duration = timedelta(seconds=10)
    """For all of a push."""
    allow_plain: bool = False
    """Let headers go over the network unencrypted (http:// to another host)."""

    @field_validator("every")
    @classmethod
    def _is_not_too_often(cls, every: timedelta) -> timedelta:
        if every < SHORTEST:
            raise ValueError(f"it is too often; write {SHORTEST.seconds}s or more")
        return every

    @field_validator("timeout")
    @classmethod
    def _is_not_too_long(cls, timeout: timedelta) -> timedelta:
        if timeout > LONGEST_DEADLINE:
            raise ValueError(f"it is too long; write {LONGEST_DEADLINE.seconds}s or less")
        return timeout

    @field_validator("headers")
    @classmethod
    def _are_headers(cls, headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, value in headers.items():
            if not _NAME.match(name) or name.lower() in _RESERVED:
                raise ValueError(f"`{name[:64]}` is no name of a header that can be set")
            secret = value.get_secret_value()
            if not secret.isascii() or not secret.isprintable():
                raise ValueError(f"`{name}` has characters that no header has (line ends, letters beyond ASCII)")
        return headers

    @model_validator(mode="after")
    def _can_be_pushed_to(self) -> Self:
        problem = self._problem() if self.endpoint else ""
        if problem:
            raise ValueError(problem)
        return self

    def _problem(self) -> str:
        if problem := address_problem(self.endpoint):
            return f"`endpoint` {problem}; write http://127.0.0.1:4318/v1/metrics"
        parts = urlsplit(self.endpoint)
        if parts.username is not None or parts.fragment:
            return "`endpoint` has a user or a fragment; what the collector asks for goes into `headers`"
        if parts.scheme == "http" and self.headers and not self.allow_plain and not is_loopback(parts.hostname or ""):
            return (
                "`endpoint` is http:// to another host: headers could be read on the way; use https://, or allow_plain"
            )
        if not is_installed():
            return "what speaks OTLP is not installed; type: pip install 'logmedic[otlp]'"
        return ""


class MetricsSettings(Part):
    otlp: OtlpSettings = OtlpSettings()


def is_installed() -> bool:
    try:
        return find_spec(_NEEDED) is not None
    except (ImportError, ValueError):
        return False
