"""rules check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import color_on_stderr, complain, print_json, several
from logmedic.cli.rules.group import INVALID, PATHS, loader_of, rules_command
from logmedic.model.rule import RuleSet


@rules_command.command("check")
@PATHS
@shared
@pass_context
def check_command(context: Context, paths: tuple[Path, ...]) -> int:
    """Read, validate and test rule files; all mistakes at once. Exit code 3 when there are any."""
    loaded = loader_of(context, paths).load()
    if context.output != "table":
        print_json({"rules": len(loaded.rules), "files": list(loaded.files), "problems": _rows(loaded)})
    else:
        _tell(loaded)
    return INVALID if loaded.problems else 0


def _rows(loaded: RuleSet) -> list[dict[str, Any]]:
    return [
        {"file": each.file, "line": each.line, "column": each.column, "error": each.text, "hint": each.hint}
        for each in loaded.problems
    ]


def _tell(loaded: RuleSet) -> None:
    from logmedic.yamldoc import render_problems

    tests = sum(len(rule.tests) for rule in loaded.rules)
    summary = ", ".join(
        (several(len(loaded.files), "file"), several(len(loaded.rules), "rule"), several(tests, "test"))
    )
    if loaded.problems:
        click.echo(render_problems(loaded.problems, color=color_on_stderr()), err=True)
        complain(f"\n{several(len(loaded.problems), 'mistake')}; what is sound: {summary}")
    else:
        print(f"{summary}: all good")
