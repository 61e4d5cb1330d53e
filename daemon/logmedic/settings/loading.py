"""From the file and the environment to settings; every mistake with its place."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource
from pydantic_settings.sources.utils import parse_env_vars

from logmedic.model.errors import ConfigInvalid
from logmedic.model.problem import RuleProblem
from logmedic.settings.dangling import dangling
from logmedic.settings.form import PREFIX, Settings
from logmedic.settings.mistakes import KeyPath, mistake_of
from logmedic.settings.oddities import oddities
from logmedic.settings.places import CONFIG_VARIABLE, REPORT_VARIABLE, config_path
from logmedic.settings.reportplace import taken_twice
from logmedic.settings.sayable import is_sayable
from logmedic.settings.secrets import followed, leave_out
from logmedic.settings.wrongways import wrong_ways
from logmedic.yamldoc import Document, DocumentInvalid, Node, meant, parse_document, render_problems
from logmedic.yamldoc.document import DEPTH_LIMIT


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value was written: in the file, or in a variable."""

    file: str
    line: int = 0
    column: int = 0
    excerpt: str = ""

    def problem(self, text: str, hint: str = "") -> RuleProblem:
        return RuleProblem(self.file, self.line, self.column, text, hint, self.excerpt)


Places = Callable[[KeyPath], Place]


def load_settings(path: Path | None = None, env: Mapping[str, str] | None = None) -> Settings:
    """The file at `path` (None: $LOGMEDIC_CONFIG, else the system's if there is one) under the variables of `env`
    (None: the process's). Raises ConfigInvalid, whose text shows every mistake with its place."""
    return _loaded(path, env)[0]


def load_at_rest(path: Path | None = None, env: Mapping[str, str] | None = None) -> Settings:
    """The same for whoever looks after files, tells nobody and asks nobody: a secret that the daemon alone is given
    (LoadCredential= and Environment= in a drop-in of its unit) may be missing; what it is part of is left out. Raises
    ConfigInvalid for every other mistake."""
    return _loaded(path, env, at_rest=True)[0]


def config_warnings(path: Path | None = None, env: Mapping[str, str] | None = None) -> list[RuleProblem]:
    """What deserves a look in a config that loads. Raises ConfigInvalid."""
    settings, place = _loaded(path, env)
    return [replace(place(at).problem(text, hint), warning=True) for at, text, hint in oddities(settings)]


def _loaded(path: Path | None, env: Mapping[str, str] | None, *, at_rest: bool = False) -> tuple[Settings, Places]:
    env = os.environ if env is None else env
    path = config_path(path, env)
    document = read_config(path) if path else None
    values = document.plain() if document else {}
    if unsayable := list(_unsayable(env)):
        raise _invalid(unsayable)
    from_env = read_environment(env)
    place = _places(document, from_env)
    values, missing = followed(merged(values, from_env), env)
    if at_rest:
        missing = leave_out(values, missing)
    problems = [*_unknown_variables(env), *(place(key).problem(text) for key, text in missing)]
    try:
        settings = Settings(**values)
        found = (*dangling(settings), *wrong_ways(settings.alerts), *taken_twice(settings))
        problems += [place(at).problem(text, hint) for at, text, hint in found]
    except ValidationError as error:
        known = [mistake_of(each) for each in error.errors() if not _is_below(each["loc"], missing)]
        raise _invalid([*(place(at).problem(text, hint) for at, text, hint in known), *problems]) from None
    if problems:
        raise _invalid(problems)
    return settings, place


def _is_below(path: KeyPath, missing: Sequence[tuple[KeyPath, str]]) -> bool:
    """A secret that is not there has no form either: one mistake is enough."""
    return any(path[: len(key)] == key for key, _ in missing)


def read_config(path: Path) -> Document:
    """Raises ConfigInvalid."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigInvalid(
            f"cannot read the config {path}: {error.strerror}",
            "name another one with -c, or correct its rights",
        ) from None
    return parsed_config(path, content)


def parsed_config(path: Path, content: bytes) -> Document:
    """Raises ConfigInvalid."""
    try:
        document = parse_document(str(path), content)
    except DocumentInvalid as invalid:
        raise _invalid(invalid.problems) from None
    if _has_comments_alone(document):
        return Document(document.file, document.lines, Node({}, 1, 1))
    if not isinstance(document.plain(), dict):
        raise _invalid([Place(str(path), 1, 1).problem("the config is no mapping", "write `key: value` lines")])
    return document


def _has_comments_alone(document: Document) -> bool:
    """As a package brings it: nothing is set. A file without a letter is no such: something emptied it."""
    lines = [line.strip() for line in document.lines if line.strip()]
    return bool(lines) and all(line.startswith("#") for line in lines)


def _invalid(problems: Sequence[RuleProblem]) -> ConfigInvalid:
    problems = sorted(problems, key=lambda each: (each.file, each.line, each.column))
    return ConfigInvalid("the config does not load:\n" + render_problems(problems))


class _Environment(EnvSettingsSource):
    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """A mapping may be JSON; what is no JSON, or none that a file could say, is text, and judged there."""
        try:
            found = super().decode_complex_value(field_name, field, value)
        except (ValueError, RecursionError):
            return value
        return found if is_sayable(found) else value


def read_environment(env: Mapping[str, str]) -> dict[str, Any]:
    source = _Environment(Settings)
    source.env_vars = parse_env_vars(env, False, False, None)
    return source()


def _unsayable(env: Mapping[str, str]) -> Iterator[RuleProblem]:
    for name, value in env.items():
        if name.upper().startswith(PREFIX) and not (is_sayable(value) and name.count("__") < DEPTH_LIMIT):
            place, hint = Place(f"environment {name[:80]!a}"), "write the value into the config file"
            yield place.problem("it is no UTF-8 text, or names a key too deep for a config", hint)


def _unknown_variables(env: Mapping[str, str]) -> Iterator[RuleProblem]:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    for name in env:
        head = name.split("__")[0]
        if name.startswith(PREFIX) and head not in known and name not in (CONFIG_VARIABLE, REPORT_VARIABLE):
            yield Place("environment").problem(f"{name} is no setting", meant(head, known))


def merged(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    both = dict(below)
    for key, value in above.items():
        inner = both.get(key)
        both[key] = merged(inner, value) if isinstance(inner, dict) and isinstance(value, Mapping) else value
    return both


def _places(document: Document | None, from_env: Mapping[str, Any]) -> Places:
    def place(path: KeyPath) -> Place:
        variable = _variable(path, from_env)
        if variable or document is None:
            return Place(f"environment {variable or _named(path)}")
        mark = document.place(path)
        return Place(document.file, mark.line, mark.column, mark.excerpt)

    return place


def _variable(path: KeyPath, values: Any) -> str:
    """Which one sets the value at `path`, or empty."""
    for number, part in enumerate(path):
        if not isinstance(values, Mapping):  # what it holds is a list, or a short form
            return _named(path[:number])
        if part not in values:
            return ""
        values = values[part]
    return _named(path) if path else ""


def _named(path: KeyPath) -> str:
    return f"{PREFIX}{'__'.join(str(part) for part in path).upper()}"
