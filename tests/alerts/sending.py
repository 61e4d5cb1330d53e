"""One alert to real receivers, through the real sender and its worker processes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import builders as make
from logmedic.adapters.alerts.sender import AppriseSender
from logmedic.model.alert import Alert, Delivery, Receiver
from logmedic.model.alertevent import AlertEvent
from logmedic.model.severity import Severity

ALERT_ID = "0192f7a4-5b1c-7c3e-9d2a-1f2e3d4c5b6a"
BODY = f"What broke: the shop\nWhat is needed: nothing\n\nGrüße, 東京\nalert {ALERT_ID}"
ALERT = Alert(
    ALERT_ID,
    "i1",
    AlertEvent.OPENED,
    Severity.HIGH,
    "oncall",
    "it",
    "[OPEN] web1: the shop",
    BODY,
    make.START,
    make.START,
)
TOKENS = "T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
"""Of the form that Slack's web hooks have; Apprise looks at it."""
DEADLINE_S = 20.0
"""Longer than any answer of a server that answers, on a busy machine as well."""


def mail(port: int, to: str = "ops@example.org", more: str = "") -> str:
    return f"mailto://127.0.0.1:{port}?from=logmedic@example.com&to={to}&smtp=127.0.0.1&mode=insecure{more}"


def slack(name: str, port: int, path: str = "fine") -> Receiver:
    return Receiver(name, f"slack://{TOKENS}/#ops", f"http://127.0.0.1:{port}/{path}")


def send_all(receivers: Mapping[str, Receiver], alert: Alert = ALERT) -> dict[str, Delivery]:
    """Side by side: most of the time of a send is the start of its worker."""

    async def scenario() -> list[Delivery]:
        sender = AppriseSender(deadline_s=DEADLINE_S)
        return await asyncio.gather(*(sender.send(alert, each) for each in receivers.values()))

    return dict(zip(receivers, asyncio.run(scenario()), strict=True))


def send_one(receiver: Receiver, **changes: str) -> Delivery:
    return send_all({"it": receiver}, replace(ALERT, **changes))["it"]  # type: ignore[arg-type]


def spying_python(directory: Path) -> tuple[str, Path]:
    """An interpreter that first notes its pid, arguments and environment; and the file of its notes."""
    notes, python = directory / "notes", directory / "python"
    python.write_text(f'#!/bin/sh\n{{ echo "$$"; echo "$@"; env; }} >> {notes}\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return str(python), notes
