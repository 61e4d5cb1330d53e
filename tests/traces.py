"""Stack traces as programs of many languages write them, each one record."""

from __future__ import annotations

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
TRACES = {
    "python, chained": PYTHON,
    "java": JAVA,
    "go": GO,
    "node": NODE,
    "ruby": RUBY,
    "php": PHP,
    "php log": PHP_LOG,
    "rust": RUST,
    ".net": DOTNET,
}
