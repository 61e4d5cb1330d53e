"""A page as a value: what it asks, what it shows, and what makes it look again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request

from logmedic.adapters.web.callers import Caller
from logmedic.adapters.web.html import Html
from logmedic.model.live import Topic
from logmedic.ports import Control

Answer = dict[str, Any]
"""JSON-ready: the same path with `.json` behind it answers just this."""
Gather = Callable[[Control, Request], Awaitable[Answer]]
"""Asks the daemon. Raises BadRequest for parameters that say nothing, NotFound, and what Control raises."""


@dataclass(frozen=True, slots=True)
class View:
    """Who looks at what. `path`: without a query; `query`: its first value of each name. `counts`: what the navigation
    shows beside names of pages, by their path."""

    caller: Caller
    now: datetime
    host: str
    path: str
    query: Mapping[str, str]
    counts: Mapping[str, int]


Render = Callable[[Answer, View], Html]
"""The inside of <main>. Pure."""


@dataclass(frozen=True, slots=True)
class Page:
    """`title` is that of its answer. `topics`: it is shown anew when one of them changes. `scripts`: of our own static
    files, beside what every page has."""

    path: str
    title: Callable[[Answer], str]
    gather: Gather
    render: Render
    topics: frozenset[Topic] = frozenset()
    scripts: tuple[str, ...] = ()
