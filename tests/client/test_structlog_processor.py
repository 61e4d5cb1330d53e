from __future__ import annotations

from typing import Any

import pytest
import structlog

from fakes.asked_client import AskedClient
from logmedic.client import requestid
from logmedic.client.loghandler import report_processor


@pytest.fixture
def client() -> AskedClient:
    return AskedClient()


def logger(client: AskedClient) -> tuple[Any, list[dict[str, Any]]]:
    """A bound logger as an application configures it, and the events that came out."""
    out = structlog.testing.LogCapture()
    processors = [
        structlog.processors.add_log_level,
        report_processor("checkout", client.real),
        structlog.processors.format_exc_info,
        out,
    ]
    return structlog.wrap_logger(None, processors=processors), out.entries


def test_an_error_is_reported_with_its_values(client: AskedClient) -> None:
    log, _ = logger(client)
    with requestid.bound("r-1"):
        log.error("no_answer", bank="hsbc", tries=3, action="charge")

    (told,) = client.told
    assert told.error == "no_answer"
    assert (told.component, told.action, told.impact, told.request_id) == ("checkout", "charge", "medium", "r-1")
    assert told.context == {"bank": "hsbc", "tries": 3}


def test_an_exception_is_reported_as_such(client: AskedClient) -> None:
    log, entries = logger(client)
    try:
        raise TimeoutError("bank")
    except TimeoutError as error:
        log.exception("cannot_charge")
        raised = error

    (told,) = client.told
    assert told.error is raised
    assert told.context == {"log": "cannot_charge"}
    assert "TimeoutError: bank" in entries[0]["exception"]


@pytest.mark.parametrize("given", ["itself", "tuple"])
def test_exc_info_may_be_an_exception_or_a_tuple(client: AskedClient, given: str) -> None:
    error = ValueError("x")
    log, _ = logger(client)
    log.error("bad", exc_info=error if given == "itself" else (ValueError, error, None))
    assert [each.error for each in client.told] == [error]


def test_critical_is_critical(client: AskedClient) -> None:
    log, _ = logger(client)
    log.critical("lost")
    assert client.told[0].impact == "critical"


def test_other_events_only_get_the_requests_id(client: AskedClient) -> None:
    log, entries = logger(client)
    with requestid.bound("r-2"):
        log.warning("slow")
    log.info("idle")
    assert client.told == []
    assert [each.get("request_id") for each in entries] == ["r-2", None]


def test_an_error_is_reported_once(client: AskedClient) -> None:
    log, _ = logger(client)
    error = ValueError("x")
    log.error("here", exc_info=error)
    log.error("there", exc_info=error)
    assert len(client.told) == 1


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError

    __repr__ = __str__


def test_values_that_cannot_be_written_cost_nobody_anything(client: AskedClient) -> None:
    event = {"event": Unprintable(), "other": Unprintable()}
    assert report_processor("c", client.real)(None, "error", event) is event
