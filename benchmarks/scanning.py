"""Scenarios 1 to 6 and 18: how fast blocks of lines are searched, with all that the daemon does to a line before the
engine sees it: the scan, cutting records, confirming by `regex`, typed captures, times, unknown errors."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from pathlib import Path

from benchmarks import peers
from benchmarks.corpus import MB, Corpus, blocks, rules, sliced, write_patterns
from benchmarks.peers import Peer
from benchmarks.table import Row
from logmedic.core.matcher import Matcher
from logmedic.model.record import Block, Checkpoint

NOW = datetime(2026, 11, 23, 3, 30, tzinfo=UTC)
MARK = Checkpoint("bench", "bench", 0, NOW)
REPEATS = 3
"""The fastest counts: what a busy machine adds is no property of the code."""


@dataclass(frozen=True, slots=True)
class Scan:
    """`rate`: megabytes a second of CPU, files read included, rules compiled before."""

    rate: float
    matches: int
    unknown: int
    ready_s: float


def block_of(content: bytes) -> Block:
    return Block("bench", "bench", content, 0, MARK, NOW)


@cache
def matcher(count: int) -> tuple[Matcher, float]:
    begun = time.process_time()
    made = Matcher(rules(count), zone=UTC)
    return made, time.process_time() - begun


@cache
def scan(corpus: Corpus, count: int) -> Scan:
    log = corpus.made()
    searched, ready = matcher(count)
    return max((_once(searched, log, ready) for _ in range(REPEATS)), key=lambda each: each.rate)


def _once(searched: Matcher, log: Path, ready: float) -> Scan:
    matches = unknown = 0
    begun = time.process_time()
    for each in blocks(log):
        found = searched.find(block_of(each))
        matches += len(found.matches)
        unknown += sum(error.count for error in found.unknown)
    spent = time.process_time() - begun
    return Scan(log.stat().st_size / MB / spent, matches, unknown, ready)


def _ours(measured: Scan) -> str:
    flagged = f", {measured.unknown:,} unknown" if measured.unknown else ""
    return f"{measured.rate:,.0f} MB/s, {measured.matches:,} matches{flagged}"


def _beside(name: str, number: str, ours: Scan, peer: Peer, reach: float) -> Row:
    if peer.absent:
        return Row(number, name, _ours(ours), f"{peer.name}: not installed")
    agreed = "" if peer.found in (-1, ours.matches) else f", counts {peer.found:,}"
    ratio = ours.rate / peer.rate
    told = f"{peer.name}: {peer.rate:,.3g} MB/s{agreed}"
    return Row(
        number,
        name,
        _ours(ours),
        told,
        f"{ratio:,.2g}x" if ratio < 10 else f"{ratio:,.0f}x",
        f"{reach:g}x",
        ratio >= reach,
    )


def scan_few(megabytes: int) -> Iterator[Row]:
    """scan-10 beside grep, scan-100 beside rg."""
    log = Corpus(megabytes).made()
    with tempfile.TemporaryDirectory() as room:
        for count in (10, 100):
            patterns = write_patterns(Path(room) / f"{count}", count)
            ours = scan(Corpus(megabytes), count)
            yield _beside(f"scan-{count}", "1", ours, peers.grep(log, patterns), 1.3 if count == 10 else 1.0)
            yield _beside(f"scan-{count}", "1", ours, peers.ripgrep(log, patterns), 1.0 if count == 10 else 3.0)


def scan_1k(megabytes: int) -> Iterator[Row]:
    """scan-1k beside rg, grep, fail2ban-regex and sec; the last two on the beginning of the log."""
    log = Corpus(megabytes).made()
    ours = scan(Corpus(megabytes), 1000)
    with tempfile.TemporaryDirectory() as name:
        room = Path(name)
        patterns = write_patterns(room / "patterns", 1000)
        yield _beside("scan-1k", "2", ours, peers.ripgrep(log, patterns), 15)
        yield _beside("scan-1k", "2", ours, peers.grep(log, patterns), 20)
        for peer in (peers.fail2ban(sliced(log, 0.3), 1000, room), peers.sec(sliced(log, 0.5), 1000, room)):
            yield _beside("scan-1k", "2", ours, replace(peer, found=-1), 600)


def _share(name: str, number: str, ours: Scan, limit: Scan, what: str, reach: float) -> Row:
    ratio = ours.rate / limit.rate
    return Row(
        number, name, _ours(ours), f"{what}: {limit.rate:,.0f} MB/s", f"{ratio:.2f}", f"{reach:g}", ratio >= reach
    )


def scan_10k(megabytes: int) -> Iterator[Row]:
    """scan-10k, rules warm, beside scan-10."""
    yield _share("scan-10k", "3", scan(Corpus(megabytes), 10_000), scan(Corpus(megabytes), 10), "scan-10", 0.25)


def storm(megabytes: int) -> Iterator[Row]:
    """storm-1k: a tenth of the lines match, with captures; counts exact."""
    corpus = Corpus(megabytes, hits=0.1, spread=1000)
    ours = scan(corpus, 1000)
    yield _share("storm-1k", "4", ours, scan(Corpus(megabytes), 1000), "scan-1k", 0.3)
    part = sliced(corpus.made(), 5)  # of so many hits grep gets through 1 MB a second
    counted, searched = _count_of_grep(part), matcher(1000)[0]
    if counted >= 0:
        found = sum(len(searched.find(block_of(each)).matches) for each in blocks(part))
        yield Row(
            "4", "storm-1k, count", f"{found:,} in 5 MB", f"grep -E -c: {counted:,}", "", "exact", counted == found
        )


def _count_of_grep(log: Path) -> int:
    with tempfile.TemporaryDirectory() as room:
        return peers.grep(log, write_patterns(Path(room) / "patterns", 1000)).found


def learn_share(megabytes: int) -> Iterator[Row]:
    """Scan and learn: 2, 8, 16 % of the lines are errors that no rule knows."""
    for share, reach in ((0.02, 0.6), (0.08, 0.35), (0.16, 0.3)):
        ours = scan(Corpus(megabytes, flagged=share), 1000)
        yield _share(f"scan + learn, {share:.0%} flagged", "5", ours, scan(Corpus(megabytes), 1000), "scan-1k", reach)


def differential(megabytes: int) -> Iterator[Row]:
    """The block scanner finds what the plain one finds, in the beginning of every corpus (with 40 rules: the plain one
    asks each rule at each line)."""
    wanted = rules(40)
    fast, plain = (Matcher(wanted, zone=UTC, scanner=kind) for kind in ("hyperscan", "plain"))
    corpora = (
        Corpus(megabytes),
        Corpus(megabytes, hits=0.1, spread=1000),
        *(Corpus(megabytes, flagged=s) for s in (0.02, 0.16)),
    )
    for corpus in corpora:
        first = list(islice(blocks(corpus.made()), 16))
        same = all(fast.find(block_of(each)) == plain.find(block_of(each)) for each in first)
        size = sum(map(len, first)) / MB
        yield Row("6", f"differential, {corpus.path.stem}", f"{size:.1f} MB", "plain matcher", "", "identical", same)


def two_cores(megabytes: int) -> Iterator[Row]:
    """The same blocks searched in one thread and in two: wall-clock time."""
    for corpus, reach, name in (
        (Corpus(megabytes), 1.7, "two cores, 0.5 % hits"),
        (Corpus(megabytes, hits=0.1, spread=1000), 1.4, "two cores, 10 % hits"),
    ):
        searched, _ = matcher(1000)
        content = list(islice(blocks(corpus.made(), MB), max(20, megabytes // 3)))
        one, two = (min(_wall(searched, content, threads) for _ in range(REPEATS)) for threads in (1, 2))
        size = sum(map(len, content)) / MB
        ours, beside = f"{size / two:,.0f} MB/s in two threads", f"{size / one:,.0f} MB/s in one"
        yield Row("18", name, ours, beside, f"{one / two:.2f}x", f"{reach}x", one / two >= reach)


def _wall(searched: Matcher, content: Sequence[bytes], threads: int) -> float:
    with ThreadPoolExecutor(threads) as pool:
        begun = time.perf_counter()
        for _ in pool.map(lambda each: searched.find(block_of(each)), content):
            pass
        return time.perf_counter() - begun
