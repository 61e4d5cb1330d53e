"""What messages quote of a story: a line of its evidence, a request. Each message is made in a process of its own, and
that loads what this imports."""

from __future__ import annotations

from logmedic.core.phrases import said
from logmedic.core.rowwords import newest
from logmedic.core.telling import subjects
from logmedic.model.message import Story

LINE_LIMIT = 240


def request_of(story: Story) -> str:
    """The newest request that failed of it, and how many more. Or nothing."""
    return newest(story.requests[::-1])


def telling_line(evidence: str) -> str:
    """The one line to quote: the first that says something, of a Python trace the last one. Empty of nothing."""
    if not evidence.strip():
        return ""
    *_, whole = subjects(evidence)
    return said(whole.line, LINE_LIMIT)
