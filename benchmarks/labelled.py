"""Messages whose kind is known: of our own making, or read from CSVs with Content, EventId and EventTemplate."""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.corpus import WORDS

LINES = 2000
_PEOPLE = ("ann", "bob", "cyd", "dora", "emil", "fritz", "gina", "hugo", "ida", "jan", "kim", "lea", "max", "nora")

_SHOP = (
    "order {n} lost by {ip}",
    "payment {id} of customer {person} refused: code {n}",
    "cannot open {path}: no such file",
    "cannot open {path}: permission denied",
    "login failed for user {person} from {ip}",
    "login failed for unknown user {person} from {ip}",
    "session {hex} closed after {n} seconds",
    "session {hex} closed by peer",
    "cart {uuid} is in state OPEN, not PAID",
    "cart {uuid} is in state PAID, not SENT",
    "mail to {mail} bounced",
    "upstream {host} timed out after {dur}",
    "upstream {host} refused the connection",
    "stock of article {n} below {n} (warehouse {word})",
    "cache is full: {size} of {size} in use",
    "price list {version} rejected",
    "worker worker-{n} died with signal {n}",
    "queue {word}.{word} has {n} messages, {n} unacked",
    "lock order: {n} waits for {n}",
    "checkout disabled",
)
_NODE = (
    "link {eth} is down",
    "link {eth} is up at {n} Mbps",
    "disk {disk}: read error at sector {n}",
    "disk {disk}: write error at sector {n}",
    "temperature of core {n} is {n} above the limit",
    "process {n} ({word}) killed, {n} kB freed",
    "mount of {path} failed: bad superblock",
    "mount of {path} failed: device is busy",
    "{fan}: {n} rpm, too slow",
    "{fan}: stopped",
    "volume {volume} degraded, {n} of {n} members left",
    "unit {word}.service entered failed state",
    "raid check of {raid} found {n} mismatches",
    "clock is {dur} off, peer {ip}",
    "no route to {ip} via {ip}",
    "table full, packet from {ip} dropped",
    "watchdog did not stop",
    "user {person} may not run {path}",
    "battery at {n} %, shutting down in {n} minutes",
    "call of {word}Service.{word}() failed: argument {n} is null",
)


@dataclass(frozen=True, slots=True)
class Labelled:
    """Messages of one system in their order, each with its kind; the template of each kind, `<*>` for a value."""

    name: str
    messages: list[str]
    kinds: list[str]
    templates: dict[str, str]


def read(folder: Path) -> Iterator[Labelled]:
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        yield Labelled(
            path.stem,
            [" ".join(row["Content"].splitlines()) for row in rows],
            [row["EventId"] for row in rows],
            {row["EventId"]: row["EventTemplate"] for row in rows},
        )


def made(seed: int = 7) -> Iterator[Labelled]:
    """Two systems; a few kinds come often, most seldom, as in any log."""
    for name, forms in (("shop", _SHOP), ("node", _NODE)):
        chance = random.Random(f"{seed} {name}")
        chosen = chance.choices(range(len(forms)), [1 / (n + 1) for n in range(len(forms))], k=LINES)
        yield Labelled(
            name,
            [forms[kind].format_map(_Values(chance)) for kind in chosen],
            [str(kind) for kind in chosen],
            {str(kind): form.format_map(_Stars()) for kind, form in enumerate(forms)},
        )


class _Stars(defaultdict[str, str]):
    def __missing__(self, key: str) -> str:
        return "<*>"


class _Values(dict[str, str]):
    """A value for each name, another one each time."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._chance = chance

    def __missing__(self, key: str) -> str:
        return _MAKERS[key](self._chance)


def _ip(chance: random.Random) -> str:
    return f"10.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randrange(1, 255)}"


def _uuid(chance: random.Random) -> str:
    text = f"{chance.getrandbits(128):032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


_MAKERS: dict[str, Callable[[random.Random], str]] = {
    "n": lambda chance: str(chance.randrange(10 ** chance.randrange(1, 7))),
    "eth": lambda chance: f"eth{chance.randrange(12)}",
    "disk": lambda chance: f"sd{chance.choice('abcdef')}{chance.randrange(1, 9)}",
    "fan": lambda chance: f"fan{chance.randrange(12)}",
    "raid": lambda chance: f"md{chance.randrange(12)}",
    "volume": lambda chance: f"{chance.choice(WORDS)}_{chance.randrange(12)}",
    "version": lambda chance: f"v{chance.randrange(9)}.{chance.randrange(30)}.{chance.randrange(9)}",
    "ip": _ip,
    "id": lambda chance: f"pay_{chance.randrange(10**9)}_{chance.randrange(100)}",
    "hex": lambda chance: f"0x{chance.getrandbits(48):x}",
    "uuid": _uuid,
    "path": lambda chance: f"/srv/{chance.choice(WORDS)}/{chance.choice(WORDS)}-{chance.randrange(99)}.dat",
    "mail": lambda chance: f"{chance.choice(_PEOPLE)}@{chance.choice(WORDS)}.example.com",
    "host": lambda chance: (
        f"{chance.choice(WORDS)}-{chance.randrange(20)}.shop.internal:{chance.randrange(1000, 9999)}"
    ),
    "dur": lambda chance: f"{chance.randrange(9000)}ms",
    "size": lambda chance: f"{chance.randrange(900)}{chance.choice(('KB', 'MB', 'GB'))}",
    "word": lambda chance: chance.choice(WORDS),
    "person": lambda chance: chance.choice(_PEOPLE),
}
