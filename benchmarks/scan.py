"""Scanning: the matcher beside a plain loop, over the same lines, in one run. `python benchmarks/scan.py [MB]`."""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from logmedic.core.matcher import Matcher
from logmedic.model.record import Block, Checkpoint
from logmedic.model.rule import Capture, CaptureType, MatchSpec, Rule

BLOCK_BYTES = 128 * 1024
CHUNK_LINES = 20_000
"""Lines that are made at once, and then repeated in another order: making all afresh takes longer than scanning."""
NOW = datetime(2026, 11, 24, 3, 30, tzinfo=UTC)
MB = 1_000_000

_SERVICES = ("shop", "billing", "search", "mailer", "stock", "gateway", "auth", "report", "cdn", "ledger")
_FAILURES = (
    "connection pool exhausted for tenant {}",
    "replica {} fell behind the primary",
    "circuit to partner {} was opened",
    "message {} exceeded its redelivery limit",
    "lease on shard {} expired unexpectedly",
    "checksum of segment {} does not match",
    "token issuer {} refused our key",
    "queue consumer {} stopped heartbeating",
    "cache node {} left the ring",
    "snapshot {} could not be finalised",
)
_ORDINARY: tuple[Callable[[random.Random, str], str], ...] = (
    lambda dice, clock: (
        f'203.0.113.{dice.randrange(256)} - - [23/Nov/2026:{clock} +0000] "GET /orders/{dice.randrange(10**7)}?page='
        f'{dice.randrange(90)} HTTP/1.1" 200 {dice.randrange(90_000)} '
        f'"https://shop.example/" "Mozilla/5.0 (X11; Linux)"'
    ),
    lambda dice, clock: (
        f"2026-11-23T{clock}.{dice.randrange(10**6):06d}+00:00 web{dice.randrange(9)} {dice.choice(_SERVICES)}"
        f"[{dice.randrange(9999)}]: request {dice.randrange(10**9):x} served in {dice.randrange(900)} ms, no retry"
    ),
    lambda dice, clock: (
        f"2026-11-23 {clock},{dice.randrange(1000):03d} INFO {dice.choice(_SERVICES)}.worker: job "
        f"{dice.randrange(10**9)} of tenant {dice.randrange(500)} finished, queue length {dice.randrange(40)}"
    ),
    lambda dice, clock: (
        f"Nov 23 {clock} db1 kernel: [{dice.randrange(10**6)}.{dice.randrange(10**6):06d}] IN=eth0 OUT= "
        f"SRC=198.51.100.{dice.randrange(256)} DST=203.0.113.9 LEN=60 TTL=52 PROTO=TCP DPT={dice.randrange(65535)} SYN"
    ),
    lambda dice, clock: (
        f"2026-11-23 {clock}.{dice.randrange(1000):03d} UTC [{dice.randrange(9999)}] app@shop LOG:  duration: "
        f"{dice.randrange(900)}.{dice.randrange(1000):03d} ms  statement: "
        f"SELECT * FROM orders WHERE id = {dice.randrange(10**8)}"
    ),
)


@dataclass(frozen=True, slots=True)
class Measured:
    """`ready` is the time to compile, in seconds, not part of `seconds`."""

    seconds: float
    hits: int
    ready: float


