"""install, uninstall: the service, for a logmedic that no package of the distribution brought."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.installfixes import (
    DIFFERS,
    HOST,
    Plan,
    below,
    fixes_command,
    only_root,
    planned,
    print_files,
    remove_fixes,
    told_by_the_host,
)
from logmedic.cli.output import complain, print_json, several
from logmedic.model.errors import LogmedicError, OrderRefused

if TYPE_CHECKING:
    from logmedic.adapters.service.installing import Done, ServiceFiles
    from logmedic.adapters.service.layout import Layout

_ROOT = click.option(
    "--root", type=click.Path(path_type=Path), default=HOST, metavar="DIR", help="Below DIR, which becomes a host."
)
_PACKAGE = "./logmedic_VERSION_ARCHITECTURE.deb"
"""No archive has it: apt can install it again from its file alone."""
_AFRESH = (
    f"type: apt-get remove logmedic; apt-get install {_PACKAGE}; systemctl enable --now logmedic-fixes.path logmedic"
)
"""The removal takes what the wheel left beside it in /opt/logmedic."""


@click.group("install", invoke_without_command=True)
@click.option("--check", is_flag=True, help="Only say what differs; exit 1 when something does.")
@click.option("--dry-run", "dry", is_flag=True, help="Only print what would be written.")
@click.option("--no-start", is_flag=True, help="Neither start nor restart anything.")
@_ROOT
@shared
@pass_context
@click.pass_context
def install_command(called: click.Context, context: Context, check: bool, dry: bool, no_start: bool, root: Path) -> int:
    """Make this logmedic a service of the host: units, accounts, directories, and what fixes need (as `install fixes`
    does). Type it again after an upgrade: what changed is written, and the daemon restarted. Needs root. What came as a
    package has all of it already."""
    if called.invoked_subcommand is not None:
        if check or dry or no_start or root != HOST:
            raise click.UsageError(f"write options behind `{called.invoked_subcommand}`")
        return 0
    if check and dry:
        raise click.UsageError("--check and --dry-run are two different things: write one of them")
    from logmedic.adapters.service.installing import ServiceFiles

    service = ServiceFiles(root)
    if not (check or dry):
        only_root(root, "install the service", "sudo logmedic install")
        _only_booted(root)
    if service.is_packaged:
        raise OrderRefused(
            "logmedic is installed as a package, and the units are the package's",
            f"type: apt-get install --reinstall {_PACKAGE}; for the fixes alone: logmedic install fixes",
        )
    wanted = _wanted(root, writes=not (check or dry))
    if dry:
        plan = _plan(context, root, writes=False)
        fixes = plan.wanted if plan is not None else None
        print_files(
            {**wanted.files, **(fixes.files if fixes else {})},
            {**wanted.links, **(fixes.links if fixes else {})},
            context.output,
        )
        return 0 if plan is not None else DIFFERS
    if check:
        return _check(context, service, wanted, root)
    return _install(context, service, wanted, root, starts=root == HOST and not no_start)


install_command.add_command(fixes_command)


@click.command("uninstall")
@click.option("--dry-run", "dry", is_flag=True, help="Only print what would be taken away.")
@_ROOT
@shared
@pass_context
def uninstall_command(context: Context, dry: bool, root: Path) -> int:
    """Stop the service, and take away all that `install` wrote, fixes included. Config, rules, secrets, what was
    learned and the accounts stay; it says where. Needs root."""
    from logmedic.adapters.service.ground import program
    from logmedic.adapters.service.installing import ServiceFiles

    service = ServiceFiles(root)
    if not dry:
        only_root(root, "remove the service", "sudo logmedic uninstall")
        _only_booted(root)
    if service.is_packaged and not service.is_made:
        raise OrderRefused("logmedic is installed as a package", "type: apt-get remove logmedic")
    if dry:
        gone = [*service.there(program=program()), *_remembered(root)]
        told = f"would be taken away{below(root)}, with what was installed for fixes"
        _tell_removed(context, gone, _kept(context, service, root), told)
        return 0
    with told_by_the_host():
        gone = list(service.remove(program=program()).removed)
        remove_fixes(root)
        for path in _remembered(root):
            shutil.rmtree(path)
            gone.append(path)
    kept = _kept(context, service, root)
    _tell_removed(context, gone, kept, f"taken away{below(root)}, with what was installed for fixes")
    if service.is_packaged:
        complain(f"hint: the package, which was installed over it, is still here; {_AFRESH}")
    return 0


def _remembered(root: Path) -> tuple[str, ...]:
    """What commands of whoever types this remember of rule files: it can be found out again."""
    from logmedic.settings.places import cache_directory

    path = cache_directory()
    return (str(path),) if root == HOST and path is not None and path.is_dir() else ()


def _kept(context: Context, service: ServiceFiles, root: Path) -> list[str]:
    from logmedic.adapters.service.layout import DROP_INS, KEPT

    return [*(each for each in (*KEPT, *DROP_INS) if service.has(each)), *_moved(context, root, KEPT)]


def _moved(context: Context, root: Path, usual: Sequence[str]) -> tuple[str, ...]:
    """The store's directory, where the config put it elsewhere."""
    if root != HOST:
        return ()
    try:
        directory = context.settings_at_rest.storage.path.parent
    except LogmedicError as error:
        complain(f"warning: a store that the config put elsewhere is not named here: {error.text}")
        return ()
    is_usual = any(directory.is_relative_to(each) for each in usual)
    return () if is_usual or not directory.is_dir() else (str(directory),)


