"""why: what holds the fix of an incident, or why a line is known."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import print_json, short, until
from logmedic.cli.pausing import taken_back_by
from logmedic.cli.styled import say
from logmedic.core.rowwords import hold_of, requests_of, state_of
from logmedic.model.errors import DaemonUnreachable, NotFound

_ID = re.compile(r"[0-9A-Fa-f-]{4,40}")
_LONGEST_ID = 40
_KINDS = frozenset({"alert", "incident", "issue", "source", "rule"})
"""Before a colon: what people can be told of, as `ack` takes it."""
_IDS = (
    "an id is the end of one, at least 4 characters, as these list them: logmedic incidents --all (incidents), "
    "logmedic alerts list (messages), logmedic issues (issue:ID); a log line is asked of as a whole, in quotes"
)
_FAILED = "failed"
_MODE = "write mode: approve (or auto) into the config, then: systemctl restart logmedic"
_NEXT = {
    "observe": "logmedic trust show {rule}",
    "awaiting_approval": "logmedic approve {incident}, or logmedic reject {incident}",
    "breaker_open": "mend what makes it fail, then: logmedic breakers reset {rule}",
    "disarmed": "logmedic status says what is missing; sudo logmedic install fixes installs what steps need",
    "paused": "{resume}",
    "stale": "it begins anew with the next match",
    "own_cause": "logmedic show {incident}; look at what these fixes do to one another",
    "no_fix": "logmedic rules show {rule}",
    "budget": "logmedic fixes --since 1h",
    "cause": "logmedic incidents",
    _FAILED: "repair it by hand; logmedic show {incident} has what its steps said",
}
"""By the reason that is in force, or the state of an incident: what to type. Others end by the clock."""


@click.command("why")
@click.argument("asked", metavar="INCIDENT|MESSAGE|LINE")
@click.option("--alerts", is_flag=True, help="Of an incident: why nobody is told of it, stage by stage.")
@click.option("--source", default="", metavar="NAME", help="Of a line: the source that it comes from.")
@shared
@pass_context
def why_command(context: Context, asked: str, alerts: bool, source: str) -> int:
    """Why is it not fixed, why was nobody told, or why is it known?

    With the end of an INCIDENT's id: everything that the governor asks before a fix runs, what holds it first; with
    --alerts the same of what people are to be told. With the end of a MESSAGE's id (logmedic alerts list): which stage
    holds it back, and until when. With anything else, a log LINE: as `rules explain LINE`.
    """
    if alerts or asked.partition(":")[0] in _KINDS:
        _tell_of_alerts(context, _alerts_of(context, asked))
        return 0
    answer = _of_incident(context, asked)
    if answer is not None and "stages" in answer:
        _tell_of_alerts(context, answer)
    elif answer is not None:
        _tell(context, answer)
    else:
        from logmedic.cli.rules.explain import explain_command

        given = {"line": asked, "file": None, "paths": (), "source": source, "named": (), "at_text": ""}
        code: int = click.get_current_context().invoke(explain_command, **given)
        return code
    return 0


def _tell(context: Context, answer: Mapping[str, Any]) -> None:
    if context.output != "table":
        print_json(answer)
        return
    for line in _told(answer, context):
        say(line)


def _tell_of_alerts(context: Context, answer: Mapping[str, Any]) -> None:
    if context.output != "table":
        print_json(answer)
        return
    from logmedic.cli.alertwhy import told
    from logmedic.cli.styled import tell

    tell(told(answer))


def _alerts_of(context: Context, asked: str) -> dict[str, Any]:
    """Raises NotFound, which says what could be named."""
    try:
        answer: dict[str, Any] = context.client.get(f"alerts/{quote(asked, safe='')}/why")
    except NotFound:
        raise NotFound(f"no incident and no message is called {asked[:80]}", _IDS) from None
    return answer


def _of_incident(context: Context, asked: str) -> dict[str, Any] | None:
    """Of a message when it is none. None for what cannot be an id, or is none and need not be one."""
    if len(asked) > _LONGEST_ID or not asked.strip() or any(each.isspace() for each in asked):
        return None
    try:
        answer: dict[str, Any] = context.client.get(f"incidents/{quote(asked, safe='')}/why")
    except NotFound:
        try:
            return _alerts_of(context, asked)
        except NotFound:
            if _ID.fullmatch(asked):
                raise
            return None
    except DaemonUnreachable:
        if _ID.fullmatch(asked):
            raise
        return None
    return answer


def _told(answer: Mapping[str, Any], context: Context) -> Iterator[str]:
    row, checks = answer["incident"], answer["checks"]
    yield f"{row['title']}"
    yield f"{row['severity']}, {state_of(row)}; incident {short(row)}, rule {row['rule_id']}"
    if requests := requests_of(row):
        yield f"failed requests of applications: {requests}"
    if (hold := hold_of(row)) and row["hold"] not in {each["reason"] for each in checks}:
        yield f"held at its last look ({hold}): {row['hold_detail']}"
    if answer["note"]:
        yield answer["note"]
    if not checks:
        return
    held = [each for each in checks if not each["ok"]]
    yield "" if held else _free(row)
    yield from check_lines([*held[:1], *(each for each in checks if each not in held[:1])])
    reason = held[0]["reason"] if held else row["status"]
    if reason in _NEXT:
        yield ""
        yield f"next: {_MODE if _is_daemons_mode(held) else _next(reason, row, context)}"


def _is_daemons_mode(held: Sequence[Mapping[str, Any]]) -> bool:
    return bool(held) and held[0]["reason"] == "observe" and "the daemon's mode" in held[0]["detail"]


def _free(row: Mapping[str, Any]) -> str:
    """Of a fix that nothing holds."""
    return "its fix runs again with the next match" if row["status"] == _FAILED else "nothing holds its fix now"


def check_lines(checks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A line each, with a mark."""
    width = max((len(each["name"]) for each in checks), default=0)
    for each in checks:
        ends = f" ({until(each['until'])})" if each["until"] and "until" not in each["detail"] else ""
        yield f"{'✓' if each['ok'] else '✗'} {each['name']:<{width}}  {each['detail']}{ends}"


def _next(reason: str, row: Mapping[str, Any], context: Context) -> str:
    resume = "logmedic resume"
    if reason == "paused":
        pauses = context.client.get("status").get("pauses", ())
        resume = "; ".join(dict.fromkeys(map(taken_back_by, pauses))) or resume
    return _NEXT[reason].format(rule=row["rule_id"], incident=short(row), resume=resume)
