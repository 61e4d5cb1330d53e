"""The tables of docs/faults.md: faults and invariants, the tests that are named after them, and how those ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from faultbook.book import INVARIANTS, ROOMS, Fault, Invariant
from faultbook.named import Named
from faultbook.results import FAILED, NOT_RUN, PASSED, Results

PAGE = Path(__file__).resolve().parents[2] / "docs" / "faults.md"
BEGIN, END = "<!-- made by `make faults-page` from tests/faultbook -->\n", "<!-- end -->\n"


def written(page: str, tests: Sequence[Named], modules: dict[str, tuple[str, ...]], results: Results) -> str:
    """`page` with the present tables."""
    head, rest = page.split(BEGIN)
    tables = "\n".join(_tables(tests, modules, results))
    return f"{head}{BEGIN}{tables}\n{END}{rest.split(END)[1]}"


def _tables(tests: Sequence[Named], modules: dict[str, tuple[str, ...]], results: Results) -> Iterator[str]:
    yield f"Last run of all: {results.on or NOT_RUN}.\n"
    for room, faults in ROOMS.items():
        yield f"## {room}"
        yield "| | fault | what is promised | tests | last result |\n|---|---|---|---|---|"
        yield from (_fault(each, _about(each.name, tests), results) for each in faults)
        yield ""
    yield "## What holds always"
    yield "| | promise | faults | tests | last result |\n|---|---|---|---|---|"
    yield from (_invariant(each, _about(each.name, tests), modules, results) for each in INVARIANTS)


def _about(name: str, tests: Sequence[Named]) -> list[Named]:
    return [each for each in tests if name in each.names]


def _fault(fault: Fault, tests: list[Named], results: Results) -> str:
    ended = _ended([results.of(each.id) for each in tests])
    promise = f"{fault.promise} ([more]({fault.more}))"
    return f"| {fault.name} | {fault.fault} | {promise} | {_listed(tests)} | {ended} |"


def _invariant(invariant: Invariant, tests: list[Named], modules: dict[str, tuple[str, ...]], results: Results) -> str:
    whole = [file for file, names in modules.items() if invariant.name in names]
    ended = _ended(
        [*(results.of(each.id) for each in tests), *(each for file in whole for each in results.of_file(file))]
    )
    listed = "<br>".join(filter(None, (*(f"{_link(file)}, all of it" for file in whole), _listed(tests))))
    faults = " ".join(f"F{number:02d}" for number in invariant.faults)
    return f"| {invariant.name} | {invariant.promise} | {faults} | {listed} | {ended} |"


def _listed(tests: list[Named]) -> str:
    return "<br>".join(
        f"{_link(file)}: {'; '.join(each.claim for each in of_file)}"
        for file, of_file in groupby(tests, attrgetter("file"))
    )


def _link(file: str) -> str:
    return f"[{Path(file).stem.removeprefix('test_')}](../tests/{file})"


def _ended(results: list[str]) -> str:
    """9 passed, 1 not run: no FUSE here"""
    counts = Counter(results)
    order = (FAILED, PASSED, *sorted(each for each in counts if each not in (FAILED, PASSED)))
    return ", ".join(f"{counts[each]} {_cell(each)}" for each in order if counts[each])


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "/").replace("<", "&lt;").split())
