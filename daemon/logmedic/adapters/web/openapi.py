"""The OpenAPI 3.1 document, made of the endpoints."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any

from logmedic.adapters.web.endpoint import Endpoint
from logmedic.adapters.web.endpoints import RESOURCES
from logmedic.adapters.web.fields import Field, Schema

VERSION = "1"
_TAGS = {
    "daemon": "How the daemon does, what waits for people, the kill switch, the store.",
    "incidents": "Episodes of known issues, and what people decide about them.",
    "fixes": "Attempts, breakers, trust, dry runs.",
    "issues": "Known issues, and what is learned of errors that no rule knows.",
    "alerts": "Messages, receivers, silences.",
    "rules": "What each rule costs, how it stands, what it brought.",
    "sources": "What is read, and what was not.",
    "past": "Figures over time, and SQL.",
    "events": "What happened, as a list and as a stream.",
}
_ABOUT = (
    "Over the Unix socket the kernel says who asks: members of its group may look; root, the daemon's own user and "
    "`web.operators` may act. Over TCP a token says so. Times are ISO 8601 in UTC. A later version may add fields, "
    "parameters and endpoints, and values to enumerations; what is here stays as it is."
)
_ERROR = {
    "type": "object",
    "title": "Error",
    "properties": {
        "error": {"type": "string", "description": "What is wrong."},
        "hint": {"type": "string", "description": "What to do next; may be empty."},
    },
    "required": ["error", "hint"],
}
_MEANINGS = {
    400: "The request does not say what is wanted.",
    401: "Nobody knows who asks. Over TCP: send a token.",
    403: "Who asks may look, and not act.",
    404: "There is nothing of that name.",
    409: "As things are it cannot be done.",
    413: "The body is too large.",
    414: "The address is too long.",
    415: "The body is no JSON.",
    429: "Too much was wrong from there.",
    431: "The head of the request is too long.",
    503: "It may work later.",
}
_LINK = {
    "description": 'Where the next page is: `<...>; rel="next"`. Missing on the last one.',
    "schema": {"type": "string"},
}


@cache
def document() -> dict[str, Any]:
    """Not to be written to."""
    schemas: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    for tag, endpoints in RESOURCES.items():
        for each in endpoints:
            paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, tag)
    paths["/metrics"] = {"get": _metrics()}
    hoisted = _hoisted({"paths": paths}, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "logmedic", "version": VERSION, "description": _ABOUT},
        "servers": [{"url": "/", "description": "The Unix socket, or the loopback port of `web.dashboard`."}],
        "security": [{"token": []}, {"session": []}, {}],
        "tags": [{"name": name, "description": about} for name, about in _TAGS.items()],
        **hoisted,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "Over TCP; of scope read or act."},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "logmedic-8632",
                    "description": "Over TCP, of a browser that signed in; the port is part of the name. Only reads.",
                },
            },
        },
    }


def _operation(endpoint: Endpoint, tag: str) -> dict[str, Any]:
    rights = "For who may act. " if endpoint.acts else ""
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "tags": [tag],
        "summary": endpoint.summary,
        "description": f"{rights}{endpoint.about}".strip(),
        "parameters": [*_path(endpoint), *map(_parameter, endpoint.query)],
        "responses": {"200": _answer(endpoint), **_refusals(endpoint.statuses)},
    }
    if endpoint.acts:
        operation["security"] = [{"token": []}, {}]
    if endpoint.body is not None:
        operation["requestBody"] = _body(endpoint.body, endpoint.together)
    return operation


def _path(endpoint: Endpoint) -> list[dict[str, Any]]:
    if "{id}" not in endpoint.path:
        return []
    shown: dict[str, Any] = {"name": "id", "in": "path", "required": True, "description": endpoint.subject}
    if endpoint.example:
        shown["example"] = endpoint.example
    return [{**shown, "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[^/]+$"}}]


def _parameter(field: Field) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": field.name, "in": "query", "description": field.about}
    if field.needed:
        shown["required"] = True
    if field.as_json:
        return {**shown, "content": {"application/json": {"schema": field.schema, "example": field.example}}}
    if field.example is not None:
        shown["example"] = field.example
    return {**shown, "schema": field.schema}


def _body(fields: Sequence[Field], together: Schema) -> dict[str, Any]:
    needed = [each.name for each in fields if each.needed]
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {each.name: {**each.schema, "description": each.about} for each in fields},
        "additionalProperties": False,
        **together,
    }
    if needed:
        schema["required"] = needed
    example = {each.name: each.example for each in fields if each.needed}
    return {
        "required": bool(needed) or "oneOf" in together,
        "content": {"application/json": {"schema": schema, "example": example}},
    }


def _answer(endpoint: Endpoint) -> dict[str, Any]:
    shown: dict[str, Any] = {"description": endpoint.summary, "content": {endpoint.media: {"schema": endpoint.answer}}}
    return {**shown, "headers": {"Link": _LINK}} if endpoint.pages else shown


def _refusals(statuses: Sequence[int]) -> dict[str, Any]:
    content = {"application/json": {"schema": _ERROR}}
    return {
        str(each): {"description": _MEANINGS.get(each, HTTPStatus(each).phrase), "content": content}
        for each in statuses
    }


def _metrics() -> dict[str, Any]:
    return {
        "operationId": "metrics",
        "tags": ["past"],
        "summary": "The figures as Prometheus reads them",
        "description": "See docs/metrics.md.",
        "parameters": [],
        "responses": {
            "200": {
                "description": "Text, or OpenMetrics where it is asked for.",
                "content": {
                    "text/plain": {"schema": {"type": "string"}},
                    "application/openmetrics-text": {"schema": {"type": "string"}},
                },
            },
            **_refusals((401, 403, 503)),
        },
    }


def _hoisted(value: Any, schemas: dict[str, Any]) -> Any:
    """With a reference in the place of each schema that has a title, and those schemas, by their titles."""
    if isinstance(value, Mapping):
        whole = {key: _hoisted(each, schemas) for key, each in value.items()}
        title = whole.get("title")
        if not isinstance(title, str) or "type" not in whole:
            return whole
        found = schemas.setdefault(title, whole)
        assert found == whole, f"two schemas are called {title}"  # noqa: S101  a mistake of ours
        return {"$ref": f"#/components/schemas/{title}"}
    if isinstance(value, list | tuple):
        return [_hoisted(each, schemas) for each in value]
    return value


if __name__ == "__main__":  # `make schema`
    sys.stdout.write(f"{json.dumps(document(), indent=1, ensure_ascii=False)}\n")
