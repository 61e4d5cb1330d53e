"""The config file and the environment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fuzz.target import Attempt, Target
from fuzz.targets import PROJECT, by_name, words
from fuzz.targets.rulefiles import blocks_of
from logmedic.model.errors import ConfigInvalid
from logmedic.settings.loading import config_warnings, load_settings

_KEYS = words("config")


@contextmanager
def _config(room: Path) -> Iterator[Attempt]:
    path = room / "logmedic.yaml"

    def attempt(given: bytes) -> None:
        path.write_bytes(given)
        _loaded(path, {})

    yield attempt


@contextmanager
def _environment(room: Path) -> Iterator[Attempt]:
    """A variable a line, as the service manager takes them from a file: no NUL, and text of any kind."""
    path = room / "logmedic.yaml"
    path.write_bytes(b"mode: observe\nsources: {app: {files: [/var/log/app.log]}}\n")

    def attempt(given: bytes) -> None:
        pairs = (line.partition("=") for line in given.decode("utf-8", "surrogateescape").split("\n"))
        _loaded(path, {name: value for name, sign, value in pairs if sign and name and "\0" not in name + value})

    yield attempt


def _loaded(path: Path, env: dict[str, str]) -> None:
    try:
        settings = load_settings(path, env)
    except ConfigInvalid as invalid:
        f"{invalid.text}\n{invalid.hint}".encode("utf-8", "surrogateescape")
        raise
    config_warnings(path, env)
    settings.model_dump_json()


def _configs() -> Iterable[bytes]:
    yield b""
    for page in (
        "configuration",
        "sources",
        "alerts",
        "logs",
        "diagnosis",
        "metrics",
        "dashboard",
        "storage",
        "reports",
    ):
        yield from (
            each for each in blocks_of((PROJECT / "docs" / f"{page}.md").read_bytes()) if b"rules:\n  -" not in each
        )


def _variables() -> Iterable[bytes]:
    yield b"LOGMEDIC_MODE=auto\nLOGMEDIC_WEB__LISTEN=127.0.0.1:8080"
    yield b'LOGMEDIC_SOURCES={"app": {"files": ["/var/log/a"]}}\nLOGMEDIC_LEARNING__PROMOTE_AFTER=4'
    yield b'LOGMEDIC_ALERTS__RECEIVERS__OPS=mailto://a@b\nLOGMEDIC_STORAGE__KEEP=30d\nLOGMEDIC_RULES__PATHS=["/etc"]'
    yield b'LOGMEDIC_ALERTS__ROUTES=[{"to": "ops"}]\nLOGMEDIC_ACTIONS__MAX_PER_HOUR=5\nLOGMEDIC_INCIDENTS__MAX_AGE=1h'


TARGETS = by_name(
    Target("config", _config, _configs, _KEYS, (ConfigInvalid,)),
    Target(
        "environment",
        _environment,
        _variables,
        (*_KEYS, *words("environment")),
        (ConfigInvalid,),
        most_bytes=4096,
    ),
)
