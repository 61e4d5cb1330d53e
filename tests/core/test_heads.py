"""What stands before a message, and which program it names."""

from __future__ import annotations

import re
from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.core.heads import head_of, programs

HEADS = {
    "Nov 23 03:12:41 db1 sshd[7]: x": ("sshd", "x"),
    "Nov  3 03:12:41 db1 sudo:    ops : TTY": ("sudo", "   ops : TTY"),
    "<13>Nov 23 03:12:41 db1 a[1]: x": ("a", "x"),
    "2026-11-23T03:12:41.123456+01:00 db1 sshd[7]: x": ("sshd", "x"),
    "2026-11-23T03:12:41Z db1 su: x": ("su", "x"),
    "Nov 23 03:12:41 db1 postfix/smtpd[812]: x": ("postfix/smtpd", "x"),
    "Nov 23 03:12:41 db1 /usr/sbin/cron[3]: x": ("/usr/sbin/cron", "x"),
    "Nov 23 03:12:41 db1 (sd-pam)[7]: x": ("(sd-pam)", "x"),
    "Nov 23 03:12:41 db1 php7.4-fpm[9]: x": ("php7.4-fpm", "x"),
    "Nov 23 03:12:41 192.0.2.7 sshd[7]: x": ("sshd", "x"),
    "Nov 23 03:12:41 fe80::1 sshd[7]: x": ("sshd", "x"),
    "2026-11-23T03:12:41Z 2001:db8:0:0:0:0:0:7 sshd[7]: x": ("sshd", "x"),
    "2026-11-23T03:12:41Z ::ffff:192.0.2.7 sshd[7]: x": ("sshd", "x"),
    "Nov 23 03:12:41 db1 kernel: [ 77.1] x": ("kernel", "x"),
    "Nov 23 03:12:41 db1 kernel: x": ("kernel", "x"),
    "[   12.503] x": ("kernel", "x"),
    "<34>1 2026-11-23T03:12:41.003Z db1 sshd 7 - - x": ("sshd", "x"),
    "<34>1 2026-11-23T03:12:41Z fe80::1 su - ID47 - \ufeffx": ("su", "x"),
    '<165>1 - db1 app 7 ID47 [a@1 b="[\\"c\\]"][d@1] x': ("app", "x"),
    "<34>1 2026-11-23T03:12:41Z db1 sshd 7 - -": ("sshd", ""),
}
NO_HEADS = [
    "",
    "x",
    "sshd[7]: x",
    "Nov 23 03:12:41 db1 last message repeated 3 times",
    "Nov 23 03:12:41 db1 my prog[7]: x",
    "Nov 23 03:12:41 db1 [7]: x",
    "Nov 23 03:12:41 info sshd[7]: x",
    "2026-11-23T03:12:41Z ERROR sshd: x",
    "2026-11-23T03:12:41Z main.go:41 sshd: x",
    "2026-11-23T03:12:41Z 03:12:41 sshd: x",
    "2026-11-23T03:12:41Z std::io sshd: x",
    "2026-11-23 03:12:41 main worker[7]: x",
    "[error] x",
    "<34>2 2026-11-23T03:12:41Z db1 sshd 7 - - x",
    "<34>1 2026-11-23T03:12:41Z db1 sshd 7 - [a x",
    "<34>1 2026-11-23T03:12:41Z db1 sshd 7 - x",
]
HOSTILE = {
    "time": "2026-11-23T03:12:41" + "x" * 1_000_000,
    "host": "Nov 23 03:12:41 " + "h" * 1_000_000,
    "colons": "Nov 23 03:12:41 " + "a::" * 300_000,
    "brackets": "Nov 23 03:12:41 h " + "p" * 64 + "[" * 1_000_000,
    "spaces": "[" + " " * 1_000_000,
    "data": "<34>1 - h a - - " + "[" + 'a="' * 300_000,
    "elements": "<34>1 - h a - - " + '[a b="c"]' * 100_000 + "x",
}


@pytest.mark.parametrize(("text", "said"), HEADS.items())
def test_a_head_names_the_program_and_ends_where_the_message_begins(text: str, said: tuple[str, str]) -> None:
    head = head_of(text)
    assert head is not None
    assert (head.program, text[head.end :]) == said


@pytest.mark.parametrize("text", NO_HEADS)
def test_what_a_program_writes_itself_is_no_head(text: str) -> None:
    assert head_of(text) is None


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_f43_no_text_takes_long(text: str) -> None:
    begun = thread_time()
    assert head_of(text) is None
    assert thread_time() - begun < 0.25


@pytest.mark.parametrize(
    ("names", "program", "taken"),
    [
        (("sshd",), "sshd", True),
        (("sshd",), "sshd-session", False),
        (("sshd*",), "sshd-session", True),
        (("su", "sudo"), "sudo", True),
        (("postfix/*",), "postfix/smtpd", True),
        (("postfix/*",), "postfix", False),
        (("*/smtpd",), "postfix/smtpd", True),
        (("a*b*c",), "abc", True),
        (("a*b*c",), "a-b-b-c-c", True),
        (("a*b*c",), "acb", False),
        (("php*-fpm",), "php7.4-fpm", True),
        (("php.",), "phpx", False),
        (("**",), "anything", True),
    ],
)
def test_a_star_stands_for_any_part_of_a_name(names: tuple[str, ...], program: str, taken: bool) -> None:
    assert (programs(names).fullmatch(program) is not None) is taken


@given(st.text("ab*", max_size=8), st.text("ab", max_size=12))
def test_many_stars_take_what_any_way_to_divide_the_name_would(name: str, program: str) -> None:
    plain = re.compile(re.escape(name).replace(r"\*", ".*"))
    assert (programs((name,)).fullmatch(program) is None) is (plain.fullmatch(program) is None)


def test_f43_many_stars_take_no_longer_than_few() -> None:
    pattern = programs(("*a" * 30 + "b",))
    begun = thread_time()
    assert pattern.fullmatch("a" * 64) is None
    assert thread_time() - begun < 0.25
