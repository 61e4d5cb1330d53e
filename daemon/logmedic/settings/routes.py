"""`alerts.routes`, `alerts.tree`, `alerts.inhibit`: over which ways news comes to receivers, and what is held back."""

from __future__ import annotations

from datetime import tzinfo
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from logmedic.model.alert import Branch, Escalation, Inhibition
from logmedic.settings.parts import Delay, Duration, Names, Part, Repeat, Words, listed
from logmedic.settings.selectors import SelectorSettings, check_label


def _are_labels(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        check_label(name)
    return names


Labels = Annotated[
    tuple[str, ...], BeforeValidator(listed, json_schema_input_type=str | list[str]), AfterValidator(_are_labels)
]
"""Names of labels; none is allowed."""


class EscalationSettings(Part):
    after: Duration
    """Without an acknowledgement, counted from the first message."""
    to: Words
    """Receivers that are called as well."""

    def escalation(self) -> Escalation:
        return Escalation(self.after, self.to)


class RouteSettings(Part):
    to: Words
    """Receivers; each of them gets every alert of the route."""
    fallback: Names = ()
    """Told when one of `to` is down, in this order; each at most once an alert."""
    group_by: Labels | None = None
    """What has the same values of these labels is told together; [] for all of the route. Default: alerts.group_by."""
    group_wait: Delay | None = None
    """Default: alerts.group_wait."""
    group_interval: Duration | None = None
    """Default: alerts.group_interval."""
    repeat_every: Repeat | None = None
    """Default: alerts.repeat_every."""
    repeat_max: Duration | None = None
    """Default: alerts.repeat_max."""
    escalate: Annotated[
        tuple[EscalationSettings, ...],
        BeforeValidator(listed, json_schema_input_type=EscalationSettings | list[EscalationSettings]),
        Field(min_length=1),
    ] = ()
    """Who is called as well while nobody acknowledges, the soonest first."""


def _route(value: object) -> object:
    return {"to": value} if isinstance(value, str | list | tuple) else value


Routes = dict[
    str, Annotated[RouteSettings, BeforeValidator(_route, json_schema_input_type=str | list[str] | RouteSettings)]
]
"""By name; a text, or a list, is `to`."""


class BranchSettings(Part):
    when: SelectorSettings = SelectorSettings()
    """What it takes; without it, everything."""
    to: Words = ()
    """Routes by their names, for what no branch of `then` takes."""
    then: tuple[BranchSettings, ...] = ()
    """Branches that are asked first, about what `when` means."""
    go_on: bool = Field(default=False, alias="continue")
    """true: the branches behind it are asked as well."""

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        if not self.to and not self.then:
            raise ValueError("it leads nowhere; name a route with `to`, or branches with `then`")
        return self

    @property
    def takes_all_it_means(self) -> bool:
        return bool(self.to) or any(each.when.is_empty and each.takes_all_it_means for each in self.then)

    def branch(self, place: str, zone: tzinfo) -> Branch:
        """`place`: where it stands: alerts.tree[0]."""
        then = tuple(each.branch(f"{place}.then[{number}]", zone) for number, each in enumerate(self.then))
        return Branch(self.when.selector(zone), self.to, then, self.go_on, place)


class InhibitSettings(Part):
    """While one thing is open, people are not told of another."""

    by: SelectorSettings = Field(alias="while")
    """What has to be open."""
    of: SelectorSettings = Field(alias="mute")
    """What nobody is told of meanwhile."""
    equal: Labels = ()
    """Only when both have the same values of these labels: [source]."""

    @field_validator("by", "of")
    @classmethod
    def _means_something(cls, selector: SelectorSettings) -> SelectorSettings:
        if selector.is_empty:
            raise ValueError("it names nothing, which would be everything; write severity: ..., or tags: ...")
        return selector

    def inhibition(self, zone: tzinfo) -> Inhibition:
        return Inhibition(self.by.selector(zone), self.of.selector(zone), self.equal)
