"""Command lines for people to copy."""

from __future__ import annotations

import shlex

from logmedic.core.evidence import clean


def command(*words: str) -> str:
    """Of logmedic, on one line, as a shell takes it, whatever the words hold."""
    return shlex.join(["logmedic", *(clean(each, 200, keep="") for each in words)])


def short(incident_id: str) -> str:
    """The end of an id, which is what people type: the beginning of a UUIDv7 is only the time."""
    return incident_id[-8:]
