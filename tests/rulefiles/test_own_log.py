"""The example of the daemon's own log holds every event that the daemon logs, in the form in which it logs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import structlog

import logmedic
from logmedic.adapters.rulefiles.ownlog import EVENTS, own_lines

LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}


def logged_events() -> Iterator[str]:
    """The first argument of each `log.LEVEL(...)` in the program."""
    for path in Path(logmedic.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="log"), attr=level), args=[ast.Constant(event), *_]):
                    if level in LEVELS:
                        yield event


def test_every_event_that_is_logged_is_in_the_example() -> None:
    assert set(EVENTS) == set(logged_events())


def test_the_example_has_the_form_of_the_log() -> None:
    render = structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"])
    stamp = {"timestamp": "2026-11-24T03:00:00.000000Z", "level": "error", "event": "commit_failed"}
    written = render(None, "error", {**stamp, "error": "the store did not take it", "tries": 3})
    assert f"Nov 24 03:00:00 web1 logmedic[611]: {written}" in own_lines()
