"""The group `rules`, and what its commands share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from logmedic.cli.context import Context, shared

if TYPE_CHECKING:
    from logmedic.adapters.rulefiles.review import Reviewer
    from logmedic.ports import RuleFiles

INVALID, FAILED = 3, 6

PATHS = click.argument("paths", nargs=-1, type=click.Path(path_type=Path))


@click.group("rules")
@shared
def rules_command() -> None:
    """Rule files. PATHS are files or directories; the configured ones when left out."""


def loader_of(
    context: Context, paths: Sequence[Path], *, prove: bool = True, reviewer: Reviewer | None = None
) -> RuleFiles:
    """Of `paths`, or of the configured ones."""
    from logmedic.app import make_rule_loader

    return make_rule_loader(context.settings, paths, prove=prove, reviewer=reviewer)
