"""The operator's settings: the only reader of the main config file and of the environment.

Layers, later ones win: the defaults here, the file, variables such as LOGMEDIC_WEB__SOCKET. Secrets are references
(`${file:/path}`, `${credential:name}`, `${env:NAME}`) that are followed once, at load.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings.sources.utils import parse_env_vars

from logmedic.model.alert import AlertPlan, Receiver, Route
from logmedic.model.errors import ConfigInvalid
from logmedic.model.policy import LearningPolicy, Policy
from logmedic.model.rule import Mode, RuleProblem
from logmedic.yamldoc import (
    Document,
    DocumentInvalid,
    duration_text,
    meant,
    parse_document,
    parse_duration,
    render_problems,
)

SYSTEM_CONFIG = Path("/etc/logmedic/logmedic.yaml")
SYSTEM_RULES = Path("/etc/logmedic/rules.d")
CONFIG_VARIABLE = "LOGMEDIC_CONFIG"
PREFIX = "LOGMEDIC_"
_REFERENCE = re.compile(r"\$\{(?P<kind>[a-z]+):(?P<name>[^}]*)\}")


def _duration(value: object) -> object:
    """A number alone would be seconds to one reader and minutes to another."""
    return value if isinstance(value, timedelta) else parse_duration(str(value))


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration, json_schema_input_type=str),
    PlainSerializer(duration_text, return_type=str),
    Field(gt=timedelta(0)),
]


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Globs = Annotated[
    tuple[str, ...], BeforeValidator(_listed, json_schema_input_type=str | list[str]), Field(min_length=1)
]


class Part(BaseModel):
    """A mapping of the config: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class FilesSource(Part):
    files: Globs
    """Globs of the files to follow; expanded again while running."""
    from_start: bool = False
    """Read what is there already, when a file is met for the first time."""


class Rules(Part):
    paths: tuple[Path, ...] | None = None
    """Rule files and directories of them. Default: /etc/logmedic/rules.d and the shipped packs."""


class Actions(Part):
    concurrency: int = Field(default=2, ge=1, le=64)
    """Fixes that run at the same time."""
    max_per_hour: int = Field(default=30, ge=0, le=10_000)
    """All fixes of this host together."""
    user: str = "logmedic-fix"
    """Whom fixes run as, when the daemon is root and the user exists."""
    allow_unsandboxed: bool = False
    """Let steps run that ask for `sandbox: {kind: none}`."""


class Incidents(Part):
    max_age: Duration = timedelta(minutes=10)
    """A match older than this starts no fix."""
    resolve_after: Duration = timedelta(minutes=15)
    """An incident that no fix resolves is over after this silence."""
    approval_expires: Duration = timedelta(minutes=30)
    """How long a fix waits for approval."""


class ReceiverSettings(Part):
    url: SecretStr
    """An Apprise URL. Write secrets as ${file:/path}, ${credential:name} or ${env:NAME}."""
    endpoint: str = ""
    """Instead of Slack's own address: that of a server which takes the same messages."""


def _receiver(value: object) -> object:
    return {"url": value} if isinstance(value, str) else value


class RouteSettings(Part):
    to: tuple[str, ...] = Field(min_length=1)
    """Each of them gets every alert of the route."""
    fallback: tuple[str, ...] = ()
    """Told when one of `to` is down, in this order; each at most once an alert."""


def _route(value: object) -> object:
    return {"to": value} if isinstance(value, list | tuple) else {"to": [value]} if isinstance(value, str) else value


class Alerts(Part):
    receivers: dict[
        str, Annotated[ReceiverSettings, BeforeValidator(_receiver, json_schema_input_type=str | ReceiverSettings)]
    ] = Field(default_factory=dict)
    routes: dict[
        str,
        Annotated[RouteSettings, BeforeValidator(_route, json_schema_input_type=str | list[str] | RouteSettings)],
    ] = Field(default_factory=dict)
    default_route: str = ""
    """For rules that name none. Default: the only route, or one over all receivers."""


class Learning(Part):
    promote_after: int = Field(default=3, ge=1)
    """Occurrences that make an unknown error a known issue."""
    escalate_after: int = Field(default=10, ge=1)
    """Occurrences that call people; again at each ten times more."""


