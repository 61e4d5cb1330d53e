"""Which routes a piece of news takes, and how that is explained."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time

import pytest

from logmedic.core.alerting.routes import way_of
from logmedic.core.alerting.selecting import Facts, means, why_not
from logmedic.model.alert import AlertPlan, Branch, Route, Selector
from logmedic.model.alertevent import AlertEvent
from logmedic.model.hours import Hours
from logmedic.model.severity import Severity

NIGHT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)  # a Tuesday
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
WORK = Hours(frozenset(range(5)), time(8), time(18), UTC)
FACTS = Facts(
    Severity.HIGH,
    AlertEvent.OPENED,
    frozenset({"db", "prod"}),
    {"rule": "pg-down", "source": "postgres", "host": "db1", "role": "db"},
)


def plan(*branches: Branch, default: str = "all") -> AlertPlan:
    names = ("all", "db", "web", "pager", "night")
    return AlertPlan({name: Route(name, (name,)) for name in names}, default, branches)


def branch(to: str = "", *then: Branch, go_on: bool = False, **when: object) -> Branch:
    return Branch(Selector(**when), (to,) if to else (), then, go_on, f"tree for {to or 'its branches'}")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("selector", "said"),
    [
        (Selector(), ""),
        (Selector(severities=frozenset({Severity.HIGH, Severity.CRITICAL})), ""),
        (Selector(severities=frozenset({Severity.LOW})), "severity is high, not low"),
        (Selector(events=frozenset({AlertEvent.RECOVERED})), "event is opened, not recovered"),
        (Selector(tags=frozenset({"db", "cache"})), ""),
        (Selector(tags=frozenset({"web"})), "tags are db, prod, not web"),
        (Selector(labels={"rule": ("mysql-*", "pg-*")}), ""),
        (Selector(labels={"rule": ("mysql-*",)}), "rule is pg-down, not mysql-*"),
        (Selector(labels={"upstream": ("*",)}), "it has no upstream, and * is asked for"),
        (Selector(labels={"role": ("db",), "host": ("db?",)}), ""),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_selector_says_what_does_not_fit(selector: Selector, said: str) -> None:
    assert why_not(selector, FACTS, NOON) == said
    assert means(selector, FACTS, NOON) is not said


@pytest.mark.parametrize(("now", "is_meant"), [(NOON, True), (NIGHT, False)], ids=["noon", "night"])
def test_a_selector_may_be_about_hours(now: datetime, is_meant: bool) -> None:
    assert means(Selector(hours=(WORK,)), FACTS, now) is is_meant


def test_what_has_no_tags_says_so() -> None:
    untagged = replace(FACTS, tags=frozenset())
    assert why_not(Selector(tags=frozenset({"web"})), untagged, NOON) == "it has no tag, not web"


DB = branch("db", labels={"rule": ("pg-*",)})
WEB = branch("web", tags=frozenset({"web"}))


@pytest.mark.parametrize(
    ("branches", "routes"),
    [
        ((), ("all",)),
        ((WEB, DB), ("db",)),
        ((DB, branch("pager")), ("db",)),
        ((branch("db", go_on=True), branch("pager")), ("db", "pager")),
        ((branch("db", branch("night", hours=(WORK,))),), ("night",)),
        ((branch("db", WEB),), ("db",)),
        ((branch("", WEB), branch("pager")), ("pager",)),
        ((branch("", WEB),), ("all",)),
        ((branch("db", go_on=True), branch("db")), ("db",)),
    ],
    ids=[
        "no tree",
        "the first that fits",
        "the last that is asked",
        "unless it goes on",
        "a branch of it comes first",
        "its own when no branch of it fits",
        "what leads nowhere is passed",
        "the default is for what nothing took",
        "each route once",
    ],
)
def test_the_tree_is_walked_from_the_top(branches: tuple[Branch, ...], routes: tuple[str, ...]) -> None:
    assert way_of(plan(*branches), FACTS, (), NOON).routes == routes


def test_a_rule_that_names_routes_passes_the_tree() -> None:
    way = way_of(plan(DB), FACTS, ("pager", "pager"), NOON)
    assert way.routes == ("pager",)
    assert [each.place for each in way.steps] == ["the rule"]


def test_a_route_that_does_not_exist_loses_no_message() -> None:
    way = way_of(plan(), FACTS, ("oncal",), NOON)
    assert (way.routes, way.missing) == (("all",), ("oncal",))
    assert way.steps[-1].why == "the routes that were named do not exist"
    assert way_of(plan(), FACTS, ("oncal", "db"), NOON).routes == ("db",)


def test_without_any_route_nobody_is_told_and_it_is_said() -> None:
    way = way_of(plan(default=""), FACTS, (), NOON)
    assert way.routes == ()
    assert way.steps[-1].why == "there is none: nobody is told"


def test_the_steps_explain_the_way() -> None:
    way = way_of(plan(WEB, branch("db", branch("night", hours=(WORK,)))), FACTS, (), NOON)
    assert [(each.place, each.taken, each.routes) for each in way.steps] == [
        ("tree for web", False, ()),
        ("tree for db", True, ()),
        ("tree for night", True, ("night",)),
    ]
    assert way.steps[1].why == "it fits; its branches decide"