def _only_booted(root: Path) -> None:
    """As sd_booted(3) asks. Raises OrderRefused."""
    if root == HOST and not Path("/run/systemd/system").is_dir():
        raise OrderRefused("systemd does not run this host", "for an image that it will run, name it: --root DIR")


def _wanted(root: Path, *, writes: bool) -> Layout:
    """Raises OrderRefused when the host could not run it, or somebody else change it."""
    import sys

    from logmedic import __version__
    from logmedic.adapters.service.ground import check, program, shipped
    from logmedic.adapters.service.layout import layout

    command = program()
    if root == HOST and writes:
        check(command, Path(sys.prefix))
    return layout(shipped(), program=command, version=__version__)


def _plan(context: Context, root: Path, *, writes: bool) -> Plan | None:
    """None: rules or config do not load, which is told. The daemon is installed all the same: it says so too."""
    try:
        return planned(context, root, writes=writes)
    except LogmedicError as error:
        complain(f"warning: fixes are not installed: {error.text}")
        complain(f"hint: {error.hint or 'logmedic config check'}; then: sudo logmedic install fixes")
        return None


def _check(context: Context, service: ServiceFiles, wanted: Layout, root: Path) -> int:
    plan = _plan(context, root, writes=False)
    found = [*service.differences(wanted), *(plan.differences() if plan is not None else ())]
    if context.output != "table":
        print_json({"differences": found})
    else:
        print("\n".join(found) or "what is installed is what this logmedic installs")
        if found:
            complain("hint: sudo logmedic install puts it right")
    return DIFFERS if found or plan is None else 0


def _install(context: Context, service: ServiceFiles, wanted: Layout, root: Path, *, starts: bool) -> int:
    with told_by_the_host():
        done = service.put(wanted)
        plan = _plan(context, root, writes=True)
        if plan is not None:
            plan.put()
        begun, again = service.start(done) if starts else ((), ())
    _tell_installed(context, done, plan, begun, again)
    return 0 if plan is not None and not plan.problems else DIFFERS


def _tell_installed(
    context: Context, done: Done, plan: Plan | None, begun: tuple[str, ...], again: tuple[str, ...]
) -> None:
    fixes = plan.steps if plan is not None else None
    row: dict[str, Any] = {
        "written": done.written,
        "enabled": done.enabled,
        "fixes": fixes,
        "started": begun,
        "restarted": again,
    }
    if context.output != "table":
        print_json(row)
        return
    for path in done.written:
        print(f"wrote {path}")
    if not done.written:
        print("all files are as they should be")
    if fixes is not None:
        print(f"installed {several(fixes, 'step')} of fixes and the canary")
    for told, units in (("enabled", done.enabled), ("started", begun), ("restarted", again)):
        if units:
            print(f"{told} {', '.join(units)}")
    if begun or again:
        complain("hint: logmedic status; logmedic doctor")


def _tell_removed(context: Context, gone: list[str], kept: list[str], told: str) -> None:
    if context.output != "table":
        print_json({"removed": gone, "kept": kept})
        return
    for path in gone:
        print(path)
    print(f"{several(len(gone), 'file')} {told}")
    if kept:
        print(f"kept: {', '.join(kept)}, and the accounts logmedic and logmedic-fix")
