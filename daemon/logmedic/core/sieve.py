"""Unknown errors found without asking every rule of every line: first what looks like an error, then the rules of that.

Most lines of a log are no errors, and most hits of rules are in those. Where matches are not asked for, the scan for
the detectors alone comes first: it is several times faster than one for hundreds of rules, and leaves little to ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from types import MappingProxyType

from logmedic.core.framing import TRACES, Framing
from logmedic.core.matcher import Matcher
from logmedic.core.ordinary import Draw, ordinary_line
from logmedic.core.scanner import make_scanner
from logmedic.core.templates import ERROR_DETECTORS
from logmedic.model.record import Block, Entry, Findings, Record, UnknownError


class Sieve:
    """`find` as that of `matcher`, without matches: unknown errors, with their spans in the block. `matcher`: made with
    the same `framings`, learning and placing. For blocks without entries, of which nothing was told before."""

    def __init__(
        self, matcher: Matcher, framings: Mapping[str, Framing] = MappingProxyType({}), scanner: str = "auto"
    ) -> None:
        self._matcher = matcher
        self._framings = framings
        self._scanner = make_scanner(list(ERROR_DETECTORS), scanner)

    @property
    def quarantined(self) -> Mapping[str, str]:
        return self._matcher.quarantined

    def find(self, block: Block, draw: Draw | None = None) -> Findings:
        framing = self._framings.get(block.source, TRACES)
        hits = self._scanner.scan(block.data, framing.spans)
        spans = [(start, end) for start, end, _ in framing.cut(block.data, hits)]
        lines = block.data.count(b"\n") + (not block.data.endswith(b"\n") and bool(block.data))
        ordinary = ordinary_line(block, spans, draw) if draw is not None else None
        if not spans:
            return Findings(lines=lines, ordinary=ordinary)
        starts = [0, *accumulate(end - start for start, end in spans[:-1])]
        found = self._matcher.find(_only(block, spans, starts))
        places = dict(zip(starts, spans, strict=True))
        unknown = tuple(_placed(error, block, places) for error in found.unknown)
        return replace(found, matches=(), unknown=unknown, lines=lines, ordinary=ordinary)


def _only(block: Block, spans: Sequence[tuple[int, int]], starts: Sequence[int]) -> Block:
    """Records of the block, each an entry of its own: they stay apart, whatever they begin with."""
    content = b"".join([block.data[start:end] for start, end in spans])
    entries = tuple([Entry(start) for start in starts])
    return replace(block, data=content, start=0, entries=entries, complete=True, grows=None)


def _placed(error: UnknownError, block: Block, places: Mapping[int, tuple[int, int]]) -> UnknownError:
    spans = tuple([places[start] for start, _ in error.spans])
    (start, end), was = spans[0], error.record
    record = Record(was.source, was.origin, was.text, block.start + start, block.start + end, was.at, was.fields)
    return replace(error, spans=spans, record=record)
