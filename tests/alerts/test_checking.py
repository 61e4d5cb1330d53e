"""F70: what is wrong with a receiver is found before the first alert."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from alerts.sending import TOKENS, mail
from logmedic.adapters.alerts.sender import AppriseSender
from logmedic.model.alert import Receiver

GOOD = {
    "mail": Receiver("mail", mail(25)),
    "slack": Receiver("slack", f"slack://{TOKENS}/#ops"),
    "own": Receiver("own", f"slack://{TOKENS}", "http://chat.example/hooks"),
    "json": Receiver("json", "jsons://hooks.example/x"),
    "json elsewhere": Receiver("json elsewhere", "jsons://hooks.example/x", "http://relay.example:8080"),
}
BAD = {
    "words": (Receiver("words", "call me"), "begins with no scheme://"),
    "unknown": (Receiver("unknown", "slakc://a/b/c"), "knows no slakc:// receivers"),
    "hook": (Receiver("hook", "slack://a"), "cannot use this slack:// URL"),
    "host": (Receiver("host", "mailto://"), "cannot use this mailto:// URL"),
    "endpoint": (
        Receiver("endpoint", f"slack://{TOKENS}", "ftp://chat"),
        "the endpoint is not an http:// or https:// address",
    ),
    "no host": (Receiver("no host", "json://x", "http://"), "the endpoint is not an http:// or https:// address"),
    "not http": (Receiver("not http", mail(25), "http://chat"), "receivers that are reached over HTTP only"),
}


@pytest.fixture(scope="module")
def problems() -> dict[str, str]:
    receivers = [*GOOD.values(), *(receiver for receiver, _ in BAD.values())]
    return asyncio.run(AppriseSender(deadline_s=20).check(receivers))


def test_f70_every_receiver_has_its_answer(problems: dict[str, str]) -> None:
    assert set(problems) == {*GOOD, *BAD}


@pytest.mark.parametrize("name", GOOD)
def test_f70_a_good_receiver_has_no_problem(problems: dict[str, str], name: str) -> None:
    assert problems[name] == ""


@pytest.mark.parametrize("name", BAD)
def test_f70_a_bad_receiver_is_found_without_sending(problems: dict[str, str], name: str) -> None:
    assert BAD[name][1] in problems[name]


def test_f70_no_receivers_need_no_process(tmp_path: Path) -> None:
    assert asyncio.run(AppriseSender(python=str(tmp_path / "missing")).check([])) == {}


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("exit 1", "could not be checked: the process ended without an answer (status 1)"),
        ("exec sleep 60", "could not be checked within 0.5 s"),
    ],
)
def test_f70_a_check_that_fails_is_a_problem_of_each_receiver(tmp_path: Path, script: str, problem: str) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    sender = AppriseSender(deadline_s=0.5, python=str(python))
    assert asyncio.run(sender.check(list(GOOD.values()))) == dict.fromkeys(GOOD, problem)
