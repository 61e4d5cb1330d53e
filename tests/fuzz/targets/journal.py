"""What journalctl prints: entries as JSON, a line each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path

from fuzz.target import Attempt, Target, claim
from fuzz.targets import by_name, words
from fuzz.targets.lines import NOW, shipped
from logmedic.adapters.sources.journal import MAX_ENTRY_BYTES, JournalSource
from logmedic.adapters.sources.journalbatch import Batch
from logmedic.adapters.sources.stream import LineStream
from logmedic.core.framing import TRACES
from logmedic.core.matcher import Matcher
from tail.collector import SystemClock


@contextmanager
def _journal(room: Path) -> Iterator[Attempt]:
    """All but the process: lines, entries, batches, blocks, records."""
    matcher = Matcher(shipped(), zone=UTC, any_source=frozenset({"journal"}))

    def attempt(given: bytes) -> None:
        source = JournalSource("journal", clock=SystemClock(), journalctl="/nowhere")
        lines, batch = LineStream("journal", "journal:journal", max_line=MAX_ENTRY_BYTES), Batch(TRACES)
        pieces = [given[at : at + 1500] for at in range(0, len(given), 1500)]
        for number, piece in enumerate([*pieces, b""]):
            batch.add(source._parsed(lines.take(piece, NOW, ended=not piece)), number * 0.02)
            if taken := batch.take(number * 0.02, everything=not piece):
                block = source._block(taken, NOW)
                starts = [each.start for each in block.entries]
                claim(starts == sorted(set(starts)), "entries do not ascend")
                matcher.find(block)
        claim(len(batch) == 0, "entries are left")

    yield attempt


def _entries() -> Iterable[bytes]:
    head = b'{"__CURSOR":"s=1;i=%d","__REALTIME_TIMESTAMP":"1764169200000000","_HOSTNAME":"web1","_PID":"12",'
    one = (
        head % 1
        + b'"PRIORITY":"3","SYSLOG_IDENTIFIER":"app","_SYSTEMD_UNIT":"app.service","MESSAGE":"ERROR: disk full"}\n'
    )
    yield one
    yield one + head % 2 + b'"MESSAGE":[69,82,82,79,82,58,255,10,0],"_COMM":"app"}\n' + head % 3 + b'"MESSAGE":null}\n'
    yield head % 4 + b'"MESSAGE":["a","b"],"_TRANSPORT":"kernel","PRIORITY":["3","4"]}\n'
    yield head % 4 + b'"MESSAGE":"Suppressed 7 messages","MESSAGE_ID":"a596d6fe7bfa4994828e72309e95d61e"}\n'
    for line in (b"Traceback (most recent call last):", b'  File \\"a.py\\", line 1, in a', b"ValueError: x"):
        one += head % 5 + b'"_COMM":"app","MESSAGE":"' + line + b'"}\n'
    yield one


_TOKENS = words("journal")
TARGETS = by_name(Target("journal", _journal, _entries, _TOKENS))
