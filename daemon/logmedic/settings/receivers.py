"""`alerts.receivers`: who is told, and when they want to be left alone."""

from __future__ import annotations

import re
from datetime import time, tzinfo
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator

from logmedic.model.alert import DigestPlan, Receiver, ReceiverPlan
from logmedic.model.severity import Severity
from logmedic.settings.endpoints import address_problem
from logmedic.settings.hours import Clock, Days, HoursSettings, Zone, days_of, never_end, zone_or
from logmedic.settings.parts import Part, listed
from logmedic.settings.selectors import SelectorSettings

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30})://")


class QuietHoursSettings(HoursSettings):
    """What comes meanwhile waits for their end, but for the tests that people send."""

    except_: SelectorSettings = Field(default=SelectorSettings(severity=(Severity.CRITICAL,)), alias="except")
    """What is told all the same. Default: what is critical."""

    @field_validator("except_")
    @classmethod
    def _says_what(cls, selector: SelectorSettings) -> SelectorSettings:
        if selector.is_empty:
            raise ValueError("it names nothing, which would be everything; write { severity: critical }")
        return selector


class DigestSettings(SelectorSettings):
    """What is meant waits for one message a day."""

    at: Clock
    """When that is sent: "08:00"."""
    days: Days = ("mon-sun",)
    """On which it is sent: mon-fri."""
    timezone: Zone = ""
    """Europe/Berlin. Default: the receiver's, where it has one, else that of the host."""

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        if self.is_empty:
            raise ValueError("it does not say what waits for it; write severity: [low, medium], or tags: ...")
        return self

    def plan(self, otherwise: tzinfo) -> DigestPlan:
        at: time = self.at
        return DigestPlan(self.selector(otherwise), at, zone_or(self.timezone, otherwise), days_of(self.days))


class ReceiverSettings(Part):
    url: SecretStr
    """An Apprise URL. Write secrets as ${file:/path}, ${credential:name} or ${env:NAME}."""
    endpoint: str = ""
    """Instead of Slack's own address: that of a server which takes the same messages."""
    timezone: Zone = ""
    """Its reader's: Europe/Berlin. Messages then have times on that clock too."""
    quiet_hours: Annotated[
        tuple[QuietHoursSettings, ...],
        BeforeValidator(listed, json_schema_input_type=QuietHoursSettings | list[QuietHoursSettings]),
        Field(min_length=1),
    ] = ()
    """When it is told of nothing but what `except` means."""
    digest: DigestSettings | None = None
    """What waits for one message a day."""
    max_per_hour: int = Field(default=60, ge=1, le=10_000)
    """Messages; what is more is told together, once there is room."""

    @field_validator("endpoint")
    @classmethod
    def _is_an_address(cls, endpoint: str) -> str:
        if endpoint and (problem := address_problem(endpoint)):
            raise ValueError(f"it {problem}; write https://chat.example/hooks")
        return endpoint

    @field_validator("quiet_hours")
    @classmethod
    def _end(cls, hours: tuple[QuietHoursSettings, ...]) -> tuple[QuietHoursSettings, ...]:
        if never_end(hours):
            raise ValueError("they never end; leave some of the week free, or use `digest`")
        if any(each.except_ != hours[0].except_ for each in hours):
            raise ValueError("they differ in `except`, of which a receiver has one; write the same in each of them")
        return hours

    def receiver(self, name: str) -> Receiver:
        return Receiver(name, self.url.get_secret_value(), self.endpoint)

    def plan(self, name: str, host: tzinfo) -> ReceiverPlan:
        """`host`: its zone."""
        zone = zone_or(self.timezone, host)
        usual = ReceiverPlan(name)
        found = _SCHEME.match(self.url.get_secret_value())
        return ReceiverPlan(
            name=name,
            scheme=found[1].lower() if found else "",
            zone=zone if self.timezone else None,
            quiet_hours=tuple(each.hours(zone) for each in self.quiet_hours),
            quiet_except=self.quiet_hours[0].except_.selector(zone) if self.quiet_hours else usual.quiet_except,
            digest=self.digest.plan(zone) if self.digest is not None else None,
            max_per_hour=self.max_per_hour,
        )


def _receiver(value: object) -> object:
    return {"url": value} if isinstance(value, str) else value


Receivers = dict[
    str, Annotated[ReceiverSettings, BeforeValidator(_receiver, json_schema_input_type=str | ReceiverSettings)]
]
"""By name; a text is a URL."""
