"""What is left of `alerts` when the config does not load: enough to tell people that it does not."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import dropwhile
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from logmedic.model.errors import ConfigInvalid
from logmedic.settings.alerts import Alerts
from logmedic.settings.form import Settings
from logmedic.settings.loading import merged, parsed_config, read_config, read_environment
from logmedic.settings.mistakes import mistake_of
from logmedic.settings.places import config_path
from logmedic.settings.receivers import ReceiverSettings
from logmedic.settings.routes import RouteSettings
from logmedic.settings.secrets import followed

_KEY = re.compile(r" *(['\"]?)([^\s'\":#][^'\":]*)\1:\s*(?:#.*)?\Z")
"""A line that is a key alone: its value stands below it."""
_DEEPEST = 10
"""Of parts of parts: receivers are at the fifth."""
_OWN = ("url", "endpoint")
_WAYS = ("to", "fallback")
P = TypeVar("P", bound=BaseModel)


def load_alert_settings(
    path: Path | None = None, env: Mapping[str, str] | None = None
) -> tuple[Settings, tuple[str, ...]]:
    """Whatever is sound of receivers, routes and the default route, under defaults; and a line for each mistake on the
    way, without what the config holds there. Never raises for what stands in the file or in variables. Where a default
    route is needed, and none is left, there are no routes: then one over all receivers is meant."""
    env = os.environ if env is None else env
    problems: list[str] = []
    given = _given(config_path(path, env), env, problems)
    receivers = _receivers(_mapping(given.get("receivers")), env, problems)
    routes = _routes(_mapping(given.get("routes")), receivers, problems)
    default = str(given.get("default_route", ""))
    if default not in routes:
        default, routes = "", (routes if len(routes) == 1 else {})
    alerts = Alerts(receivers=receivers, routes=routes, default_route=default)
    return Settings(alerts=alerts), tuple(problems)


def _given(path: Path | None, env: Mapping[str, str], problems: list[str]) -> dict[str, Any]:
    """`alerts`, as it is written."""
    values: dict[str, Any] = {}
    try:
        values = read_config(path).plain() if path else {}
    except ConfigInvalid as invalid:
        problems.extend(one_line_each(invalid.text))
        values = _salvaged(path) if path else {}
    try:
        return _mapping(merged(values, read_environment(env)).get("alerts"))
    except ValueError as error:
        problems.append(f"environment: {type(error).__name__}")
        return _mapping(values.get("alerts"))


def _salvaged(path: Path) -> dict[str, Any]:
    """From a file that is no YAML as a whole: those of its keys that are."""
    try:
        return _sound_keys(path.read_text(encoding="utf-8", errors="replace").splitlines(), _DEEPEST)
    except OSError:
        return {}


def _sound_keys(lines: Sequence[str], deeper: int) -> dict[str, Any]:
    """Of a mapping in block style. `deeper`: so many parts of parts are looked at."""
    lines = [line if line.strip() else "" for line in dropwhile(_is_nothing, lines)]
    try:
        return _mapping(parsed_config(Path(), "\n".join(lines).encode()).plain())
    except ConfigInvalid:
        if not lines or not deeper:
            return {}
    parts = _parts(lines)
    if len(parts) == 1:
        key = _KEY.match(lines[0])
        return {key[2]: _sound_keys(lines[1:], deeper - 1)} if key else {}
    found: dict[str, Any] = {}
    for part in parts:
        found = merged(found, _sound_keys(part, deeper - 1))
    return found


def _parts(lines: Sequence[str]) -> list[list[str]]:
    """Each begins with a line that is indented least; what comes before the first is one of its own."""
    least = min(_indented(line) for line in lines if not _is_nothing(line))
    parts: list[list[str]] = []
    for line in lines:
        if not parts or (_indented(line) == least and not _is_nothing(line)):
            parts.append([])
        parts[-1].append(line)
    return parts


def _indented(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _is_nothing(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def one_line_each(text: str) -> tuple[str, ...]:
    """The mistakes in what ConfigInvalid says, by their places, without excerpts, which may hold secrets."""
    found = re.findall(r"^(\S.*?): error: (.*)$", text, re.MULTILINE)
    return tuple(f"{place}: {said}" for place, said in found) or (text.partition("\n")[0],)


def _receivers(given: Mapping[str, Any], env: Mapping[str, str], problems: list[str]) -> dict[str, ReceiverSettings]:
    found: dict[str, ReceiverSettings] = {}
    for name, written in given.items():
        at = f"alerts.receivers.{name}"
        values, missing = followed({"url": written} if isinstance(written, str) else _mapping(written), env)
        problems.extend(f"{at}: {said}" for _, said in missing)
        if not any(key[:1] == ("url",) for key, _ in missing):
            made = _sound(ReceiverSettings, values, _OWN, at, problems)
            found.update({name: made} if made is not None else {})
    return found


def _routes(given: Mapping[str, Any], known: Mapping[str, object], problems: list[str]) -> dict[str, RouteSettings]:
    """To those receivers that are left."""
    found: dict[str, RouteSettings] = {}
    for name, written in given.items():
        values = {"to": written} if isinstance(written, str | list) else _mapping(written)
        made = _sound(RouteSettings, values, _WAYS, f"alerts.routes.{name}", problems)
        to, fallback = (_left(made.to, known), _left(made.fallback, known)) if made is not None else ((), ())
        if to or fallback:
            found[name] = RouteSettings(to=to or fallback, fallback=fallback if to else ())
    return found


def _left(names: Iterable[str], known: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(name for name in names if name in known)


def _sound(form: type[P], values: Mapping[str, Any], least: tuple[str, ...], at: str, problems: list[str]) -> P | None:
    """With all that is written; else with the keys `least`; else with the first of them; else not at all."""
    for number, keys in enumerate((tuple(values), least, least[:1])):
        try:
            return form.model_validate({key: values[key] for key in keys if key in values})
        except ValidationError as error:
            said = [mistake_of(each)[1] for each in error.errors(include_url=False)]
            problems.extend(f"{at}: {each}" for each in said if not number)
    return None


def _mapping(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}
