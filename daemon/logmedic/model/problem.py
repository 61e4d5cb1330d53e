"""A mistake in a file that people write. Apart from rules: every command reads the config for the daemon's socket."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RuleProblem:
    """One mistake in a rule or config file. `line` and `column` are 1-based, 0 when unknown. `excerpt` is that line of
    the file; `hint` what to write instead. A `warning` keeps nothing from loading."""

    file: str
    line: int
    column: int
    text: str
    hint: str = ""
    excerpt: str = ""
    warning: bool = False
