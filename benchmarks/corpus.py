"""Logs and rules to measure with, made from a seed: two runs see the same bytes. Kept in `.bench/` between runs."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from logmedic.model.match import Capture, CaptureType, MatchSpec
from logmedic.model.rule import Rule

HERE = Path(__file__).parent.parent / ".bench"
MB = 1_000_000
POOL_LINES = 200_000
"""Distinct lines that a corpus is dealt from: to make all of them afresh would take longer than what is measured."""
DEALT_LINES = 20_000
SECONDS = 600
"""The times that the lines of a corpus bear."""
VERSION = 6
"""Part of a corpus' file name: a change of what is made here makes the files anew."""

_SERVICES = ("shop", "billing", "search", "mailer", "stock", "gateway", "auth", "report", "cdn", "ledger")
WORDS = """
lease shard replica tenant segment quota ledger cursor broker partner consumer snapshot token vault beacon channel
relay bucket cluster mirror archive parcel voucher carrier gateway pointer session anchor console garden harvest
signal packet invoice courier pallet mandate ticket scanner printer sensor turbine furnace reactor pipeline valve
conveyor hopper silo crane dock berth runway hangar tower radar sonar buoy lantern compass sextant rudder keel
expired drifted stalled overflowed vanished jammed flooded leaked cracked warped melted froze derailed capsized
collided evaporated corroded unravelled misfired backfired slipped tripped faded dimmed flickered stuttered halted
diverged desynchronised deadlocked starved thrashed spilled burst snapped buckled crumbled dissolved refused
""".split()  # noqa: SIM905  a hundred quotes more would not read better


def _ip(dice: random.Random) -> str:
    return f"{dice.randrange(1, 224)}.{dice.randrange(256)}.{dice.randrange(256)}.{dice.randrange(1, 255)}"


_ORDINARY: tuple[Callable[[random.Random, str], str], ...] = (
    lambda d, at: (
        f'{_ip(d)} - - [23/Nov/2026:{at} +0000] "GET /orders/{d.randrange(10**7)}?page={d.randrange(90)} HTTP/1.1" 200 '
        f'{d.randrange(90_000)} "https://shop.example/cart/{d.randrange(10**5)}" "Mozilla/5.0 (X11; Linux x86_64)"'
    ),
    lambda d, at: (
        f"2026-11-23T{at}.{d.randrange(10**6):06d}+00:00 web{d.randrange(9)} "
        f"{d.choice(_SERVICES)}[{d.randrange(999)}]: request {d.randrange(16**12):012x} of {_ip(d)} served "
        f"in {d.randrange(900)} ms, {d.randrange(3)} retries"
    ),
    lambda d, at: (
        f"2026-11-23 {at},{d.randrange(1000):03d} INFO {d.choice(_SERVICES)}.worker: job {d.randrange(10**9)} of "
        f"tenant {d.randrange(500)} finished in {d.randrange(9000)} ms, queue length {d.randrange(40)}, next at {at}"
    ),
    lambda d, at: (
        f"Nov 23 {at} db{d.randrange(4)} kernel: [{d.randrange(10**6)}.{d.randrange(10**6):06d}] IN=eth0 OUT= "
        f"MAC=52:54:00:{d.randrange(256):02x}:1f:{d.randrange(256):02x} SRC={_ip(d)} DST={_ip(d)} LEN=60 TOS=0x00 "
        f"TTL={d.randrange(255)} PROTO=TCP SPT={d.randrange(65535)} DPT={d.randrange(65535)} WINDOW=64240 SYN URGP=0"
    ),
    lambda d, at: (
        f"2026-11-23 {at}.{d.randrange(1000):03d} UTC [{d.randrange(9999)}] app@shop LOG:  duration: "
        f"{d.randrange(900)}.{d.randrange(1000):03d} ms  statement: "
        f"SELECT * FROM orders WHERE id = {d.randrange(10**8)}"
    ),
    lambda d, at: (
        f"Nov 23 {at} web{d.randrange(9)} sshd[{d.randrange(99999)}]: Accepted publickey for deploy from {_ip(d)} port "
        f"{d.randrange(65535)} ssh2: ED25519 SHA256:{d.randrange(62**20):x}"
    ),
    lambda d, at: (
        f"Nov 23 {at} web{d.randrange(9)} systemd[1]: Started session-{d.randrange(9999)}.scope - Session "
        f"{d.randrange(9999)} of User deploy."
    ),
    lambda d, at: f"Nov 23 {at} web{d.randrange(9)} CRON[{d.randrange(99999)}]: (root) CMD (/usr/bin/run-parts hourly)",
    lambda d, at: (
        f'{{"ts":"2026-11-23T{at}.{d.randrange(1000):03d}Z","level":"info","logger":"{d.choice(_SERVICES)}.http","msg":"done",'
        f'"path":"/v2/items/{d.randrange(10**6)}","status":200,"bytes":{d.randrange(10**5)},"ms":{d.randrange(900)}}}'
    ),
    lambda d, at: (
        f"{at} {d.choice(_SERVICES)} haproxy[{d.randrange(9999)}]: {_ip(d)}:{d.randrange(65535)} "
        f"[23/Nov/2026:{at}.123] front~ back/web{d.randrange(9)} 0/0/{d.randrange(9)}/{d.randrange(900)}/"
        f"{d.randrange(900)} 200 {d.randrange(90_000)} - - ---- {d.randrange(99)}/{d.randrange(99)}/"
        f"{d.randrange(9)}/0/0 0/0"
    ),
)

