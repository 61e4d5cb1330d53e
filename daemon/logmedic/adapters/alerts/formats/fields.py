"""A message as named values, for services that show a table, and for programs."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from logmedic.adapters.alerts.parts import parts_of
from logmedic.model.alertevent import AlertEvent
from logmedic.model.message import Message

VERSION = 1


def ended(message: Message) -> bool:
    """All that it tells of is over."""
    return message.event is AlertEvent.RECOVERED and all(each.over for each in message.stories)


def details_of(message: Message) -> dict[str, str]:
    """By name; the alert's id first. Several stories: one value each."""
    told = {"alert": message.id, "host": message.host, "event": message.event.value}
    parts = parts_of(message)
    if len(parts) == 1 and not parts[0].heading:
        told.update({passage.label: passage.text for passage in parts[0].passages})
        return {**told, "facts": " | ".join(parts[0].facts)}
    for place, part in enumerate(parts, 1):
        lines = [part.heading, *(passage.text for passage in part.passages), " | ".join(part.facts)]
        told[f"{place}"] = "\n".join(lines)
    return {**told, **({"more": str(message.more)} if message.more else {})}


def structured(message: Message) -> dict[str, Any]:
    """Every field of Message, JSON-ready; times are ISO 8601 with a Z. `version` changes when a field changes its
    meaning or goes."""
    ready = _ready(asdict(message))
    return {"version": VERSION, **ready}


def _ready(value: Any) -> Any:
    match value:
        case dict():
            return {name: _ready(each) for name, each in value.items()}
        case list() | tuple():
            return [_ready(each) for each in value]
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case str():
            return str(value)
        case _:
            return value
