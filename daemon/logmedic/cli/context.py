"""What every command is given: the shared options, the settings, and the way to the daemon or to its store."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import click

from logmedic.cli.output import complain
from logmedic.model.errors import DaemonUnreachable, LogmedicError, NotFound
from logmedic.model.query import Limits

if TYPE_CHECKING:
    from logmedic.cli.client import Client
    from logmedic.settings import Settings

QUERY_GRACE_S = 15.0
"""Beside the time that a query may take: to get its answer."""

F = TypeVar("F", bound=Callable[..., Any])


def _path_of(question: str, given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Where the daemon answers a question of ports.Queries, and with which parameters."""
    match question:
        case "incident":
            return f"incidents/{quote(str(given['incident_id']), safe='')}", {}
        case "issue":
            return f"issues/{quote(str(given['issue_id']), safe='')}", {}
        case "learned":
            return f"learned/{quote(str(given['issue_id']), safe='')}", {}
        case "incidents":
            named = {name: value for name, value in given.items() if name != "everything"}
            return "incidents", {"all": given.get("everything", False), **named}
        case "similar":
            return f"incidents/{quote(str(given['incident_id']), safe='')}/similar", {"limit": given.get("limit", 5)}
        case "silences":
            return "silences", {"all": given.get("since") is None}
        case "events":
            named = {name: value for name, value in given.items() if name != "kinds"}
            return "events", {**named, "kind": ",".join(given.get("kinds") or ()) or None}
    return question, given


@dataclass
class Context:
    """Filled by the shared options, wherever on the command line they stand."""

    config: Path | None = None
    output: str = "table"
    socket: Path | None = None
    store: Path | None = None
    verbose: int = 0
    _told_of_store: bool = False

    @cached_property
    def settings(self) -> Settings:
        """Raises ConfigInvalid."""
        from logmedic.settings import load_settings

        return self._at_store(load_settings(self.config, os.environ))

    @cached_property
    def settings_at_rest(self) -> Settings:
        """For what tells nobody: a secret that the daemon alone has may be missing. Raises ConfigInvalid."""
        from logmedic.settings import load_at_rest

        return self._at_store(load_at_rest(self.config, os.environ))

    def _at_store(self, settings: Settings) -> Settings:
        if self.store is not None:
            settings = settings.model_copy(update={"storage": settings.storage.model_copy(update={"path": self.store})})
        return settings

    @property
    def client(self) -> Client:
        from logmedic.cli.client import Client

        return Client(self._door)

    @property
    def _door(self) -> Path:
        """Raises ConfigInvalid; a daemon that answers is asked all the same."""
        if self.socket is not None:
            return self.socket
        from logmedic.settings.door import door

        return door(self.config, os.environ) or self.settings_at_rest.web.socket

    def ask(self, question: str, **arguments: Any) -> Any:
        """A question to the daemon; without one, to its store."""
        path, parameters = _path_of(question, arguments)
        try:
            return self.client.get(path, **parameters)
        except DaemonUnreachable as unreachable:
            return self._read(question, arguments, unreachable)

    def _read(self, question: str, arguments: dict[str, Any], unreachable: LogmedicError) -> Any:
        from logmedic.adapters.store.reading import open_readonly

        path = self.settings_at_rest.storage.path
        if not _may_exist(path):
            raise unreachable
        with open_readonly(path) as store:
            self.tell_of_store(path)
            return getattr(store, question)(**_of_store(arguments))

    def tell_of_store(self, path: Path) -> None:
        """Once, whatever is asked."""
        if not self._told_of_store:
            self._told_of_store = True
            complain(f"no daemon is running; this is read from {path}")

    def query(self, sql: str, limits: Limits) -> Any:
        """SQL to the daemon; without one, to its store. Answers as ports.Store.query. Raises QueryRefused."""
        from logmedic.cli.client import Client

        client = Client(self._door, limits.time_s + QUERY_GRACE_S)
        try:
            return client.post("query", sql=sql, limit=limits.rows, time_s=limits.time_s)
        except DaemonUnreachable as unreachable:
            return self._query_store(sql, limits, unreachable)

    def _query_store(self, sql: str, limits: Limits, unreachable: LogmedicError) -> Any:
        from logmedic.adapters.store.reading import query

        path = self.settings_at_rest.storage.path
        if not _may_exist(path):
            raise unreachable
        self.tell_of_store(path)
        return query(path, sql, limits)


def _may_exist(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:
        return False


def _of_store(arguments: dict[str, Any]) -> dict[str, Any]:
    """The store takes times where the daemon takes text."""
    from datetime import UTC, datetime

    from logmedic.yamldoc import moment

    given = {name: value for name, value in arguments.items() if value is not None}
    for name in {"since", "until"} & set(given):
        try:
            given[name] = moment(given[name], datetime.now(UTC))
        except ValueError as error:
            raise NotFound(f"--{name}: {error}") from None
    return given


def shared(command: F) -> F:
    """The options that every command takes, before or after its name."""
    return shared_with()(command)


def shared_with(*outputs: str) -> Callable[[F], F]:
    """The same for a command that can print in more ways."""

    def decorated(command: F) -> F:
        for option in reversed((*_OPTIONS, _output(*outputs))):
            command = option(command)
        return command

    return decorated


def _keep(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def keep(context: click.Context, _: click.Parameter, value: Any) -> None:
        if value not in (None, 0):
            setattr(context.ensure_object(Context), name, value)

    return keep


def _option(*names: str, to: str, **options: Any) -> Callable[[F], F]:
    return click.option(*names, expose_value=False, callback=_keep(to), **options)


def _output(*more: str) -> Callable[[F], F]:
    outputs = click.Choice(["table", "json", "jsonl", *more])
    return _option("-o", "--output", to="output", type=outputs, help="How to print.")


_FILE = click.Path(path_type=Path)
_OPTIONS = (
    _option("-c", "--config", to="config", type=_FILE, metavar="FILE", help="The config file.", show_default=False),
    _option("--socket", to="socket", type=_FILE, metavar="PATH", help="The daemon's socket."),
    _option("--store", to="store", type=_FILE, metavar="PATH", help="The store, instead of the configured one."),
    _option("-v", "--verbose", to="verbose", count=True, help="Log more."),
)

pass_context = click.make_pass_decorator(Context, ensure=True)
