"""Records of many lines on their way through files and the intake: written line by line, rotated, never ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fakes.memory_store import MemoryStore
from logmedic.core.framing import Framing
from logmedic.core.records import MAX_RECORD_BYTES, MAX_RECORD_LINES
from logmedic.model.changeset import Changeset
from logmedic.model.match import MatchSpec
from logmedic.model.rule import Rule
from logmedic.model.severity import Severity
from runtime.hosting import host, until, watching
from tail.collector import append
from traces import TRACES

Writer = Callable[[Callable[[], int]], Iterator[Callable[[], bool]]]
LINE = "2026-11-23 03:12:42,000 INFO shop: up"


def rule_of(*records: str) -> Rule:
    """Matches records that are exactly one of these."""
    exact = "|".join(_escaped(record) for record in records)
    return Rule("exact", "as written", MatchSpec((rf"(?s)\A(?:{exact})\Z",)), Severity.LOW)


def _escaped(text: str) -> str:
    return "".join(each if each.isalnum() else f"\\x{ord(each):02x}" for each in text)


def matched(store: MemoryStore) -> int:
    def of(changeset: Changeset) -> int:
        return sum(tally.n for tally in changeset.tallies if tally.kind == "matched")

    return sum(map(of, store.changesets))


def read_while(log: Path, rule: Rule, write: Writer, wanted: int, **how: Framing) -> int:
    """How many records matched, of the lines that `write` writes; it is given how many bytes are taken by now, and
    yields what it waits for."""

    async def scenario() -> int:
        store = MemoryStore()
        log.touch()
        async with watching() as files:
            source = files("app", log)
            async with host(store, source, rules=(rule,), **how) as (engine, _):
                await until(lambda: source.asked)
                for step in write(lambda: source.taken):
                    await until(step)
                await until(lambda: matched(store) >= wanted)
                await engine.settled()
        return matched(store)

    return asyncio.run(scenario())


@pytest.mark.parametrize("kind", TRACES)
def test_a_trace_that_is_written_line_by_line_is_one_record(tmp_path: Path, kind: str) -> None:
    log, trace = tmp_path / "app.log", TRACES[kind].decode().rstrip("\n")

    def write(taken: Callable[[], int]) -> Iterator[Callable[[], bool]]:
        for line in (LINE, *trace.split("\n")):
            append(log, line)
            yield lambda: taken() == log.stat().st_size

    assert read_while(log, rule_of(trace), write, 1) == 1


def test_what_is_unfinished_at_a_rotation_leaves_and_nothing_of_the_new_file_belongs_to_it(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    begun = 'Traceback (most recent call last):\n  File "shop.py", line 3, in buy'

    def write(taken: Callable[[], int]) -> Iterator[Callable[[], bool]]:
        append(log, begun)
        log.rename(tmp_path / "app.log.1")
        append(log, "    indented, and first of its file")
        yield lambda: taken() > 100

    assert read_while(log, rule_of(begun, "    indented, and first of its file"), write, 2) == 2


def test_records_are_what_the_operator_says_they_are(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    first, second = "BEGIN 1\nSELECT *\nFROM orders", "BEGIN 2\n\nand so on"

    def write(taken: Callable[[], int]) -> Iterator[Callable[[], bool]]:
        for line in f"{first}\n{second}".split("\n"):
            append(log, line)
            yield lambda: taken() == log.stat().st_size

    assert read_while(log, rule_of(first, second), write, 2, framing=Framing(start="^BEGIN")) == 2


@pytest.mark.parametrize(("line", "wanted"), [("  short", 5), (f"  {'x' * 5000}", 4)], ids=["lines", "bytes"])
def test_i6_a_record_that_does_not_end_is_cut(tmp_path: Path, line: str, wanted: int) -> None:
    log = tmp_path / "app.log"
    lines = min(MAX_RECORD_LINES, MAX_RECORD_BYTES // (len(line) + 1))
    rule = Rule("long", "it is long", MatchSpec((rf"(?s)\A.{{1,{MAX_RECORD_BYTES}}}\Z",)), Severity.LOW)

    def write(taken: Callable[[], int]) -> Iterator[Callable[[], bool]]:
        append(log, "error: it begins", *[line] * (4 * lines))
        yield lambda: taken() == log.stat().st_size

    assert read_while(log, rule, write, wanted) == wanted