class Storage(Part):
    path: Path = Field(default_factory=lambda: state_directory() / "logmedic.duckdb")
    keep: Duration = timedelta(days=90)
    """How long resolved incidents, sent alerts and per-minute counts are kept."""


class Web(Part):
    socket: Path = Field(default_factory=lambda: runtime_directory() / "logmedic.sock")
    group: str = "logmedic"
    """Who may read over the socket. Actions need root or the daemon's own user."""


class Settings(BaseSettings):
    """Everything that can be set, with its default."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        nested_model_default_partial_update=False,
    )

    mode: Mode = Mode.OBSERVE
    """The ceiling for every rule: observe, approve or auto."""
    environment: str = ""
    """`production` raises the confidence of what is learned."""
    sources: dict[str, FilesSource] = Field(default_factory=lambda: usual_sources())
    """By name; rules listen to sources by these names."""
    rules: Rules = Rules()
    actions: Actions = Actions()
    incidents: Incidents = Incidents()
    alerts: Alerts = Field(default_factory=Alerts)
    learning: Learning = Learning()
    storage: Storage = Field(default_factory=Storage)
    web: Web = Field(default_factory=Web)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Nothing behind the back: `load_settings` passes the layers in."""
        return (init_settings,)

    @property
    def notify_socket(self) -> str:
        """The service manager's, or empty. Not a setting."""
        return os.environ.get("NOTIFY_SOCKET", "")

    def rule_paths(self) -> list[Path]:
        """The configured paths; by default those of the usual ones that exist."""
        if self.rules.paths is not None:
            return list(self.rules.paths)
        return [path for path in (SYSTEM_RULES, shipped_rules()) if path.is_dir()]

    def rule_owners(self) -> frozenset[int]:
        """User ids that may own rule files: root, the daemon's own, and whoever owns this program, who could change
        what it does anyway."""
        return frozenset({0, os.geteuid(), Path(__file__).stat().st_uid})

    def receivers(self) -> dict[str, Receiver]:
        return {
            name: Receiver(name, each.url.get_secret_value(), each.endpoint)
            for name, each in self.alerts.receivers.items()
        }

    def policy(self, *, hostname: str, started_at: datetime) -> Policy:
        """What decisions rely on, still without rules and disarmed."""
        return Policy(
            mode=self.mode,
            allow_unsandboxed=self.actions.allow_unsandboxed,
            started_at=started_at,
            max_age=self.incidents.max_age,
            resolve_after=self.incidents.resolve_after,
            approval_expires=self.incidents.approval_expires,
            host_max_per_hour=self.actions.max_per_hour,
            max_running=self.actions.concurrency,
            learning=LearningPolicy(
                promote_after=self.learning.promote_after,
                escalate_after=self.learning.escalate_after,
                production=self.environment == "production",
            ),
            alerts=self._alert_plan(),
            hostname=hostname,
        )

    def _alert_plan(self) -> AlertPlan:
        alerts = self.alerts
        routes = {name: Route(name, each.to, each.fallback) for name, each in alerts.routes.items()}
        if not routes and alerts.receivers:
            routes = {"default": Route("default", tuple(alerts.receivers))}
        default = alerts.default_route or (next(iter(routes)) if len(routes) == 1 else "")
        return AlertPlan(routes, default)


def usual_sources() -> dict[str, FilesSource]:
    """Where the logs of a host usually are. A glob that finds nothing costs nothing."""
    usual = {
        "syslog": ("/var/log/syslog", "/var/log/messages"),
        "kernel": ("/var/log/kern.log",),
        "nginx-error": ("/var/log/nginx/*error.log",),
        "postgresql": ("/var/log/postgresql/*.log",),
    }
    return {name: FilesSource(files=globs) for name, globs in usual.items()}


def shipped_rules() -> Path:
    """The rule packs as installed, or those of the checkout."""
    installed = Path(__file__).with_name("shipped") / "rules"
    return installed if installed.is_dir() else Path(__file__).resolve().parents[2] / "rules"


