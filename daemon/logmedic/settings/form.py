"""What can be set, with its defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from logmedic.core.framing import Framing
from logmedic.model.alert import AlertPlan, Receiver, Route
from logmedic.model.policy import LearningPolicy, Policy
from logmedic.model.retention import GIB, KEEP, Kind, Retention
from logmedic.model.rule import LogFiles, Mode
from logmedic.settings.endpoints import endpoint_problem
from logmedic.settings.places import SYSTEM_RULES, runtime_directory, shipped_rules, state_directory
from logmedic.yamldoc import duration_text, parse_duration, parse_size

PREFIX = "LOGMEDIC_"
SYSLOG_FILES = (Path("/var/log/syslog"), Path("/var/log/messages"))
AUTH_FILES = (Path("/var/log/auth.log"), Path("/var/log/secure"))


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


Words = Annotated[
    tuple[str, ...], BeforeValidator(_listed, json_schema_input_type=str | list[str]), Field(min_length=1)
]
PortNumber = Annotated[int, Field(ge=1, le=65535)]


class JournalSource(Part):
    """The systemd journal; without anything below, all of it."""

    units: Words | None = None
    """Only these units: nginx.service; a pattern (app-*.service) is allowed."""
    identifiers: Words | None = None
    """Only these syslog identifiers: sshd, kernel."""
    directory: Path | None = None
    """Journal files from elsewhere: /var/log/journal/remote."""


class SyslogSource(Part):
    """Listens for syslog messages (RFC 3164, RFC 5424)."""

    udp: PortNumber | None = None
    tcp: PortNumber | None = None
    """Messages end with a newline, or begin with their length (octet counting)."""
    unix: Path | None = None
    """A datagram socket that is made here: /run/logmedic/log."""
    address: str = "127.0.0.1"
    """Who can reach the address can write log lines: nothing but loopback unless you set another."""

    @model_validator(mode="after")
    def _listens(self) -> Self:
        if self.udp is None and self.tcp is None and self.unix is None:
            raise ValueError("it listens nowhere; name a port with `udp` or `tcp`, or a path with `unix`")
        return self


class Multiline(Part):
    """Which lines belong together; stack traces are known without this."""

    start: str = ""
    """A line that matches begins a record; every other continues it."""
    continues: str = Field(default="", alias="continue")
    """A line that matches belongs to the one before."""

    @model_validator(mode="after")
    def _compiles(self) -> Self:
        if not self.start and not self.continues:
            raise ValueError("it names neither `start` nor `continue`")
        self.framing()
        return self

    def framing(self) -> Framing:
        return Framing(self.start, self.continues)


class VersionSettings(Part):
    """Where the version of what writes to a source is told: one of field and file."""

    field: str = Field(default="", max_length=100)
    """Of a record that names it (JSON, logfmt, the journal): release."""
    file: Path | None = None
    """Its first line is the version: /srv/shop/VERSION."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if bool(self.field) == (self.file is not None):
            said = "`field` and `file`" if self.field else "nothing"
            raise ValueError(f"it names {said}; name one of field, file")
        if self.file is not None and not self.file.is_absolute():
            raise ValueError(f"`{self.file}` is no absolute path; write /srv/shop/VERSION, from the root on")
        return self


