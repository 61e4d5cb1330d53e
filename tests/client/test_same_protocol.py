"""The client has none of the daemon's modules: what both know of the protocol stands twice, and is the same."""

from __future__ import annotations

from logmedic.client.answers import State
from logmedic.client.sending import wire
from logmedic.core import reports
from logmedic.model.report import AnswerState, ReportKind
from logmedic.model.severity import Severity


def test_the_client_knows_every_answer_of_the_daemon() -> None:
    assert {each.value for each in State} == {each.value for each in AnswerState} | {"away"}


def test_kinds_and_impacts_are_the_daemons() -> None:
    assert set(wire.KINDS) == {each.value for each in ReportKind}
    assert set(wire.IMPACTS) == {each.value for each in Severity}


def test_limits_are_the_daemons() -> None:
    texts = (wire.MAX_LINE, wire.MAX_MESSAGE, wire.MAX_TRACEBACK, wire.MAX_WORDS, wire.MAX_VALUE)
    assert texts == (reports.MAX_LINE, reports.MAX_MESSAGE, reports.MAX_TRACEBACK, reports.MAX_WORDS, reports.MAX_VALUE)
    numbers = (wire.MAX_TAGS, wire.MAX_CONTEXT, wire.MAX_ATTEMPTS, wire.MAX_WAIT_S)
    longest = reports.MAX_WAIT.total_seconds()
    assert numbers == (reports.MAX_TAGS, reports.MAX_CONTEXT, reports.MAX_ATTEMPTS, longest)