def rules(count: int) -> list[Rule]:
    """Every failure at every service, as rules are written: a logger, words, and a typed capture."""
    made = []
    for n in range(count):
        service, words = _SERVICES[n // len(_FAILURES) % len(_SERVICES)], _FAILURES[n % len(_FAILURES)]
        tier = "" if n < 100 else rf"-{n // 100}"
        pattern = rf"{service}{tier}\.\w+: " + words.replace("{}", r"(?P<what>[\w-]+)")
        spec = MatchSpec((pattern,), captures={"what": Capture(CaptureType.WORD)})
        made.append(Rule(f"rule-{n}", "t", spec))
    return made


def lines(size: int, hit_share: float, seed: int) -> Iterator[bytes]:
    """Blocks of whole lines, `size` bytes in all; `hit_share` of the lines match one of the first 100 rules."""
    dice = random.Random(seed)
    pool = [_line(dice, hit_share) for _ in range(CHUNK_LINES)]
    made, block = 0, bytearray()
    while made < size:
        dice.shuffle(pool)
        for line in pool:
            block += line
            if len(block) >= BLOCK_BYTES:
                made += len(block)
                yield bytes(block)
                block.clear()


def _line(dice: random.Random, hit_share: float) -> bytes:
    clock = f"{dice.randrange(24):02d}:{dice.randrange(60):02d}:{dice.randrange(60):02d}"
    if dice.random() < hit_share:
        words = dice.choice(_FAILURES).format(dice.randrange(10**6))
        return f"2026-11-23 {clock},123 WARNING {dice.choice(_SERVICES)}.worker: {words}\n".encode()
    return dice.choice(_ORDINARY)(dice, clock).encode() + b"\n"


def by_matcher(wanted: Sequence[Rule], blocks: Sequence[bytes]) -> Measured:
    """All of it: scan, cut, confirm, captures, error detectors."""
    begun = time.perf_counter()
    matcher = Matcher(wanted, zone=UTC)
    ready = time.perf_counter() - begun
    position = Checkpoint("bench", "bench", 0, NOW)
    begun = time.perf_counter()
    hits = sum(len(matcher.find(Block("bench", "bench", each, 0, position, NOW)).matches) for each in blocks)
    return Measured(time.perf_counter() - begun, hits, ready)


def by_plain_loop(wanted: Sequence[Rule], blocks: Sequence[bytes]) -> Measured:
    """What one writes first, written well: each line through one `re` of all alternatives (without groups, so that `re`
    can skip by first characters); only for a line that matches, which rule it was, and its capture."""
    begun = time.perf_counter()
    patterns = [rule.match.patterns[0].encode() for rule in wanted]
    single = [re.compile(each) for each in patterns]
    combined = re.compile(b"|".join(each.replace(b"(?P<what>", b"(?:") for each in patterns))
    ready = time.perf_counter() - begun
    begun, hits = time.perf_counter(), 0
    for block in blocks:
        for line in block.splitlines():
            if combined.search(line) is not None:
                hits += sum(match["what"] != b"" for each in single if (match := each.search(line)) is not None)
    return Measured(time.perf_counter() - begun, hits, ready)


def report(name: str, measured: Measured, count: int, size: int) -> None:
    rate, speed = count / measured.seconds, size / MB / measured.seconds
    print(
        f"{name:<22}{rate:>14,.0f} lines/s {speed:>9.1f} MB/s {measured.hits:>8,} hits {measured.seconds:>8.2f} s"
        f"   (ready in {measured.ready:.2f} s)"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("megabytes", nargs="?", type=int, default=200, help="size of the log (default: 200)")
    parser.add_argument("--rules", type=int, default=100)
    parser.add_argument("--hits", type=float, default=0.001, help="share of the lines that match (default: 0.001)")
    parser.add_argument("--loop-megabytes", type=int, default=50, help="what the plain loop gets of it (default: 50)")
    asked = parser.parse_args()

    blocks = list(lines(asked.megabytes * MB, asked.hits, seed=7))
    some = blocks[: max(1, asked.loop_megabytes * MB // BLOCK_BYTES)]
    wanted = rules(asked.rules)
    count, size = sum(each.count(b"\n") for each in blocks), sum(map(len, blocks))
    some_count, some_size = sum(each.count(b"\n") for each in some), sum(map(len, some))
    print(f"{asked.rules} rules, {size / MB:.0f} MB, {count:,} lines, {asked.hits:.2%} of them match; one core")

    ours, loop = by_matcher(wanted, blocks), by_plain_loop(wanted, some)
    report("logmedic", ours, count, size)
    report(f"loop ({some_size / MB:.0f} MB of it)", loop, some_count, some_size)
    print(f"ratio: {(size / ours.seconds) / (some_size / loop.seconds):.1f}x")

    check = by_matcher(wanted, some)
    if check.hits != loop.hits:
        print(f"the two disagree on the same lines: {check.hits} and {loop.hits}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
