"""rules new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import complain, print_json
from logmedic.cli.rules.group import load_rules, rules_command
from logmedic.model.errors import NotFound, PermanentError
from logmedic.model.severity import Severity

if TYPE_CHECKING:
    from logmedic.model.rule import Rule

_SEVERITIES = click.Choice([each.value for each in Severity])


@dataclass(frozen=True, slots=True)
class _Evidence:
    text: str
    source: str = ""
    severity: str = ""


@rules_command.command("new")
@click.option("--from", "line", metavar="LINE", help="Draft a rule for this line; - reads standard input.")
@click.option("--from-incident", "incident", metavar="INC", help="For the line of an incident, or of a learned issue.")
@click.option("--source", default="", metavar="NAME", help="The source that the rule hears.")
@click.option("--id", "rule_id", default="", metavar="ID", help="The rule's id.")
@click.option("--severity", type=_SEVERITIES, help="How bad it is; else as the line says.")
@click.option("-w", "--write", "file", type=click.Path(path_type=Path), metavar="FILE", help="Into a new file.")
@shared
@pass_context
def new_command(
    context: Context,
    line: str | None,
    incident: str | None,
    source: str,
    rule_id: str,
    severity: str | None,
    file: Path | None,
) -> int:
    """Draft a rule with its tests from a line that you want to be told of. It has no fix, and it is in force once its
    file is where the config looks for rules."""
    if (line is None) == (incident is None):
        raise click.UsageError("name one thing to draft from: --from 'LINE', or --from-incident INC")
    evidence = _of_incident(context, incident) if incident is not None else _Evidence(_text(line or ""))
    rule = _drafted(evidence, source or evidence.source, rule_id, severity or evidence.severity)
    if not rule_id:
        rule = _with_free_id(rule, _known(context, evidence.text))
    _give(context, rule, file)
    return 0


def _text(line: str) -> str:
    """As the daemon would read it."""
    import os
    import sys

    raw = sys.stdin.buffer.read() if line == "-" else os.fsencode(line)
    return raw.decode("utf-8", "replace")


def _of_incident(context: Context, incident: str) -> _Evidence:
    try:
        row = context.ask("incident", incident_id=incident)
    except NotFound as not_found:
        return _of_issue(context, incident, not_found)
    return _Evidence(row["evidence"], _source(row["source"]), row["severity"])


def _of_issue(context: Context, wanted: str, not_found: NotFound) -> _Evidence:
    """What is learned has an issue, and no incident."""
    rows: list[dict[str, Any]] = context.ask("issues", limit=10_000)
    found = [row for row in rows if len(wanted) >= 4 and row["id"].endswith(wanted) and row["source"] == "learned"]
    if len(found) != 1:
        raise not_found
    return _Evidence(found[0]["description"], severity=found[0]["severity"])


def _source(name: str) -> str:
    """Standard input and files named on the command line are no sources that a rule can hear."""
    from logmedic.rulesets import ARGUMENT

    return "" if name in ("stdin", ARGUMENT) else name


def _drafted(evidence: _Evidence, source: str, rule_id: str, severity: str) -> Rule:
    from logmedic.core.drafting import draft

    try:
        return draft(evidence.text, source=source, rule_id=rule_id, severity=Severity(severity) if severity else None)
    except ValueError as error:
        raise PermanentError(
            f"no rule can be drafted: {error}", "give it a whole line, as it stands in the log"
        ) from None


def _known(context: Context, text: str) -> Sequence[str]:
    """The ids that are taken. Says so when a rule knows the line already."""
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


def _with_free_id(rule: Rule, taken: Sequence[str]) -> Rule:
    names = (rule.id, *(f"{rule.id}-{n}" for n in range(2, len(taken) + 3)))
    return replace(rule, id=next(name for name in names if name not in taken))


def _give(context: Context, rule: Rule, file: Path | None) -> None:
    from logmedic.core.draftfile import draft_file

    content = draft_file(rule)
    if file is not None:
        _write(file, content)
        complain(f"rule {rule.id} is in {file}; next: logmedic rules check {file}")
    elif context.output == "table":
        click.echo(content, nl=False)
    else:
        print_json({"id": rule.id, "file": content})


def _write(file: Path, content: str) -> None:
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(content)
    except FileExistsError:
        raise PermanentError(f"{file} is there already, and stays as it is", "name another file: -w FILE") from None
    except OSError as error:
        raise PermanentError(f"cannot write {file}: {error.strerror}") from None
