"""What the OpenAPI document promises, asked of the real port by a machine that reads nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case, GenerationMode

from fakes.furnished import FurnishedControl
from fakes.furnished_day import Furnished
from fakes.served import Dashboard, serving_dashboard
from logmedic.adapters.web.openapi import document

SOON = "2999-01-01T00:00:00Z"
PROMISED = schemathesis.openapi.from_dict(document()).exclude(path="/v1/events/stream")  # it has no end
ASKED = settings(
    max_examples=8, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
"""The same questions each time: a run says something about the change that it is of."""


class Working(FurnishedControl):
    async def backup(self) -> dict[str, Any]:
        row = {"path": "/var/lib/logmedic/backups/1.duckdb", "bytes": 4096, "rows": {"incidents": 3}}
        return {**row, "contents": {"incidents": [3, "1f"]}, "took_s": 0.2, "held_s": 0.01}


@pytest.fixture(scope="module")
def dashboard() -> Iterator[Dashboard]:
    with serving_dashboard(Working(Furnished(datetime.now(UTC)))) as served:
        yield served


def as_meant(case: Case) -> Case:
    """What no schema can say of one request: times to come, times in order, cursors that were answered, SQL."""
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return case
    query = dict(case.query or {})
    query.pop("cursor", None)
    if "since" in query and "until" in query:
        query.update(since="24h", until="1h")
    elif case.path in ("/v1/trends", "/v1/activity", "/v1/sparks", "/v1/lanes"):
        query = {name: value for name, value in query.items() if name not in ("since", "until")}
    case.query = query
    if isinstance(case.body, Mapping):
        case.body = {name: _as_meant(name, value) for name, value in case.body.items()}
    return case


def _as_meant(name: str, value: Any) -> Any:
    return {"until": SOON, "sql": "SELECT title FROM v_incidents", "time_s": 5}.get(name, value)


@pytest.mark.slow
@PROMISED.parametrize()
@ASKED
def test_every_answer_is_as_the_document_has_it(case: Case, dashboard: Dashboard) -> None:
    headers = {"Authorization": f"Bearer {dashboard.acts}"}
    response = as_meant(case).call(base_url=dashboard.url, headers=headers, timeout=50)
    if response.status_code == 414:  # nothing of it was looked at
        assert set(response.json()) == {"error", "hint"}
        return
    case.validate_response(response)
