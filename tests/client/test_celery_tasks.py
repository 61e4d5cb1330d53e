"""Tasks of a real Celery: a worker in a thread, a broker in memory."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker
from celery.exceptions import Ignore, Reject

from fakes.asked_client import AskedClient
from logmedic.client import requestid
from logmedic.client.answers import State
from logmedic.client.celery import HEADER, healing_task

PATIENCE_S = 30


class Packing:
    """What the tasks do: they fail with these errors, one a time, and work then."""

    def __init__(self) -> None:
        self.errors: list[Exception] = []
        self.ids: list[str] = []
        self.client = AskedClient()

    def begin(self, *errors: Exception, states: tuple[State, ...] = (State.UNKNOWN,)) -> AskedClient:
        self.errors, self.ids = list(errors), []
        self.client.told.clear()
        self.client.states = deque(states)
        return self.client

    def pack(self, article: str) -> str:
        self.ids.append(requestid.current())
        if self.errors:
            raise self.errors.pop(0)
        return f"packed {article}"


PACKING = Packing()


@pytest.fixture(scope="module")
def tasks() -> Iterator[dict[str, Any]]:
    """By name, with a worker for them."""
    app = Celery("packer", broker="memory://", backend="cache+memory://", set_as_current=False)
    app.conf.worker_hijack_root_logger = False
    app.conf.broker_transport_options = {"polling_interval": 0.01}
    healing = healing_task(client=PACKING.client.real, wait=7.0, impact="high", environment="test")
    kinds = {
        "once": {"base": healing},
        "again": {"base": healing, "repeat_after_fix": True},
        "all": {"base": healing_task("warehouse", repeat=True, action="pack", client=PACKING.client.real)},
        "retried": {"base": healing, "autoretry_for": (ConnectionError,), "max_retries": 2, "default_retry_delay": 0},
    }

    def pack(article: str) -> str:
        return PACKING.pack(article)

    def pack_bound(self: Any, article: str) -> str:
        assert self.request.id
        return PACKING.pack(article)

    made = {name: app.task(name=name, **options)(pack) for name, options in kinds.items()}
    made["bound"] = app.task(name="bound", base=healing, repeat_after_fix=True, bind=True)(pack_bound)
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    try:
        with start_worker(app, perform_ping_check=False, shutdown_timeout=PATIENCE_S):
            yield made
    finally:  # a worker takes its process's log for its own
        root.setLevel(level)
        root.handlers[:] = handlers


def ran(task: Any, **options: Any) -> Any:
    return task.apply_async(("7",), **options).get(timeout=PATIENCE_S, interval=0.01)


def test_a_task_that_works_is_nobodys_matter(tasks: dict[str, Any]) -> None:
    client = PACKING.begin()
    assert ran(tasks["once"], task_id="t-1") == "packed 7"
    assert client.told == []
    assert PACKING.ids == ["t-1"]


def test_a_failed_one_is_reported_with_its_id_and_raised_on(
    tasks: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    client = PACKING.begin(ConnectionError("stock"), states=(State.HELD,))
    with pytest.raises(ConnectionError, match="stock"):
        ran(tasks["once"], task_id="t-2")

    (told,) = client.told
    assert (told.component, told.action, told.impact, told.environment) == ("packer", "once", "high", "test")
    assert (told.request_id, told.asked) == ("t-2", 7.0)
    own = [each for each in caplog.records if each.name == "logmedic.client"]
    assert [(each.levelno, "t-2" in each.getMessage(), each.exc_info) for each in own] == [(logging.ERROR, True, None)]


def test_after_a_fix_it_runs_once_more_where_that_was_declared(tasks: dict[str, Any]) -> None:
    client = PACKING.begin(ConnectionError(), states=(State.FIXED,))
    assert ran(tasks["again"], task_id="t-3") == "packed 7"
    assert PACKING.ids == ["t-3", "t-3"]
    assert len(client.told) == 1


def test_so_does_one_that_is_bound(tasks: dict[str, Any]) -> None:
    PACKING.begin(ConnectionError(), states=(State.FIXED,))
    assert ran(tasks["bound"]) == "packed 7"


def test_it_can_be_declared_for_all_tasks(tasks: dict[str, Any]) -> None:
    client = PACKING.begin(ConnectionError(), states=(State.FIXED,))
    assert ran(tasks["all"]) == "packed 7"
    assert (client.told[0].component, client.told[0].action) == ("warehouse", "pack")


def test_and_nowhere_else(tasks: dict[str, Any]) -> None:
    PACKING.begin(ConnectionError(), states=(State.FIXED,))
    with pytest.raises(ConnectionError):
        ran(tasks["once"])
    assert len(PACKING.ids) == 1


def test_what_fails_again_is_reported_and_not_tried_a_third_time(tasks: dict[str, Any]) -> None:
    client = PACKING.begin(ConnectionError("a"), ConnectionError("b"), states=(State.FIXED,))
    with pytest.raises(ConnectionError, match="b"):
        ran(tasks["again"])
    assert [str(each.error) for each in client.told] == ["a", "b"]
    assert [str(each.error) for each in client.asked] == ["a"]


def test_celerys_own_retries_come_first(tasks: dict[str, Any]) -> None:
    client = PACKING.begin(ConnectionError("a"), ConnectionError("b"))
    assert ran(tasks["retried"], task_id="t-4") == "packed 7"
    assert client.told == []
    assert PACKING.ids == ["t-4"] * 3


def test_the_last_failure_counts(tasks: dict[str, Any]) -> None:
    client = PACKING.begin(*(ConnectionError(each) for each in "abc"))
    with pytest.raises(ConnectionError, match="c"):
        ran(tasks["retried"])
    assert [str(each.error) for each in client.told] == ["c"]


@pytest.mark.parametrize("control", [Ignore, Reject])
def test_what_steers_celery_is_no_failure(tasks: dict[str, Any], control: type[Exception]) -> None:
    client = PACKING.begin(control())
    tasks["once"].apply_async(("7",))
    assert ran(tasks["once"]) == "packed 7"
    assert client.told == []


def test_the_request_that_sends_a_task_hands_its_id_on(tasks: dict[str, Any]) -> None:
    client = PACKING.begin(ConnectionError())
    with requestid.bound("r-17"), pytest.raises(ConnectionError):
        ran(tasks["once"])
    assert PACKING.ids == ["r-17"]
    assert client.told[0].request_id == "r-17"


def test_a_retry_keeps_it(tasks: dict[str, Any]) -> None:
    PACKING.begin(ConnectionError("a"))
    with requestid.bound("r-18"):
        ran(tasks["retried"])
    assert PACKING.ids == ["r-18"] * 2


def test_a_message_says_no_id_that_could_forge_a_line_of_the_log(tasks: dict[str, Any]) -> None:
    PACKING.begin()
    ran(tasks["once"], headers={HEADER: "x\nERROR"})
    assert len(PACKING.ids[0]) == 32


def test_headers_of_the_sender_stay(tasks: dict[str, Any]) -> None:
    PACKING.begin()
    with requestid.bound("r-19"):
        ran(tasks["once"], headers={"other": 1, HEADER: "mine"})
    assert PACKING.ids == ["mine"]


@pytest.mark.slow
def test_a_call_as_a_function_is_one(tasks: dict[str, Any]) -> None:
    client = PACKING.begin(ConnectionError())
    with requestid.bound("r-20"), pytest.raises(ConnectionError):
        tasks["again"]("7")
    assert PACKING.ids == ["r-20"]
    assert client.told == []


@pytest.mark.slow
def test_an_eager_task_is_a_task(tasks: dict[str, Any]) -> None:
    PACKING.begin(ConnectionError(), states=(State.FIXED,))
    assert tasks["again"].apply(("7",)).get() == "packed 7"
