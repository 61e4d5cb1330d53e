"""rules check, test, list, schema."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import color_on_stderr, complain, field, print_json, print_rows, several, visible
from logmedic.model.rule import Rule, RuleSet, RuleTest

if TYPE_CHECKING:
    from logmedic.ports import RuleFiles

INVALID, FAILED = 3, 6

_PATHS = click.argument("paths", nargs=-1, type=click.Path(path_type=Path))


@click.group("rules")
@shared
def rules_command() -> None:
    """Rule files. PATHS are files or directories; the configured ones when left out."""


def _loader(context: Context, paths: Sequence[Path], *, prove: bool = True) -> RuleFiles:
    from logmedic.app import make_rule_loader

    return make_rule_loader(context.settings, paths, prove=prove)


@rules_command.command("check")
@_PATHS
@shared
@pass_context
def check_command(context: Context, paths: tuple[Path, ...]) -> int:
    """Read, validate and test rule files; all mistakes at once. Exit code 3 when there are any."""
    loaded = _loader(context, paths).load()
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


@rules_command.command("test")
@_PATHS
@shared
@pass_context
def test_command(context: Context, paths: tuple[Path, ...]) -> int:
    """Run the tests inside the rules, one line a test. Exit code 6 when one fails, 3 when a file does not load."""
    from logmedic.core.ruletest import run_test
    from logmedic.yamldoc import render_problems

    loaded = _loader(context, paths, prove=False).load()
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


@rules_command.command("list")
@_PATHS
@shared
@pass_context
def list_command(context: Context, paths: tuple[Path, ...]) -> None:
    """The rules that load, in the order of their files."""
    loaded = _loader(context, paths).load()
    rows = [
        {
            "id": rule.id,
            "severity": rule.severity.value,
            "fix": rule.fix.mode.value if rule.fix else None,
            "enabled": rule.enabled,
            "sources": list(rule.sources),
            "title": rule.title,
            "file": rule.file,
            "line": rule.line,
        }
        for rule in loaded.rules
    ]
    columns = {
        "RULE": field("id"),
        "SEVERITY": field("severity"),
        "FIX": lambda row: row["fix"] or "-",
        "TITLE": field("title"),
        "FILE": lambda row: f"{row['file']}:{row['line']}",
    }
    print_rows(rows, columns, context.output, nothing="no rule loads")


@rules_command.command("schema")
@shared
def schema_command() -> None:
    """The JSON Schema of rule files, for editors."""
    from logmedic.adapters.rulefiles.jsonschema import rules_schema

    print_json(rules_schema())
