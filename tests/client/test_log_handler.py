"""Reports out of an application's log, and the request's id on each of its lines."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from fakes.asked_client import AskedClient
from logmedic.client import requestid
from logmedic.client.loghandler import ReportHandler, RequestIdFilter


@pytest.fixture
def client() -> AskedClient:
    return AskedClient()


@pytest.fixture
def log(client: AskedClient) -> Iterator[logging.Logger]:
    """Whose records are reported, and nowhere else."""
    logger = logging.getLogger("shop")
    handler = ReportHandler(component="checkout", client=client.real)
    logger.addHandler(handler)
    logger.propagate = False
    yield logger
    logger.removeHandler(handler)
    logger.propagate = True


def test_an_error_is_reported_with_what_it_said_and_where(client: AskedClient, log: logging.Logger) -> None:
    with requestid.bound("r-1"):
        log.error("no answer from %s", "bank")

    (told,) = client.told
    assert told.error == "no answer from bank"
    assert (told.component, told.action, told.impact, told.request_id) == ("checkout", "shop", "medium", "r-1")
    assert told.context["where"].startswith("test_log_handler:")


def test_an_exception_is_reported_as_such_and_what_was_said_is_context(
    client: AskedClient, log: logging.Logger
) -> None:
    try:
        raise TimeoutError("bank")
    except TimeoutError as error:
        log.exception("cannot charge")
        raised = error

    (told,) = client.told
    assert told.error is raised
    assert told.context["log"] == "cannot charge"


def test_the_application_says_what_it_was_doing(client: AskedClient, log: logging.Logger) -> None:
    log.critical("lost", extra={"component": "ledger", "action": "charge", "request_id": "r-9"})

    (told,) = client.told
    assert (told.component, told.action, told.impact, told.request_id) == ("ledger", "charge", "critical", "r-9")


def test_what_is_below_the_level_is_not_reported(client: AskedClient, log: logging.Logger) -> None:
    log.warning("slow")
    assert client.told == []


def test_an_error_is_reported_once_however_often_it_is_logged(client: AskedClient, log: logging.Logger) -> None:
    error = ValueError("x")
    log.error("here", exc_info=error)
    log.error("and here", exc_info=error)
    assert len(client.told) == 1


def test_nor_is_one_that_was_reported_in_a_request_which_is_over(client: AskedClient, log: logging.Logger) -> None:
    """As servers log what an application raises."""
    error = ValueError("x")
    with requestid.bound("r-1"):
        log.error("here", exc_info=error)
    log.error("and outside", exc_info=error)
    with requestid.bound("r-2"):
        log.error("in another request, which raised the same object", exc_info=error)
    assert [each.request_id for each in client.told] == ["r-1", "r-2"]


@pytest.mark.parametrize("name", ["logmedic.client", "logmedic.client.sending.sender"])
def test_the_clients_own_words_are_no_reports(client: AskedClient, log: logging.Logger, name: str) -> None:
    handler = log.handlers[0]
    handler.handle(logging.LogRecord(name, logging.ERROR, __file__, 1, "dropped", (), None))
    assert client.told == []


@pytest.mark.parametrize("end", [KeyboardInterrupt(), SystemExit(1), GeneratorExit()])
def test_what_ends_a_program_is_no_error(client: AskedClient, log: logging.Logger, end: BaseException) -> None:
    log.error("stopping", exc_info=end)
    assert client.told == []


def test_arguments_that_do_not_fit_cost_nobody_anything(client: AskedClient, log: logging.Logger) -> None:
    handler = log.handlers[0]
    handler.handle(logging.LogRecord("shop", logging.ERROR, __file__, 1, "%d of %d", ("x",), None))
    assert [each.error for each in client.told] == ["%d of %d"]


@pytest.mark.parametrize("exc_info", [(None, None, None), True, ()], ids=["nothing", "a flag", "empty"])
def test_a_record_whose_exception_is_none_is_reported_by_its_words(
    client: AskedClient, log: logging.Logger, exc_info: Any
) -> None:
    log.handlers[0].handle(logging.makeLogRecord({"name": "a", "msg": "x", "levelno": 40, "exc_info": exc_info}))
    assert [each.error for each in client.told] == ["x"]


def test_a_record_of_nothing_costs_nobody_anything(log: logging.Logger) -> None:
    log.handlers[0].handle(logging.makeLogRecord({"levelno": 40}))


class Broken(AskedClient):
    def report(self, error: BaseException | str, **facts: object) -> str:
        raise RuntimeError("the client is broken")


def test_a_broken_client_costs_nobody_anything() -> None:
    ReportHandler(client=Broken().real).handle(logging.LogRecord("a", logging.ERROR, __file__, 1, "x", (), None))


def written(record: logging.LogRecord) -> str:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.addFilter(RequestIdFilter())
    handler.setFormatter(logging.Formatter("[%(request_id)s] %(message)s"))
    handler.handle(record)
    return out.getvalue()


def test_each_line_carries_the_requests_id() -> None:
    with requestid.bound("r-2"):
        assert written(logging.LogRecord("any", logging.INFO, __file__, 1, "hello", (), None)) == "[r-2] hello\n"


def test_outside_of_a_request_it_is_a_dash() -> None:
    assert written(logging.LogRecord("any", logging.INFO, __file__, 1, "hello", (), None)) == "[-] hello\n"


def test_an_id_that_the_application_has_set_stays() -> None:
    record = logging.makeLogRecord({"msg": "hello", "request_id": "mine"})
    with requestid.bound("r-3"):
        assert written(record) == "[mine] hello\n"
