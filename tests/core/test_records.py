"""What belongs to one record."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.core.records import MAX_RECORD_LINES, cut, decode, open_tail, spans

PYTHON = (
    b"2026-11-23 03:12:41,123 ERROR shop: payment failed\n"
    b"Traceback (most recent call last):\n"
    b'  File "/srv/shop/pay.py", line 41, in pay\n'
    b"    gateway.charge(order)\n"
    b"KeyError: 'amount'\n"
    b"\n"
    b"During handling of the above exception, another exception occurred:\n"
    b"\n"
    b"Traceback (most recent call last):\n"
    b'  File "/srv/shop/web.py", line 9, in view\n'
    b"    pay(order)\n"
    b"shop.errors.PaymentError: no amount\n"
)
JAVA = (
    b"2026-11-23 03:12:41 ERROR [main] c.e.Shop : refused\n"
    b"java.lang.IllegalStateException: closed\n"
    b"\tat com.example.Shop.pay(Shop.java:41)\n"
    b"Caused by: java.io.IOException: gone\n"
    b"\t... 3 more\n"
)
GO = (
    b"panic: runtime error: index out of range [3] with length 2\n"
    b"\n"
    b"goroutine 1 [running]:\n"
    b"main.(*Shop).Pay(0xc000012345, {0x1, 0x2})\n"
    b"\t/srv/shop/pay.go:41 +0x1d\n"
    b"created by main.serve in goroutine 7\n"
    b"\t/srv/shop/web.go:9 +0x2a\n"
    b"\n"
    b"goroutine 7 [chan receive, 3 minutes]:\n"
    b"main.main()\n"
    b"\t/srv/shop/main.go:3 +0x11\n"
    b"exit status 2\n"
)
NODE = (
    b"TypeError: Cannot read properties of undefined (reading 'amount')\n"
    b"    at pay (/srv/shop/pay.js:41:9)\n"
    b"    at process.processTicksAndRejections (node:internal/process/task_queues:95:5) {\n"
    b"  code: 'E_AMOUNT',\n"
    b"  [cause]: Error: no such order\n"
    b"      at find (/srv/shop/orders.js:3:1)\n"
    b"}\n"
)
RUBY = (
    b"/srv/shop/pay.rb:41:in 'Shop#pay': no amount (ArgumentError)\n"
    b"\tfrom /srv/shop/web.rb:9:in 'block in <main>'\n"
    b"\tfrom /srv/shop/web.rb:3:in `<main>'\n"
)
PHP = (
    b"PHP Fatal error:  Uncaught Exception: no amount in /srv/shop/pay.php:41\n"
    b"Stack trace:\n"
    b"#0 /srv/shop/web.php(9): pay()\n"
    b"#1 {main}\n"
    b"  thrown in /srv/shop/pay.php on line 41\n"
)
PHP_LOG = (
    b"PHP Warning:  Undefined variable $amount in /srv/shop/pay.php on line 41\n"
    b"PHP Stack trace:\n"
    b"PHP   1. {main}() /srv/shop/web.php:0\n"
    b"PHP   2. pay() /srv/shop/web.php:9\n"
)
RUST = (
    b"thread 'main' panicked at src/pay.rs:41:9:\n"
    b"no amount in order 17\n"
    b"stack backtrace:\n"
    b"   0: rust_begin_unwind\n"
    b"             at /rustc/abc/library/std/src/panicking.rs:1:2\n"
    b"note: run with `RUST_BACKTRACE=full` for a verbose backtrace.\n"
)
DOTNET = (
    b"Unhandled exception. System.InvalidOperationException: no amount\n"
    b"   at Shop.Pay(Order order) in /srv/shop/Pay.cs:line 41\n"
    b"   --- End of inner exception stack trace ---\n"
    b"   at Shop.Main()\n"
)
OTHERS = {"go": GO, "node": NODE, "ruby": RUBY, "php": PHP, "php log": PHP_LOG, "rust": RUST, ".net": DOTNET}
LINE = b"2026-11-23 03:12:42,000 INFO shop: up\n"


def texts(block: bytes) -> list[str]:
    return [decode(block, start, end) for start, end in spans(block)]


@pytest.mark.parametrize("trace", [PYTHON, JAVA, *OTHERS.values()], ids=["python, chained", "java", *OTHERS])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_a_trace_is_one_record_between_its_neighbours(trace: bytes, newline: bytes) -> None:
    block = (LINE + trace + LINE).replace(b"\n", newline)
    assert texts(block) == [LINE.decode()[:-1], trace.decode()[:-1], LINE.decode()[:-1]]


def test_indented_lines_belong_to_the_line_before() -> None:
    assert texts(b"error: x\n  hint: y\n\tmore\nnext\n") == ["error: x\n  hint: y\n\tmore", "next"]


def test_two_traces_in_a_row_are_two_records() -> None:
    assert len(texts(PYTHON + PYTHON)) == 2


def test_f16_endless_indented_lines_are_cut() -> None:
    lengths = [text.count("\n") + 1 for text in texts(b"x\n" + b"  y\n" * (2 * MAX_RECORD_LINES))]
    assert max(lengths) <= MAX_RECORD_LINES


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"a\r\n", "a"),
        (b"a\rb\n", "a\rb"),
        (b"a\x00b\n", "a\x00b"),
        (b"a\xff\xfeb\n", "a\ufffd\ufffdb"),
        (b"a", "a"),
        (b"\n", ""),
    ],
    ids=["f19 crlf", "f19 lone cr", "f17 nul", "f18 invalid", "f15 no newline", "empty"],
)
def test_f17_f18_f19_odd_bytes_are_text(raw: bytes, text: str) -> None:
    assert texts(raw) == [text]


def test_an_unfinished_trace_may_grow() -> None:
    unfinished = LINE + b"".join(PYTHON.splitlines(keepends=True)[:4])
    assert open_tail(unfinished) == len(LINE)
    assert open_tail(LINE + LINE) is None


_LINES = [line for trace in (PYTHON, JAVA, *OTHERS.values()) for line in trace.splitlines(keepends=True)]
_PARTS = st.sampled_from([*_LINES, LINE, b"\r\n", b"x"])
_OF_ONE = st.sampled_from([PYTHON, JAVA, *OTHERS.values()]).flatmap(
    lambda trace: st.lists(st.sampled_from([*trace.splitlines(keepends=True), LINE]), max_size=25)
)


@given((st.lists(_PARTS, max_size=25) | _OF_ONE).map(b"".join), st.data())
def test_cutting_at_hits_gives_the_records_of_the_whole_block(block: bytes, data: st.DataObject) -> None:
    every = list(spans(block))
    assert b"".join(block[start:end] for start, end in every) == block
    offsets = data.draw(st.lists(st.integers(1, max(len(block), 1)), max_size=5)) if block else []
    wanted = sorted({span for at in offsets for span in every if span[0] < at <= span[1]})
    assert [(start, end) for start, end, _ in cut(block, [(0, at) for at in offsets])] == wanted
