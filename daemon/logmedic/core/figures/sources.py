"""What is read. By source at most: files are no label, for there may be ten thousand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from logmedic.core.figures.snapshot import Snapshot, SourceFacts
from logmedic.model.metric import Family, Kind, Metric

_SINCE = "since the daemon's start"


def _counter(name: str, help_: str) -> Metric:
    return Metric(f"logmedic_source_{name}_total", Kind.COUNTER, f"{help_}, {_SINCE}.", ("source",))


def _gauge(name: str, help_: str) -> Metric:
    return Metric(f"logmedic_source_{name}", Kind.GAUGE, help_, ("source",))


Together = Callable[[Sequence[float]], float]
_OF_SOURCES: tuple[tuple[Metric, Callable[[SourceFacts], float], Together], ...] = (
    (_counter("lines", "Lines read"), lambda one: one.lines, sum),
    (_counter("read_bytes", "Bytes read"), lambda one: one.bytes_read, sum),
    (_counter("gaps", "Places that were passed over unread"), lambda one: one.gaps, sum),
    (
        _counter("truncations", "Files emptied or rewritten before they were read to their end"),
        lambda one: one.truncations,
        sum,
    ),
    (_counter("skipped_bytes", "Bytes that were passed over unread"), lambda one: one.skipped_bytes, sum),
    (_counter("restarts", "Times that its reading failed and was started again"), lambda one: one.part.restarts, sum),
    (_gauge("lag_bytes", "Bytes that are there and not read yet."), lambda one: one.lag_bytes, sum),
    (
        _gauge("lag_seconds", "How old the last line read is, by its own time, while more waits; of the worst file."),
        lambda one: one.lag_s,
        max,
    ),
    (_gauge("files", "Files that it follows (1 for a journal, a socket, a command)."), lambda one: one.origins, sum),
    (_gauge("files_in_trouble", "Files of it that cannot be read as they should."), lambda one: one.problems, sum),
    (_gauge("quiet", "1 while it is silent for longer than its quiet_after."), lambda one: one.quiet, max),
    (_gauge("up", "1 while it is read."), lambda one: one.part.up, min),
)
_LAST = _gauge("last_line_timestamp_seconds", "When a line of it was last read, in seconds since 1970; absent before.")
METRICS = (*(metric for metric, _, _ in _OF_SOURCES), _LAST)


def families(now: Snapshot) -> Iterator[Family]:
    """Of a source that a reload took away, what was counted stays."""
    shared: dict[str, list[SourceFacts]] = {}
    for name, facts in now.sources.items():
        shared.setdefault(now.places.sources.of(name), []).append(facts)
    followed = {label: [one for one in ones if one.followed] for label, ones in shared.items()}
    for metric, value_of, together in _OF_SOURCES:
        chosen = shared if metric.kind is Kind.COUNTER else followed
        yield metric.each({label: float(together([*map(value_of, ones)])) for label, ones in chosen.items() if ones})
    lasts = {label: [at.timestamp() for one in ones if (at := one.last_line_at)] for label, ones in followed.items()}
    yield _LAST.each({label: max(times) for label, times in lasts.items() if times})
