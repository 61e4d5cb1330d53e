"""why, of messages: which stage holds back what people were to be told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from logmedic.cli.ack import subject_name
from logmedic.cli.alertwords import message_state
from logmedic.cli.output import at, short, until
from logmedic.cli.styled import Text, text

Row = Mapping[str, Any]


def told(answer: Row) -> Iterator[Text]:
    """`answer`: as ports.Control.why_alert."""
    yield from _head(answer)
    stages: Sequence[Row] = answer["stages"]
    held = [each for each in stages if not each["ok"]]
    if stages:
        yield text("" if held else "nothing holds it back")
    width = max((len(each["name"]) for each in stages), default=0)
    for stage in (*held, *(each for each in stages if each["ok"])):
        yield text(_line(stage, width), "good" if stage["ok"] else "wait", hang=width + 4)
    commands = list(dict.fromkeys(each["command"] for each in held or stages if each["command"]))
    if commands:
        yield text("")
        yield text(f"next: {'; or: '.join(commands)}", "head", hang=6)


def _head(answer: Row) -> Iterator[Text]:
    alert, notice = answer["alert"], answer["notice"]
    if alert is not None:
        yield text(alert["title"], "head", hang=2)
        yield text(f"message {short(alert)} to {alert['receiver']}, {message_state(alert)}", hang=2)
        about = f"{alert['event'].replace('_', ' ')}, made {at(alert['created_at'])}"
        incident = f", of incident {alert['incident_id'][-8:]}" if alert["incident_id"] else ""
        yield text(about + incident, hang=2)
    elif notice is not None:
        yield text(notice["title"], "head", hang=2)
        name = subject_name(str(answer["subject"]))
        yield text(f"{name}: {notice['event'].replace('_', ' ')}, {at(notice['at'])}", hang=2)
        if receivers := ", ".join(notice.get("told") or {}):
            yield text(f"told: {receivers}", hang=2)
    else:
        yield text(subject_name(str(answer["subject"])), "head")
    if answer["note"]:
        yield text(answer["note"], hang=2)


def _line(stage: Row, width: int) -> str:
    ends = f" ({until(stage['until'])})" if stage["until"] else ""
    return f"{'✓' if stage['ok'] else '✗'} {stage['name']:<{width}}  {stage['detail']}{ends}"
