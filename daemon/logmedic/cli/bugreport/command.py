"""bugreport."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from logmedic.cli.bugreport import bundle, parts
from logmedic.cli.bugreport.masking import pseudonyms
from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import print_json, several
from logmedic.core.sizes import bytes_text as size

if TYPE_CHECKING:
    from logmedic.core.pseudonyms import Pseudonyms

_CONTENTS = {
    "versions.json": "versions of logmedic, Python, its wheels, systemd, bubblewrap",
    "host.json": "kernel, distribution, memory, limits; names of variables, not what they hold",
    "doctor.json": "what logmedic doctor found",
    "config.json": "the config in force, secrets hidden; or its mistakes",
    "rules.json": "rule files with their hashes, ids of rules",
    "log.json": "the end of the daemon's own log in the journal",
}
_README = """\
A bundle of `logmedic bugreport` for a report of a bug.

Secrets are taken out ([masked]), as are texts of logs ([left out]). Hosts, addresses, people and mail addresses have
other names: host-1, ip-1, user-1, mail-1; the same name stands for the same one in all files. Look through it all the
same before you give it to anybody.

"""


@click.command("bugreport")
@click.option("-w", "--write", "path", type=click.Path(path_type=Path), metavar="FILE", help="The file; a tar.gz.")
@click.option("--rules", "with_rules", is_flag=True, help="Your own rule files too, with what they say.")
@click.option("--force", is_flag=True, help="In the place of a file that is there.")
@shared
@pass_context
def bugreport_command(context: Context, path: Path | None, with_rules: bool, force: bool) -> None:
    """Write what a report of a bug needs into one file: versions, what doctor found, the config, what the daemon says
    of itself, ids of rules, the end of its log. Secrets are taken out; hosts, addresses and people get other names.
    With a daemon and without one; root sees most. Look through it before you send it."""
    now = datetime.now(UTC)
    room = f"logmedic-bugreport-{now:%Y%m%dT%H%M%SZ}"
    path = path or Path(f"{room}.tar.gz")
    if path.exists() and not force:
        bundle.write(path, b"", force=False)  # says so before anything is gathered
    from logmedic.cli.doctor.config import environment

    env = environment(os.environ)
    os.environ.update(env)
    texts = gathered(context, pseudonyms(context.config, env), env, with_rules=with_rules)
    bundle.write(path, bundle.packed(texts, room, int(time.time())), force=force)
    if context.output == "table":
        _tell(path, texts)
    else:
        print_json({"file": str(path), "parts": {name: len(text.encode()) for name, text in texts.items()}})


def gathered(context: Context, names: Pseudonyms, env: dict[str, str], *, with_rules: bool = False) -> dict[str, str]:
    """The texts of the bundle by their names, with nothing in them that should not leave the host."""
    rows = dict(_rows(context, env))
    texts = {name: json.dumps(names.of_row(row), indent=1) + "\n" for name, row in rows.items()}
    if with_rules and (settings := _settings(context)) is not None:
        texts.update((name, names.of(text)) for name, text in parts.own_rules(settings))
    listed = "".join(f"{name}: {_CONTENTS.get(name, 'what the daemon says of itself')}\n" for name in texts)
    return {"README.txt": _README + listed, **texts}


def _rows(context: Context, env: dict[str, str]) -> Iterator[tuple[str, Any]]:
    yield "versions.json", parts.versions()
    yield "host.json", parts.host(env)
    yield "doctor.json", parts.diagnosis(context)
    yield "config.json", parts.config(context)
    settings = _settings(context)
    if settings is not None:
        yield "rules.json", parts.rules(settings)
        for question, given in parts.daemon(context):
            yield f"daemon/{question}.json", given
    yield "log.json", parts.own_log()


def _settings(context: Context) -> Any:
    from logmedic.model.errors import ConfigInvalid

    try:
        return context.settings
    except ConfigInvalid:
        return None


def _tell(path: Path, texts: dict[str, str]) -> None:
    width = max(map(len, texts))
    for name, text in texts.items():
        print(f"{name:<{width}}  {size(len(text.encode())):>10}  {_CONTENTS.get(name, '')}".rstrip())
    print(f"\n{several(len(texts), 'part')} in {path}, for you alone to read. Look through it before you send it:")
    print(f"tar -xOf {path} | less")
