"""The example of the daemon's own log holds every event that the daemon logs, in the form in which it logs."""

from __future__ import annotations

import ast
import io
import json
import logging
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import structlog

import logmedic
from logmedic.adapters.rulefiles.ownlog import EVENTS, own_lines
from logmedic.cli.logs import configure
from logmedic.core.ownline import FIRST, told

LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}


@cache
def calls() -> tuple[tuple[str, list[str]], ...]:
    """The first argument of each `log.LEVEL(...)` in the program, and the names of its fields."""
    return tuple(_calls())


def _calls() -> Iterator[tuple[str, list[str]]]:
    for path in Path(logmedic.__file__).parent.rglob("*.py"):
        text = path.read_text()
        for node in ast.walk(ast.parse(text)) if "log." in text else ():
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="log"), attr=level), args=[ast.Constant(event), *_]):
                    if level in LEVELS:
                        yield event, [each.arg or "" for each in node.keywords]


def test_every_event_that_is_logged_is_in_the_example() -> None:
    assert set(EVENTS) == {event for event, _ in calls()}


def test_no_field_has_a_name_that_the_log_itself_gives() -> None:
    assert [event for event, names in calls() if set(names) & set(FIRST)] == []


def test_what_the_daemon_logs_by_itself_holds_nothing_that_is_taken_for_a_secret() -> None:
    for event, (_, fields) in EVENTS.items():
        assert told(fields) == fields, event


@pytest.mark.parametrize("event", sorted(EVENTS))
def test_the_example_has_the_form_of_the_log(event: str, tmp_path: Path) -> None:
    level, fields = EVENTS[event]
    root = logging.getLogger()
    before = root.handlers[:]
    with (tmp_path / "out").open("w+") as out:
        try:
            configure(verbose=0, quiet=False, stream=out)
            getattr(structlog.get_logger(), level)(event, **fields)
        finally:
            structlog.reset_defaults()
            root.handlers[:] = before
        out.seek(io.SEEK_SET)
        (written,) = out.read().splitlines()
    stamp = json.loads(written)["timestamp"]
    assert f"Nov 24 03:00:00 web1 logmedic[611]: {written}".replace(stamp, "2026-11-24T03:00:00.000000Z") in own_lines()
