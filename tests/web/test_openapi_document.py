"""The OpenAPI document that is kept in docs."""

from __future__ import annotations

import json
from pathlib import Path

from logmedic.adapters.web.openapi import document

SCHEMA = Path(__file__).parents[2] / "docs" / "schema" / "openapi-v1.json"


def test_the_document_in_docs_is_that_of_this_version() -> None:
    assert json.loads(SCHEMA.read_text()) == document(), "make schema"


def test_each_operation_has_a_name_of_its_own() -> None:
    names = [each["operationId"] for at in document()["paths"].values() for each in at.values()]
    assert len(names) == len(set(names))
