"""alerts daemon-failed."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logmedic.cli.alerts.group import alerts_command
from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import print_rows, visible
from logmedic.cli.programs import lines_of

if TYPE_CHECKING:
    from logmedic.core.fallen import Fall
    from logmedic.model.alert import AlertPlan, Delivery, Receiver
    from logmedic.model.message import Story

UNIT = "logmedic.service"
ASK_S = 5.0
"""Of the service manager and the journal, each."""
LINES = 20
_CRITICAL = "<2>"
"""sd-daemon(3): how what is written to the journal is marked as critical."""


@alerts_command.command("daemon-failed")
@shared
@pass_context
def failed_command(context: Context) -> int:
    """Tell people that the daemon cannot run, and why. For logmedic-failed.service, which the service manager starts
    when it gives up on the daemon: no daemon, no store and no valid config are needed. While the daemon runs, people
    are told that this was tried. Exit code 1 when nobody could be told."""
    import asyncio
    from datetime import UTC, datetime

    from logmedic.core import fallen
    from logmedic.runtime import lastwords
    from logmedic.settings.places import state_directory

    settings, shown, now = _settings(context), _service(), datetime.now(UTC)
    is_trial = shown.get("ActiveState") == "active"
    if is_trial:
        story = fallen.of_trial(now)
    else:
        fall = fall_of(os.environ, shown)
        story = fallen.story_of(fall, mistakes=settings.problems, lines=_last_lines(), now=now)
    outcomes = asyncio.run(_told(settings, story))
    told = [name for name, each in outcomes.items() if each.delivered]
    if told and not is_trial:
        lastwords.keep(state_directory(), story.broke, told)
    _print(context, outcomes)
    if not told:
        nobody = "nobody could be told" if outcomes else "there is nobody to tell: add alerts.receivers to the config"
        _cry(f"logmedic cannot run: {story.outcome}; {nobody}")
    return 0 if told else 1


@dataclass(frozen=True, slots=True)
class Known:
    """What can be known of the config. `problems`: one line each, without any excerpt: a line of the config may hold a
    secret."""

    plan: AlertPlan
    receivers: Mapping[str, Receiver]
    problems: tuple[str, ...] = ()


def _settings(context: Context) -> Known:
    """What is left of `alerts` when the config does not load."""
    from datetime import UTC, datetime

    from logmedic.model.errors import ConfigInvalid
    from logmedic.settings import load_alert_settings
    from logmedic.settings.remains import one_line_each

    problems: tuple[str, ...] = ()
    try:
        settings = context.settings
    except ConfigInvalid as invalid:
        settings, _ = load_alert_settings(context.config, os.environ)
        problems = one_line_each(invalid.text)
    policy = settings.policy(hostname=socket.gethostname(), started_at=datetime.now(UTC))
    return Known(policy.alerts, settings.receivers(), problems)


def fall_of(env: Mapping[str, str], shown: Mapping[str, str]) -> Fall:
    """From what the service manager says in the environment (since systemd 251), and what it answers."""
    from logmedic.core.fallen import Fall

    codes = {"1": "exited", "2": "killed", "3": "dumped"}
    restarts = shown.get("NRestarts", "")
    return Fall(
        result=env.get("MONITOR_SERVICE_RESULT") or shown.get("Result", ""),
        code=env.get("MONITOR_EXIT_CODE") or codes.get(shown.get("ExecMainCode", ""), ""),
        status=env.get("MONITOR_EXIT_STATUS") or shown.get("ExecMainStatus", ""),
        restarts=int(restarts) if restarts.isdecimal() else 0,
    )


def _service() -> dict[str, str]:
    """What the service manager knows of the daemon's unit; nothing where it does not answer."""
    told = lines_of(
        ["systemctl", "show", UNIT, "-p", "ActiveState,Result,ExecMainCode,ExecMainStatus,NRestarts"], ASK_S
    )
    return {name: value for name, _, value in (line.partition("=") for line in told)}


def _last_lines() -> list[str]:
    """Of the daemon's own log in the journal; none where it may not be read."""
    return lines_of(["journalctl", "--no-pager", "-q", "-o", "cat", "-n", str(LINES), f"_SYSTEMD_UNIT={UNIT}"], ASK_S)


async def _told(settings: Known, story: Story) -> dict[str, Delivery]:
    from logmedic.adapters.alerts.sender import AppriseSender
    from logmedic.runtime.clock import SystemClock, Uuid7
    from logmedic.runtime.pastthestore import Direct

    sender = AppriseSender(deadline_s=25.0, python=sys.executable, environment=os.environ)
    direct = Direct(
        sender=sender,
        receivers=settings.receivers,
        plan=settings.plan,
        host=socket.gethostname(),
        mint=Uuid7(),
        clock=SystemClock(),
    )
    return await direct.tell(story)


def _print(context: Context, outcomes: Mapping[str, Delivery]) -> None:
    rows = [
        {"receiver": name, "status": "sent" if each.delivered else "failed", "last_error": each.detail}
        for name, each in outcomes.items()
    ]
    columns = {
        "RECEIVER": lambda row: str(row["receiver"]),
        "STATE": lambda row: str(row["status"]),
        "ERROR": lambda row: str(row["last_error"]),
    }
    print_rows(rows, columns, context.output, nothing="nobody was told")
    sys.stdout.flush()


def _cry(text: str) -> None:
    """Where somebody may still see it."""
    print(f"{_CRITICAL}{visible(text)}", file=sys.stderr)
