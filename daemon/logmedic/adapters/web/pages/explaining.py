"""The box that says why a line is known, or not: a form whose answer is in its address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from starlette.requests import Request

from logmedic.adapters.web.html import Html, Part, element, joined
from logmedic.adapters.web.pages import asked, parts
from logmedic.adapters.web.pages.page import View
from logmedic.adapters.web.parameters import BadRequest
from logmedic.core.explain import short
from logmedic.core.explainrows import LONGEST
from logmedic.core.phrases import several
from logmedic.ports import Control

Row = parts.Row
CANDIDATES_SHOWN = 8


async def answered(control: Control, request: Request, rule: str = "") -> dict[str, Any] | None:
    """None: nothing was asked. Raises BadRequest, and what Control.explain raises."""
    line = request.query_params.get("line", "")
    if not line.strip():
        return None
    if len(line) > LONGEST:
        raise BadRequest(f"the line has {len(line)} characters", f"{LONGEST} at most: logmedic rules explain -")
    return await control.explain(line, asked.text(request, "source"), rule)


def box(answer: Row | None, path: str, view: View, *, lead: str) -> Html:
    """The form, and below it what is to be said of its line."""
    line = view.query.get("line", "")
    form = element(
        "form",
        element(
            "label",
            element("span", "A line, as it stands in the log"),
            element(
                "textarea", line, name_="line", maxlength=f"{LONGEST}", rows="3", required=True, spellcheck="false"
            ),
        ),
        element(
            "div",
            parts.words("source", "Source (empty: every one)", view.query.get("source", "")),
            element("button", "Explain", type="submit", class_="main"),
            element("a", "Clear", href=path) if line else None,
            class_="filters",
        ),
        method="get",
        action=f"{path}#explain",
        class_="explain",
    )
    said = element("div", *_said(answer), class_="explained", role="status") if answer else None
    return parts.section("Why is a line known, or not?", element("p", lead, class_="soft"), form, said, id="explain")


def _said(answer: Row) -> Iterator[Html]:
    yield parts.log(answer["text"])
    yield _verdict(answer)
    yield from (_rule(each) for each in answer["rules"])
    yield _learned(answer)
    yield element("p", _scanned(answer), class_="soft")


def _verdict(answer: Row) -> Html:
    if answer["matched"]:
        known = (
            joined(", " if number else None, parts.rule_link(each)) for number, each in enumerate(answer["matched"])
        )
        return element("p", parts.tag("good", "known"), " to ", *known)
    return element("p", parts.tag("wait", "no rule matches"))


def _scanned(answer: Row) -> str:
    names = answer["candidates"]
    shown = ", ".join(names[:CANDIDATES_SHOWN]) + (", ..." if len(names) > CANDIDATES_SHOWN else "")
    program = f"; its head names {parts.line(answer['program'], 80)}" if answer["program"] else ""
    hits = f"The scanner has hits of {len(names)} of {several(answer['rules_asked'], 'rule')}"
    return f"{hits}{': ' if names else ''}{shown}{program}."


def _rule(row: Row) -> Html:
    part = "" if row["part"] == "match" else f" ({row['part']})"
    matches = row["verdict"] == "matches"
    sign = parts.tag("good", "matches") if matches else parts.tag("bad", "nearly" if row["near_miss"] else "no match")
    near = " though the scanner had no hit" if row["near_miss"] and not row["hit"] else ""
    return element(
        "div",
        element("p", sign, " ", parts.rule_link(row["rule"]), part, near),
        element("p", parts.line(row["reason"], 600), class_="soft") if not matches and not row["near_miss"] else None,
        _miss(row["near_miss"]) if row["near_miss"] and not matches else None,
        parts.facts(_matched(row)) if matches else None,
        class_="attempt",
    )


def _matched(row: Row) -> Iterator[tuple[str, Part]]:
    for each in row["captures"]:
        yield parts.line(each["name"], 60), f"{parts.line(each['value'], 300)} ({each['type']})"
    if row["group"]:
        yield "group", ", ".join(f"{name} = {parts.line(value, 120)}" for name, value in row["group"].items())
    now = row["now"]
    if now is None:
        return
    if now["would"]["progress"]:
        yield "trigger", parts.line(now["would"]["progress"], 300)
    yield "now", joined(*(element("p", parts.line(each, 600)) for each in now["would"]["words"]))
    if now["quarantined"]:
        yield "quarantined", parts.line(now["quarantined"], 300)


def _miss(miss: Row) -> Html:
    """In the order in which it stands in the line."""
    found = element("code", parts.line(short(miss["found"]), 200)) if miss["found"] else "nothing"
    there = ("is there", element("code", parts.line(short(miss["matched"]), 200)))
    parted: tuple[tuple[str, Part], ...] = (
        ("the rule wants", element("code", parts.line(short(miss["wanted"]), 200))),
        ("the line has", found),
    )
    return parts.facts((*parted, there) if miss["from_end"] else (there, *parted))


def _learned(answer: Row) -> Html:
    unknown = answer["unknown"]
    if unknown is None:
        alone = any(each["verdict"] == "unless" for each in answer["rules"])
        if answer["matched"]:
            return joined()
        why = "a rule knows it, and leaves it alone" if alone else "it does not look like an error"
        return element("p", f"Nothing is learned of it: {why}.")
    return element(
        "p",
        "It is learned as an unknown error: ",
        element("code", parts.line(unknown["template"], 300)),
        f" (fingerprint {unknown['fingerprint']}).",
    )
