"""doctor."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.doctor import (
    clock,
    config,
    limits,
    python,
    receivers,
    rules,
    sandbox,
    service,
    socket,
    sources,
    store,
)
from logmedic.cli.doctor.apart import ROOT_HINT, looked
from logmedic.cli.doctor.finding import Check, Finding, Person, State, unknown
from logmedic.cli.doctor.host import Daemon, daemon_at, myself, runs_as
from logmedic.cli.output import print_json, visible
from logmedic.cli.systemdunit import Unit, unit_of

if TYPE_CHECKING:
    from logmedic.settings import Settings

MARKS = {State.WELL: "✓", State.WRONG: "✗", State.WARNING: "!", State.UNKNOWN: "?"}
_COLORS = {State.WELL: "green", State.WRONG: "red", State.WARNING: "yellow", State.UNKNOWN: "cyan"}
_SYSTEM = {"STATE_DIRECTORY": "/var/lib/logmedic", "RUNTIME_DIRECTORY": "/run/logmedic"}
"""What the unit sets, for who looks from outside."""
ILL = 1


@click.command("doctor")
@shared
@pass_context
def doctor_command(context: Context) -> int:
    """What must be well for the daemon to do its job: each thing, what was found, and what to type when it is not
    well. Works with a daemon and without one; root sees most. Nothing is changed, nothing is sent. Exit code 1 when
    anything is wrong."""
    findings: list[Finding] = []
    for found in examined(context):
        findings += found
        if context.output == "table":
            _print(found)
    if context.output == "json":
        print_json([asdict(each) for each in findings])
    elif context.output == "jsonl":
        import json

        for each in findings:
            print(json.dumps(asdict(each)))
    else:
        print(summary(findings))
    return ILL if any(each.state is State.WRONG for each in findings) else 0


def examined(context: Context) -> Iterator[list[Finding]]:
    """What each check found, in order. Makes the process's environment that of the unit, where there is one."""
    unit = unit_of()
    if unit.is_installed and context.config is None and "LOGMEDIC_CONFIG" not in os.environ:
        for name, value in _SYSTEM.items():
            os.environ.setdefault(name, value)
    env = config.environment(os.environ)
    first = [
        Check("python", python.look, python.IMPORT_S + 5),
        Check("config", lambda: config.look(context.config, env)),
        Check("time zone", config.zone),
    ]
    loads = False
    for check, found in zip(first, looked(first), strict=True):
        yield found
        loads = loads or (check.name == "config" and any(each.state is State.WELL for each in found))
    settings = _settings(context, env) if loads else None
    yield from looked(list(_checks(Scene(context, settings, unit))))


def _settings(context: Context, env: dict[str, str]) -> Settings | None:
    settings = config.loaded(context.config, env)
    if settings is not None and context.store is not None:
        storage = settings.storage.model_copy(update={"path": context.store})
        settings = settings.model_copy(update={"storage": storage})
    return settings


@dataclass(frozen=True, slots=True)
class Scene:
    """What the checks are about. `settings` None: the config does not load."""

    context: Context
    settings: Settings | None
    unit: Unit

    @property
    def socket(self) -> Path:
        if self.context.socket is not None:
            return self.context.socket
        if self.settings is not None:
            return self.settings.web.socket
        return Path(os.environ.get("RUNTIME_DIRECTORY", _SYSTEM["RUNTIME_DIRECTORY"]).split(":")[0]) / "logmedic.sock"


def _checks(scene: Scene) -> Iterator[Check]:
    settings, unit, me = scene.settings, scene.unit, myself()
    daemon = daemon_at(scene.socket)
    user = runs_as(unit, daemon)
    group = settings.web.group if settings is not None else "logmedic"
    yield Check("unit", lambda: service.look(unit, daemon))
    yield Check("socket", lambda: socket.look(scene.socket, group, me, daemon))
    if user is None:
        yield Check("daemon's user", lambda: [sources.nobody(unit.shown.get("User", ""))])
    if settings is None:
        yield Check("rest", lambda: [unknown("rest", "the config does not load: what it names was not looked at")])
        return
    config_file = scene.context.config
    yield Check("secrets", lambda: config.of_secret_files(config_file, os.environ, user or me))
    yield from _of_settings(settings, unit, daemon, user or me)


def _of_settings(settings: Settings, unit: Unit, daemon: Daemon | None, user: Person) -> Iterator[Check]:
    status = daemon.status if daemon is not None else None
    pid = daemon.pid if daemon is not None else 0
    home = unit.shown.get("ProtectHome", "") if unit.is_installed else ""
    written = [settings.storage.path, settings.storage.path.with_name(f"{settings.storage.path.name}.wal")]
    yield Check("store", lambda: store.look(settings, daemon))
    yield Check("state directory", lambda: store.look_as_the_daemon(settings.storage.path, user.name), to_be=user)
    yield Check("rules", lambda: rules.look(settings, status), rules.LIMIT_S)
    yield Check("sandbox", lambda: sandbox.look(settings), sandbox.LIMIT_S, user)
    if status is not None:
        yield Check("daemon's fixes", lambda: sandbox.of_daemon(status))
        yield Check("sources", lambda: sources.of_daemon(status["sources"]))
        yield Check("messages", lambda: receivers.of_daemon(status["alerts"]))
    yield Check("sources", lambda: sources.look(settings, user.name, home), sources.LIMIT_S, user)
    yield Check("receivers", lambda: receivers.look(settings), receivers.LIMIT_S)
    yield Check(
        "limits",
        lambda: limits.look(settings, user=user.name, uid=user.uid, pid=pid, unit=unit.shown),
        sources.LIMIT_S,
    )
    yield Check("clock", lambda: clock.look([*written, Path(python.__file__)]))


def _print(findings: Iterable[Finding]) -> None:
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    for each in findings:
        mark, *rest = lines_of(each, width)
        if _has_color():
            mark = click.style(mark[:1], fg=_COLORS[each.state], bold=True) + mark[1:]
        print("\n".join((mark, *rest)))
    sys.stdout.flush()


def lines_of(finding: Finding, width: int = 0) -> list[str]:
    """Folded to `width` characters; 0: it is read by programs too, and stays whole. A repair is never folded: it is
    what people copy."""
    head = f"{MARKS[finding.state]} {visible(finding.name):<{WIDTH}} "
    room = max(width - len(head), _NARROWEST) if width else 0
    found = visible(finding.found)
    lines = textwrap.wrap(found, room, break_on_hyphens=False) if room else [found]
    told = [f"{head if number == 0 else ' ' * len(head)}{line}" for number, line in enumerate(lines or [""])]
    if finding.repair and finding.state is not State.WELL:
        told.append(f"{' ' * (len(head) if not width or room > _NARROWEST else 2)}→ {visible(finding.repair)}")
    return told


WIDTH = 18
"""Of the names."""
_NARROWEST = 30
"""What is found has so much room on the narrowest terminal."""


def _has_color() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def summary(findings: Sequence[Finding]) -> str:
    count = Counter(each.state for each in findings)
    told = f"\n{count[State.WELL]} well, {count[State.WRONG]} wrong, {count[State.WARNING]} deserve a look"
    if not count[State.UNKNOWN]:
        return told
    more = f", {count[State.UNKNOWN]} could not be looked at"
    return told + more + (f"; type: {ROOT_HINT}" if os.geteuid() != 0 else "")
