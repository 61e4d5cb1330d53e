"""The box that says where news would go, and why: a form whose answer is in its address."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request

from logmedic.adapters.web.html import Html, Part, element, joined
from logmedic.adapters.web.pages import asked, parts
from logmedic.adapters.web.pages.page import View
from logmedic.adapters.web.parameters import BadRequest
from logmedic.core.durations import duration_text
from logmedic.model.alertevent import AlertEvent
from logmedic.model.severity import Severity
from logmedic.ports import Control

Row = parts.Row
_SEVERITIES = (("", "as the rule says"), *((each.value, each.value) for each in reversed(Severity)))
_EVENTS = (("", "opened"), *((each.value, each.value.replace("_", " ")) for each in AlertEvent))


async def answered(control: Control, request: Request) -> dict[str, Any] | None:
    """None: nothing was asked. Names of the form begin with `r_`, apart from those of the messages. Raises BadRequest,
    and NotFound for a rule."""
    if request.query_params.get("r_ask") != "yes":
        return None
    tags = [each.strip() for each in asked.text(request, "r_tag").split(",") if each.strip()]
    return await control.route_of(
        severity=asked.one_of(request, "r_severity", list(Severity)),
        event=asked.one_of(request, "r_event", list(AlertEvent)),
        rule=asked.text(request, "r_rule"),
        source=asked.text(request, "r_source"),
        tags=tags,
        at=_at(asked.text(request, "r_at")),
    )


def _at(text: str) -> datetime | None:
    """A time, UTC unless it says otherwise. Raises BadRequest."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadRequest(f"`r_at`: `{text[:40]}` is no time", "write 2026-11-24T03:00") from None


def box(answer: Row | None, view: View) -> Html:
    def told(name: str) -> str:
        return view.query.get(name, "")

    form = element(
        "form",
        element("input", type="hidden", name_="r_ask", value="yes"),
        parts.choices("r_severity", "Severity", _SEVERITIES, told("r_severity")),
        parts.choices("r_event", "About", _EVENTS, told("r_event")),
        parts.words("r_rule", "Rule", told("r_rule")),
        parts.words("r_source", "Source", told("r_source")),
        parts.words("r_tag", "Tags, with commas", told("r_tag")),
        parts.words("r_at", "When (UTC; empty: now)", told("r_at"), kind="datetime-local"),
        element("button", "Explain", type="submit", class_="main"),
        element("a", "Clear", href="/alerts") if answer else None,
        method="get",
        action="/alerts#route",
        class_="filters",
    )
    lead = "By the config and the silences in force; nobody is told."
    said = element("div", *_said(answer), role="status") if answer else None
    return parts.section("Where would news go?", element("p", lead, class_="soft"), form, said, id="route")


def _said(answer: Row) -> Iterator[Html]:
    yield element("p", _verdict(answer))
    yield parts.facts(
        (
            ("news", f"{str(answer['event']).replace('_', ' ')}, {answer['severity']}"),
            ("at", parts.moment(answer["at"])),
            ("tags", ", ".join(parts.line(each, 60) for each in answer["tags"])),
        )
    )
    steps = (
        (
            parts.tag("good", "taken") if each["taken"] else parts.tag("soft", "not"),
            element("code", parts.line(each["place"], 120)),
            parts.line(each["why"], 300),
            ", ".join(parts.line(name, 60) for name in each["routes"]) or "-",
        )
        for each in answer["steps"]
    )
    yield element("h3", "How it is routed")
    yield parts.table("Places that were asked, in order", ("Taken", "Place", "Why", "Routes"), steps)
    for leg in answer["routes"]:
        yield _leg(leg)


def _verdict(answer: Row) -> Html:
    if answer["silenced"]:
        return joined(parts.tag("bad", "nobody is told now"), f" {parts.line(answer['silenced'], 300)}")
    if not answer["routes"]:
        return parts.tag("bad", "nobody would be told: no route takes it")
    names = dict.fromkeys(parts.line(each["receiver"], 60) for leg in answer["routes"] for each in leg["told"])
    return joined(parts.tag("good", "told"), f" {', '.join(names)}")


def _leg(leg: Row) -> Html:
    group = ", ".join(f"{name} {parts.line(value, 80) or '(none)'}" for name, value in leg["group"].items())
    together = f"together with other news of {group}" if group else "each by itself"
    reminders = ", ".join(_span(each) for each in leg["reminders_s"])
    facts: tuple[tuple[str, Part], ...] = (
        ("told", _receivers(leg["told"])),
        (
            "how",
            f"{together}; {_span(leg['group_wait_s'])} after the first, then every {_span(leg['group_interval_s'])}",
        ),
        ("instead", ", ".join(parts.line(each, 60) for each in leg["fallback"])),
        *((f"after {_span(each['after_s'])}", _receivers(each["told"])) for each in leg["escalate"]),
        ("reminders", f"after {reminders}, ..." if reminders else "none"),
    )
    return element("div", element("h3", f"Route {parts.line(leg['route'], 80)}"), parts.facts(facts), class_="attempt")


def _receivers(rows: Sequence[Row]) -> Html | str:
    if not rows:
        return "nobody"
    return joined(*(element("p", _one(each)) for each in rows))


def _one(row: Row) -> str:
    scheme = row["scheme"]
    waits = f", waits for {row['waits_for']}: {parts.moment(row['at'])}" if row["waits_for"] else ", at once"
    return f"{parts.line(row['receiver'], 80)}{f' ({scheme})' if scheme else ''}{waits}"


def _span(seconds: float) -> str:
    return duration_text(timedelta(seconds=seconds))
