"""What can be set, with its defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from logmedic.core.framing import Framing
from logmedic.model.alert import Receiver, Route
from logmedic.model.policy import LearningPolicy, Policy
from logmedic.model.rule import LogFiles, Mode
from logmedic.settings.actions import Actions
from logmedic.settings.alerts import Alerts
from logmedic.settings.diagnosis import DiagnosisSettings
from logmedic.settings.metrics import MetricsSettings
from logmedic.settings.parts import Duration, Part
from logmedic.settings.places import REPORT_SOCKET, SYSTEM_RULES, shipped_rules
from logmedic.settings.reports import Reports
from logmedic.settings.sources import SourceSettings, usual_sources
from logmedic.settings.storage import Storage
from logmedic.settings.web import Web

PREFIX = "LOGMEDIC_"


class Rules(Part):
    paths: tuple[Path, ...] | None = None
    """Rule files and directories of them. Default: /etc/logmedic/rules.d and the shipped packs."""


class Incidents(Part):
    max_age: Duration = timedelta(minutes=10)
    """A match older than this starts no fix."""
    resolve_after: Duration = timedelta(minutes=15)
    """An incident that no fix resolves is over after this silence."""
    approval_expires: Duration = timedelta(minutes=30)
    """How long a fix waits for approval."""


class Learning(Part):
    promote_after: int = Field(default=3, ge=1)
    """Occurrences that make an unknown error a known issue."""
    escalate_after: int = Field(default=10, ge=1)
    """Occurrences that call people; again at each ten times more."""
    resolve_after: Duration = timedelta(days=7)
    """A learned issue is over after this silence."""
    warn_route: str = ""
    """Who is told, when an issue begins, of what tends to follow it. Default: nobody."""


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
    actions: Actions = Field(default_factory=Actions)
    incidents: Incidents = Incidents()
    alerts: Alerts = Field(default_factory=Alerts)
    learning: Learning = Learning()
    diagnosis: DiagnosisSettings = DiagnosisSettings()
    metrics: MetricsSettings = MetricsSettings()
    reports: Reports = Reports()
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
    def report_socket(self) -> Path:
        return self.reports.socket or self.web.socket.with_name(REPORT_SOCKET)

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
        return self.alerts.named_receivers()

    def routes(self) -> dict[str, Route]:
        """Those of the config; where it has none, one over all receivers."""
        return self.alerts.named_routes()

    def policy(
        self, *, hostname: str, started_at: datetime, zone: tzinfo = UTC, link_key: bytes | None = None
    ) -> Policy:
        """What decisions rely on, still without rules and disarmed. `zone`: the host's, for hours that name none.
        `link_key`: what signs the links of messages; None: they have none."""
        return Policy(
            mode=self.mode,
            allow_unsandboxed=self.actions.allow_unsandboxed,
            allow_root=self.actions.allow_root,
            started_at=started_at,
            max_age=self.incidents.max_age,
            resolve_after=self.incidents.resolve_after,
            approval_expires=self.incidents.approval_expires,
            host_max_per_hour=self.actions.max_per_hour,
            host_max_per_ten_minutes=self.actions.max_per_ten_minutes,
            max_running=self.actions.concurrency,
            maintenance=tuple(each.window(zone) for each in self.actions.maintenance),
            learning=LearningPolicy(
                promote_after=self.learning.promote_after,
                escalate_after=self.learning.escalate_after,
                production=self.environment == "production",
                resolve_after=self.learning.resolve_after,
                version_fields=self.version_fields(),
                warn_route=self.learning.warn_route,
                diagnose=bool(self.diagnosis.url),
            ),
            alerts=self.alerts.plan(zone, self.web.links(link_key)),
            hostname=hostname,
        )


def config_schema() -> dict[str, Any]:
    """JSON Schema of the config file."""
    schema = Settings.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "logmedic config"}
