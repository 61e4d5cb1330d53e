"""alerts resend, alerts test."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from logmedic.cli.alerts.group import alerts_command, policy_of, sender_of
from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import Row, complain, field, print_rows, several, span
from logmedic.cli.styled import say
from logmedic.model.errors import DaemonUnreachable

if TYPE_CHECKING:
    from logmedic.model.alert import Alert, Receiver

_TESTED = {
    "RECEIVER": field("receiver"),
    "SERVICE": field("scheme"),
    "STATE": field("status"),
    "TOOK": lambda row: span(row.get("took_s")),
    "ERROR": field("last_error"),
}
_NOBODY = "there is nobody to tell: add alerts.receivers to the config"


@alerts_command.command("resend")
@click.argument("ids", nargs=-1, metavar="[ID...]")
@click.option("--dead", is_flag=True, help="All that were given up.")
@shared
@pass_context
def resend_command(context: Context, ids: tuple[str, ...], dead: bool) -> None:
    """Send messages again that were given up. ID is the end of one, as `alerts list --dead` shows it."""
    if bool(ids) == dead:
        raise click.UsageError("name messages, or all that were given up: --dead")
    rows = context.client.post("alerts/resend", **({"dead": True} if dead else {"ids": list(ids)}))
    columns = {"ID": lambda row: str(row["id"])[-8:], "RECEIVER": field("receiver"), "TITLE": field("title")}
    print_rows(rows, columns, context.output, nothing="")
    if context.output == "table":
        say(f"{several(len(rows), 'message')} on the way: logmedic alerts list says whether they arrive")


@alerts_command.command("test")
@click.argument("receiver", default="")
@click.option("--route", default="", metavar="NAME", help="All that this route may reach, its fallbacks too.")
@shared
@pass_context
def test_command(context: Context, receiver: str, route: str) -> int:
    """Send a real message to RECEIVER, or to everybody, and say whether it arrived, and how long that took. Exit code 1
    when one did not. Without a daemon it is sent from here, with the config as it is now."""
    if receiver and route:
        raise click.UsageError("name a receiver or a --route, not both")
    try:
        rows = context.client.post("alerts/test", route=route, receiver=receiver)
    except DaemonUnreachable as unreachable:
        rows = _sent_from_here(context, receiver, route, unreachable)
    print_rows(rows, _TESTED, context.output, nothing=_NOBODY)
    return 0 if rows and all(row["status"] == "sent" for row in rows) else 1


def _sent_from_here(context: Context, receiver: str, route: str, unreachable: DaemonUnreachable) -> list[Row]:
    import asyncio
    from datetime import UTC, datetime

    from logmedic.core.alerting.writing import write
    from logmedic.core.draft import Draft
    from logmedic.core.ownstories import of_test
    from logmedic.model.state import EngineState
    from logmedic.runtime.clock import Uuid7
    from logmedic.runtime.previews import tested

    policy, receivers, now = policy_of(context), context.settings.receivers(), datetime.now(UTC)
    names = tested(policy.alerts, receivers, route, receiver)
    if not names:
        return []
    complain(f"{unreachable.text}; sent from here, with the config as it is now")
    draft, subject = Draft(EngineState(), policy, now, Uuid7()), f"[logmedic] {policy.hostname}: test"
    alerts = [write(draft, [of_test(now)], receiver=name, route=route, thread="", subject=subject) for name in names]
    schemes = {name: policy.alerts.receiver(name).scheme for name in names}
    rows = asyncio.run(_sent(context, alerts, receivers))
    return [{**row, "scheme": schemes[row["receiver"]]} for row in rows]


async def _sent(context: Context, alerts: Sequence[Alert], receivers: dict[str, Receiver]) -> list[dict[str, Any]]:
    """All at once, as the daemon does."""
    import asyncio

    sender = sender_of(context)

    async def sent(alert: Alert) -> dict[str, Any]:
        begun = time.monotonic()
        delivery = await sender.send(alert, receivers[alert.receiver])
        return {
            "receiver": alert.receiver,
            "status": "sent" if delivery.delivered else "failed",
            "last_error": "" if delivery.delivered else delivery.detail,
            "route": alert.route,
            "took_s": time.monotonic() - begun,
        }

    return list(await asyncio.gather(*map(sent, alerts)))
