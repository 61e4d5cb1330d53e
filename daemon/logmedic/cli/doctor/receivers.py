"""Whether people can be told: Apprise can use each receiver, and templates have no mistakes. Nothing is sent."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from logmedic.cli.doctor.finding import Finding, warning, well, wrong

if TYPE_CHECKING:
    from logmedic.settings import Settings

LIMIT_S = 45.0
_NOBODY = "add alerts.receivers to the config (docs/alerts.md)"


def of_verdicts(verdicts: Mapping[str, str]) -> Iterator[Finding]:
    """By receiver: what is wrong with it, or empty."""
    if not verdicts:
        yield warning("receivers", "none: nobody will be told", _NOBODY)
    for name, problem in verdicts.items():
        if problem:
            yield wrong(f"receiver {name}", problem, f"correct alerts.receivers.{name}, then: logmedic config check")
        else:
            yield well(f"receiver {name}", f"its URL can be used; try it: logmedic alerts test {name}")


def of_templates(mistakes: Sequence[str]) -> Iterator[Finding]:
    for each in mistakes[:3]:
        yield wrong("templates", each, "logmedic config check")


def of_daemon(alerts: Mapping[str, Any]) -> Iterator[Finding]:
    """What became of messages: `alerts` of the status, whose receivers are those that are not well."""
    if alerts["dead"]:
        repair = "logmedic alerts list --dead; logmedic alerts resend --dead"
        yield warning("messages", f"{alerts['dead']} were given up", repair)
    for each in alerts["receivers"]:
        yield warning("messages", f"receiver {each['name']} is {each['state']}", "logmedic alerts receivers")


def look(settings: Settings) -> Iterator[Finding]:
    from logmedic.adapters.alerts.sender import AppriseSender

    templates = str(settings.alerts.templates or "")
    sender = AppriseSender(python=sys.executable, environment=settings.surroundings, templates=templates)
    yield from of_verdicts(asyncio.run(sender.check(list(settings.receivers().values()))))
    mistakes = asyncio.run(sender.check_templates())
    yield from of_templates([f"{each.file}:{each.line}: {each.text}" for each in mistakes])
