"""What was tried: each step, how it ended, and what it said."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from logmedic.cli.fixes import output_lines, step_of, took, verdict_of
from logmedic.cli.output import at
from logmedic.cli.story.entry import BAD, GOOD, WAITS, Stage
from logmedic.cli.styled import Text, text

OUTPUT_SHOWN = 20
"""Last lines of a step's output."""
_MARKS = {"fixed": ("✓", GOOD), "not_fixed": ("✗", BAD), "unknown": ("?", WAITS)}


def stage_of(attempt: Mapping[str, Any]) -> Stage:
    undoes = attempt.get("kind") == "rollback"
    mark, style = _MARKS.get(attempt["verdict"] or "", ("▸", ""))
    return Stage("undo" if undoes else "fix", mark, style)


def sentence(attempt: Mapping[str, Any], number: int) -> str:
    return f"{number}. {step_of(attempt)}: {verdict_of(attempt)} ({_how(attempt)})"


def details(attempt: Mapping[str, Any], probed: Collection[str] = ()) -> Iterator[Text]:
    """`probed`: what probes found, which is not said twice."""
    yield text(f"$ {' '.join(attempt['argv'])}", hang=4)
    if attempt["detail"] and not any(attempt["detail"].startswith(each) for each in probed):
        yield text(attempt["detail"], hang=2)
    for line in output_lines(attempt["output"], OUTPUT_SHOWN):
        yield text(line.removeprefix("    "), "faint", hang=2)


def _how(attempt: Mapping[str, Any]) -> str:
    """How it ended, how long it took, where it ran: as far as that is known."""
    if attempt["duration_s"] is None:
        return f"since {at(attempt['started_at']).partition(' (')[0]}"
    code = "no exit code" if attempt["exit_code"] is None else f"exit {attempt['exit_code']}"
    return ", ".join(filter(None, (code, took(attempt), attempt["sandbox"])))