_FLAGGED: tuple[Callable[[random.Random, str], str], ...] = (
    lambda d, at: (
        f"2026-11-23 {at},{d.randrange(1000):03d} ERROR {d.choice(_SERVICES)}.db: connection to "
        f"{_ip(d)}:{d.randrange(65535)} lost after {d.randrange(900)} ms"
    ),
    lambda d, at: (
        f"2026-11-23 {at},{d.randrange(1000):03d} ERROR {d.choice(_SERVICES)}.jobs: job {d.randrange(10**9)} failed: "
        f"{d.choice(WORDS[:12])} {d.choice(WORDS[50:54])} not found in /srv/data/{d.randrange(10**6)}"
    ),
    lambda d, at: (
        f"2026/11/23 {at} [error] {d.randrange(9999)}#{d.randrange(99)}: *{d.randrange(10**6)} open() "
        f'"/srv/www/{d.choice(WORDS[:20])}.png" failed (2: No such file or directory), client: {_ip(d)}'
    ),
    lambda d, at: (
        f"Nov 23 {at} web{d.randrange(9)} {d.choice(_SERVICES)}[{d.randrange(9999)}]: error: cannot renew "
        f"{d.choice(WORDS[:20])} {d.randrange(10**5)}: timed out"
    ),
    lambda d, at: (
        f'{{"ts":"2026-11-23T{at}.{d.randrange(1000):03d}Z","level":"error","logger":"{d.choice(_SERVICES)}.http",'
        f'"msg":"upstream {d.choice(WORDS[:9])} refused","status":502,"ms":{d.randrange(900)}}}'
    ),
)


