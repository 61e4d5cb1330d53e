"""References to secrets, followed at load. No text here ever holds a secret's value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

_REFERENCE = re.compile(r"\$\{(?P<kind>[a-z]+):(?P<name>[^}]*)\}")


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


def _secret(kind: str, name: str, env: Mapping[str, str]) -> str:
    """Raises ValueError that names the reference and never its value."""
    match kind:
        case "env":
            if name not in env:
                raise ValueError(f"${{env:{name}}}: the variable {name} is not set")
            return env[name]
        case "credential":
            directory = env.get("CREDENTIALS_DIRECTORY")
            if not directory:
                raise ValueError(f"${{credential:{name}}}: not started by systemd with LoadCredential={name}")
            return _secret_file(Path(directory) / name, kind, name)
        case "file":
            return _secret_file(Path(name), kind, name)
    raise ValueError(f"${{{kind}:...}} is no reference; known are file, credential and env")


def _secret_file(path: Path, kind: str, name: str) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"${{{kind}:{name}}}: {getattr(error, 'strerror', None) or 'no text'}") from None
