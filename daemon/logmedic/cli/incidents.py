"""incidents, show, approve, reject."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import click

from logmedic.cli.alertwords import message_state
from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.fixes import output_lines, step_of, took, verdict_of
from logmedic.cli.output import at, marked, print_json, print_rows, short, span, until, visible
from logmedic.cli.status import INCIDENT_COLUMNS
from logmedic.cli.why import check_lines
from logmedic.core.rowwords import hold_of, state_of
from logmedic.model.errors import DaemonUnreachable, NotFound

_ALWAYS_TOLD = ("mode", "breaker")
OUTPUT_SHOWN = 20
"""Last lines of a step's output."""


@click.command("incidents")
@click.option("--all", "everything", is_flag=True, help="The past too.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@shared
@pass_context
def incidents_command(context: Context, everything: bool, limit: int) -> None:
    """Open incidents, newest first."""
    rows = context.ask("incidents", everything=everything, limit=limit)
    nothing = "there was no incident yet" if everything else "no open incident"
    print_rows(rows, INCIDENT_COLUMNS, context.output, nothing=nothing)


@click.command("show")
@click.argument("incident")
@shared
@pass_context
def show_command(context: Context, incident: str) -> None:
    """The whole story of an incident. INCIDENT is the end of its id, as lists and alerts show it."""
    story = context.ask("incident", incident_id=incident)
    if context.output != "table":
        print_json(story)
        return
    for line in _story(story, _checks(context, story)):
        print(marked(visible(line)))


def _checks(context: Context, story: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What the governor says now; nothing of what is over, and without a daemon."""
    if story["status"] == "resolved":
        return []
    try:
        answer = context.client.get(f"incidents/{quote(story['id'], safe='')}/why")
    except (DaemonUnreachable, NotFound):
        return []
    checks: list[Mapping[str, Any]] = answer["checks"]
    return checks


def _story(story: Mapping[str, Any], checks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield f"{story['title']}"
    yield f"{story['severity']}, {state_of(story)}, seen {story['occurrences']}x"
    yield f"incident {short(story)}, rule {story['rule_id']}"
    if hold := hold_of(story):
        yield f"held ({hold}): {story['hold_detail']}"
    if story["resolved_at"]:
        yield f"over after {_took(story)}: {story['resolution_notes']}"
    if story.get("chain"):
        yield f"it came about right after fixes of {', '.join(story['chain'])}"
    if story.get("approved_by"):
        yield f"its fix was approved by {story['approved_by']}"
    if story["captures"]:
        yield "captures: " + ", ".join(f"{name} = {value}" for name, value in story["captures"].items())
    yield ""
    yield "what happened"
    for event in story["events"]:
        yield f"  {event['at'][:19].replace('T', ' ')}Z  {event['kind'].replace('_', ' '):<16} {event['text']}"
    yield from _attempts(story["attempts"])
    yield from _governor(checks)
    yield from _alerts(story)
    yield ""
    yield "evidence"
    yield from (f"  {line}" for line in story["evidence"].splitlines())
    yield from _next_step(story)


def _took(story: Mapping[str, Any]) -> str:
    from datetime import datetime

    took = datetime.fromisoformat(story["resolved_at"]) - datetime.fromisoformat(story["opened_at"])
    return span(took.total_seconds())


def _attempts(attempts: list[Mapping[str, Any]]) -> Iterator[str]:
    if attempts:
        yield ""
        yield "what was tried"
    again = sum(1 for each in attempts if each.get("first")) > 1
    executions = 0
    for number, attempt in enumerate(attempts, start=1):
        if again and attempt["first"]:
            executions += 1
            yield f"  execution {executions}, {at(attempt['started_at'])}"
        yield f"  {number}. {step_of(attempt)}: {verdict_of(attempt)} ({_how(attempt)})"
        yield f"    $ {' '.join(attempt['argv'])}"
        if attempt["detail"]:
            yield f"    {attempt['detail']}"
        yield from output_lines(attempt["output"], OUTPUT_SHOWN)


def _how(attempt: Mapping[str, Any]) -> str:
    """How it ended, how long it took, where it ran: as far as that is known."""
    if attempt["duration_s"] is None:
        return f"since {at(attempt['started_at']).partition(' (')[0]}"
    code = "no exit code" if attempt["exit_code"] is None else f"exit {attempt['exit_code']}"
    return ", ".join(filter(None, (code, took(attempt), attempt["sandbox"])))


def _governor(checks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """How far its fix may go, its breaker, and all that holds it."""
    told = [each for each in checks if not each["ok"] or each["name"] in _ALWAYS_TOLD]
    if told:
        yield ""
        yield "what the governor says now (all of it: logmedic why)"
        yield from (f"  {line}" for line in check_lines(told))


def _alerts(story: Mapping[str, Any]) -> Iterator[str]:
    """Who was told and when, who takes care of it, and why nobody is told now."""
    alerts, notice = story["alerts"], story.get("notice") or {}
    if alerts or notice:
        yield ""
        yield "who was told"
    receivers = {each["id"]: each["receiver"] for each in alerts}
    for alert in alerts:
        yield f"  {_told_of(alert, receivers)}".rstrip()
    if notice and not alerts:
        yield "  nobody"
    if notice and not notice["over"] and notice["suppressed"]:
        yield f"  nobody is told now: {notice['suppressed']}"
    if notice and notice["acked_by"]:
        ends = f", {until(notice['acked_until'])}" if notice["acked_until"] else ""
        yield f"  acknowledged by {notice['acked_by']} {at(notice['acked_at'])}{ends}"


def _told_of(alert: Mapping[str, Any], receivers: Mapping[str, str]) -> str:
    stands_in = receivers.get(alert["fallback_of"], "")
    who = f"{alert['receiver']}{f' instead of {stands_in}' if stands_in else ''}"
    what = f"{alert['event'].replace('_', ' ')}, {message_state(alert)}"
    return f"{who}: {what} {at(alert['sent_at']) or alert['last_error']}"


def _next_step(story: Mapping[str, Any]) -> Iterator[str]:
    notice = story.get("notice") or {}
    if story["hold"] == "awaiting_approval":
        yield ""
        yield f"next: logmedic approve {short(story)}, or logmedic reject {short(story)}"
    elif notice and not notice["over"] and notice["told"] and not notice["acked_by"]:
        yield ""
        yield f"next: logmedic ack {short(story)} says that you take care of it"


@click.command("approve")
@click.argument("incident")
@shared
@pass_context
def approve_command(context: Context, incident: str) -> None:
    """Run the fix that waits for you, if the present still allows it."""
    _answer(context, context.client.post(f"incidents/{incident}/approve"))


@click.command("reject")
@click.argument("incident")
@shared
@pass_context
def reject_command(context: Context, incident: str) -> None:
    """Do not run the fix that waits for you."""
    _answer(context, context.client.post(f"incidents/{incident}/reject"))


def _answer(context: Context, row: Mapping[str, Any]) -> None:
    if context.output != "table":
        print_json(row)
    else:
        print(visible(f"{short(row)}: {state_of(row)}" + (f": {row['hold_detail']}" if hold_of(row) else "")))
