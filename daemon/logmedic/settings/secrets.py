"""References to secrets, followed at load. No text here ever holds a secret's value."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from logmedic.settings.places import CREDENTIALS_ID, SYSTEM_CREDENTIALS
from logmedic.settings.sayable import is_sayable

LONGEST = 64 * 1024
"""Characters of a secret: a private key has some thousands."""
_REFERENCE = re.compile(r"\$\{(?P<kind>[a-z]+):(?P<name>[^}]*)\}")
_OF_FILES = frozenset({"storage", "rules", "actions", "sources"})
"""Sections that tell where files are, and what may run."""
_NOBODY = "json://127.0.0.1"
"""A receiver whose address is a secret of somebody else."""


def followed(
    values: dict[str, Any], env: Mapping[str, str]
) -> tuple[dict[str, Any], list[tuple[tuple[str | int, ...], str]]]:
    """`values` with every reference replaced; and for each that leads nowhere its key and what is wrong. Those stay as
    they are."""
    missing: list[tuple[tuple[str | int, ...], str]] = []

    def follow(value: Any, path: tuple[str | int, ...]) -> Any:
        match value:
            case dict():
                return {key: follow(each, (*path, key)) for key, each in value.items()}
            case list():
                return [follow(each, (*path, index)) for index, each in enumerate(value)]
            case str():
                try:
                    return _REFERENCE.sub(lambda hit: _secret(hit["kind"], hit["name"], env), value)
                except ValueError as error:
                    missing.append((path, str(error)))
        return value

    return follow(values, ()), missing


def leave_out(
    values: dict[str, Any], missing: list[tuple[tuple[str | int, ...], str]]
) -> list[tuple[tuple[str | int, ...], str]]:
    """Take what has a missing secret out of `values`, which `followed` made. A receiver stays by its name, as rules and
    routes name it. Answers what has to be there all the same."""
    needed = []
    for key, text in missing:
        match key:
            case ("alerts", "receivers", name, *_):
                values["alerts"]["receivers"][name] = _NOBODY
            case (str(section), str(part), *_) if section not in _OF_FILES:
                if isinstance(values.get(section), dict):
                    values[section].pop(part, None)
            case _:
                needed.append((key, text))
    return needed


def led_to(values: Any, env: Mapping[str, str]) -> Iterator[str]:
    """What the references in `values` lead to; nothing for those that lead nowhere."""
    match values:
        case dict():
            for each in values.values():
                yield from led_to(each, env)
        case list():
            for each in values:
                yield from led_to(each, env)
        case str():
            for hit in _REFERENCE.finditer(values):
                with suppress(ValueError):
                    yield _secret(hit["kind"], hit["name"], env)


def files_in(values: Any) -> Iterator[Path]:
    """What a `${file:...}` in `values` names, whether it is there or not."""
    match values:
        case dict():
            for each in values.values():
                yield from files_in(each)
        case list():
            for each in values:
                yield from files_in(each)
        case str():
            yield from (Path(hit["name"]) for hit in _REFERENCE.finditer(values) if hit["kind"] == "file")


def _secret(kind: str, name: str, env: Mapping[str, str]) -> str:
    """Raises ValueError that names the reference and never its value."""
    match kind:
        case "env":
            if name not in env:
                raise ValueError(f"${{env:{name}}}: the variable {name} is not set")
            if not is_sayable(env[name]):
                raise ValueError(f"${{env:{name}}}: the variable {name} is no UTF-8 text")
            return env[name]
        case "credential":
            return _secret_file(_credential(name, env.get("CREDENTIALS_DIRECTORY")), kind, name)
        case "file":
            return _secret_file(Path(name), kind, name)
    raise ValueError(f"${{{kind}:...}} is no reference; known are file, credential and env")


def _credential(name: str, given: str | None) -> Path:
    """Where it is: what a LoadCredential= of its own gave, else what that of the whole directory did (systemd puts the
    unit's word for it in front); without systemd the file itself, which root may read. Raises ValueError."""
    if given:
        alone, of_many = Path(given) / name, Path(given) / f"{CREDENTIALS_ID}_{name}"
        return of_many if of_many.exists() and not alone.exists() else alone
    if os.access(kept := SYSTEM_CREDENTIALS / name, os.R_OK):
        return kept
    raise ValueError(
        f"${{credential:{name}}}: not started by systemd with LoadCredential={name}, and no {kept} that we may read"
    )


def _secret_file(path: Path, kind: str, name: str) -> str:
    try:
        with path.open() as file:
            text = file.read(LONGEST + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"${{{kind}:{name}}}: {getattr(error, 'strerror', None) or 'no text'}") from None
    if len(text) > LONGEST:
        raise ValueError(f"${{{kind}:{name}}}: it has more than {LONGEST} characters: that is no secret")
    return text.strip()
