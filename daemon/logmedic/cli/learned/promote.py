"""learned promote."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.learned.group import learned_command
from logmedic.cli.output import complain
from logmedic.model.errors import PermanentError

if TYPE_CHECKING:
    from logmedic.model.rule import Rule


@learned_command.command("promote", short_help="Draft a rule, with tests, for an issue.")
@click.argument("issue")
@click.option("--id", "rule_id", default="", metavar="RULE_ID", help="The rule's id.")
@click.option("-w", "--write", "file", type=click.Path(path_type=Path), metavar="FILE", help="Into a new file.")
@shared
@pass_context
def promote_command(context: Context, issue: str, rule_id: str, file: Path | None) -> int:
    """Draft a rule for a learned issue, with tests made of what was seen, secrets masked. It has no fix, and it is in
    force once its file is where the config looks for rules."""
    from logmedic.cli.rules.drafts import give, ids_taken, with_free_id
    from logmedic.core.draftfile import draft_file
    from logmedic.core.rowvalues import entity
    from logmedic.model.learned import FixedBefore

    story = context.ask("learned", issue_id=issue)
    rule = _drafted(story, rule_id)
    if not rule_id:
        rule = with_free_id(rule, ids_taken(context, next(iter(story["samples"]), "")))
    fixed_before = [entity(FixedBefore, each) for each in story["similar"]]
    give(context, rule, draft_file(rule, made_from="what was seen", fixed_before=fixed_before), file)
    if file is not None:
        complain(f"then move {file} to where rules.paths looks, and: logmedic reload")
    return 0


def _drafted(story: Mapping[str, Any], rule_id: str) -> Rule:
    from logmedic.cli.rules.drafts import source_heard
    from logmedic.core.drafting import draft_learned
    from logmedic.core.rowvalues import entity
    from logmedic.model.issue import KnownIssue, Template

    if story["template"] is None:
        hint = "logmedic rules new --from 'LINE' drafts a rule from a line that you have"
        raise PermanentError("what this issue was learned from is forgotten", hint)
    template = entity(Template, story["template"])
    try:
        return draft_learned(
            entity(KnownIssue, story["issue"]),
            template,
            story["samples"],
            story["ordinary"],
            source=source_heard(template.source),
            rule_id=rule_id,
        )
    except ValueError as error:
        hint = "logmedic rules new --from 'LINE' drafts a rule from one of its lines"
        raise PermanentError(f"no rule can be drafted: {error}", hint) from None
