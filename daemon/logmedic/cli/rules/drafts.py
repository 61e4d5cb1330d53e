"""What commands do with a drafted rule: a free id for it, its file for whoever asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from logmedic.cli.context import Context
from logmedic.cli.output import complain, print_json
from logmedic.cli.rules.group import load_rules
from logmedic.model.errors import PermanentError

if TYPE_CHECKING:
    from logmedic.model.rule import Rule


def source_heard(name: str) -> str:
    """Standard input and files named on the command line are no sources that a rule can hear."""
    from logmedic.rulesets import ARGUMENT

    return "" if name in ("stdin", ARGUMENT) else name


def ids_taken(context: Context, text: str) -> Sequence[str]:
    """Those of the configured rules. Says so when one of them knows the record already."""
    from datetime import UTC, datetime

    from logmedic.core.matcher import Matcher
    from logmedic.model.record import Block, Checkpoint
    from logmedic.rulesets import ARGUMENT

    rules = load_rules(context, prove=False).rules
    matcher = Matcher(rules, zone=UTC, scanner="plain", any_source=frozenset({ARGUMENT}))
    now, content = datetime.now(UTC), text.encode("utf-8", "replace") + b"\n"
    block = Block(ARGUMENT, ARGUMENT, content, 0, Checkpoint(ARGUMENT, ARGUMENT, len(content), now), now, complete=True)
    knowing = sorted({match.rule_id for match in matcher.find(block).matches})
    if knowing:
        complain(f"{', '.join(knowing)} knows this line already, see: logmedic rules explain 'LINE'")
    return [each.id for each in rules]


def with_free_id(rule: Rule, taken: Sequence[str]) -> Rule:
    names = (rule.id, *(f"{rule.id}-{n}" for n in range(2, len(taken) + 3)))
    return replace(rule, id=next(name for name in names if name not in taken))


def give(context: Context, rule: Rule, content: str, file: Path | None) -> None:
    """Into a new file, else to standard output."""
    if file is not None:
        _write(file, content)
        complain(f"rule {rule.id} is in {file}; next: logmedic rules check {file}")
    if context.output != "table":
        print_json({"id": rule.id, "file": content, "path": str(file) if file is not None else None})
    elif file is None:
        click.echo(content, nl=False)


def _write(file: Path, content: str) -> None:
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(content)
    except FileExistsError:
        raise PermanentError(f"{file} is there already, and stays as it is", "name another file: -w FILE") from None
    except OSError as error:
        raise PermanentError(f"cannot write {file}: {error.strerror}") from None
