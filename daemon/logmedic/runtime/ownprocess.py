"""What the operating system says of the daemon's process."""

from __future__ import annotations

from prometheus_client import ProcessCollector


def figures() -> dict[str, float]:
    """By name, as Prometheus' own clients call them; empty where /proc is missing. With 10,000 descriptors to count it
    takes 15 ms: for a thread."""
    found = ProcessCollector(registry=None).collect()
    return {sample.name: float(sample.value) for metric in found for sample in metric.samples}