def state_directory() -> Path:
    """systemd's choice, the system's for root, else the user's own."""
    if given := os.environ.get("STATE_DIRECTORY"):
        return Path(given.split(":")[0])
    if os.geteuid() == 0:
        return Path("/var/lib/logmedic")
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "logmedic"


def runtime_directory() -> Path:
    """As `state_directory`. A user who runs no daemon asks the system's."""
    if given := os.environ.get("RUNTIME_DIRECTORY"):
        return Path(given.split(":")[0])
    system = Path("/run/logmedic")
    own = Path(os.environ.get("XDG_RUNTIME_DIR") or state_directory())
    if os.geteuid() == 0 or ((system / "logmedic.sock").exists() and not (own / "logmedic.sock").exists()):
        return system
    return own


def config_schema() -> dict[str, Any]:
    """JSON Schema of the config file."""
    schema = Settings.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "logmedic config"}


# -- loading -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value was written: in the file, or in a variable."""

    file: str
    line: int = 0
    column: int = 0
    excerpt: str = ""

    def problem(self, text: str, hint: str = "") -> RuleProblem:
        return RuleProblem(self.file, self.line, self.column, text, hint, self.excerpt)


Path_ = tuple[str | int, ...]


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
    values, problems = _follow_references(_merged(values, from_env), env, place)
    problems += _unknown_variables(env)
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


def _environment(env: Mapping[str, str]) -> dict[str, Any]:
    source = EnvSettingsSource(Settings)
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


def _places(document: Document | None, from_env: Mapping[str, Any]) -> Callable[[Path_], Place]:
    def place(path: Path_) -> Place:
        if _holds(from_env, path) or document is None:
            return Place(f"environment {PREFIX}{'__'.join(str(part) for part in path).upper()}")
        mark = document.place(path)
        return Place(document.file, mark.line, mark.column, mark.excerpt)

    return place


def _holds(values: Any, path: Path_) -> bool:
    for part in path:
        if not isinstance(values, Mapping) or part not in values:
            return False
        values = values[part]
    return bool(path)


def _problems_of(error: ValidationError, place: Callable[[Path_], Place]) -> list[RuleProblem]:
    return [_problem_of(each, place) for each in error.errors()]


def _problem_of(error: Any, place: Callable[[Path_], Place]) -> RuleProblem:
    path = tuple(error["loc"])
    name = ".".join(str(part) for part in path)
    match error["type"]:
        case "extra_forbidden":
            return place(path).problem(f"unknown key `{path[-1]}`", meant(str(path[-1]), _keys_at(path[:-1])))
        case "missing":
            return place(path[:-1]).problem(f"`{name}` is missing")
        case "value_error":
            return place(path).problem(f"`{name}`: {error['ctx']['error']}")
        case _:
            return place(path).problem(f"`{name}`: {error['msg'][:1].lower()}{error['msg'][1:]}")


def _keys_at(path: Path_) -> set[str]:
    """The keys that the mapping at `path` may have."""
    model: Any = Settings
    for part in path:
        fields = getattr(model, "model_fields", {})
        model = _NAMED.get(str(part)) or (fields[part].annotation if part in fields else model)
    return set(getattr(model, "model_fields", {}))


_NAMED: dict[str, type[Part]] = {"sources": FilesSource, "receivers": ReceiverSettings, "routes": RouteSettings}


def _dangling(settings: Settings, place: Callable[[Path_], Place]) -> Iterator[RuleProblem]:
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


# -- secrets -----------------------------------------------------------------------------------------------------------


def _follow_references(
    values: dict[str, Any], env: Mapping[str, str], place: Callable[[Path_], Place]
) -> tuple[dict[str, Any], list[RuleProblem]]:
    problems: list[RuleProblem] = []

    def follow(value: Any, path: Path_) -> Any:
        match value:
            case dict():
                return {key: follow(each, (*path, key)) for key, each in value.items()}
            case list():
                return [follow(each, (*path, index)) for index, each in enumerate(value)]
            case str():
                try:
                    return _REFERENCE.sub(lambda hit: _secret(hit["kind"], hit["name"], env), value)
                except ValueError as error:
                    problems.append(place(path).problem(str(error)))
        return value

    return follow(values, ()), problems


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
