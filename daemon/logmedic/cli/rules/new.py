"""rules new."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import complain
from logmedic.cli.rules.drafts import give, ids_taken, source_heard, with_free_id
from logmedic.cli.rules.group import rules_command
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
    from logmedic.core.draftfile import draft_file

    if (line is None) == (incident is None):
        raise click.UsageError("name one thing to draft from: --from 'LINE', or --from-incident INC")
    evidence = _of_incident(context, incident) if incident is not None else _Evidence(_text(line or ""))
    rule = _drafted(evidence, source or evidence.source, rule_id, severity or evidence.severity)
    if not rule_id:
        rule = with_free_id(rule, ids_taken(context, evidence.text))
    give(context, rule, draft_file(rule), file)
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
    return _Evidence(row["evidence"], source_heard(row["source"]), row["severity"])


def _of_issue(context: Context, wanted: str, not_found: NotFound) -> _Evidence:
    """What is learned has an issue, and no incident."""
    try:
        story = context.ask("learned", issue_id=wanted)
    except NotFound:
        raise not_found from None
    complain(f"with tests of all that was seen of it: logmedic learned promote {wanted}")
    return _Evidence(
        next(iter(story["samples"]), story["issue"]["description"]),
        source_heard(story["template"]["source"]) if story["template"] is not None else "",
        story["issue"]["severity"],
    )


def _drafted(evidence: _Evidence, source: str, rule_id: str, severity: str) -> Rule:
    from logmedic.core.drafting import draft

    try:
        return draft(evidence.text, source=source, rule_id=rule_id, severity=Severity(severity) if severity else None)
    except ValueError as error:
        raise PermanentError(
            f"no rule can be drafted: {error}", "give it a whole line, as it stands in the log"
        ) from None
