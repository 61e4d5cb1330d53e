"""Which reports of applications a rule is about: what they have to say, who is asked of one, and what keeps it away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from logmedic.core.heads import glob
from logmedic.model.match import ReportSpec
from logmedic.model.report import Report

SOURCE = "reports"
"""The name of the source that reports come from; `reports:COMPONENT` is what one component says."""
ANY = "*"
KEYS = ("kind", "component", "action", "error", "users", "environment")
"""Of ReportSpec, in the order in which they are told of."""
_HEAD_ENDS = "]: "


class Misfit(NamedTuple):
    """A key of a rule that a report does not fit. `found`: what the report has there; may be empty."""

    key: str
    wanted: tuple[str, ...]
    found: str


def wanted(spec: ReportSpec) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The keys that it has, with their values."""
    for key in KEYS:
        if values := tuple(map(str, getattr(spec, key))):
            yield key, values


def found(report: Report) -> dict[str, str]:
    """What it has for each of KEYS."""
    return {
        "kind": report.kind.value,
        "component": report.component,
        "action": report.action,
        "error": report.error,
        "users": report.sender.user,
        "environment": report.environment,
    }


def fits(spec: ReportSpec, report: Report) -> bool:
    """Whether there are no `misfits`: asked of each report, it makes nothing on its way."""
    return (
        (not spec.kind or report.kind in spec.kind)
        and takes(spec.component, report.component)
        and takes(spec.error, report.error)
        and takes(spec.action, report.action)
        and takes(spec.users, report.sender.user)
        and takes(spec.environment, report.environment)
    )


def misfits(spec: ReportSpec, report: Report) -> Iterator[Misfit]:
    """In the order of KEYS."""
    said = found(report)
    for key, values in wanted(spec):
        if not takes(values, said[key]):
            yield Misfit(key, values, said[key])


def takes(values: tuple[str, ...], told: str) -> bool:
    """Whether it is one of `values`; without any, whatever it is."""
    if not values or told in values:
        return True
    pattern = _globs(values)
    return pattern is not None and pattern.fullmatch(told) is not None


def said_of(text: str) -> str:
    """Of a report's record: what follows the head. Neither time, host nor component can hold what ends it."""
    return text.partition(_HEAD_ENDS)[2]


class Listeners:
    """Who is asked of a report: those that name its component, and those that name none or a part of one."""

    def __init__(self, specs: Iterable[tuple[int, ReportSpec]]) -> None:
        """`specs`: each with the number that it is answered by."""
        self._named: dict[str, list[int]] = {}
        self._others: list[int] = []
        for number, spec in specs:
            if not spec.component or any(ANY in each for each in spec.component):
                self._others.append(number)
                continue
            for each in dict.fromkeys(spec.component):
                self._named.setdefault(each, []).append(number)

    def __bool__(self) -> bool:
        return bool(self._named or self._others)

    def of(self, report: Report) -> Sequence[int]:
        return (*self._named.get(report.component, ()), *self._others)


def words(spec: ReportSpec) -> str:
    """component checkout; error TimeoutError or redis.*"""
    return "; ".join(f"{key} {' or '.join(values)}" for key, values in wanted(spec))


def written(spec: ReportSpec) -> Mapping[str, tuple[str, ...]]:
    """As a rule file has it: without what is so anyway."""
    usual = dict(wanted(ReportSpec()))
    return {key: values for key, values in wanted(spec) if usual.get(key) != values}


@lru_cache(maxsize=16_384)
def _globs(values: tuple[str, ...]) -> re.Pattern[str] | None:
    """Of those that have a star."""
    starred = [glob(each) for each in values if ANY in each]
    return re.compile("|".join(starred), re.DOTALL) if starred else None
