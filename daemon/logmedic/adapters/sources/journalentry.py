"""An entry of the journal as `journalctl -o json` prints it: its line, its fields, its time. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from itertools import accumulate
from typing import Any

from logmedic.core.framing import TRACES, Framing

SUPPRESSED = "a596d6fe7bfa4994828e72309e95d61e"
"""MESSAGE_ID of journald's own word that it dropped what a unit wrote too fast."""
LOST = "e9bf28e6e834481bb6f48f548ad13606"
"""MESSAGE_ID of journald's own word that messages of the kernel were missed."""
MAX_FIELDS = 256
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NAMES = {
    "MESSAGE": "message",
    "PRIORITY": "priority",
    "SYSLOG_IDENTIFIER": "identifier",
    "_PID": "pid",
    "_SYSTEMD_UNIT": "unit",
    "_HOSTNAME": "host",
    "_COMM": "command",
    "_UID": "uid",
    "_TRANSPORT": "transport",
}
"""Short names for what people ask for; every field is there under its own name too."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """`head` and `message` make a line as syslog would write it; `message` may hold newlines, and ends with one.
    `writer` tells the entries of one from those of others. `dropped`: what journald says that it did not keep."""

    cursor: str
    at: datetime
    head: bytes
    message: bytes
    fields: dict[str, str]
    unit: str
    writer: tuple[str, str, str]
    dropped: str = ""


def parse(line: bytes, zone: tzinfo = UTC) -> JournalEntry:
    """Raises ValueError for what is no entry. `zone`: of the time that is written in `text`."""
    row = json.loads(line)
    if not isinstance(row, dict) or not isinstance(row.get("__CURSOR"), str):
        raise ValueError("it has no __CURSOR")
    own = {name: _text(value) for name, value in list(row.items())[:MAX_FIELDS]}
    message = own.get("MESSAGE", _text(row.get("MESSAGE")))
    at = _moment(own["__REALTIME_TIMESTAMP"])
    unit = own.get("_SYSTEMD_UNIT", "") or own.get("UNIT", "")
    identifier = own.get("SYSLOG_IDENTIFIER") or own.get("_COMM") or own.get("_TRANSPORT") or "unknown"
    fields = {name: value for name, value in own.items() if not name.startswith("__")}
    fields.update((short, own[name]) for name, short in _NAMES.items() if name in own)
    told = own.get("MESSAGE_ID", "") in (SUPPRESSED, LOST)
    return JournalEntry(
        cursor=row["__CURSOR"],
        at=at,
        head=_head(at.astimezone(zone), own.get("_HOSTNAME", "-"), identifier, own.get("_PID", "")),
        message=f"{message.rstrip(chr(10))}\n".encode("utf-8", "surrogateescape"),
        fields=fields,
        unit=unit,
        writer=(unit, identifier, own.get("_PID", "")),
        dropped=message if told else "",
    )


def records_of(batch: Sequence[JournalEntry], framing: Framing = TRACES) -> Iterator[tuple[JournalEntry, bytes]]:
    """The first entry of each record, and the record's text: an entry, or a stack trace whose lines were written one by
    one, or what `framing` says. By writer; writers in the order of their first entries, and each one's entries in
    theirs."""
    for indices in by_writer(batch):
        for record in parts_of(batch, indices, framing):
            yield batch[record[0]], batch[record[0]].head + message_of(batch, record)


def by_writer(batch: Sequence[JournalEntry]) -> list[list[int]]:
    """Of each writer, the indices of its entries."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for index, entry in enumerate(batch):
        found.setdefault(entry.writer, []).append(index)
    return list(found.values())


def message_of(batch: Sequence[JournalEntry], indices: Sequence[int]) -> bytes:
    return b"".join(batch[index].message for index in indices)


def parts_of(batch: Sequence[JournalEntry], indices: Sequence[int], framing: Framing) -> list[Sequence[int]]:
    """The entries of one writer, by the records that they make. A record that begins inside an entry does not cut
    it."""
    begins = {start for start, _ in framing.spans(message_of(batch, indices))}
    starts = accumulate((len(batch[index].message) for index in indices[:-1]), initial=0)
    firsts = [place for place, start in enumerate(starts) if start in begins]
    return [indices[first:behind] for first, behind in zip(firsts, [*firsts[1:], len(indices)], strict=True)]


def _moment(micros: str) -> datetime:
    """Raises ValueError."""
    try:
        return datetime.fromtimestamp(int(micros) / 1_000_000, UTC)
    except (OverflowError, OSError):
        raise ValueError(f"{micros[:40]} is no time") from None


def _head(at: datetime, host: str, identifier: str, pid: str) -> bytes:
    head = f"{_MONTHS[at.month - 1]} {at.day:2} {at:%H:%M:%S} {host} {identifier}{f'[{pid}]' if pid else ''}: "
    return head.encode("utf-8", "surrogateescape")


def _text(value: Any) -> str:
    """Binary values come as lists of numbers, repeated fields as lists of values, over-long ones as null."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        if all(isinstance(each, int) and 0 <= each < 256 for each in value):
            return bytes(value).decode("utf-8", "surrogateescape")
        return " ".join(_text(each) for each in value)
    return "" if value is None else str(value)
