"""The process that looks for precursors: `python -m logmedic.runtime.surveyor`. A survey of a long history takes a
second of one core, in which a thread of the daemon's own would hold up its lines.

On stdin a line of JSON, {"ID": "ID of the issue that it is part of", ...}, then a line an onset: issue id, space,
microseconds since the epoch. On stdout precursors as JSON, best first.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from logmedic.core.precursors import survey
from logmedic.model.precursor import Precursor

LIFETIME_S = 120
"""The daemon kills this process in time. When the daemon itself died, nobody would."""
MOST = 500
"""Precursors that are told."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def main() -> None:
    signal.alarm(LIFETIME_S)
    with suppress(OSError):  # the hardened unit refuses it, and a survey is no less right for that
        os.nice(10)
    merged: Mapping[str, str] = json.loads(sys.stdin.readline())
    found = survey(onsets_in(sys.stdin, merged)).precursors[:MOST]
    sys.stdout.write(encoded(found))


def onsets_in(lines: Iterable[str], merged: Mapping[str, str]) -> Iterator[tuple[str, datetime]]:
    for line in lines:
        issue, _, micros = line.partition(" ")
        yield survivor(issue, merged), _EPOCH + timedelta(microseconds=int(micros))


def survivor(issue: str, merged: Mapping[str, str]) -> str:
    """The issue that it is part of by now. A circle, which nobody should be able to make, ends."""
    for _ in range(len(merged)):
        if issue not in merged:
            break
        issue = merged[issue]
    return issue


def encoded(precursors: Iterable[Precursor]) -> str:
    return json.dumps([asdict(each) for each in precursors], default=_plain)


def decoded(text: str | bytes) -> tuple[Precursor, ...]:
    """Raises ValueError, TypeError."""
    return tuple(Precursor(**{name: _value(name, told) for name, told in row.items()}) for row in json.loads(text))


def _plain(value: object) -> Any:
    return value.total_seconds() if isinstance(value, timedelta) else str(value)


def _value(name: str, told: Any) -> Any:
    match name:
        case "within" | "lag_median" | "lag_p90":
            return timedelta(seconds=told)
        case "last_at":
            return datetime.fromisoformat(told)
    return told


if __name__ == "__main__":
    main()
