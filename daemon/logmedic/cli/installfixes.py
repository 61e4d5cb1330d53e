"""install fixes: the units of fixes, and the polkit rule."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import complain, print_json, several
from logmedic.cli.systemdunit import USER, daemon_user
from logmedic.model.errors import OrderRefused, RulesInvalid

if TYPE_CHECKING:
    from logmedic.adapters.fixes.installing import Installation
    from logmedic.adapters.fixes.layout import Layout
    from logmedic.adapters.fixes.unitfiles import Ground
    from logmedic.model.rule import Rule

DIFFERS = 1
HOST = Path("/")
_POLKIT = Path("/etc/polkit-1")
_GET_POLKIT = "apt-get install polkitd; sudo logmedic install fixes"


@click.command("fixes")
@click.option("--check", is_flag=True, help="Only say what differs; exit 1 when something does.")
@click.option("--dry-run", "dry", is_flag=True, help="Only print what would be written.")
@click.option("--remove", is_flag=True, help="Take away everything that was installed.")
@click.option("--user", metavar="NAME", help="The daemon's user.", show_default="that of logmedic.service")
@click.option("--root", type=click.Path(path_type=Path), default=Path("/"), metavar="DIR", help="Write below DIR.")
@shared
@pass_context
def fixes_command(context: Context, check: bool, dry: bool, remove: bool, user: str | None, root: Path) -> int:
    """Write units for what the rules may run in a sandbox, and a polkit rule for the units that they may restart. Type
    it again after rules changed; until then a fix that changed is not run. Needs root."""
    if check + dry + remove > 1:
        raise click.UsageError("--check, --dry-run and --remove are three different things: write one of them")
    writes = not (check or dry)
    if writes:
        only_root(root, "install fixes", "sudo logmedic install fixes")
    if remove:
        with told_by_the_host():
            remove_fixes(root)
        _tell(context, {"removed": str(root)}, f"removed what was installed{below(root)}")
        return 0
    plan = planned(context, root, user=user, writes=writes)
    code = DIFFERS if plan.problems else 0
    if dry:
        print_files(plan.wanted.files, plan.wanted.links, context.output)
        return code
    if check:
        return _check(plan.differences(), context.output) or code
    with told_by_the_host():
        plan.put()
    then = below(root) if root != HOST else "" if _is_the_unit() else "; type: logmedic reload"
    _tell(context, {"installed": plan.steps}, f"installed {several(plan.steps, 'step')} and the canary{then}")
    return code


def _is_the_unit() -> bool:
    """logmedic-fixes.service, which has the daemon reload by itself (systemd.exec(5))."""
    return os.environ.get("SYSTEMD_EXEC_PID") == str(os.getpid())


@dataclass(frozen=True, slots=True)
class Plan:
    """`problems`: what of the rules is left out, and why; already told."""

    installation: Installation
    wanted: Layout
    problems: Sequence[str]

    @property
    def steps(self) -> int:
        return len(self.wanted.names) - 1

    def differences(self) -> list[str]:
        return self.installation.differences(self.wanted)

    def put(self) -> None:
        """Raises OSError, OrderRefused."""
        self.installation.put(self.wanted)


def planned(context: Context, root: Path, *, user: str | None = None, writes: bool) -> Plan:
    """What the rules need. `user`: the daemon's; None: that of its unit. `writes`: it is to be put there. Raises
    LogmedicError."""
    from logmedic.adapters.fixes.ground import account_exists, here, runner_flaws
    from logmedic.adapters.fixes.installing import Installation

    settings, is_host = context.settings_at_rest, root == HOST
    user = user or (daemon_user() if is_host else USER)
    ground = here(daemon=user, user=settings.actions.user, concurrency=settings.actions.concurrency)
    flaws = list(runner_flaws(ground))
    if is_host and writes:
        if flaws:
            raise OrderRefused(
                f"fixes could be changed by others: {flaws[0]}", "install logmedic as root: docs/install.md"
            )
        if not account_exists(user):
            raise OrderRefused(f"there is no account {user!r} for the daemon", "name it: --user NAME")
    wanted, problems = _wanted(_rules(context), ground, allow_root=settings.actions.allow_root, is_host=is_host)
    for problem in (*flaws, *problems):
        complain(f"warning: {problem}")
    return Plan(Installation(root), wanted, problems)


def remove_fixes(root: Path) -> None:
    """Raises OSError, OrderRefused."""
    from logmedic.adapters.fixes.installing import Installation

    Installation(root).remove()


def only_root(root: Path, what: str, hint: str) -> None:
    """Raises OrderRefused."""
    if root == HOST and os.geteuid() != 0:
        raise OrderRefused(f"only root can {what}", f"type: {hint}")


@contextmanager
def told_by_the_host() -> Iterator[None]:
    """What the host refuses is an answer and no fault of ours. Raises OrderRefused."""
    try:
        yield
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise OrderRefused(f"{where}{error.strerror or error}", "put that right, and type it again") from None


def _rules(context: Context) -> tuple[Rule, ...]:
    """Of the files that nobody but root can write. Raises RulesInvalid: what a broken file needed must not go."""
    from logmedic.rulesets import make_rule_loader

    ruleset = make_rule_loader(context.settings_at_rest, prove=False).load()
    if ruleset.problems:
        first = ruleset.problems[0]
        said = f"{first.file}:{first.line}: {first.text}"
        raise RulesInvalid(f"rules do not load, and what they need is not known: {said}", "type: logmedic rules check")
    return ruleset.rules


def _wanted(rules: tuple[Rule, ...], ground: Ground, *, allow_root: bool, is_host: bool) -> tuple[Layout, list[str]]:
    """And what of the rules is left out, with the reason."""
    from logmedic.adapters.fixes.catalogue import installables
    from logmedic.adapters.fixes.ground import host_problem
    from logmedic.adapters.fixes.layout import layout
    from logmedic.adapters.fixes.unitfiles import unfit

    fit, problems = [], []
    for fix in installables(rules):
        wrong = unfit(fix, allow_root=allow_root) or (host_problem(fix, ground) if is_host else "")
        if wrong:
            problems.append(f"{', '.join(sorted(fix.uses))}: step {fix.step.name!r} is left out: {wrong}")
        else:
            fit.append(fix)
    polkit = _polkit(rules, ground.daemon)
    if polkit and is_host and not _POLKIT.is_dir():
        complain(f"warning: polkit is not installed, and no unit can be restarted without it; type: {_GET_POLKIT}")
        polkit = ""
    return layout(fit, ground, polkit), problems


def _polkit(rules: tuple[Rule, ...], daemon: str) -> str:
    """Empty when no rule has a unit restarted."""
    from logmedic.adapters.fixes.polkit import jobs_of, polkit_rules

    return polkit_rules(rules, daemon) if any(rule.enabled and jobs_of(rule) for rule in rules) else ""


def _tell(context: Context, row: Mapping[str, object], said: str) -> None:
    if context.output != "table":
        print_json(row)
    else:
        print(said)


def below(root: Path) -> str:
    return "" if root == HOST else f" below {root}"


def _check(differences: list[str], output: str) -> int:
    if output != "table":
        print_json({"differences": differences})
    else:
        print("\n".join(differences) or "what is installed is what the rules need")
        if differences:
            complain("hint: sudo logmedic install fixes puts it right")
    return DIFFERS if differences else 0


def print_files(files: Mapping[str, str], links: Mapping[str, str], output: str) -> None:
    if output != "table":
        print_json({"files": dict(files), "links": dict(links)})
        return
    for path, text in files.items():
        print(f"==> {path} <==\n{text}")
