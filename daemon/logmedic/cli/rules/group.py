"""The group `rules`, and what its commands share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from logmedic.cli.context import Context, shared
from logmedic.model.rule import RuleSet

if TYPE_CHECKING:
    from logmedic.adapters.rulefiles.review import Reviewer
    from logmedic.adapters.rulefiles.shelf import Shelf
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
    """Of `paths`, or of the configured ones; what is known of those is kept, unless it is to be reviewed."""
    from logmedic.rulesets import make_rule_loader

    memory = None
    if not paths and reviewer is None:
        from logmedic.adapters.rulefiles.memory import Memory

        memory = Memory(shelf_of("proved" if prove else "read"))
    return make_rule_loader(context.settings_at_rest, paths, prove=prove, reviewer=reviewer, memory=memory)


def load_rules(context: Context, paths: Sequence[Path] = (), *, prove: bool = True) -> RuleSet:
    loader = loader_of(context, paths, prove=prove)
    loaded = loader.load()
    loader.save()
    return loaded


def shelf_of(stamp: str = "") -> Shelf | None:
    """What this user's commands know already. `stamp`: whatever that depends on beside this program."""
    from logmedic.adapters.rulefiles.shelf import Shelf, program_stamp
    from logmedic.settings.places import cache_directory

    directory = cache_directory()
    return Shelf(directory, f"{program_stamp()} {stamp}") if directory is not None else None
