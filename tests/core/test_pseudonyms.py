"""What leaves the host names nobody: the same thing has the same other name everywhere."""

from __future__ import annotations

import json
import string
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from logmedic.core.pseudonyms import SHORTEST_SECRET, Pseudonyms

WORDS = st.text(string.ascii_lowercase + string.digits, min_size=4, max_size=12)
TEXTS = st.text(string.ascii_letters + string.digits + " /:.@=\"'\\\n{}[]-_%é", max_size=80)


def names() -> Pseudonyms:
    return Pseudonyms(secrets=["s3cr3t/x y"], hosts=["web1", "web1.example.com"], users=["alice"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Nov 24 03:00:00 web1 sshd: bye", "Nov 24 03:00:00 host-1 sshd: bye"),
        ("WEB1 and web1", "host-1 and host-1"),
        ("web10 is another", "web10 is another"),
        ("for alice, not for malice", "for user-1, not for malice"),
        ("/home/bob/app.log of /home/bob", "/home/user-1/app.log of /home/user-1"),
        ("203.0.113.7 and 10.0.0.12:80 and 203.0.113.7", "ip-1 and ip-2:80 and ip-1"),
        ("fe80::1ff:fe23:4567:890a on eth0", "ip-1 on eth0"),
        ("127.0.0.1, ::1 and 0.0.0.0", "127.0.0.1, ::1 and 0.0.0.0"),
        ("00:1a:2b:3c:4d:5e at 03:00:00", "mac-1 at 03:00:00"),
        ("to ann@example.org", "to mail-1"),
        ("https://chat.example.org:8443/hook", "https://host-1:8443/hook"),
        ("http://10.1.1.1/ http://localhost:1/", "http://ip-1/ http://localhost:1/"),
        ("2026-11-24T03:00:00Z version 1.2.3", "2026-11-24T03:00:00Z version 1.2.3"),
        ("json://u/s3cr3t%2Fx%20y", "json://host-1/[masked]"),
    ],
)
def test_names_of_hosts_addresses_and_people_are_others(text: str, told: str) -> None:
    assert names().of(text) == told


def test_a_name_is_the_same_in_every_text_and_in_every_place_of_a_row() -> None:
    made = names()
    row = {"host": "web1.example.com", "lines": ["from 203.0.113.7", {"203.0.113.7": 3}], "n": 3, "none": None}
    told = made.of_row(row)
    assert told == {"host": "host-1", "lines": ["from ip-1", {"ip-1": 3}], "n": 3, "none": None}
    assert made.of("203.0.113.7 called https://web1.example.com/") == "ip-1 called https://host-1/"


def test_a_value_is_judged_with_its_key() -> None:
    told = names().of_row({"password": "hunter2sesame", "inner": {"api_key": "abcd1234efgh"}, "mode": "observe"})
    assert told == {"password": "[masked]", "inner": {"api_key": "[masked]"}, "mode": "observe"}


@given(WORDS, TEXTS, TEXTS)
def test_a_known_secret_is_nowhere_whatever_stands_around_it(secret: str, before: str, after: str) -> None:
    assume(len(secret) >= SHORTEST_SECRET and secret not in "[masked]")
    assume(not any(secret in each for each in ("host-1", "user-1", "mail-1", "mac-1")))
    made = Pseudonyms(secrets=[secret])
    assert secret not in made.of(before + secret + after)
    assert secret not in json.dumps(made.of_row({before: [secret + after, {"x": before + secret}]}))


@given(WORDS, TEXTS, TEXTS)
def test_a_name_of_this_host_is_nowhere_where_it_stands_alone(host: str, before: str, after: str) -> None:
    assume(host not in "host user mail masked" and not before.endswith("://") and "@" not in before + after)
    told = Pseudonyms(hosts=[host]).of(f"{before} {host} {after}")
    assert f" {host} " not in told


@pytest.mark.parametrize("text", ["a" * 200_000, "a@" * 100_000, "://" * 70_000, "1." * 100_000, ":" * 200_000])
def test_its_time_is_linear(text: str) -> None:
    began = time.process_time()
    names().of(text)
    assert time.process_time() - began < 10
