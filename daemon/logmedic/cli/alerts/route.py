"""alerts route."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from logmedic.cli.alerts.group import alerts_command, policy_of
from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import complain, print_json
from logmedic.cli.styled import say
from logmedic.model.alertevent import AlertEvent
from logmedic.model.errors import DaemonUnreachable, LogmedicError
from logmedic.model.severity import Severity

if TYPE_CHECKING:
    from logmedic.model.notice import Notice, Silence
    from logmedic.model.policy import Policy
    from logmedic.model.rule import Rule


_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)


@alerts_command.command("route")
@click.option(
    "--severity", type=click.Choice([each.value for each in Severity]), help="Default: the rule's, or medium."
)
@click.option("--event", type=click.Choice([each.value for each in AlertEvent]), help="Default: opened.")
@click.option("--rule", default="", metavar="ID", help="Of this rule: its severity, tags and routes count as well.")
@click.option("--source", default="", metavar="NAME", help="From this source.")
@click.option("--service", default="", metavar="NAME", help="Of this service.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Repeatable.")
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="A label of the news; repeatable.")
@click.option("--incident", default="", metavar="INCIDENT", help="As this incident; what else is given counts instead.")
@click.option("--at", "at_text", default="", metavar="TIME", help="As if it came then: 03:00, 2026-11-24T03:00:00Z.")
@shared
@pass_context
def route_command(context: Context, /, *, incident: str, at_text: str, **asked: Any) -> int:
    """Where news would go, and why: the route tree as it is asked, the routes, and when each receiver would hear of it.

    Answered from the config; silences count when a daemon runs. Exit code 1 when nobody would be told."""
    from logmedic.cli.alerts.routed import told
    from logmedic.core.alerting.forecast import forecast
    from logmedic.core.alerting.forecastrows import row_of

    policy, now = policy_of(context), _at(at_text)
    rule, notice = _news(context, policy, now, incident, asked)
    found = forecast(
        policy,
        notice,
        now,
        named=rule.alert.routes if rule is not None else (),
        group_by=rule.alert.group_by if rule is not None else (),
        silent=_silences(context),
    )
    if context.output != "table":
        print_json(row_of(policy, notice, found, now))
    else:
        for line in told(policy, notice, found, now):
            say(line)
    return 0 if found.legs and not found.silenced else 1


def _at(text: str) -> datetime:
    """A time of today is one on the host's clock."""
    now = datetime.now(UTC)
    if not text:
        return now
    if clock := _CLOCK.fullmatch(text):
        from logmedic.runtime.clock import local_zone

        zone = local_zone()
        today = now.astimezone(zone).date()
        return datetime(today.year, today.month, today.day, int(clock[1]), int(clock[2]), tzinfo=zone).astimezone(UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"--at {text}: write 03:00, or 2026-11-24T03:00:00Z") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def _news(
    context: Context, policy: Policy, now: datetime, incident: str, asked: dict[str, Any]
) -> tuple[Rule | None, Notice]:
    """The rule that it is of, when there is one, and the news."""
    from logmedic.core.alerting.supposed import supposed

    row = context.ask("incident", incident_id=incident) if incident else {}
    rule_id = asked["rule"] or row.get("rule_id", "")
    rule = _rule(context, rule_id) if rule_id else None
    return rule, supposed(
        policy,
        rule,
        now,
        incident=row,
        severity=asked["severity"] or "",
        event=asked["event"] or "",
        rule_id=rule_id,
        source=asked["source"],
        service=asked["service"],
        tags=asked["tags"],
        labels=_pairs(asked["labels"]),
    )


def _rule(context: Context, rule_id: str) -> Rule | None:
    from logmedic.cli.rules.group import load_rules

    found = next((each for each in load_rules(context, prove=False).rules if each.id == rule_id), None)
    if found is None:
        complain(f"no rule that loads is called {rule_id}: its severity, tags and routes are not known")
    return found


def _pairs(labels: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for each in labels:
        name, equals, value = each.partition("=")
        if not (name and equals):
            raise click.UsageError(f"--label {each}: write NAME=VALUE")
        pairs[name] = value
    return pairs


def _silences(context: Context) -> list[Silence]:
    """Those that the daemon, or its store, knows; none where neither can be asked."""
    from logmedic.model.notice import Silence

    try:
        rows = context.client.get("silences")
    except DaemonUnreachable:
        return []
    except LogmedicError as error:
        complain(f"silences are not known: {error.text}")
        return []
    return [
        Silence(
            id=row["id"],
            starts_at=datetime.fromisoformat(row["starts_at"]),
            until=datetime.fromisoformat(row["until"]),
            by=row["by"],
            why=row["why"],
            created_at=datetime.fromisoformat(row["created_at"]),
            severities=tuple(row["severities"]),
            tags=tuple(row["tags"]),
            labels=row["labels"],
        )
        for row in rows
    ]
