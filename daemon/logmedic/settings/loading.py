"""From the file and the environment to settings; every mistake with its place."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource
from pydantic_settings.sources.utils import parse_env_vars

from logmedic.model.errors import ConfigInvalid
from logmedic.model.rule import RuleProblem
from logmedic.settings.actions import MaintenanceSettings
from logmedic.settings.alerts import ReceiverSettings, RouteSettings
from logmedic.settings.form import PREFIX, Settings
from logmedic.settings.parts import Part
from logmedic.settings.places import SYSTEM_CONFIG
from logmedic.settings.secrets import followed
from logmedic.settings.sources import SourceSettings
from logmedic.yamldoc import Document, DocumentInvalid, meant, parse_document, render_problems

CONFIG_VARIABLE = "LOGMEDIC_CONFIG"
KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value was written: in the file, or in a variable."""

    file: str
    line: int = 0
    column: int = 0
    excerpt: str = ""

    def problem(self, text: str, hint: str = "") -> RuleProblem:
        return RuleProblem(self.file, self.line, self.column, text, hint, self.excerpt)


def config_path(given: Path | None, env: Mapping[str, str] = os.environ) -> Path | None:
    """The file to read: the one that was named, or the system's when there is one."""
    named = given or (Path(env[CONFIG_VARIABLE]) if env.get(CONFIG_VARIABLE) else None)
    return named or (SYSTEM_CONFIG if SYSTEM_CONFIG.exists() else None)


def load_settings(path: Path | None = None, env: Mapping[str, str] | None = None) -> Settings:
    """The file at `path` (None: $LOGMEDIC_CONFIG, else the system's if there is one) under the variables of `env`
    (None: the process's). Raises ConfigInvalid, whose text shows every mistake with its place."""
    env = os.environ if env is None else env
    path = config_path(path, env)
    document = _read(path) if path else None
    values = document.plain() if document else {}
    from_env = _environment(env)
    place = _places(document, from_env)
    values, missing = followed(_merged(values, from_env), env)
    problems = [*_unknown_variables(env), *(place(key).problem(text) for key, text in missing)]
    try:
        settings = Settings(**values)
        problems += _dangling(settings, place)
    except ValidationError as error:
        raise _invalid([*_problems_of(error, place), *problems]) from None
    if problems:
        raise _invalid(problems)
    return settings


def _read(path: Path) -> Document:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigInvalid(
            f"cannot read the config {path}: {error.strerror}",
            "name another one with -c, or correct its rights",
        ) from None
    try:
        document = parse_document(str(path), content)
    except DocumentInvalid as invalid:
        raise _invalid(invalid.problems) from None
    if not isinstance(document.plain(), dict):
        raise _invalid([Place(str(path), 1, 1).problem("the config is no mapping", "write `key: value` lines")])
    return document


def _invalid(problems: Sequence[RuleProblem]) -> ConfigInvalid:
    problems = sorted(problems, key=lambda each: (each.file, each.line, each.column))
    return ConfigInvalid("the config does not load:\n" + render_problems(problems))


class _Environment(EnvSettingsSource):
    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """A mapping may be JSON; what is no JSON is text, as in the file, and judged there."""
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value


def _environment(env: Mapping[str, str]) -> dict[str, Any]:
    source = _Environment(Settings)
    source.env_vars = parse_env_vars(env, False, False, None)
    return source()


def _unknown_variables(env: Mapping[str, str]) -> Iterator[RuleProblem]:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    for name in env:
        head = name.split("__")[0]
        if name.startswith(PREFIX) and head not in known and name != CONFIG_VARIABLE:
            yield Place("environment").problem(f"{name} is no setting", meant(head, known))


def _merged(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    both = dict(below)
    for key, value in above.items():
        inner = both.get(key)
        both[key] = _merged(inner, value) if isinstance(inner, dict) and isinstance(value, Mapping) else value
    return both


def _places(document: Document | None, from_env: Mapping[str, Any]) -> Callable[[KeyPath], Place]:
    def place(path: KeyPath) -> Place:
        if _holds(from_env, path) or document is None:
            return Place(f"environment {PREFIX}{'__'.join(str(part) for part in path).upper()}")
        mark = document.place(path)
        return Place(document.file, mark.line, mark.column, mark.excerpt)

    return place


def _holds(values: Any, path: KeyPath) -> bool:
    for part in path:
        if not isinstance(values, Mapping) or part not in values:
            return False
        values = values[part]
    return bool(path)


def _problems_of(error: ValidationError, place: Callable[[KeyPath], Place]) -> list[RuleProblem]:
    return [_problem_of(each, place) for each in error.errors()]


def _problem_of(error: Any, place: Callable[[KeyPath], Place]) -> RuleProblem:
    path = tuple(error["loc"])
    name = ".".join(str(part) for part in path)
    match error["type"]:
        case "extra_forbidden":
            return place(path).problem(f"unknown key `{path[-1]}`", meant(str(path[-1]), _keys_at(path[:-1])))
        case "missing":
            return place(path[:-1]).problem(f"`{name}` is missing")
        case "value_error":
            return place(path).problem(f"`{name}`: {error['ctx']['error']}")
        case "tuple_type":
            return place(path).problem(f"`{name}` has to be a list", "write it with brackets: [a, b]")
        case _:
            return place(path).problem(f"`{name}`: {error['msg'][:1].lower()}{error['msg'][1:]}")


def _keys_at(path: KeyPath) -> set[str]:
    """The keys that the mapping at `path` may have."""
    model: Any = Settings
    for part in path:
        fields = getattr(model, "model_fields", {})
        model = _NAMED.get(str(part)) or (_part_of(fields[part].annotation) if part in fields else model)
    return {each.alias or name for name, each in getattr(model, "model_fields", {}).items()}


def _part_of(annotation: Any) -> Any:
    """The mapping that an annotation allows, which may also allow None."""
    parts = [each for each in get_args(annotation) if each is not type(None)]
    return parts[0] if len(parts) == 1 else annotation


_NAMED: dict[str, type[Part]] = {
    "sources": SourceSettings,
    "receivers": ReceiverSettings,
    "routes": RouteSettings,
    "maintenance": MaintenanceSettings,
}
"""What stands below a name, or in a list."""


def _dangling(settings: Settings, place: Callable[[KeyPath], Place]) -> Iterator[RuleProblem]:
    """Names that stand for nothing."""
    alerts = settings.alerts
    for name, route in alerts.routes.items():
        for receiver in (*route.to, *route.fallback):
            if receiver not in alerts.receivers:
                yield place(("alerts", "routes", name)).problem(
                    f"route `{name}` names the receiver `{receiver}`, which is not there",
                    meant(receiver, set(alerts.receivers)),
                )
    if alerts.default_route and alerts.default_route not in alerts.routes:
        yield place(("alerts", "default_route")).problem(
            f"`{alerts.default_route}` is no route", meant(alerts.default_route, set(alerts.routes))
        )
    warned, routes = settings.learning.warn_route, settings.routes()
    if warned and warned not in routes:
        hint = meant(warned, routes) if routes else f"add it to alerts.routes: {{ {warned}: [RECEIVER] }}"
        yield place(("learning", "warn_route")).problem(f"`{warned}` is no route", hint)
