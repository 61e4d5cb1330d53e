"""Figures of the daemon, as values: what Prometheus, OTLP and `logmedic stats --all` show."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import accumulate


class Kind(StrEnum):
    """COUNTER: only grows while the daemon runs. INFO: always 1, its labels are what it says."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Metric:
    """What a figure is. `name`: as Prometheus writes it, in base units: a counter ends in `_total`, an info in `_info`.
    `labels`: names, in the order of a sample's values. `lasting`: a counter that goes on after a restart of the daemon;
    the others, and histograms, begin anew."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    lasting: bool = False

    def family(self, samples: Iterable[Sample]) -> Family:
        return Family(self, tuple(samples))

    def alone(self, value: float | Spread | None) -> Family:
        """Of a metric without labels; None: nobody knows it, there is no sample."""
        return Family(self, () if value is None else (Sample((), value),))

    def each(self, values: Mapping[str, float]) -> Family:
        """Of a metric with one label, by its value."""
        return Family(self, tuple(Sample((name,), value) for name, value in values.items()))


@dataclass(frozen=True, slots=True)
class Spread:
    """What a histogram has counted. `counts`: how many were not above each bound, and above the one before it; the last
    is of what was above all of them."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    sum: float

    @property
    def count(self) -> int:
        return sum(self.counts)

    def cumulative(self) -> Iterator[tuple[float, int]]:
        """By upper bound, the last of them infinite: how many were not above it."""
        return zip((*self.bounds, float("inf")), accumulate(self.counts), strict=True)


@dataclass(frozen=True, slots=True)
class Sample:
    """`values`: of the metric's labels."""

    values: tuple[str, ...]
    value: float | Spread


@dataclass(frozen=True, slots=True)
class Family:
    metric: Metric
    samples: tuple[Sample, ...]

    def rows(self) -> Iterator[dict[str, object]]:
        """JSON-ready, one a sample. Keys: name, kind, labels, value; of a histogram the value is how many there were,
        and `sum` what they add up to."""
        for sample in self.samples:
            labels = dict(zip(self.metric.labels, sample.values, strict=True))
            row: dict[str, object] = {"name": self.metric.name, "kind": self.metric.kind.value, "labels": labels}
            match sample.value:
                case Spread() as spread:
                    yield {**row, "value": spread.count, "sum": spread.sum}
                case value:
                    yield {**row, "value": value}


@dataclass(slots=True)
class Buckets:
    """A histogram that counts. One owner."""

    bounds: tuple[float, ...]
    counts: list[int] = field(default_factory=list)
    sum: float = 0.0

    def __post_init__(self) -> None:
        self.counts = self.counts or [0] * (len(self.bounds) + 1)

    def take(self, value: float) -> None:
        """Less than nothing (a clock that was set back) counts as nothing."""
        bounded = max(0.0, value)
        self.counts[bisect_left(self.bounds, bounded)] += 1
        self.sum += bounded

    def spread(self) -> Spread:
        return Spread(self.bounds, tuple(self.counts), self.sum)


OTHER = "other"
"""What stands for every name that has no place."""


class Names:
    """The values of a label: the first `limit` names that come keep theirs for good, so that no series is taken away
    and none of `other` shrinks; what comes later is `other` (I6). An empty name is `other`, too."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known: dict[str, None] = {}

    def of(self, name: str) -> str:
        if name not in self._known and name not in ("", OTHER) and len(self._known) < self._limit:
            self._known[name] = None
        return name if name in self._known else OTHER

    def room_for(self, names: Sequence[str]) -> bool:
        """Whether each of `names` has a place, or would get one."""
        return len(self._known) + sum(name not in self._known for name in names) <= self._limit

    def summed(self, values: Iterable[tuple[str, float]]) -> dict[str, float]:
        """By label."""
        sums: dict[str, float] = {}
        for name, value in values:
            label = self.of(name)
            sums[label] = sums.get(label, 0) + value
        return sums


@dataclass(frozen=True, slots=True)
class Pushed:
    """What handing figures to a collector gave. `problem`: what went wrong, or empty. `retry_after_s`: it asked to be
    left alone for so long."""

    problem: str = ""
    retry_after_s: float | None = None
