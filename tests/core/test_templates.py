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


@pytest.mark.parametrize(
    ("message", "template"),
    [
        ("order 4711 lost by 10.0.0.7:80", "order <n> lost by <ip>"),
        ("user 3f2b8c1e-1d2e-4f5a-9b8c-0a1b2c3d4e5f gone", "user <uuid> gone"),
        ("took 12.5ms at 0xdeadbeef", "took <dur> at <hex>"),
        ('open "/srv/a b" failed', 'open "<*>" failed'),
        ("mail to ann@shop.example bounced", "mail to <mail> bounced"),
        ("connect to 2001:db8::1 failed", "connect to <ip> failed"),
    ],
)
def test_variable_parts_are_masked(message: str, template: str) -> None:
    assert templates.mask(message) == template


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_numbers_of_one_length_give_one_template(first: int, second: int) -> None:
    assert templates.mask(f"order {first:09d} of {second:09d} lost") == templates.mask(
        "order 111111111 of 222222222 lost"
    )


@given(st.text(max_size=600))
def test_any_text_has_a_template_a_component_and_a_fingerprint(text: str) -> None:
    template = templates.mask(templates.message_of(text))
    component = templates.component_of(text, "app")
    assert len(templates.fingerprint(component, template)) == 16
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
    ],
)
def test_who_said_what(line: str, component: str, message: str) -> None:
    assert (templates.component_of(line, "app"), templates.message_of(line)) == (component, message)


def test_a_line_that_declares_itself_calm_is_calm() -> None:
    assert templates.declares_calm("2026-11-23 INFO shop: error: none seen")
    assert not templates.declares_calm("2026-11-23 ERROR shop: INFO missing")


def test_f43_hostile_messages_are_masked_in_time() -> None:
    for hostile in ("1" * 10_000, "a:" * 5000, '"' + "\\" * 9999, "/" * 5000 + "1", "0a" * 5000, "1.1." * 2500):
        assert len(templates.mask(hostile)) <= 4 * templates.MAX_MESSAGE
