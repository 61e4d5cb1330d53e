"""status, reload."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from logmedic.cli.alertwords import alerts_line, nobody_to_tell, untold
from logmedic.cli.breakers import BREAKER_COLUMNS
from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import (
    at,
    complain,
    field,
    print_json,
    print_rows,
    print_table,
    several,
    short,
    span,
    until,
    when,
)
from logmedic.cli.pausing import pause_line
from logmedic.cli.sources import BRIEF, others
from logmedic.cli.styled import say
from logmedic.core.rowwords import reports_of, state_of
from logmedic.core.sizes import bytes_text as size
from logmedic.model.errors import DaemonUnreachable
from logmedic.model.severity import Severity

OPEN, NOBODY_TO_TELL = 10, 11
"""Exit codes: of `--fail-on`; and when there are receivers, and none of them works (F72). The second one goes first."""

_OBSERVE = "observe"
"""As of Mode; rules are a tenth of the time that a command may take to import."""
INCIDENT_COLUMNS = {
    "INCIDENT": short,
    "SEVERITY": field("severity"),
    "STATE": state_of,
    "TITLE": field("title"),
    "SEEN": lambda row: f"{row['occurrences']}x",
    "SINCE": when("opened_at"),
}
_SHOWN = 5
"""Rules of one kind of complaint."""


@click.command("status")
@click.option(
    "--fail-on", type=click.Choice([each.value for each in Severity]), help="Exit 10 when one so bad is open."
)
@shared
@pass_context
def status_command(context: Context, fail_on: str | None) -> int:
    """What is watched, what is broken, whether fixes are armed, and whether people can be told. Exit code 11 when no
    receiver works."""
    try:
        status = context.client.get("status")
    except DaemonUnreachable as unreachable:
        _tell_what_the_store_knows(context, unreachable)
        raise
    if context.output == "table":
        print_status(status)
    else:
        print_json(status)
    if nobody_to_tell(status["alerts"]):
        return NOBODY_TO_TELL
    wanted = Severity(fail_on).rank if fail_on else len(Severity)
    return OPEN if any(Severity(row["severity"]).rank >= wanted for row in status["open_incidents"]) else 0


def _tell_what_the_store_knows(context: Context, unreachable: DaemonUnreachable) -> None:
    """No daemon is an error whatever the past was; the past is still shown."""
    if context.output != "table":
        return
    try:
        rows = context.ask("incidents")
    except DaemonUnreachable:
        raise unreachable from None
    print_rows(rows, INCIDENT_COLUMNS, "table", nothing="no incident was open")


def print_status(status: Mapping[str, Any]) -> None:
    say(sentence(status))
    for pause in status.get("pauses", ()):
        say(pause_line(pause))
    say(f"logmedic {status['version']} on {status['host']}, process {status['pid']}")
    rules = status["rules"]
    say(f"started {at(status['started_at'])}; rules of {at(rules['loaded_at'])}, revision {rules['revision']}")
    for complaint in _complaints(status):
        say(f"! {complaint}")
    for news in _of_fixes(status):
        say(news)
    sources = status["sources"]
    for title, rows, columns in (
        ("open incidents", status["open_incidents"], INCIDENT_COLUMNS),
        ("sources", sources, BRIEF),
        ("breakers", status["breakers"], BREAKER_COLUMNS),
    ):
        if rows:
            print()
            say(title)
            print_table(rows, columns)
    if (more := status.get("breakers_total", 0) - len(status["breakers"])) > 0:
        say(f"{several(more, 'other breaker')} not closed: logmedic breakers")
    if rest := others(len(sources), status["sources_total"]):
        print("" if sources else "\n", end="")
        say(rest)
    print()
    say(f"last 24 h: {stats_line(status['stats'])}")
    say(f"so far: {several(status['counts'].get('lines', 0), 'line')} read")
    say(f"alerts: {alerts_line(status['alerts'])}")
    if reports := status.get("reports"):
        say(f"reports of applications: {reports_of(reports)}")
    if overflows := status["counts"].get("event_overflows"):
        say(f"{several(overflows, 'overflow')} of the kernel's events: each time every file was looked at")


def sentence(status: Mapping[str, Any]) -> str:
    """The answer in one line."""
    arming, open_incidents = status["arming"], len(status["open_incidents"])
    armed = f"fixes armed ({arming['sandbox']})" if arming["armed"] else f"fixes DISARMED: {arming['reason']}"
    if arming.get("units") and not arming["armed"]:
        armed = f"fixes DISARMED but for jobs of the service manager: {arming['reason']}"
    if status.get("pauses"):
        armed = "fixes PAUSED"
    watched = f"{several(status['sources_total'], 'log')}, {several(status['rules']['loaded'], 'rule')}"
    health = "healthy" if not open_incidents else several(open_incidents, "open incident")
    if refused := len(status["rules"]["problems"]):
        health += f", {several(refused, 'mistake')} in the rule files"
    if status["mode"] == _OBSERVE:
        return f"{health}: watching {watched}; mode observe, no fix runs"
    return f"{health}: watching {watched}; mode {status['mode']}, {armed}"


def _complaints(status: Mapping[str, Any]) -> Iterator[str]:
    rules, counts = status["rules"], status["counts"]
    if status["mode"] != _OBSERVE:
        yield from _unarmed(status["arming"])
    yield from rules["problems"]
    if rules["problems"]:
        yield "what to do about each mistake: logmedic rules check"
    yield from (f"{name}: its last good version is in force" for name in rules["stale_files"])
    for each in rules.get("quarantined", ()):
        yield f"rule {each['rule']} is not heard: {each['reason']}"
    yield from (
        f"{part['name']} failed and is started again ({part['restarts']}x): {part['last_error']}"
        for part in status["parts"]
        if part["state"] not in ("running", "ended")
    )
    yield from status["store"]["notices"]
    if status["store"].get("problem"):
        yield f"nothing can be stored: {status['store']['problem']}"
    if (reports := status.get("reports")) and reports["problem"]:
        yield f"reports of applications ({reports['socket']}): {reports['problem']}"
    yield from untold(status["alerts"], status.get("receivers", {}))
    if counts.get("gaps"):
        lost = f", {size(counts['bytes_lost'])}" if counts.get("bytes_lost") else ""
        yield f"{several(counts['gaps'], 'gap')} in what was read{lost}: logmedic sources --gaps"


def _unarmed(arming: Mapping[str, Any]) -> Iterator[str]:
    """What of the fixes cannot run here, beside what the first line says."""
    if not arming.get("units", True) and arming.get("units_reason"):
        yield f"no jobs of the service manager: {arming['units_reason']}"
    refused = sorted(arming.get("refused", {}).items())
    yield from (f"the fix of {rule} cannot run here: {why}" for rule, why in refused[:_SHOWN])
    if len(refused) > _SHOWN:
        yield f"and those of {several(len(refused) - _SHOWN, 'other rule')}: logmedic status -o json"


def _of_fixes(status: Mapping[str, Any]) -> Iterator[str]:
    """Windows that are open, and what waits for a decision."""
    for each in status.get("maintenance", ()):
        about = ", ".join([*each["rules"], *(f"tag {tag}" for tag in each["tags"])]) or "any rule"
        yield f"maintenance window {each['name']!r}, {until(each['until'])}: no fix of {about} starts"
    proposals = status.get("proposals", ())
    for each in proposals[:_SHOWN]:
        won = "1 verified success" if each["streak"] == 1 else f"{each['streak']} verified successes in a row"
        yield (
            f"proposed: {each['proposed']} for {each['rule_id']}, which is at {each['level']}, after {won}: "
            f"logmedic trust show {each['rule_id']}"
        )
    if len(proposals) > _SHOWN:
        yield f"proposed for {several(len(proposals) - _SHOWN, 'other rule')}: logmedic trust"


def stats_line(stats: Mapping[str, Any]) -> str:
    rate = stats["auto_fix_success_rate"]
    return ", ".join(
        (
            several(stats["total_errors"], "error"),
            f"{stats['auto_fixed']} fixed by itself" + (f" ({rate:.0%} of fixes worked)" if rate is not None else ""),
            several(stats["circuit_breaker_opens"], "breaker opening"),
            several(stats["escalations"], "escalation"),
            f"mean recovery {span(stats['avg_recovery_time_s'])}",
        )
    )


@click.command("reload")
@shared
@pass_context
def reload_command(context: Context) -> int:
    """Load the rules again. What is broken keeps its last good version; then the exit code is 3."""
    answer = context.client.post("reload")
    if context.output != "table":
        print_json(answer)
    else:
        say(f"{several(answer['loaded'], 'rule')} in force, revision {answer['revision']}")
    for problem in answer["problems"]:
        complain(f"error: {problem}")
    return 3 if answer["problems"] else 0