class SourceSettings(Part):
    """One of files, journal, command and syslog says where the lines come from."""

    files: Globs | None = None
    """Globs of the files to follow; expanded again while running."""
    journal: JournalSource | None = None
    """Read the systemd journal: `journal: {}` for all of it."""
    command: Words | None = None
    """A program and its arguments, whose output is read; started again when it ends."""
    syslog: SyslogSource | None = None
    from_start: bool = False
    """Read what is there already, when a file or the journal is met for the first time."""
    optional: bool = False
    """Files that are not there are nothing to be told of."""
    quiet_after: Duration | None = None
    """Call people when no line came for so long."""
    multiline: Multiline | None = None
    """Not with syslog, where each message is a record."""
    version: VersionSettings | None = None
    """Who knows which version runs is told when an issue comes back with a new one."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        kinds = [name for name in ("files", "journal", "command", "syslog") if getattr(self, name) is not None]
        if len(kinds) != 1:
            said = " and ".join(f"`{name}`" for name in kinds) or "nothing"
            raise ValueError(f"it names {said}; name one of files, journal, command, syslog")
        if self.syslog is not None and self.multiline is not None:
            raise ValueError("`multiline` has no effect on `syslog`: each message is a record of its own; leave it out")
        return self


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
    resolve_after: Duration = timedelta(days=7)
    """A learned issue is over after this silence."""
    warn_route: str = ""
    """Who is told, when an issue begins, of what tends to follow it. Default: nobody."""


def _size(value: object) -> object:
    return value if isinstance(value, int) and not isinstance(value, bool) else parse_size(str(value))


def _size_text(size: int) -> str:
    unit, worth = next(((unit, worth) for unit, worth in _UNITS if size % worth == 0), ("", 1))
    return f"{size // worth}{unit}"


SMALLEST = 64 * 1024**2
_UNITS = (("G", 1024**3), ("M", 1024**2), ("K", 1024))
Size = Annotated[
    int,
    BeforeValidator(_size, json_schema_input_type=str | int),
    PlainSerializer(_size_text, return_type=str),
]


class Keep(Part):
    """How long what is stored stays in the tables, by kind. One duration instead is that of all kinds."""

    incidents: Duration = KEEP[Kind.INCIDENTS]
    """Resolved incidents, with their events and attempts."""
    alerts: Duration = KEEP[Kind.ALERTS]
    """Messages that were sent, or given up."""
    learnings: Duration = KEEP[Kind.LEARNINGS]
    counts: Duration = KEEP[Kind.COUNTS]
    """Counts by minute; the sums of each day stay."""
    sources: Duration = KEEP[Kind.SOURCES]
    """Gaps, quiet times, and positions of files that are gone."""
    templates: Duration = KEEP[Kind.TEMPLATES]
    """Unknown errors that were never promoted, by when they were last seen."""
    onsets: Duration = KEEP[Kind.ONSETS]
    """When episodes of known issues began: what precursors are found in."""


def _keep(value: object) -> object:
    return value if isinstance(value, Mapping | Keep) else dict.fromkeys(Keep.model_fields, _duration(value))


class DiagnosisSettings(Part):
    """Who explains known issues that are new; nobody unless `url` is set."""

    url: str = Field(default="", max_length=2000)
    """Of an endpoint that speaks OpenAI's protocol: https://llm.example/v1, http://127.0.0.1:11434/v1."""
    model: str = Field(default="", max_length=200)
    """A name that the endpoint knows."""
    key: SecretStr = SecretStr("")
    """Write it as ${file:/path}, ${credential:name} or ${env:NAME}."""
    timeout: Duration = timedelta(minutes=1)
    """For all of a question."""
    max_input: int = Field(default=8000, ge=3000, le=400_000)
    """Characters that are sent, instructions included."""
    max_tokens: int = Field(default=2000, ge=100, le=100_000)
    """Of an answer."""
    per_day: int = Field(default=20, ge=1, le=10_000)
    """Questions; days are those of UTC."""
    tokens_per_day: int = Field(default=100_000, ge=1000)
    """Sent and received; the question that passes it is the last of its day."""
    allow_plain: bool = False
    """Let log text and key go over the network unencrypted (http:// to another host)."""

    @model_validator(mode="after")
    def _can_be_asked(self) -> Self:
        if self.url:
            problem = endpoint_problem(self.url, self.key.get_secret_value(), allow_plain=self.allow_plain)
            if problem or not self.model:
                raise ValueError(problem or "`model` is missing; write the name of one that the endpoint knows")
        return self

    @property
    def base(self) -> str:
        """The address before /chat/completions."""
        return self.url.rstrip("/").removesuffix("/chat/completions").rstrip("/")


