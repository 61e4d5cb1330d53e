"""Every secret that the config holds or leads to, so that it can be taken out of what leaves the host."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from logmedic.model.errors import ConfigInvalid
from logmedic.settings.loading import load_settings, merged, read_config, read_environment
from logmedic.settings.places import config_path
from logmedic.settings.remains import load_alert_settings
from logmedic.settings.secrets import files_in, led_to

SHORTEST_PART = 6
"""Of a secret address: shorter parts of it are words of any text."""
_PARTS = re.compile(r"[/:@?&=#,;\s]+")
_NO_SECRETS = frozenset({"localhost", "127.0.0.1"})
_HELD = ("url", "key", "token", "password", "secret")
"""Keys whose values are taken for secrets where the config does not load."""


def known_secrets(path: Path | None = None, env: Mapping[str, str] | None = None) -> frozenset[str]:
    """Of the config at `path` under `env`, as `load_settings` takes them, also of one that does not load: what
    references lead to, what is never shown, and the parts of secret addresses. Never raises for what the config
    holds."""
    env = os.environ if env is None else env
    values = _values(config_path(path, env), env)
    found = {*led_to(values, env), *_held(values, "")}
    found.update(_shown_to_nobody(_settings(path, env)))
    parts = {part for each in found if "://" in each for part in _PARTS.split(each.partition("://")[2])}
    return frozenset(found | {each for each in parts if len(each) >= SHORTEST_PART} - _NO_SECRETS)


def secret_files(path: Path | None = None, env: Mapping[str, str] | None = None) -> list[Path]:
    """Each file that a `${file:...}` of that config names, once."""
    env = os.environ if env is None else env
    return [*dict.fromkeys(files_in(_values(config_path(path, env), env)))]


def _values(path: Path | None, env: Mapping[str, str]) -> dict[str, Any]:
    """As they are written."""
    try:
        written = read_config(path).plain() if path else {}
    except ConfigInvalid:
        written = {}
    try:
        return merged(written, read_environment(env))
    except ValueError:
        return dict(written)


def _settings(path: Path | None, env: Mapping[str, str]) -> BaseModel:
    try:
        return load_settings(path, env)
    except ConfigInvalid:
        return load_alert_settings(path, env)[0]


def _held(value: Any, key: str) -> Iterator[str]:
    """Addresses with a scheme below `receivers`, and values of keys that name a secret."""
    match value:
        case dict():
            for name, each in value.items():
                yield from _held(each, str(name) if key != "receivers" or not isinstance(each, str) else "url")
        case list():
            for each in value:
                yield from _held(each, key)
        case str():
            if key in _HELD and "${" not in value:
                yield value


def _shown_to_nobody(value: object) -> Iterator[str]:
    match value:
        case SecretStr():
            yield value.get_secret_value()
        case BaseModel():
            for name in type(value).model_fields:
                yield from _shown_to_nobody(getattr(value, name))
        case Mapping():
            for each in value.values():
                yield from _shown_to_nobody(each)
        case list() | tuple():
            for each in value:
                yield from _shown_to_nobody(each)
