"""rules import fail2ban."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import color_on_stderr, complain, several
from logmedic.cli.rules.group import INVALID, loader_of, rules_command
from logmedic.model.problem import RuleProblem


@rules_command.group("import")
@shared
def import_command() -> None:
    """Draft a rule file from what another program was told. A fix is never armed."""


@import_command.command("fail2ban")
@click.argument("filter_name", metavar="FILTER")
@click.argument("jail", required=False)
@click.option(
    "--config-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("/etc/fail2ban"),
    show_default=True,
    help="Where fail2ban's filter.d and jail.conf are.",
)
@click.option(
    "-w", "--write", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write to FILE; it must not exist."
)
@shared
@pass_context
def fail2ban_command(context: Context, filter_name: str, jail: str | None, config_dir: Path, file: Path | None) -> int:
    """Draft a rule from an installed filter (sshd, or 'sshd[mode=aggressive]') and its jail.

    Without JAIL: the jail of the filter's name, where there is one. What could not be carried over is told on stderr,
    and in comments of the draft. Exit code 3 when nothing could be, 5 when there is no such filter or jail."""
    from logmedic.adapters.rulefiles.fail2ban import draft_of

    draft = draft_of(filter_name, jail, config_dir)
    for each in draft.lost:
        complain(f"not carried over: {each.what}: {each.why}")
    problems = _problems(context, draft.text)
    if file is None:
        print(draft.text, end="")
    else:
        _write(file, draft.text)
        complain(
            f"wrote {draft.rule_id} to {file}, {several(len(draft.samples), 'sample')}; try: logmedic rules test {file}"
        )
    if problems:
        from logmedic.yamldoc import render_problems

        click.echo(render_problems(problems, color=color_on_stderr()), err=True)
        complain("the draft does not load as it is: correct it by hand")
    return INVALID if problems else 0


def _problems(context: Context, text: str) -> tuple[RuleProblem, ...]:
    """What the loader says of the draft, its tests included."""
    with TemporaryDirectory(prefix="logmedic-") as room:
        path = Path(room) / "draft.yaml"
        path.write_text(text)
        return loader_of(context, [path]).load().problems


def _write(file: Path, text: str) -> None:
    """A file that is there may hold somebody's work."""
    try:
        with file.open("x", encoding="utf-8") as target:
            target.write(text)
    except FileExistsError:
        raise click.ClickException(f"{file} exists already; remove it, or name another file") from None
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}") from None
