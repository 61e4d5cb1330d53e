"""rules test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import color_on_stderr, print_rows, visible
from logmedic.cli.rules.group import FAILED, INVALID, PATHS, loader_of, rules_command
from logmedic.model.rule import Rule
from logmedic.model.sample import RuleTest


@rules_command.command("test")
@PATHS
@shared
@pass_context
def test_command(context: Context, paths: tuple[Path, ...]) -> int:
    """Run the tests inside the rules, one line a test. Exit code 6 when one fails, 3 when a file does not load."""
    from logmedic.core.ruletest import run_test
    from logmedic.yamldoc import render_problems

    loaded = loader_of(context, paths, prove=False).load()
    rows = [_case(rule, test, run_test(rule, test)) for rule in loaded.rules for test in rule.tests]
    if context.output == "table":
        for row in rows:
            mark = "✓" if not row["failure"] else "✗"
            print(visible(f"{mark} {row['rule']}: {row['test']}" + (f": {row['failure']}" if row["failure"] else "")))
        failed = sum(1 for row in rows if row["failure"])
        print(f"{len(rows) - failed} of {len(rows)} tests passed")
    else:
        print_rows(rows, {}, context.output, nothing="")
    if loaded.problems:
        click.echo(render_problems(loaded.problems, color=color_on_stderr()), err=True)
        return INVALID
    return FAILED if any(row["failure"] for row in rows) else 0


def _case(rule: Rule, test: RuleTest, failure: str) -> dict[str, Any]:
    return {"rule": rule.id, "test": test.name, "file": rule.file, "line": test.line, "failure": failure}
