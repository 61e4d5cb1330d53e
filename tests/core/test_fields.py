"""Fields and levels of records, however programs write them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.core.fields import MAX_FIELDS, fields_of, level_of
from logmedic.model.match import Level


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (
            '{"msg":"it broke","n":3,"ok":false,"none":null}',
            {"msg": "it broke", "n": "3", "ok": "false", "none": "null"},
        ),
        ('{"http":{"status":502,"path":"/x"},"tags":["a", "b"]}', {"http.status": "502", "tags.1": "b"}),
        ('Nov 24 03:12:41 web1 app[7]: {"msg":"behind a header"}', {"msg": "behind a header"}),
        ('{"msg":"a \\"quoted\\" \\u00fcber"}', {"msg": 'a "quoted" über'}),
        ('{"a":1,"a":2}', {"a": "2"}),
        (
            'level=error msg="it \\"broke\\"\\n here" took=3ms',
            {"level": "error", "msg": 'it "broke"\n here', "took": "3ms"},
        ),
        ("time=2026-11-24T03:12:41Z level=info msg=started", {"msg": "started"}),
        ("k= other=", {"k": "", "other": ""}),
    ],
)
def test_fields_are_found(text: str, fields: dict[str, str]) -> None:
    assert fields.items() <= fields_of(text).items()


@pytest.mark.parametrize(
    "text",
    [
        "no fields here",
        "only=one pair",
        "{not json}",
        '{"msg": "cut off',
        "[1, 2]",
        "GET /search?a=1&b=2 HTTP/1.1",
        "{" * 5000 + "}",
        '{"a":' * 5000 + "1" + "}" * 5000,
        '{"a":"' + "x" * 70_000 + '"}',
    ],
)
def test_what_has_no_fields_has_none(text: str) -> None:
    assert fields_of(text) == {}


def test_fields_are_bounded() -> None:
    assert len(fields_of(json.dumps({f"k{n}": n for n in range(1000)}))) == MAX_FIELDS
    assert len(fields_of(" ".join(f"k{n}=v" for n in range(1000)))) == MAX_FIELDS


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ('{"level":"warn","msg":"ERROR in the text"}', "warning"),
        ('{"severity":"ERROR"}', "error"),
        ('{"level":50,"msg":"x"}', "error"),
        ('{"log":{"level":"fatal"}}', "critical"),
        ("level=err msg=x", "error"),
        ("2026-11-24 03:12:41,123 CRITICAL app: x", "critical"),
        ("2026/11/24 03:12:41 [error] 611#611: *9 connect() failed", "error"),
        ("[Tue Nov 24 03:12:41.1 2026] [core:warn] [pid 7] x", "warning"),
        ("E1124 03:12:41.123456 1 server.go:7] x", "error"),
        ("W1124 03:12:41.123456 1 server.go:7] x", "warning"),
        ("2026-11-24 03:12:41.123 UTC [77] FATAL:  the database system is starting up", "critical"),
        ("everything is fine", None),
        ("GET /error HTTP/1.1", None),
        ("x" * 200 + " ERROR", None),
    ],
)
def test_the_level_is_told_in_one_set_of_words(text: str, level: str | None) -> None:
    assert level_of(fields_of(text), text) == level


@pytest.mark.parametrize(("priority", "level"), [("0", "critical"), ("3", "error"), ("4", "warning"), ("7", "debug")])
def test_the_journals_priority_is_a_level(priority: str, level: str) -> None:
    assert level_of({"PRIORITY": priority}, "x") == level


VALUES = st.recursive(st.none() | st.text() | st.floats(), lambda inner: st.dictionaries(st.text(), inner))


@given(st.text(max_size=300) | VALUES.map(json.dumps))
def test_no_text_is_too_odd(text: str) -> None:
    fields = fields_of(text)
    assert all(isinstance(value, str) for value in fields.values())
    assert level_of(fields, text) in (None, *Level)
