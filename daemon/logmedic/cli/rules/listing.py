"""rules list, schema."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import Columns, Row, complain, field, print_json, print_rows, print_table, several
from logmedic.cli.rules.group import PATHS, load_rules, rules_command
from logmedic.cli.styled import say
from logmedic.model.errors import NotFound
from logmedic.model.rule import Rule

_COLUMNS: Columns = {
    "RULE": field("id"),
    "SEVERITY": field("severity"),
    "FIX": lambda row: row["fix"] or "-",
    "ENABLED": lambda row: "yes" if row["enabled"] else "no",
    "SOURCE": lambda row: ", ".join(row["sources"]) or "every",
    "TITLE": field("title"),
}
_SHORT: Columns = {
    "RULE": field("id"),
    "SEVERITY": field("severity"),
    "TITLE": lambda row: f"{row['title']}{_marks(row)}",
}
"""For terminals; what is the same for most rules stands elsewhere."""


@rules_command.command("list")
@PATHS
@click.option("--service", metavar="NAME", help="Only the rules about this program.")
@shared
@pass_context
def list_command(context: Context, paths: tuple[Path, ...], service: str | None) -> None:
    """The rules that load, by the service that they are about."""
    loaded = load_rules(context, paths)
    rows = sorted(map(_row, loaded.rules), key=lambda row: str(row["service"]))
    if service is not None:
        rows = _of_service(rows, service)
    if context.output == "table" and sys.stdout.isatty():
        _print_groups(rows)
    else:
        print_rows(rows, {"SERVICE": field("service"), **_COLUMNS}, context.output, nothing="no rule loads")
    if loaded.problems:
        complain(f"{several(len(loaded.problems), 'mistake')} in rule files: logmedic rules check")


def _row(rule: Rule) -> dict[str, Any]:
    return {
        "service": rule.service or Path(rule.file).stem,
        "id": rule.id,
        "severity": rule.severity.value,
        "fix": rule.fix.mode.value if rule.fix else None,
        "enabled": rule.enabled,
        "sources": list(rule.sources),
        "tests": len(rule.tests),
        "title": rule.title,
        "file": rule.file,
        "line": rule.line,
    }


def _of_service(rows: Sequence[dict[str, Any]], service: str) -> list[dict[str, Any]]:
    """Raises NotFound."""
    chosen = [row for row in rows if row["service"] == service]
    if not chosen:
        known = sorted({row["service"] for row in rows})
        raise NotFound(f"no rule is about {service}", f"known here: {', '.join(known)}")
    return chosen


def _print_groups(rows: Sequence[dict[str, Any]]) -> None:
    services = [(service, list(group)) for service, group in groupby(rows, key=lambda row: str(row["service"]))]
    for service, group in services:
        counts = f"{several(len(group), 'rule')}, {several(sum(row['tests'] for row in group), 'test')}"
        heard = sorted({name for row in group for name in row["sources"] or ("every log",)})
        print()
        say(f"{service}: {counts}; hears {', '.join(heard)}")
        print_table(group, _SHORT)
    print()
    say(f"{several(len(services), 'service')}, {several(len(rows), 'rule')}")


def _marks(row: Row) -> str:
    said = [f"fix: {row['fix']}"] if row["fix"] else []
    said += [] if row["enabled"] else ["switched off"]
    return f" ({', '.join(said)})" if said else ""


@rules_command.command("schema")
@shared
def schema_command() -> None:
    """The JSON Schema of rule files, for editors."""
    from logmedic.adapters.rulefiles.jsonschema import rules_schema

    print_json(rules_schema())
