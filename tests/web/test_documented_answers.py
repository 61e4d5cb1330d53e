"""Nothing is answered that the document does not tell of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.request import Request, urlopen

import jsonschema_rs
import pytest

from fakes.furnished import FurnishedControl
from fakes.furnished_day import Furnished
from fakes.served import Dashboard, serving_dashboard
from logmedic.adapters.web.endpoint import Endpoint
from logmedic.adapters.web.endpoints import ENDPOINTS
from logmedic.adapters.web.openapi import document

ASKED = [each for each in ENDPOINTS if each.method == "GET" and each.media == "application/json"]
QUERIES = {
    "/v1/sparks": "?rules=nginx-upstream-down",
    "/v1/explain": "?line=disk+is+full",
    "/v1/explain_report": "?report=%7B%22component%22%3A%22shop%22%2C%22error%22%3A%22E%22%7D",
}


@pytest.fixture(scope="module")
def made() -> Furnished:
    return Furnished(datetime.now(UTC))


@pytest.fixture(scope="module")
def dashboard(made: Furnished) -> Iterator[Dashboard]:
    with serving_dashboard(FurnishedControl(made)) as served:
        yield served


def strict(schema: Any) -> Any:
    """With no keys but those that it names."""
    if isinstance(schema, Mapping):
        closed = {name: strict(each) for name, each in schema.items()}
        if "properties" in closed and "additionalProperties" not in closed:
            closed["additionalProperties"] = False
        return closed
    return [strict(each) for each in schema] if isinstance(schema, list) else schema


def target(endpoint: Endpoint, made: Furnished) -> str:
    incident = next(iter(made.open.values()))
    kind = endpoint.path.split("/")[2]
    ids = {"incidents": incident.id, "issues": incident.issue_id, "alerts": incident.id}
    path = endpoint.path.replace("{id}", ids.get(kind, "nginx-upstream-down"))
    return f"{path}{QUERIES.get(path, '?all=true' if path in ('/v1/incidents', '/v1/silences') else '')}"


@pytest.mark.parametrize("endpoint", ASKED, ids=lambda each: each.path)
def test_an_answer_has_the_keys_of_the_document_and_no_others(
    endpoint: Endpoint, made: Furnished, dashboard: Dashboard
) -> None:
    request = Request(dashboard.url + target(endpoint, made), headers={"Authorization": f"Bearer {dashboard.acts}"})
    if endpoint.path == "/v1/learned/{id}":
        pytest.skip("none of these issues was learned")
    with urlopen(request, timeout=20) as response:
        answer = json.loads(response.read())
    whole = document()
    schema = whole["paths"][endpoint.path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    rules = {**strict(schema), "components": strict(whole["components"])}
    jsonschema_rs.validator_for(rules).validate(answer)
