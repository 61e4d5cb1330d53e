"""How sure it is that an error which was learned is one that people must know."""

from __future__ import annotations

from logmedic.model.issue import KnownIssue

CAME_BACK = 1.0
"""It was resolved, so somebody or something cared, and it is there again."""
NEW_EPISODE = 0.25
BY_HAND = 1.0
"""Somebody resolved it: it was worth somebody's time."""
BECAME_RULE = 2.0
"""Somebody promoted it to a rule."""
MUTED = 2.0
"""Somebody does not want to hear of it."""
ORDINARY = 1.0
"""No pattern tells it from ordinary lines of its source."""
PRIOR = 4.0
"""What the formula says weighs as much as so many pieces of evidence."""


def begun(*, trace: bool, production: bool, critical: bool) -> float:
    """0.5, and 0.2 with a stack trace, 0.1 in production, 0.2 when the impact is critical; at most 1.0."""
    return min(1.0, round(0.5 + 0.2 * trace + 0.1 * production + 0.2 * critical, 3))


def moved(issue: KnownIssue, prior: float) -> float:
    """`prior` as a Beta distribution of weight PRIOR, updated by the evidence: its mean. In [0, 1], three digits."""
    for_it = min(issue.evidence_for + NEW_EPISODE * max(0, issue.episodes - 1), 20.0)
    against = min(issue.evidence_against, 20.0)
    return round((PRIOR * prior + for_it) / (PRIOR + for_it + against), 3)
