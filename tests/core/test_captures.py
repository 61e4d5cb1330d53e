"""Nothing of a log line leaves the matcher but through a type."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.core.captures import accept, fill, fill_title
from logmedic.model.match import Capture, CaptureType

TEN = ("10.0.0.0/8", "shop.example", ".svc.example")


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("ip", "203.0.113.7"),
        ("ip", "2001:db8::1"),
        ("hostport", "10.0.0.12:8080"),
        ("hostport", "[2001:db8::1]:443"),
        ("hostport", "app-1.shop.example:80"),
        ("hostname", "shop.example"),
        ("int", "0042"),
        ("path", "/var/lib/über/a b"),
        ("unit", "getty@tty1.service"),
        ("unit", "dev-disk-by\\x2duuid.device"),
        ("word", "pg_stat.tmp-1"),
    ],
)
def test_a_whole_value_of_the_type_is_accepted(kind: str, value: str) -> None:
    assert accept(value, Capture(CaptureType(kind))) == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("ip", "203.0.113.7; reboot"),
        ("ip", "256.1.1.1"),
        ("ip", "fe80::1%$(id)"),
        ("hostport", "10.0.0.12"),
        ("hostport", "10.0.0.12:0"),
        ("hostport", "10.0.0.12:65536"),
        ("hostport", "user@10.0.0.12:80"),
        ("hostport", "[10.0.0.1]:80"),
        ("hostport", "999.0.0.1:80"),
        ("hostname", "-rf.example"),
        ("hostname", "a..b"),
        ("hostname", "10.0.0.1"),
        ("hostname", "shop.example\n"),
        ("int", "-1"),
        ("int", "1e9"),
        ("int", "٣"),
        ("path", "relative/path"),
        ("path", "/var/../etc/shadow"),
        ("path", "//host/share"),
        ("path", "/tmp/a\nb"),
        ("path", "/tmp/\u202egnp"),
        ("unit", "app.service;reboot"),
        ("unit", "../x.service"),
        ("unit", "--force.service"),
        ("word", "$(id)"),
        ("word", "`id`"),
        ("word", "-rf"),
        ("word", "a b"),
        ("word", ""),
        ("word", "x" * 300),
        ("word", "a\x00"),
    ],
)
def test_anything_else_is_refused(kind: str, value: str) -> None:
    assert accept(value, Capture(CaptureType(kind))) is None


@pytest.mark.parametrize(
    ("capture", "value", "taken"),
    [
        (Capture(CaptureType.IP, allow=TEN), "10.9.8.7", True),
        (Capture(CaptureType.IP, allow=TEN), "::ffff:10.9.8.7", True),
        (Capture(CaptureType.IP, allow=TEN), "11.9.8.7", False),
        (Capture(CaptureType.HOSTPORT, allow=TEN), "10.9.8.7:80", True),
        (Capture(CaptureType.HOSTPORT, allow=TEN), "shop.example:80", True),
        (Capture(CaptureType.HOSTPORT, allow=TEN), "evil-shop.example:80", False),
        (Capture(CaptureType.HOSTNAME, allow=TEN), "a.svc.example", True),
        (Capture(CaptureType.HOSTNAME, allow=TEN), "asvc.example", False),
        (Capture(CaptureType.PATH, allow=("/var/spool",)), "/var/spool/x", True),
        (Capture(CaptureType.PATH, allow=("/var/spool",)), "/var/spoolx", False),
        (Capture(CaptureType.UNIT, allow=("app.service",)), "app.service", True),
        (Capture(CaptureType.UNIT, allow=("app.service",)), "ssh.service", False),
        (Capture(CaptureType.ENUM, values=("prices", "stock")), "stock", True),
        (Capture(CaptureType.ENUM, values=("prices", "stock")), "stocks", False),
        (Capture(CaptureType.INT, minimum=1, maximum=9), "9", True),
        (Capture(CaptureType.INT, minimum=1, maximum=9), "10", False),
        (Capture(CaptureType.INT, minimum=1), "0", False),
    ],
)
def test_bounds_hold(capture: Capture, value: str, taken: bool) -> None:
    assert accept(value, capture) == (value if taken else None)


@given(st.sampled_from(CaptureType), st.text(max_size=40))
def test_what_is_accepted_is_never_an_option_nor_hides_anything(kind: CaptureType, value: str) -> None:
    taken = accept(value, Capture(kind, values=(value,)))
    if taken is not None:
        assert taken == value
        assert taken.isprintable()
        assert not taken.startswith("-")
        if kind not in (CaptureType.PATH, CaptureType.ENUM):
            assert not set(taken) & set(" ;|&$`<>\"'(){}*?!#~\t\n")


@given(st.ip_addresses())
def test_every_address_is_an_ip(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    assert accept(str(address), Capture(CaptureType.IP)) == str(address)


def test_a_value_with_braces_is_not_filled_again() -> None:
    assert fill("--shard={a} {b}", {"a": "{b}", "b": "x"}) == "--shard={b} x"


def test_a_title_shows_what_is_missing() -> None:
    assert fill_title("{a} is down ({b})", {"a": "web"}) == "web is down (?)"
