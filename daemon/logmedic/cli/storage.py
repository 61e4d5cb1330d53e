"""storage, backup, restore."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import at, complain, field, print_json, print_rows, several, span
from logmedic.cli.styled import say
from logmedic.cli.systemdunit import daemon_user
from logmedic.hostfiles.owners import acting_as, become, owner_of
from logmedic.model.errors import DaemonUnreachable, NotFound, OrderRefused, PermanentError

WAIT_S = 3600.0
"""For the copy of a large store on a slow disk."""
LOOK_S = 0.5
_WITH_INCIDENTS = frozenset({"incident_events", "fix_attempts"})


@click.command("storage")
@shared
@pass_context
def storage_command(context: Context) -> None:
    """What the store takes, what leaves it next, and its copies."""
    told = context.client.get("storage")
    if context.output != "table":
        print_json(told)
        return
    room = told["room"]
    say(f"{told['path']}: {_size(room['total'])} of {_size(room['max'])}")
    say(f"  file {_size(room['file'])}, of which unused {_size(room['unused'])}; log {_size(room['log'])}")
    say(f"  archive {_archive(told['archive'], room['archive'])}")
    say(f"  snapshots {_size(room['snapshots'])}; backups (not counted) {_size(room['backups'])}")
    say(f"  last compaction: {_compaction(told['last_compaction'])}")
    if told["clock"]:
        say(f"  {_doubted(**told['clock'])}")
    for notice in told["notices"]:
        say(f"  {notice}")
    leaving = {row["table"]: row for row in told["next"]}
    rows = [_row(name, rows, told["keep"], leaving.get(name)) for name, rows in told["rows"].items()]
    columns = {"TABLE": field("table"), "ROWS": field("rows"), "KEPT": field("keep"), "LEAVES NEXT": field("next")}
    print()
    print_rows(rows, columns, "table", nothing="no tables")
    if told["backups"]:
        print()
        columns = {
            "COPY": field("path"),
            "MADE": lambda row: at(row["made_at"]),
            "SIZE": lambda row: _size(row["bytes"]),
        }
        print_rows(told["backups"], columns, "table", nothing="")


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.2f} GiB"


def _archive(archive: Mapping[str, Any], size: int) -> str:
    if not archive["days"]:
        return "empty" if archive["on"] else "off"
    days = f"{several(archive['days'], 'day')}, {archive['oldest']} to {archive['newest']}"
    return f"{_size(size)}: {days}; kept {span(archive['keep'])}"


def _compaction(done: Mapping[str, Any] | None) -> str:
    if done is None:
        return "none since the start"
    sizes = f"{_size(done['before_bytes'])} to {_size(done['after_bytes'])}"
    return f"{at(done['at'])}: {sizes} in {span(done['took_s'])}, commits waited {done['held_s'] * 1000:.0f} ms"


def _doubted(says: str, expected: str, believed_in_s: float) -> str:
    """A clock that is not believed."""
    now, should = (f"{datetime.fromisoformat(each):%Y-%m-%d %H:%M}Z" for each in (says, expected))
    which = f"the clock says {now}, and by the time that the daemon ran it is {should}"
    why = "if the host was not off meanwhile, the clock is wrong (see timedatectl)"
    return f"{which}: nothing gets old by it for {span(believed_in_s)} more; {why}"


def _row(table: str, rows: int, keep: Mapping[str, float], leaving: Mapping[str, Any] | None) -> dict[str, str]:
    kept = span(keep[leaving["kind"]]) if leaving else "with its incident" if table in _WITH_INCIDENTS else "always"
    days = several(leaving["days"], "day") if leaving and leaving["days"] else ""
    return {"table": table, "rows": f"{rows:,}", "keep": kept, "next": days}


@click.command("backup")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--force", is_flag=True, help="Overwrite FILE.")
@shared
@pass_context
def backup_command(context: Context, file: Path | None, force: bool) -> None:
    """Copy the store, while the daemon runs or without one, and read the copy through.

    Without FILE it goes into the directory `backups` beside the store.
    """
    os.umask(0o077)  # DuckDB's own log of the copy as well
    target = file.absolute() if file is not None else None
    if target is not None:
        _refuse(target, force)
    try:
        made = _of_daemon(context, target, force)
    except DaemonUnreachable as unreachable:
        made = _of_store(context, target, force, unreachable)
    if context.output == "table":
        rows = sum(made["rows"].values())
        say(f"{made['path']}: {several(rows, 'row')} in {several(len(made['rows']), 'table')}, read through")
    else:
        print_json(made)


@contextmanager
def _readable(copy: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PermanentError(f"cannot read {copy}: {error.strerror}", f"see whose it is: ls -l {copy}") from None


def _refuse(target: Path, force: bool) -> None:
    """Before the work; what is there is looked at again when it is done."""
    if target.exists() and not force:
        raise click.UsageError(f"{target} is there already; name another file, or add --force")
    if not target.parent.is_dir():
        raise PermanentError(f"there is no directory {target.parent}", f"mkdir -p {target.parent}")


def _of_daemon(context: Context, target: Path | None, force: bool) -> dict[str, Any]:
    """The daemon may write below its state directory alone: from there it is copied here. Which file that is, it says:
    root reads and removes none that the daemon could not."""
    made: dict[str, Any] = _watched(context, lambda: context.client.waiting(WAIT_S).post("backup"))
    contents = {name: (rows, digest) for name, (rows, digest) in made.pop("contents").items()}
    if target is not None:
        from logmedic.adapters.store.backups import deliver

        there, daemon = Path(made["path"]), owner_of(context.client.socket_path)
        if daemon is not None and daemon == owner_of(target.parent):
            become(daemon)
            daemon = None
        try:
            with acting_as(daemon), _readable(there):
                copy = there.open("rb")
            with copy:
                deliver(copy, target, contents, force=force)
        finally:
            with acting_as(daemon), suppress(OSError):
                there.unlink()  # it was asked for elsewhere
        made["path"] = str(target)
    return made


def _watched(context: Context, call: Callable[[], Any]) -> Any:
    """On a terminal with a bar: how much of the copy is written."""
    if not sys.stderr.isatty():
        return call()
    from concurrent.futures import ThreadPoolExecutor, wait

    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    columns = (TextColumn("copying the store"), BarColumn(), DownloadColumn(binary_units=True))
    with ThreadPoolExecutor(1) as pool, Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        running, task = pool.submit(call), bar.add_task("", total=None)
        while not wait([running], timeout=LOOK_S).done:
            work = context.client.get("storage")["work"]
            if work is not None:
                bar.update(task, total=work["of_bytes"], completed=work["done_bytes"])
        return running.result()


def _of_store(context: Context, target: Path | None, force: bool, unreachable: DaemonUnreachable) -> dict[str, Any]:
    from logmedic.adapters.store import backups

    path, now = context.settings_at_rest.storage.path, datetime.now(UTC)
    try:
        if not path.exists():
            raise unreachable
    except PermissionError:
        raise unreachable from None
    context.tell_of_store(path)
    owner = owner_of(path)
    if target is None or owner == owner_of(target.parent):
        become(owner)
    to = target or backups.new_copy(path, backups.BACKUP, now)
    contents = backups.back_up(path, to, force=force)
    return {"path": str(to), "bytes": to.stat().st_size, "rows": {name: rows for name, (rows, _) in contents.items()}}


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@shared
@pass_context
def restore_command(context: Context, file: Path) -> None:
    """Put a backup in the place of the store. The daemon must be stopped; the present store is kept beside."""
    from logmedic.adapters.store.backups import restore
    from logmedic.adapters.store.walog import wal_of

    path, source = context.settings_at_rest.storage.path, file.absolute()
    if not source.is_file():
        raise NotFound(f"there is no file {source}", f"backups are below {path.parent / 'backups'}")
    if path.exists() and source.samefile(path):
        raise click.UsageError(f"{source} is the store itself; name a copy of it")
    os.umask(0o077)
    with ExitStack() as opened:
        with _readable(source):
            copy = opened.enter_context(source.open("rb"))
            log = opened.enter_context(wal.open("rb")) if (wal := wal_of(source)).exists() else None
        become(owner_of(path))
        kept = restore(path, copy, datetime.now(UTC), log=log)
    told = {"path": str(path), "from": str(source), "kept": str(kept) if kept is not None else None}
    if context.output == "table":
        say(f"{path} is {source} now" + (f"; what was there is kept as {kept}" if kept is not None else ""))
        complain(f"next: {_next_of(path.parent)}systemctl start logmedic")
    else:
        print_json(told)


def _next_of(directory: Path) -> str:
    """A directory that is root's (a new disk, or it was made just now) lets the service write nothing. It may hold more
    than the store, so whose it becomes is somebody's decision."""
    from logmedic.adapters.fixes.ground import account_exists

    try:
        user = daemon_user()
    except OrderRefused:
        return ""
    if os.geteuid() != 0 or directory.stat().st_uid != 0 or not account_exists(user):
        return ""
    return f"chown -R {user}: {directory}; "
