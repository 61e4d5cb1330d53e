"""Where in a block a pattern may match: candidates, to be confirmed on the record's text.

A hit may be false; a record that `regex` confirms always has one, at its last byte or before.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any, Protocol

import regex

from logmedic.core.records import decode, spans
from logmedic.core.widening import widen

Records = Callable[[bytes], Iterable[tuple[int, int]]]
Hit = tuple[int, int]
"""Index of the pattern, offset behind the last byte of the hit (1 for the first byte of the block; 0 only in an empty
match at the start)."""
MAX_OVERRUNS = 5
"""In one block and of one pattern: with confirming them, what a hostile block costs stays near a second (F43)."""

MAX_SHARED = 8
"""Patterns that one literal may stand for: a hit of it asks them all. Above, each is in the database as a whole."""


class Scanner(Protocol):
    """Built once for a set of patterns; used from any thread."""

    def scan(self, data: bytes, records: Records = spans) -> list[Hit]:
        """Hits in any order, possibly several a record. `records`: tells (start, end) of each record in `data`."""

    def mute(self, indices: Collection[int]) -> None:
        """These patterns, and no others, need no hits from now on (their rule is quarantined, F43)."""


class Saved(Protocol):
    """Where compiled databases outlive the process. What `get` answers is trusted: only the own user may write it."""

    def get(self, key: str) -> bytes | None: ...

    def put(self, key: str, content: bytes) -> None: ...


class Unsaved:
    """Nothing is kept."""

    def get(self, key: str) -> bytes | None:
        return None

    def put(self, key: str, content: bytes) -> None:
        """Forgotten."""


UNSAVED = Unsaved()


class PlainScanner:
    """Record by record, pattern by pattern, with `regex` alone: slow, exact, the oracle of the tests. `timeout_s` is a
    record's share for one pattern; a record that takes longer is a hit (confirming it meets the same limit, and
    counts). A pattern that takes longer MAX_OVERRUNS times in a block is asked no more in it: all the rest are hits."""

    def __init__(
        self,
        patterns: Sequence[str | None],
        timeout_s: float = 0.1,
        indices: Sequence[int] | None = None,
        loose: Collection[int] = (),
    ) -> None:
        self._timeout_s = timeout_s
        numbers = range(len(patterns)) if indices is None else indices
        given = zip(numbers, patterns, strict=True)
        self._all = tuple(
            (n, regex.compile("" if n in loose else pattern)) for n, pattern in given if pattern is not None
        )
        self._patterns = self._all

    def scan(self, data: bytes, records: Records = spans) -> list[Hit]:
        if not self._patterns:
            return []
        texts = [(decode(data, start, end), end) for start, end in records(data)]
        return [hit for index, pattern in self._patterns for hit in self._hits(index, pattern, texts)]

    def mute(self, indices: Collection[int]) -> None:
        self._patterns = tuple(each for each in self._all if each[0] not in indices)

    def _hits(self, index: int, pattern: regex.Pattern[str], records: Sequence[tuple[str, int]]) -> Iterator[Hit]:
        overruns = 0
        for text, end in records:
            try:
                may_match = overruns >= MAX_OVERRUNS or search(pattern, text, self._timeout_s) is not None
            except TimeoutError:
                overruns, may_match = overruns + 1, True
            if may_match:
                yield index, end


class HyperscanScanner:
    """One Hyperscan database for everything that it takes, a plain scanner for the rest."""

    def __init__(
        self,
        patterns: Sequence[str | None],
        timeout_s: float = 0.1,
        loose: Collection[int] = (),
        saved: Saved = UNSAVED,
    ) -> None:
        key = _key(patterns, loose)
        kept = _unpacked(saved.get(key))
        self._database, self._owners, refused = kept or _built(patterns, loose)
        if kept is None:
            saved.put(key, _packed(self._database, self._owners, refused))
        self._plain = PlainScanner([patterns[each] for each in refused], timeout_s, refused, loose)
        self._scratches = threading.local()  # a scratch serves one scan at a time
        self.plain_patterns = tuple(refused)

    def scan(self, data: bytes, records: Records = spans) -> list[Hit]:
        hits: list[Hit] = []
        if self._database is not None and data:
            raw: list[Hit] = []
            self._database.scan(data, match_event_handler=_collector(raw.append), scratch=self._scratch())
            owners = self._owners
            for expression, end in raw:
                hits += [(index, end) for index in owners[expression]]
        return hits + self._plain.scan(data, records)

    def mute(self, indices: Collection[int]) -> None:
        """Only the slow part listens: what the database finds too much costs next to nothing."""
        self._plain.mute(indices)

    def _scratch(self) -> Any:
        import hyperscan  # the wheel is optional

        scratch = getattr(self._scratches, "scratch", None)
        if scratch is None:
            scratch = self._scratches.scratch = hyperscan.Scratch(self._database)
        return scratch


def search(pattern: regex.Pattern[str], text: str, timeout_s: float) -> regex.Match[str] | None:
    """Raises TimeoutError. Keeps the GIL: waiting to get it back among busy threads would count as the pattern's time,
    and quarantine the innocent; what it may hold up the others is `timeout_s`, a few times a rule."""
    return pattern.search(text, timeout=timeout_s, concurrent=False)


def make_scanner(
    patterns: Sequence[str | None],
    kind: str = "auto",
    timeout_s: float = 0.1,
    loose: Collection[int] = (),
    saved: Saved = UNSAVED,
) -> Scanner:
    """None in the place of a pattern: nothing is looked for. `loose`: indices of patterns that are about a part of a
    record, so that what they say of its beginning and its end cannot be looked for: Hyperscan's expressions say nothing
    of that, and the plain scanner finds every record. `auto`: Hyperscan where the wheel is there. Raises ValueError for
    another kind, regex.error for a bad pattern that only the plain scanner could serve, ImportError when `hyperscan` is
    asked for and missing."""
    if kind not in ("auto", "hyperscan", "plain"):
        raise ValueError(f"no scanner is called {kind!r}")
    if kind == "plain":
        return PlainScanner(patterns, timeout_s, loose=loose)
    try:
        return HyperscanScanner(patterns, timeout_s, loose, saved)
    except ImportError:  # no wheel, or one whose library this machine cannot load
        if kind == "hyperscan":
            raise
        return PlainScanner(patterns, timeout_s, loose=loose)


def _collector(add: Callable[[Hit], None]) -> Callable[[int, int, int, int, object], None]:
    def collect(expression: int, _start: int, end: int, _flags: int, _context: object) -> None:
        add((expression, end))

    return collect


_widen = lru_cache(maxsize=65_536)(widen)
"""A reload brings few new patterns: those of before take no time (0.2 ms each)."""

_Built = tuple[Any, list[list[int]], list[int]]
"""The database (None when empty), the patterns of each expression, and those that are left to the plain scanner."""


def _key(patterns: Sequence[str | None], loose: Collection[int]) -> str:
    """Whatever the database comes from. Of the processor it says nothing: a database that does not fit is refused."""
    import hyperscan

    told = json.dumps([getattr(hyperscan, "__version__", ""), list(patterns), sorted(loose)])
    return sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


def _built(patterns: Sequence[str | None], loose: Collection[int]) -> _Built:
    expressions, refused = _widened(patterns, loose)
    database, owners, too_much = _compile(expressions)
    return database, owners, sorted((*refused, *too_much))


def _packed(database: Any, owners: list[list[int]], refused: list[int]) -> bytes:
    """A line of JSON, then the database."""
    import hyperscan

    head = json.dumps({"owners": owners, "refused": refused, "empty": database is None})
    return head.encode() + b"\n" + (b"" if database is None else hyperscan.dumpb(database))


def _unpacked(content: bytes | None) -> _Built | None:
    import hyperscan

    if content is None:
        return None
    head, _, compiled = content.partition(b"\n")
    told = json.loads(head)
    try:
        database = None if told["empty"] else hyperscan.loadb(compiled, hyperscan.HS_MODE_BLOCK)
    except hyperscan.error:  # of another processor or version
        return None
    return database, told["owners"], told["refused"]


def _widened(patterns: Sequence[str | None], loose: Collection[int]) -> tuple[dict[str, list[int]], list[int]]:
    """Expression -> the patterns that it stands for; and the patterns that have none."""
    wanted = [(index, pattern) for index, pattern in enumerate(patterns) if pattern is not None]
    chosen = [_widen(pattern, inside=index in loose) for index, pattern in wanted]
    shared = Counter(each.expression for each in chosen if each is not None and each.literal)
    expressions: dict[str, list[int]] = {}
    refused: list[int] = []
    for (index, pattern), widened in zip(wanted, chosen, strict=True):
        if widened is not None and shared[widened.expression] > MAX_SHARED:
            widened = _widen(pattern, whole=True, inside=index in loose) or widened
        if widened is None:
            refused.append(index)
        else:
            expressions.setdefault(widened.expression, []).append(index)
    return expressions, refused


def _compile(expressions: dict[str, list[int]]) -> tuple[Any, list[list[int]], list[int]]:
    """The database (None when empty), the owners by expression number, and the patterns that no mode takes."""
    import hyperscan

    exact = hyperscan.HS_FLAG_MULTILINE
    taken = dict.fromkeys(expressions, exact)
    refused: list[int] = []
    if not taken:
        return None, [], []
    try:
        return _build(taken), list(expressions.values()), []
    except hyperscan.error:  # which one it was is not told: try each alone
        for each, owners in expressions.items():
            flags = _first_accepted(each, (exact, exact | hyperscan.HS_FLAG_PREFILTER))
            if flags is None:
                del taken[each]
                refused += owners
            else:
                taken[each] = flags
    try:
        return (_build(taken) if taken else None), [expressions[each] for each in taken], refused
    except hyperscan.error:  # each is small enough, all together are not
        return None, [], [index for owners in expressions.values() for index in owners]


def _first_accepted(expression: str, choices: Sequence[int]) -> int | None:
    import hyperscan

    for flags in choices:
        try:
            _build({expression: flags})
        except hyperscan.error:
            continue
        return flags
    return None


def _build(expressions: dict[str, int]) -> Any:
    import hyperscan

    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[each.encode("ascii") for each in expressions],
        ids=list(range(len(expressions))),
        elements=len(expressions),
        flags=list(expressions.values()),
    )
    return database
