"""The daemon's figures (docs/metrics.md): which there are, and what they are by what is known of the daemon now."""

from logmedic.core.figures.catalogue import METRICS, families

__all__ = ["METRICS", "families"]
