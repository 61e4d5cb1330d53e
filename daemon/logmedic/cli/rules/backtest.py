"""rules backtest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import color_on_stderr, complain, several
from logmedic.cli.past import complain_of, moment_of, progress, search_of_files, zone_of
from logmedic.cli.rules.group import INVALID, loader_of, rules_command
from logmedic.model.errors import NotFound, RulesInvalid
from logmedic.model.rule import Mode, Rule, RuleSet

FAILED = 1
_ID = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")
_RULE_FILES = (".yaml", ".yml")


@rules_command.command("backtest")
@click.argument("arguments", nargs=-1, metavar="[RULE]... [FILE]...")
@click.option("--rule", "ids", multiple=True, metavar="ID", help="Only this rule; may be repeated.")
@click.option("--mode", type=click.Choice([each.value for each in Mode]), help="The ceiling. Default: the config's.")
@click.option("--source", default="", metavar="NAME", help="The source that the files stand for.")
@click.option("--since", metavar="TIME", help="Only lines from then on: 30d, 2026-10-01.")
@click.option("--until", metavar="TIME", help="Only lines before then.")
@click.option(
    "--zone", metavar="ZONE", help="Of times without an offset, and of days: Europe/Vienna. Default: the host's."
)
@click.option("--max-fires", type=click.IntRange(min=0), metavar="N", help="Exit code 1 when a rule fired more often.")
@shared
@pass_context
def backtest_command(
    context: Context,
    arguments: tuple[str, ...],
    ids: tuple[str, ...],
    mode: str | None,
    source: str,
    since: str | None,
    until: str | None,
    zone: str | None,
    max_fires: int | None,
) -> int:
    """What rules would have done to you: old logs, replayed through the daemon's own decisions. Nothing is run.

    RULE is a rule file (.yaml), a directory of them, or the id of a rule; without files of rules the configured ones
    are taken. FILE is a log, plain or .gz, .bz2, .xz, .zst; without any, what the sources find is read, with its
    rotations.

    Exit code 1 when a rule fired more often than --max-fires, or a file was not read to its end; 3 when a rule file has
    a mistake; 5 when there is no such rule, or nothing to read.
    """
    from logmedic.backtesting import Asked, backtest
    from logmedic.cli.rules.backtested import print_backtest

    places, named, files = _told_apart(arguments)
    loaded = loader_of(context, places, prove=False).load()
    rules = _chosen(loaded, (*named, *ids), places)
    asked = Asked(
        rules,
        files,
        source,
        Mode(mode) if mode else None,
        moment_of(since, "--since"),
        moment_of(until, "--until"),
        zone_of(zone),
    )
    with search_of_files("the backtest", less="files or rules"), progress(context.output == "table") as pulse:
        done = backtest(context.settings_at_rest, loaded, asked, pulse)
    complain_of(done.logs, done.passed_by)
    print_backtest(done, context.output, every_incident=context.verbose > 0)
    noisy = [each.rule.id for each in done.stories if max_fires is not None and each.fires > max_fires]
    if noisy:
        complain(f"fired more than {several(max_fires or 0, 'time')}: {', '.join(noisy)}")
    if places and loaded.problems:
        return INVALID
    return FAILED if noisy or any(log.problem for log in done.logs) else 0


def _told_apart(arguments: Sequence[str]) -> tuple[list[Path], list[str], tuple[str, ...]]:
    """Rule files and directories of them, ids of rules, logs."""
    places, ids, logs = [], [], []
    for each in arguments:
        path = Path(each)
        if path.suffix in _RULE_FILES or path.is_dir():
            places.append(path)
        elif not path.exists() and _ID.fullmatch(each):
            ids.append(each)
        else:
            logs.append(each)
    return places, ids, tuple(logs)


def _chosen(loaded: RuleSet, ids: Sequence[str], places: Sequence[Path]) -> tuple[Rule, ...]:
    """Rules that are asked for by name are tried even when they are switched off."""
    from logmedic.yamldoc import meant, render_problems

    if loaded.problems:
        click.echo(render_problems(loaded.problems, color=color_on_stderr()), err=True)
    by_id = {rule.id: rule for rule in loaded.rules}
    for each in ids:
        if each not in by_id:
            hint = "a rule with a mistake does not load" if loaded.problems else meant(each, by_id)
            raise NotFound(f"`{each}` is neither a file nor the id of a rule that loads", hint)
    wanted = [by_id[each] for each in dict.fromkeys(ids)] or list(loaded.rules)
    chosen = tuple(replace(rule, enabled=True) if ids or places else rule for rule in wanted)
    if not chosen:
        where = ", ".join(map(str, places)) or "the configured rule files"
        raise RulesInvalid(f"no rule loads from {where}", "logs are named by their files: DIR/*.gz")
    return chosen
