"""learn."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import color_on_stderr
from logmedic.cli.past import complain_of, moment_of, progress, search_of_files, zone_of

if TYPE_CHECKING:
    from logmedic.model.rule import RuleSet

FAILED = 1
PIPED = "-"


@click.command("learn")
@click.argument("places", nargs=-1, metavar="[PATH]...")
@click.option("--top", default=20, show_default=True, type=click.IntRange(1), metavar="N", help="So many are told of.")
@click.option("--min", "least", default=1, type=click.IntRange(1), metavar="N", help="Only what came so often.")
@click.option("--component", default="", metavar="NAME", help="Only errors of this program or logger.")
@click.option("--source", default="", metavar="NAME", help="The source that the files stand for.")
@click.option("--since", metavar="TIME", help="Only lines from then on: 30d, 2026-10-01.")
@click.option("--until", metavar="TIME", help="Only lines before then.")
@click.option(
    "--zone", metavar="ZONE", help="Of times without an offset, and of days: Europe/Vienna. Default: the host's."
)
@click.option(
    "--drafts", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Write a draft rule for each."
)
@click.option("--groups", is_flag=True, help="Take every line as an error message; print GROUP<TAB>TEMPLATE for each.")
@shared
@pass_context
def learn_command(
    context: Context,
    places: tuple[str, ...],
    top: int,
    least: int,
    component: str,
    source: str,
    since: str | None,
    until: str | None,
    zone: str | None,
    drafts: Path | None,
    groups: bool,
) -> int:
    """What old logs teach: the most frequent errors that no rule knows. Nothing is stored, and nothing is run.

    PATH is a log, plain or .gz, .bz2, .xz, .zst, or a directory of logs; - is standard input. Without any, what the
    sources find is read, with its rotations.

    Exit code 1 when a file was not read to its end, 5 when there is nothing to read.
    """
    if groups:
        from logmedic.cli.learn.grouping import print_groups

        print_groups(places or (PIPED,))
        return 0
    from logmedic.cli.learn.told import Telling, print_lookback
    from logmedic.cli.rules.group import shelf_of
    from logmedic.core.scanner import UNSAVED
    from logmedic.lookback import Asked, look_back

    asked = Asked(
        places=tuple(each for each in places if each != PIPED),
        piped=sys.stdin.buffer if PIPED in places else None,
        source=source,
        since=moment_of(since, "--since"),
        until=moment_of(until, "--until"),
        zone=zone_of(zone),
        ordinary=drafts is not None,
    )
    rules = _rules(context)
    with search_of_files("learning", less="files"), progress(context.output == "table") as pulse:
        done = look_back(context.settings_at_rest, rules, asked, pulse, shelf_of() or UNSAVED)
    complain_of(done.logs, done.passed_by)
    telling = Telling(done, top, least, component, drafted=drafts is not None)
    print_lookback(telling, context.output)
    if drafts is not None:
        from logmedic.cli.learn.drafts import write_drafts

        write_drafts(telling, drafts, rules)
    return FAILED if any(log.problem for log in done.logs) else 0


def _rules(context: Context) -> RuleSet:
    """Those that the daemon would have."""
    from logmedic.cli.rules.group import load_rules
    from logmedic.yamldoc import render_problems

    loaded = load_rules(context)
    if loaded.problems:
        click.echo(render_problems(loaded.problems, color=color_on_stderr()), err=True)
    return loaded
