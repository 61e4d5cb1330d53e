"""One known issue: its story, what its lines look like, what was learned from it, and how to go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from starlette.requests import Request

from logmedic.adapters.web.html import Html, element, joined
from logmedic.adapters.web.pages import learned, parts
from logmedic.adapters.web.pages.page import Answer, Page, View
from logmedic.core import issuewords
from logmedic.core.secrets import masked
from logmedic.core.shellwords import command, short
from logmedic.model.issue import IssueSource
from logmedic.model.live import Topic
from logmedic.ports import Control

Row = parts.Row
SAMPLES, LESSONS = 5, 10
TREND, SLOTS = timedelta(days=14), 28


async def gather(control: Control, request: Request) -> Answer:
    """Secrets in samples are masked: more people may read a page than the log."""
    issue = await control.issue(request.path_params["id"])
    issue["templates"] = [
        {**each, "sample": masked(each["sample"]), "samples": [masked(one) for one in each["samples"]]}
        for each in issue["templates"]
    ]
    return {"issue": issue}


def title(answer: Answer) -> str:
    return parts.line(answer["issue"]["title"], 80)


def render(answer: Answer, view: View) -> Html:
    row = answer["issue"]
    above = joined(parts.severity(row), learned.state(row, view))
    story = (element("p", parts.line(each, 500)) for each in issuewords.sentences(row, view.now))
    main = joined(
        parts.section("Its story", *story, id="story"),
        _pattern(row),
        _samples(row),
        _suggestion(row),
        _incidents(row, view),
    )
    aside = joined(_numbers(row, view), _life(row), _precursors(row), _lessons(row))
    return joined(
        parts.heading(parts.line(row["title"]), _lead(row), above=above, more=learned.actions(row, view)),
        parts.columns(main, aside),
        parts.shell(command("learned", "show", short(row["id"]))),
    )


def _lead(row: Row) -> Html:
    of = {"rule": "of a rule", "learned": "learned", "breaker": "of a breaker"}[row["source"]]
    if issuewords.is_reported(row):
        of = "reported by an application"
    rule = joined(": ", parts.rule_link(row["issue_type"])) if row["source"] == IssueSource.RULE else None
    return joined("issue ", parts.short_id(row), f", {of}", rule)


def _numbers(row: Row, view: View) -> Html:
    return parts.section(
        "Numbers",
        parts.facts(
            (
                ("seen", "once" if row["occurrences"] == 1 else f"{row['occurrences']:,} times"),
                ("rate", issuewords.rate_of(row)),
                ("confidence", parts.percent(row["confidence"])),
                ("first seen", parts.ago(row["first_seen"], view.now)),
                ("last seen", parts.ago(row["last_seen"], view.now)),
                ("episodes", f"{row['episodes']:,}" if row["episodes"] else None),
                ("version", parts.line(row["version"], 80) if row["version"] else None),
                ("decided by", parts.line(row["decided_by"], 80) if row["decided_by"] else None),
            )
        ),
        _onsets(row["onsets"], view.now),
        id="numbers",
    )


def _onsets(onsets: Sequence[Row], now: datetime) -> Html | None:
    """When its last episodes began."""
    slots = [0] * SLOTS
    for each in onsets:
        age = now - datetime.fromisoformat(each["at"]).astimezone(UTC)
        if timedelta(0) <= age < TREND:
            slots[SLOTS - 1 - int(age / TREND * SLOTS)] += 1
    if not any(slots):
        return None
    return parts.spark(slots, f"{sum(slots)} of its last episodes began within {TREND.days} days")


def _life(row: Row) -> Html:
    lines = (element("li", parts.line(each, 300)) for each in issuewords.life(row))
    return parts.section("Its life", element("ul", *lines, class_="plain"), id="life")


def _pattern(row: Row) -> Html | None:
    templates = [each for each in row["templates"] if not each["merged_into"]]
    if not row["error_pattern"] and not templates:
        return None
    none = parts.nothing("No pattern could be made that takes its lines and no ordinary ones.")
    shapes = (element("p", element("code", learned.masked(each["template"]))) for each in templates)
    return parts.section(
        "Its pattern",
        element("pre", row["error_pattern"], class_="code", tabindex="0") if row["error_pattern"] else none,
        joined(element("h3", "What differs from line to line"), *shapes) if templates else None,
        id="pattern",
    )


def _samples(row: Row) -> Html | None:
    """The first record of each template is whole; further ones are cut, and the first may be among them."""
    wholes = [each["sample"] for each in row["templates"] if each["sample"]]
    further = (text for each in row["templates"] for text in each["samples"] if text)
    found = dict.fromkeys((*wholes, *(text for text in further if not any(each.startswith(text) for each in wholes))))
    if not found:
        return None
    return parts.section("As it was logged", *(parts.log(each) for each in list(found)[:SAMPLES]), id="samples")


def _lessons(row: Row) -> Html | None:
    told = dict.fromkeys(each["learnings"] for each in row["learnings"])
    if not told:
        return None
    lines = (element("li", parts.line(each, 400)) for each in list(told)[:LESSONS])
    return parts.section("What was learned", element("ul", *lines), id="lessons")


def _precursors(row: Row) -> Html | None:
    if not row["precursors"]:
        return None
    lines = (element("li", parts.line(each["sentence"], 400)) for each in row["precursors"])
    return parts.section("What comes before it, and what follows", element("ul", *lines), id="precursors")


def _suggestion(row: Row) -> Html | None:
    if not row["diagnoses"]:
        return None
    return parts.section(
        "What a language model suggests",
        element("p", parts.tag("wait", "not verified"), " Nothing of it is in force, and nothing of it is run."),
        *_said(row["diagnoses"][0]),
        id="suggestion",
    )


def _said(told: Row) -> Iterator[Html]:
    """Whoever writes log lines may have written it."""
    when = f"{parts.line(told['model'], 80)}, {parts.moment(told['at'])}"
    if not told["ok"]:
        yield parts.nothing(f"{when}: none, {parts.line(told['problem'])}")
        return
    yield element("p", element("b", "Likely cause: "), parts.line(told["likely_cause"], 1000))
    if told["checks"]:
        yield element("ul", *(element("li", parts.line(each, 500)) for each in told["checks"]))
    if told["suggested_rule"]:
        rule = element("pre", told["suggested_rule"], class_="code", tabindex="0")
        yield parts.fold("A rule; read it before you copy it", rule)
    if told["problem"]:
        yield element("p", f"Note: {parts.line(told['problem'], 500)}")
    yield element("p", when, class_="soft")


def _incidents(row: Row, view: View) -> Html | None:
    if not row["incidents"]:
        return None
    rows = (
        (
            parts.incident_link(each),
            parts.state(each),
            f"{each['occurrences']:,}x",
            parts.ago(each["opened_at"], view.now),
        )
        for each in row["incidents"]
    )
    shown = parts.table("Its incidents", ("Incident", "State", "Seen", "Opened"), rows, numbers=("Seen",))
    return parts.section("Its incidents", shown, id="incidents")


PAGE = Page(
    path="/learned/{id}",
    title=title,
    gather=gather,
    render=render,
    topics=frozenset({Topic.ISSUES, Topic.INCIDENTS}),
)
