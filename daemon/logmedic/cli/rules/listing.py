"""rules list, schema."""

from __future__ import annotations

from pathlib import Path

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import field, print_json, print_rows
from logmedic.cli.rules.group import PATHS, loader_of, rules_command


@rules_command.command("list")
@PATHS
@shared
@pass_context
def list_command(context: Context, paths: tuple[Path, ...]) -> None:
    """The rules that load, in the order of their files."""
    loaded = loader_of(context, paths).load()
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
