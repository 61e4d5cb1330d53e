"""rules check."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import color_on_stderr, complain, print_json, several
from logmedic.cli.rules.group import INVALID, PATHS, loader_of, rules_command
from logmedic.cli.styled import say
from logmedic.model.problem import RuleProblem
from logmedic.model.rule import RuleSet


@rules_command.command("check")
@PATHS
@click.option(
    "--strict",
    is_flag=True,
    help="Warnings are mistakes; each rule has description, resolution, a test that fires and a silent one.",
)
@shared
@pass_context
def check_command(context: Context, paths: tuple[Path, ...], strict: bool) -> int:
    """Read, validate, test and review rule files; all mistakes at once. Exit code 3 when there are any. What only
    deserves a look is a warning, and what is not there on this host always is."""
    from logmedic.rulesets import make_reviewer

    loaded = loader_of(context, paths, reviewer=make_reviewer(context.settings_at_rest, strict=strict)).load()
    if context.output != "table":
        print_json(
            {
                "rules": len(loaded.rules),
                "files": list(loaded.files),
                "problems": _rows(loaded.problems),
                "warnings": _rows(loaded.warnings),
            }
        )
    else:
        _tell(loaded)
    return INVALID if loaded.problems else 0


def _rows(problems: Sequence[RuleProblem]) -> list[dict[str, Any]]:
    return [
        {
            "file": each.file,
            "line": each.line,
            "column": each.column,
            "warning" if each.warning else "error": each.text,
            "hint": each.hint,
        }
        for each in problems
    ]


def _tell(loaded: RuleSet) -> None:
    from logmedic.yamldoc import render_problems

    tests = sum(len(rule.tests) for rule in loaded.rules)
    summary = ", ".join(
        (several(len(loaded.files), "file"), several(len(loaded.rules), "rule"), several(tests, "test"))
    )
    warned = several(len(loaded.warnings), "warning")
    if told := (*loaded.warnings, *loaded.problems):
        click.echo(render_problems(told, color=color_on_stderr()), err=True)
    if loaded.problems:
        counted = several(len(loaded.problems), "mistake") + (f", {warned}" if loaded.warnings else "")
        complain(f"\n{counted}; what is sound: {summary}")
    else:
        say(f"{summary}: " + (f"all load, {warned}" if loaded.warnings else "all good"))
