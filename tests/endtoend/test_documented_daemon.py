"""A real daemon answers what the document tells of, and no key beside it, through every door."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from endtoend.test_daemon import World, daemon, until
from logmedic.adapters.web.endpoints import ENDPOINTS
from logmedic.adapters.web.openapi import document
from logmedic.adapters.web.tokens import hashed
from logmedic.cli.client import Client
from logmedic.model.errors import PermanentError
from web.test_documented_answers import QUERIES, strict

TOKEN = "lm_of-a-test"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def free_port() -> int:
    with socket.socket() as wire:
        wire.bind(("127.0.0.1", 0))
        return int(wire.getsockname()[1])


def rules_of(path: str) -> Any:
    whole = document()
    schema = whole["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    return jsonschema_rs.validator_for({**strict(schema), "components": strict(whole["components"])})


@pytest.mark.slow
def test_every_question_is_answered_as_the_document_has_it(world: World) -> None:
    port = free_port()
    door = f'logmedic.sock", dashboard: "127.0.0.1:{port}", tokens: {{ t: {{ sha256: "{hashed(TOKEN)}" }} }}, group: "x'
    world.config.write_text(world.config.read_text().replace("logmedic.sock", door))
    with daemon(world):
        world.write("smoke 12", *(f"ERROR the disk of shelf {n} is gone" for n in range(9)))
        until(lambda: "smoke was seen" in world.titles(), "the incident is there")
        client = Client(world.home / "state" / "logmedic.sock")
        (incident,) = client.get("incidents", rule="smoke")
        ids = {"incidents": incident["id"], "issues": incident["issue_id"], "alerts": incident["id"]}
        for each in ENDPOINTS:
            kind = each.path.split("/")[2]
            if each.method != "GET" or each.media != "application/json" or kind in ("learned", "trust"):
                continue
            path = each.path.replace("{id}", ids.get(kind, "smoke")).removeprefix("/v1/")
            rules_of(each.path).validate(client.get(path + QUERIES.get(each.path, "")))
        assert client.get("status")["dashboard"] == {"listen": f"127.0.0.1:{port}", "url": f"http://127.0.0.1:{port}"}
        assert client.post("sign-in")["url"].startswith(f"http://127.0.0.1:{port}/sign-in?ticket=")
        with pytest.raises(PermanentError, match="unknown parameter"):
            client.get("incidents", ruel="smoke")
