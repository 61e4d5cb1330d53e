"""Known issues in words, as of now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from logmedic.core import issuewords
from logmedic.core.issuewords import Row


def state_of(row: Row) -> str:
    """With its date, where it has one."""
    return issuewords.state_of(row, datetime.now(UTC))


def sentences(issue: Row) -> Iterator[str]:
    return issuewords.sentences(issue, datetime.now(UTC))


def ago(text: str) -> str:
    """In one unit."""
    return issuewords.ago(text, datetime.now(UTC))
