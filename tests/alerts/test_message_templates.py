"""The user's templates: used, checked, bounded; and one that fails keeps no message back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from alerts.messages import ALERT_ID, APPROVAL, HOSTILE, alert_of
from alerts.sending import TOKENS
from alerts.servers import HttpServer
from logmedic.adapters.alerts.customs import check_templates, rendered
from logmedic.adapters.alerts.markup import mrkdwn_fence
from logmedic.adapters.alerts.sender import AppriseSender
from logmedic.model.alert import Receiver

SLACK = Receiver("chat", f"slack://{TOKENS}/#ops")


def written(directory: Path, name: str, text: str) -> Path:
    (directory / name).write_text(text, "utf-8")
    return directory


def test_a_good_template_has_no_problem_and_is_used(tmp_path: Path) -> None:
    written(tmp_path, "slack.md.j2", "*{{ message.stories[0].symptom }}*\n{{ message.stories[0].evidence | fence }}")
    assert check_templates(tmp_path) == []
    made = asyncio.run(AppriseSender(templates=str(tmp_path)).render(alert_of(APPROVAL), SLACK))
    assert made.format == "slack"
    assert "*the shop gets no connection to its database*\n```" in made.body
    assert ALERT_ID in made.body


def test_f74_what_a_template_puts_out_is_text(tmp_path: Path) -> None:
    written(tmp_path, "slack.md.j2", "{{ message.title }}")
    assert "<" not in rendered(tmp_path, "slack.md.j2", HOSTILE, HOSTILE.title)


@pytest.mark.parametrize(
    ("name", "text", "line", "said"),
    [
        ("title.txt.j2", "ok\n{{ message.titel }}", 2, "has no attribute 'titel'"),
        ("body.txt.j2", "{% if %}", 1, "Expected an expression"),
        ("body.txt.j2", "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", 1, "longer"),
        ("body.txt.j2", "{% for a in range(99999) %}xxxxxxxx{% endfor %}", 0, "writes more than"),
        ("body.txt.j2", "{{ 9 ** 9 ** 9 }}", 1, "too large"),
        ("body.txt.j2", "{{ 'x' * 9999999999 }}", 1, "too large"),
        ("body.txt.j2", "{{ message.__class__.__mro__ }}", 1, "unsafe"),
        ("body.txt.j2", "{% include '../secret.j2' %}", 1, "secret.j2"),
    ],
)
def test_a_bad_template_is_found_with_its_line(tmp_path: Path, name: str, text: str, line: int, said: str) -> None:
    (problem,) = check_templates(written(tmp_path, name, text))
    assert (problem.file, problem.line) == (str(tmp_path / name), line)
    assert said in problem.text


def test_a_strange_name_is_found(tmp_path: Path) -> None:
    (problem,) = check_templates(written(tmp_path, "slak.md.j2", "x"))
    assert "slack.md.j2" in problem.hint


def test_a_template_that_fails_keeps_no_message_back_and_the_delivery_says_so(tmp_path: Path) -> None:
    written(tmp_path, "title.txt.j2", "{{ message.titel }}")
    with HttpServer() as server:
        receiver = Receiver("hook", f"json://127.0.0.1:{server.port}/x")
        sender = AppriseSender(templates=str(tmp_path))
        delivery = asyncio.run(sender.send(alert_of(APPROVAL), receiver))
        assert APPROVAL.title.encode() in server.posted[0].body
    assert delivery.delivered
    assert "template title.txt.j2, line 1" in delivery.detail
    assert "the built-in one is used" in delivery.detail


def test_a_fence_is_longer_than_any_run_in_it() -> None:
    assert mrkdwn_fence("a ````` b").count("```") == 2
