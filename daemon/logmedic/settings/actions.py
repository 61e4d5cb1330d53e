"""`actions`: what fixes may do on this host, and when."""

from __future__ import annotations

from datetime import tzinfo
from enum import StrEnum
from pathlib import Path

from pydantic import Field, field_validator

from logmedic.model.policy import MaintenanceWindow
from logmedic.settings.hours import HoursSettings
from logmedic.settings.parts import Part
from logmedic.settings.places import pause_file


class SandboxTier(StrEnum):
    """AUTO: the unit tier where it is installed, else bubblewrap. Neither takes the place of one that does not hold."""

    AUTO = "auto"
    UNIT = "unit"
    BUBBLEWRAP = "bubblewrap"


class MaintenanceSettings(HoursSettings):
    """A window in which people work on the host themselves, and no fix starts."""

    name: str = Field(min_length=1, max_length=80)
    """What holds and messages call it."""
    rules: tuple[str, ...] = ()
    """Only rules with these ids; patterns (web-*) are allowed."""
    tags: tuple[str, ...] = ()
    """Only rules with one of these tags."""
    silence: bool = False
    """Nobody is told of these rules either."""

    def window(self, host: tzinfo) -> MaintenanceWindow:
        """`host`: its zone."""
        at = self.hours(host)
        return MaintenanceWindow(
            self.name, at.days, at.start, at.end, at.zone, self.rules, self.tags, silence=self.silence
        )


class Actions(Part):
    concurrency: int = Field(default=2, ge=1, le=64)
    """Fixes that run at the same time."""
    max_per_hour: int = Field(default=30, ge=0, le=10_000)
    """All fixes of this host together."""
    max_per_ten_minutes: int = Field(default=10, ge=0, le=10_000)
    """The same for ten minutes: when much breaks at once, people look first."""
    user: str = "logmedic-fix"
    """Whom fixes run as, when the daemon is root and the user exists."""
    sandbox: SandboxTier = SandboxTier.AUTO
    """Where steps run: `unit` (systemd starts each, after logmedic install fixes), `bubblewrap`, or auto: `unit` where
    fixes are installed, else `bubblewrap`. When that one does not hold, nothing runs."""
    allow_unsandboxed: bool = False
    """Let steps run that ask for `sandbox: {kind: none}`."""
    allow_root: bool = False
    """Let steps run that ask for `sandbox: {user: root}`."""
    pause_file: Path = Field(default_factory=pause_file)
    """While this file is there, no fix starts."""
    maintenance: tuple[MaintenanceSettings, ...] = ()
    """When people work on the host themselves, and no fix starts."""

    @field_validator("pause_file")
    @classmethod
    def _is_absolute(cls, path: Path) -> Path:
        if not path.is_absolute():
            raise ValueError(f"`{path}` is no absolute path; write /etc/logmedic/paused, from the root on")
        return path