@dataclass(frozen=True, slots=True)
class Corpus:
    """`hits` of the lines match one of the first `spread` rules, `flagged` look like errors that no rule knows."""

    megabytes: int
    hits: float = 0.005
    spread: int = 10
    flagged: float = 0.0
    seed: int = 7

    @property
    def path(self) -> Path:
        name = f"v{VERSION}-{self.megabytes}MB-{self.hits}-{self.spread}-{self.flagged}-{self.seed}.log"
        return HERE / name

    def made(self) -> Path:
        """The file, written when it is not there yet; read once, so that it is in the page cache."""
        if not self.path.exists():
            HERE.mkdir(exist_ok=True)
            half = self.path.with_suffix(".half")
            with half.open("wb") as out:
                for block in self._blocks():
                    out.write(block)
            half.rename(self.path)
        with self.path.open("rb", buffering=0) as warm:
            while warm.read(MB):
                pass
        return self.path

    def _blocks(self) -> Iterator[bytes]:
        dice = random.Random(self.seed)
        pool = [self._line(dice, number // (POOL_LINES // SECONDS)) for number in range(POOL_LINES)]
        made, wanted = 0, self.megabytes * MB
        while made < wanted:
            block = b"".join(dice.choices(pool, k=DEALT_LINES))
            if made + len(block) > wanted:
                block = block[: block.rfind(b"\n", 0, wanted - made) + 1]
                made = wanted
            made += len(block)
            yield block

    def _line(self, dice: random.Random, second: int) -> bytes:
        at = f"03:{second // 60:02d}:{second % 60:02d}"
        chance = dice.random()
        if chance < self.hits:
            return f"{hit(dice, dice.randrange(self.spread), at)}\n".encode()
        if chance < self.hits + self.flagged:
            return f"{dice.choice(_FLAGGED)(dice, at)}\n".encode()
        return f"{dice.choice(_ORDINARY)(dice, at)}\n".encode()


def _phrase(number: int) -> str:
    dice = random.Random(number * 2654435761 % 2**32)
    return " ".join(dice.choice(WORDS) for _ in range(4))


def hit(dice: random.Random, number: int, at: str) -> str:
    """A line for rule `number`."""
    return (
        f"2026-11-23 {at},{dice.randrange(1000):03d} WARNING {_service(number)}.worker: {_phrase(number)} {number} at "
        f"{_ip(dice)} after {dice.randrange(900)} tries"
    )


def _service(number: int) -> str:
    return _SERVICES[number % len(_SERVICES)]


def pattern(number: int) -> str:
    """That of rule `number`. They take turns in four shapes, as people write them: words in a row, something between
    them, the whole line, alternatives."""
    service, phrase = _service(number), _phrase(number)
    return (
        rf"{service}\.\w+: {phrase} {number} at (?P<host>[0-9.]+) after (?P<tries>\d+) tries",
        rf"(?:WARNING|ERROR) {service}\.\w+: .*{phrase} {number} at (?P<host>[0-9.]+) after (?P<tries>\d+) ",
        rf"^\S+ \S+ \w+ {service}\.\w+: {phrase} {number} at (?P<host>\S+) after (?P<tries>\d+) tries$",
        rf"{phrase} {number} (?:at|from) (?P<host>\d+\.\d+\.\d+\.\d+) (?:after|within) (?P<tries>\d+) (?:tries|s)",
    )[number % 4]


def rules(count: int) -> list[Rule]:
    types = {"host": Capture(CaptureType.IP), "tries": Capture(CaptureType.INT)}
    return [
        Rule(f"rule-{number}", f"{_phrase(number)} at {{host}}", MatchSpec((pattern(number),), captures=types))
        for number in range(count)
    ]


def rule_files(count: int) -> list[str]:
    """The same as rule files, a thousand in each."""
    each = "  - {{ id: rule-{0}, title: 'rule {0} at {{host}}', severity: low, match: {{ pattern: '{1}', captures: "
    each += "{{ host: ip, tries: int }} }} }}\n"
    lines = [each.format(number, pattern(number)) for number in range(count)]
    return ["version: 1\nrules:\n" + "".join(lines[at : at + 1000]) for at in range(0, count, 1000)]


def plain_pattern(number: int) -> str:
    """The same language for tools that know no named groups and no classes of Perl's."""
    known = pattern(number)
    for theirs, ours in ((r"\?P<\w+>", ""), (r"\(\?:", "("), (r"\\d", "[0-9]"), (r"\\w", "[A-Za-z0-9_]")):
        known = re.sub(theirs, ours, known)
    return known.replace(r"\S", "[^[:space:]]")


def write_patterns(path: Path, count: int) -> Path:
    """One a line, as `grep -f` reads them."""
    path.write_text("".join(f"{plain_pattern(number)}\n" for number in range(count)))
    return path


def blocks(path: Path, size: int = 128 * 1024) -> Iterator[bytes]:
    """Whole lines of the file, some `size` bytes at once."""
    held = b""
    with path.open("rb", buffering=0) as log:
        while chunk := log.read(size):
            whole = held + chunk if held else chunk
            end = whole.rfind(b"\n") + 1
            held = whole[end:]
            yield whole[:end]
    if held:
        yield held


def sliced(path: Path, megabytes: float) -> Path:
    """The beginning of the file, whole lines, as a file of its own: for peers that are slow."""
    part = path.with_name(f"{path.stem}-first-{megabytes}MB.log")
    if not part.exists():
        with path.open("rb") as whole:
            head = whole.read(int(megabytes * MB))
        part.write_bytes(head[: head.rfind(b"\n") + 1])
    return part
