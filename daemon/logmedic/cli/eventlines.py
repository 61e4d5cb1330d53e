"""One line an event: when, how severe, what, of which incident. The same for the past and for what happens now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from logmedic.cli.cells import cut
from logmedic.cli.output import visible
from logmedic.cli.styled import columns, is_colored

Row = Mapping[str, Any]

GOOD = frozenset(
    {"resolved", "cleared", "breaker_closed", "breaker_reset", "rolled_back", "speaking", "raised", "auto_fix_success"}
)
BAD = frozenset(
    {
        *("fix_failed", "fix_unknown", "unknown_outcome", "made_worse", "breaker_open", "approval_expired", "quiet"),
        *("lowered", "truncated", "vanished", "missed", "auto_fix_failure", "circuit_breaker_open"),
        *("issue_escalation", "regression"),
    }
)
NEWS = frozenset({"opened", "held", "ack_over", "proposed", "not_told"})
WORK = frozenset({"fix_started", "step_finished", "rollback_started", "retry", "waits", "settling", "approved"})
_MARKS = (("✓", "green", GOOD), ("✗", "red", BAD), ("●", "yellow", NEWS), ("▸", "cyan", WORK))
_OTHER = ("·", "")
_SEVERITIES = {"critical": "bright_red", "high": "red", "medium": "yellow"}
_ID_SHOWN = 8
_KIND_WIDTH = 16
_NARROW = 110
"""Columns of a terminal below which the year and the severity make room for what happened."""


def line_of(row: Row, *, width: int | None = None, color: bool = False) -> str:
    """`width`: what is longer is cut there; None: never. Control characters are shown as escapes."""
    mark, mark_color = mark_of(str(row["kind"]))
    at = datetime.fromisoformat(str(row["at"]))
    severity = str(row["severity"])
    kind = visible(str(row["kind"]).replace("_", " "))
    marked = _styled(mark, mark_color, color)
    if width is not None and width < _NARROW:
        head = f"{at:%m-%d %H:%M:%S}Z "
        told = f" {kind}{_whose(row).replace('  ', ' ', 1)}: {visible(_said(row))}"
        return f"{head}{marked}{cut(told, width - len(head) - len(mark))}"
    head = f"{at:%Y-%m-%d %H:%M:%S}Z  "
    rest = f"  {kind:<{_KIND_WIDTH}}  {visible(_said(row))}{_whose(row)}"
    if width is not None:
        rest = cut(rest, width - len(head) - len(mark) - 2 - 8)
    return f"{head}{marked}  {_styled(f'{severity:<8}', _SEVERITIES.get(severity, ''), color)}{rest}".rstrip()


def mark_of(kind: str) -> tuple[str, str]:
    """With its colour, which is never the only sign."""
    return next(((mark, color) for mark, color, kinds in _MARKS if kind in kinds), _OTHER)


def _said(row: Row) -> str:
    """What it is about is said once."""
    title, text = str(row["title"]), str(row["text"])
    if not title or text.startswith(title):
        return text
    return f"{title}: {text}" if text else title


def _whose(row: Row) -> str:
    kind, _, name = str(row["subject"]).partition(":")
    if not name:
        return ""
    return f"  [{visible(name[-_ID_SHOWN:])}]" if kind in ("incident", "issue") else f"  [{visible(row['subject'])}]"


def _styled(text: str, color: str, wanted: bool) -> str:
    import click

    return click.style(text, fg=color) if wanted and color else text


class Printer:
    """Prints rows as they come. `output`: table (a line an event) or jsonl."""

    def __init__(self, output: str) -> None:
        self._json = output != "table"
        self._color = is_colored()

    def show(self, row: Row) -> None:
        """At once, also into a pipe. Raises BrokenPipeError."""
        if self._json:
            print(json.dumps(row), flush=True)
        else:
            print(line_of(row, width=columns(), color=self._color), flush=True)