class Storage(Part):
    path: Path = Field(default_factory=lambda: state_directory() / "logmedic.duckdb")
    keep: Annotated[Keep, BeforeValidator(_keep, json_schema_input_type=str | Keep)] = Keep()
    archive: bool = True
    """Write what leaves the tables to Parquet files first, one a table and day, in the directory `archive` beside the
    store."""
    archive_keep: Duration = timedelta(days=400)
    """How long those files stay."""
    max_size: Size = GIB
    """What the store, its log, the archive and the daily snapshots take together: 1G. Beyond it the oldest days go
    before their time, never what is open."""
    snapshots: Annotated[int, Field(ge=0, le=100)] = 2
    """Daily copies of the store that are kept in the directory `backups` beside it, for a bad day; 0: none."""

    @field_validator("max_size")
    @classmethod
    def _is_enough(cls, size: int) -> int:
        if size < SMALLEST:
            raise ValueError(f"`{_size_text(size)}` is too little for a store; write {_size_text(SMALLEST)} or more")
        return size

    def retention(self) -> Retention:
        keep = {kind: getattr(self.keep, kind.value) for kind in Kind}
        return Retention(keep, self.archive, self.archive_keep, self.max_size, self.snapshots)


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
    sources: dict[str, SourceSettings] = Field(default_factory=dict)
    """By name; rules listen to sources by these names."""
    discover: bool | None = None
    """Follow the usual logs of this host, and those that rule files bring along, beside `sources`. Default: only when
    `sources` names none."""
    rules: Rules = Rules()
    actions: Actions = Actions()
    incidents: Incidents = Incidents()
    alerts: Alerts = Field(default_factory=Alerts)
    learning: Learning = Learning()
    diagnosis: DiagnosisSettings = DiagnosisSettings()
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
    def discovers(self) -> bool:
        return self.discover if self.discover is not None else not self.sources

    def followed(
        self, brought: Sequence[LogFiles], usual: Mapping[str, SourceSettings] | None = None
    ) -> dict[str, SourceSettings]:
        """Everything that is read, by name: `sources`, and, when others are discovered, the usual ones and those that
        rule files bring along (`brought`). What is configured comes before what is usual; files of one name are put
        together. `usual`: as `usual_sources` found them; who asks again passes those of the first time."""
        if not self.discovers:
            return self.sources
        files: dict[str, tuple[str, ...]] = {}
        for each in brought:
            files[each.name] = tuple(dict.fromkeys((*files.get(each.name, ()), *each.globs)))
        found = {name: SourceSettings(files=globs, optional=True) for name, globs in files.items()}
        return {**found, **(usual_sources() if usual is None else usual), **self.sources}

    def framings(self) -> dict[str, Framing]:
        """By source: how its lines make records, where that is set."""
        return {name: each.multiline.framing() for name, each in self.sources.items() if each.multiline is not None}

    def version_fields(self) -> dict[str, str]:
        """By source: the field of its records that names the version."""
        return {name: each.version.field for name, each in self.sources.items() if each.version and each.version.field}

    def version_files(self) -> dict[str, Path]:
        """By source: the file that names the version."""
        return {name: each.version.file for name, each in self.sources.items() if each.version and each.version.file}

    @property
    def notify_socket(self) -> str:
        """The service manager's, or empty. Not a setting."""
        return os.environ.get("NOTIFY_SOCKET", "")

    @property
    def surroundings(self) -> Mapping[str, str]:
        """The process's environment, of which alert workers get what reaches servers: proxies, certificates."""
        return os.environ

    def rule_paths(self) -> list[Path]:
        """The configured paths; by default the system's, which may not be there yet, and the shipped packs."""
        if self.rules.paths is not None:
            return list(self.rules.paths)
        return [SYSTEM_RULES, *(path for path in (shipped_rules(),) if path.is_dir())]

    @property
    def optional_rule_paths(self) -> frozenset[Path]:
        """Those that nobody configured: it is no mistake when they are not there."""
        return frozenset() if self.rules.paths is not None else frozenset({SYSTEM_RULES})

    def rule_owners(self) -> frozenset[int]:
        """User ids that may own rule files: root, the daemon's own, and whoever owns this program, who could change
        what it does anyway."""
        return frozenset({0, os.geteuid(), Path(__file__).stat().st_uid})

    def receivers(self) -> dict[str, Receiver]:
        return {
            name: Receiver(name, each.url.get_secret_value(), each.endpoint)
            for name, each in self.alerts.receivers.items()
        }

    def routes(self) -> dict[str, Route]:
        """Those of the config; where it has none, one over all receivers."""
        alerts = self.alerts
        if not alerts.routes and alerts.receivers:
            return {"default": Route("default", tuple(alerts.receivers))}
        return {name: Route(name, each.to, each.fallback) for name, each in alerts.routes.items()}

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
                resolve_after=self.learning.resolve_after,
                version_fields=self.version_fields(),
                warn_route=self.learning.warn_route,
                diagnose=bool(self.diagnosis.url),
            ),
            alerts=self._alert_plan(),
            hostname=hostname,
        )

    def _alert_plan(self) -> AlertPlan:
        alerts, routes = self.alerts, self.routes()
        default = alerts.default_route or (next(iter(routes)) if len(routes) == 1 else "")
        return AlertPlan(routes, default)


def usual_sources() -> dict[str, SourceSettings]:
    """Where the log of a host usually is: in files, or in the journal where nobody writes it to files. What services
    write elsewhere, rule packs know. It depends on the files that are there now, and in the middle of a rotation one is
    not: to be asked once a run."""
    usual = {"syslog": SYSLOG_FILES, "auth": AUTH_FILES}
    sources = {name: SourceSettings(files=_first_there(paths), optional=True) for name, paths in usual.items()}
    if not any(path.exists() for path in SYSLOG_FILES):  # else the same lines would come twice
        sources["journal"] = SourceSettings(journal=JournalSource())
    return sources


def _first_there(paths: Sequence[Path]) -> tuple[str, ...]:
    """Where two of them are written, they have the same lines. Where none is, whichever comes is meant."""
    there = [str(path) for path in paths if path.exists()]
    return tuple(there[:1] or map(str, paths))


def config_schema() -> dict[str, Any]:
    """JSON Schema of the config file."""
    schema = Settings.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "logmedic config"}
