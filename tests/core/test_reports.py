"""A report, from its line to a record: what fits is taken whole, what does not is refused with words."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from logmedic.core import templates
from logmedic.core.reports import FIELDS, MAX_LINE, BadReport, answer_line, entry_of, fields_of, parsed, report_of
from logmedic.model.report import Answer, AnswerState, Report, ReportKind, Sender
from logmedic.model.severity import Severity

NOW = datetime(2026, 11, 26, 11, 22, 33, tzinfo=UTC)
SHOP = Sender(1000, 1000, 4711, "shop")
LEAST = {"id": "r1", "component": "checkout", "error": "TimeoutError"}
WHOLE: dict[str, Any] = {
    **LEAST,
    "kind": "error",
    "message": "the gateway did not answer",
    "action": "charge",
    "traceback": 'Traceback (most recent call last):\n  File "a.py", line 1, in charge\nTimeoutError: x\n',
    "impact": "high",
    "environment": "production",
    "request_id": "8f3c",
    "name": "payments",
    "attempts": 3,
    "strategy": "exponential",
    "tags": ["web", "web", "eu"],
    "context": {"order": "17"},
    "at": "2026-11-26T12:22:30+01:00",
    "wait": 20,
}


def text_of(report: Report) -> str:
    return entry_of(report, 0, "web1", NOW)[0].decode()


def test_the_least_is_a_component_and_what_failed() -> None:
    report = report_of(LEAST, SHOP)
    assert (report.kind, report.impact, report.asks) == (ReportKind.ERROR, Severity.MEDIUM, False)
    assert report.what == "TimeoutError"


def test_a_whole_report_is_taken_as_it_is() -> None:
    report = report_of(WHOLE, SHOP)
    assert report.at == datetime(2026, 11, 26, 11, 22, 30, tzinfo=UTC)
    assert (report.tags, report.context, report.wait) == (("web", "eu"), {"order": "17"}, timedelta(seconds=20))
    assert (report.impact, report.attempts, report.sender) == (Severity.HIGH, 3, SHOP)


def test_what_a_newer_client_says_besides_is_passed_over() -> None:
    assert report_of({**LEAST, "type": "report", "span": {"id": 1}}, SHOP) == report_of(LEAST, SHOP)


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"id": "r 1"}, "form", "`id`: 'r 1' is none"),
    ({"component": ""}, "form", "`component`: it is missing"),
    ({"component": "1shop"}, "form", "`component`: '1shop' is none"),
    ({"component": "a b"}, "form", "`component`: 'a b' is none"),
    ({"error": ""}, "form", "`error`: it says neither"),
    ({"error": 5}, "form", "`error`: this is no text"),
    ({"message": "x" * 4001}, "size", "`message`: it has 4001 characters"),
    ({"traceback": "x" * 32_001}, "size", "`traceback`: it has 32001 characters"),
    ({"kind": "panic"}, "form", "`kind`: 'panic' is none"),
    ({"kind": "circuit_breaker_open"}, "form", "`name`: a report of kind circuit_breaker_open names"),
    ({"impact": "urgent"}, "form", "`impact`: 'urgent' is none"),
    ({"request_id": "a\nb"}, "form", "`request_id`: 'a\\nb' is none"),
    ({"attempts": -1}, "form", "`attempts`: this is no number"),
    ({"attempts": True}, "form", "`attempts`: this is no number"),
    ({"wait": 601}, "form", "`wait`: this is no number"),
    ({"wait": float("nan")}, "form", "`wait`: this is no number"),
    ({"tags": ["a b"]}, "form", "`tags`: one of them"),
    ({"tags": ["a"] * 17}, "form", "`tags`: this is no list"),
    ({"context": {"a b": "c"}}, "form", "`context`: 'a b' is no name"),
    ({"context": {"a": "c" * 1001}}, "size", "`context.a`: it is longer"),
    ({"context": {"a": 5}}, "form", "`context`: 'a' is no name with a text"),
    ({"at": "yesterday"}, "form", "`at`: 'yesterday' is no time"),
    ({"at": "0001-01-01T00:00:00+23:00"}, "form", "`at`:"),
]


@pytest.mark.parametrize(("changed", "reason", "text"), WRONG, ids=[str(each[0])[:40] for each in WRONG])
def test_what_does_not_fit_is_refused_with_its_place(changed: dict[str, Any], reason: str, text: str) -> None:
    with pytest.raises(BadReport) as found:
        report_of({**LEAST, **changed}, SHOP)
    assert (found.value.reason, found.value.text[: len(text)]) == (reason, text)
    assert found.value.hint
    assert found.value.id == ("" if "id" in changed else "r1")


@pytest.mark.parametrize(
    ("line", "reason"),
    [(b"{" * 60_000, "form"), (b"[1]", "form"), (b"\xff\xfe", "form"), (b"", "form"), (b"x" * (MAX_LINE + 1), "size")],
    ids=["deep", "a list", "no text", "empty", "over-long"],
)
def test_what_is_no_line_of_the_protocol_is_refused(line: bytes, reason: str) -> None:
    with pytest.raises(BadReport) as found:
        parsed(line)
    assert found.value.reason == reason


def test_a_report_reads_as_a_line_of_a_log() -> None:
    text = text_of(report_of({**WHOLE, "traceback": ""}, SHOP))
    assert text == (
        "2026-11-26T11:22:30.000000+00:00 web1 checkout[4711]: "
        "ERROR charge: TimeoutError: the gateway did not answer (gave up after 3 attempts)\n"
    )
    assert templates.component_of(text, "reports") == "checkout"


def test_its_trace_stands_below_it() -> None:
    text = text_of(report_of(WHOLE, SHOP))
    assert text.endswith('Traceback (most recent call last):\n  File "a.py", line 1, in charge\nTimeoutError: x\n')
    assert templates.has_trace(text)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("circuit_breaker_open", "WARNING circuit breaker payments opened: TimeoutError"),
        ("circuit_breaker_closed", "INFO circuit breaker payments closed again: TimeoutError"),
        ("graceful_degradation", "WARNING payments degraded: TimeoutError"),
    ],
)
def test_what_is_no_error_does_not_say_that_it_is_one(kind: str, said: str) -> None:
    text = text_of(report_of({**LEAST, "kind": kind, "name": "payments", "traceback": "Traceback"}, SHOP))
    assert text.partition("]: ")[2] == f"{said}\n"
    assert templates.declares_calm(text)


def test_a_message_cannot_write_a_second_line_or_move_a_terminal() -> None:
    text = text_of(report_of({**LEAST, "message": "a\n2026 host sshd[1]: \x1b[31mERROR forged\r"}, SHOP))
    assert text.count("\n") == 1
    assert "\x1b" not in text


@pytest.mark.parametrize("off", [timedelta(days=-400), timedelta(days=-2), timedelta(seconds=5), timedelta(days=2)])
def test_what_is_older_than_a_day_or_still_to_come_counts_as_now(off: timedelta) -> None:
    at = (NOW + off).isoformat()
    _, entry = entry_of(report_of({**LEAST, "at": at}, SHOP), 0, "web1", NOW)
    assert entry.at == NOW


def test_an_entry_has_the_fields_that_the_report_has_and_knows_it() -> None:
    report = report_of(WHOLE, SHOP)
    _, entry = entry_of(report, 7, "web1", NOW)
    assert (entry.start, entry.unit, entry.report) == (7, "checkout", report)
    assert set(entry.fields) == {*FIELDS, "context.order"}
    assert (entry.fields["user"], entry.fields["uid"], entry.fields["tags"]) == ("shop", "1000", "web,eu")
    assert set(fields_of(report_of(LEAST, SHOP))) < set(FIELDS)


def test_an_answer_is_sent_with_all_that_it_says() -> None:
    answer = Answer("r1", AnswerState.HELD, True, "i", "inc", "web-down", "observe", "the daemon only observes")
    told = {"type": "answer", "id": "r1", "state": "held", "final": True}
    why = {"issue": "i", "incident": "inc", "rule": "web-down", "hold": "observe", "detail": "the daemon only observes"}
    assert answer_line(answer) == told | why


def test_half_a_character_is_none() -> None:
    line = b'{"id": "r1", "component": "shop", "error": "a\\ud800b"}'
    assert report_of(parsed(line), SHOP).error == "a?b"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
TOLD = st.fixed_dictionaries({}, optional={name: JSON | st.just(value) for name, value in WHOLE.items()})


@given(TOLD)
def test_whatever_is_told_becomes_one_record_or_is_refused(told: dict[str, Any]) -> None:
    try:
        report = report_of(parsed(json.dumps(told).encode()), SHOP)
    except BadReport as refused:
        event(refused.reason)
        return
    content, entry = entry_of(report, 0, "web1", NOW)
    assert content.endswith(b"\n")
    assert abs((entry.at or NOW) - NOW) <= timedelta(days=1)
    if not report.traceback:
        assert content.count(b"\n") == 1
