"""Which lines look like an error, and what is left of them."""

from __future__ import annotations

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from logmedic.core import templates

_DETECTORS = tuple(map(regex.compile, templates.ERROR_DETECTORS))


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-23 03:12:41,123 ERROR shop: order lost",
        "2026/11/23 03:12:41 [emerg] 1#1: bind() failed",
        "2026-11-23 03:12:41.250 UTC [7] FATAL:  role x does not exist",
        '{"level":"error","msg":"order lost"}',
        "level=crit msg=x",
        "E1123 03:12:41.000000       1 a.go:7] lost",
        "Traceback (most recent call last):",
        "Nov 23 03:12:41 h app[7]: panic: runtime error: index out of range",
        "Nov 23 03:12:41 h kernel: app[7]: segfault at 0 ip 0 sp 0 error 4",
    ],
)
def test_an_error_looks_like_one(line: str) -> None:
    assert any(each.search(line) for each in _DETECTORS)


@pytest.mark.parametrize(
    "line",
    [
        '203.0.113.7 - - [23/Nov/2026:03:12:41 +0000] "GET /error/fatal.html HTTP/1.1" 200 5',
        "Nov 23 03:12:41 h app[7]: finished, errors: 0",
        "2026-11-23 INFO shop: error=nil",
        "ERROR_COUNT=0",
    ],
)
def test_ordinary_lines_do_not(line: str) -> None:
    assert not any(each.search(line) for each in _DETECTORS)


@given(st.text(max_size=600))
def test_any_text_has_a_message_and_a_component(text: str) -> None:
    assert len(templates.message_of(text)) <= templates.MAX_MESSAGE
    component = templates.component_of(text, "app")
    assert regex.fullmatch(r"[A-Za-z0-9_.-]{1,64}", component)


@pytest.mark.parametrize(
    ("line", "component", "message"),
    [
        ("Nov 23 03:12:41 db1 postgres[7]: out of memory", "postgres", "out of memory"),
        ("2026-11-23T03:12:41.1+01:00 db1 app.sh[7]: lost", "app.sh", "lost"),
        ("2026/11/23 03:12:41 [error] 611#611: *9 lost", "nginx", "lost"),
        ("2026-11-23 03:12:41,123 - shop.pay - ERROR - lost", "shop.pay", "lost"),
        ("ERROR:shop.pay:lost", "shop.pay", "lost"),
        ('{"level":"error","logger":"shop.pay","msg":"lost"}', "shop.pay", "lost"),
        ('Nov 23 03:12:41 db1 shop[7]: {"level":"error","msg":"lost"}', "shop", "lost"),
        ("WARNING disk low", "app", "disk low"),
        ("2026-11-23 03:12:41 [WARNING] lost", "app", "lost"),
        ("2026-11-23 03:12:41,123 CRITICAL lost", "app", "lost"),
        ("[2026-11-23 03:12:41,123: ERROR/MainProcess] lost", "app", "lost"),
        ("[2026-11-23T03:12:41,000][WARN ] lost", "app", "lost"),
        ("2026-11-23 03:12:41.250 CET [7] FATAL:  lost", "app", "lost"),
        ("700:X 23 Nov 2026 03:12:55.848 # lost", "app", "lost"),
        ("2026-11-23 03:12:41,123 shop.pay     [811]: ERROR   lost", "app", "lost"),
        ("ERRORS were found", "app", "ERRORS were found"),
    ],
)
def test_who_said_what(line: str, component: str, message: str) -> None:
    assert (templates.component_of(line, "app"), templates.message_of(line)) == (component, message)


@pytest.mark.parametrize(
    ("first", "message"),
    [
        ("ERROR shop.pay: charge: bank.Refused: no money", "charge: bank.Refused: no money"),
        ("ERROR shop.pay: order lost", "order lost: bank.Refused: no money"),
    ],
    ids=["that its first line says", "that only its last line says"],
)
def test_an_exception_is_told_once(first: str, message: str) -> None:
    text = f'{first}\nTraceback (most recent call last):\n  File "pay.py", line 7, in pay\nbank.Refused: no money'
    assert templates.message_of(text).removeprefix("shop.pay: ") == message


def test_a_line_that_declares_itself_calm_is_calm() -> None:
    assert templates.declares_calm("2026-11-23 INFO shop: error: none seen")
    assert not templates.declares_calm("2026-11-23 ERROR shop: INFO missing")
