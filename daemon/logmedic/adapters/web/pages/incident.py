"""One incident: what happened, what was done, whether it worked, who was told, and what is wanted now."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from starlette.requests import Request

from logmedic.adapters.web.html import Html, Part, element, joined
from logmedic.adapters.web.pages import parts, timeline
from logmedic.adapters.web.pages.page import Answer, Page, View
from logmedic.core.rowwords import hold_of
from logmedic.core.shellwords import command, short
from logmedic.model.errors import NotFound
from logmedic.model.issue import HoldReason, IncidentStatus
from logmedic.model.live import Topic
from logmedic.ports import Control

Row = parts.Row
SIMILAR_SHOWN = 5
FOLDED_FROM = 400
"""Characters of output that are shown at once; what is longer is folded."""
_NEXT: Mapping[str, str] = {
    HoldReason.OBSERVE: "It is only observed: raise the trust in its fix, or the daemon's mode, to let it run.",
    HoldReason.AWAITING_APPROVAL: "It waits for somebody to say yes or no.",
    HoldReason.BREAKER_OPEN: "Mend what makes the fix fail, then close the breaker.",
    HoldReason.DISARMED: "No fix runs on this host: `logmedic doctor` says what is missing.",
    HoldReason.PAUSED: "All fixes are paused; somebody has to let them run again.",
    HoldReason.STALE: "It is about what was long ago; it begins anew with the next match.",
    HoldReason.OWN_CAUSE: "Fixes seem to set each other off: look at what they do to one another.",
    HoldReason.NO_FIX: "Its rule has no fix: repair it by hand.",
    HoldReason.BUDGET: "Too many fixes ran in the last hour; it goes on by itself.",
    HoldReason.CAUSE: "What it depends on is fixed first; it goes on by itself.",
    HoldReason.REJECTED: "Somebody said no; the next match asks again.",
    HoldReason.COOLDOWN: "It goes on by itself once the cooldown is over.",
    HoldReason.BUSY: "Something else is at work there; it goes on by itself.",
    HoldReason.MAINTENANCE: "Maintenance is under way; it goes on by itself.",
    HoldReason.WARMING_UP: "The daemon has only just begun; it goes on by itself.",
}
_FAILED = "Its fix did not hold: repair it by hand; what its steps said is below."


async def gather(control: Control, request: Request) -> Answer:
    row = await control.ask("incident", incident_id=request.path_params["id"])
    full = row["id"]
    silences, similar = await asyncio.gather(
        control.silences(), control.ask("similar", incident_id=full, limit=SIMILAR_SHOWN)
    )
    subject = f"incident:{full}"
    return {
        "incident": row,
        "why": None if row["status"] == IncidentStatus.RESOLVED else await control.why(full),
        "similar": similar,
        "precursors": await _precursors(control, row["issue_id"]) if row["issue_id"] else [],
        "silences": [each for each in silences if any(one["subject"] == subject for one in each["covers"])],
    }


async def _precursors(control: Control, issue_id: str) -> list[dict[str, Any]]:
    """An issue may be forgotten before its incidents."""
    try:
        return await control.precursors(issue_id)
    except NotFound:
        return []


def title(answer: Answer) -> str:
    return parts.line(answer["incident"]["title"], 80)


def render(answer: Answer, view: View) -> Html:
    row = answer["incident"]
    main = joined(
        _governor(answer, view),
        parts.section("What happened", timeline.shown(timeline.moments(row)), id="story"),
        _attempts(row, view),
        parts.section("The log", *timeline.evidence(row), id="evidence", more=_source(row)),
    )
    aside = joined(
        _facts(row, view), _told(row, view), _silences(answer, view), _similar(answer, view), _precursor(answer)
    )
    return joined(_top(row, view), timeline.way(row), parts.columns(main, aside))


def _top(row: Row, view: View) -> Html:
    above = joined(parts.severity(row), " ", parts.state(row), _acked(row))
    lead = joined(
        "incident ",
        parts.short_id(row),
        " of rule ",
        parts.rule_link(row["rule_id"]),
        ", opened ",
        parts.ago(row["opened_at"], view.now),
        joined(", its fix waits for you: ", element("span", parts.left(row["due_at"], view.now), class_="countdown"))
        if _waits(row) and row["due_at"]
        else None,
    )
    return parts.heading(parts.line(row["title"]), lead, above=above, more=joined(*_buttons(row)))


def _waits(row: Row) -> bool:
    return bool(row["hold"] == HoldReason.AWAITING_APPROVAL and row["status"] == IncidentStatus.OPEN)


def _acked(row: Row) -> Html | None:
    notice = row["notice"]
    if not notice or not notice["acked_by"] or notice["over"]:
        return None
    return joined(" ", parts.tag("soft", f"{parts.line(notice['acked_by'], 80)} takes care of it"))


def _buttons(row: Row) -> Iterator[Html]:
    if row["status"] == IncidentStatus.RESOLVED:
        return
    base, notice = f"/incidents/{quote(row['id'], safe='')}", row["notice"] or {}
    if _waits(row):
        yield parts.button("Approve", f"{base}/approve", "good")
        yield parts.button("Reject", f"{base}/reject")
    if notice.get("acked_by"):
        yield parts.button("Give it back", f"{base}/unack")
    elif notice and not notice["over"]:
        yield parts.button("I take care of it", f"{base}/ack", "" if _waits(row) else "main")
    yield parts.button("Silence", f"{base}/silence")


# -- what holds its fix ------------------------------------------------------------------------------------------------


def _governor(answer: Answer, view: View) -> Html | None:
    why, row = answer["why"], answer["incident"]
    if why is None:
        return _over(row)
    checks = why["checks"]
    held = [each for each in checks if not each["ok"]]
    others = [each for each in checks if each not in held[:1]]
    more = parts.fold(f"All {len(checks)} questions", _checks(others, view)) if others else None
    return parts.section(
        "What is wanted now",
        element("p", parts.line(_next(row, held), 400)),
        element("p", parts.line(why["note"], 400)) if why["note"] else None,
        _checks(held[:1], view) if held else None,
        _way_out(row, held),
        more,
        parts.shell(command("why", short(row["id"]))),
        id="now",
    )


def _next(row: Row, held: list[Row]) -> str:
    reason = held[0]["reason"] if held else ""
    if row["status"] == IncidentStatus.FAILED and reason in ("", HoldReason.COOLDOWN):
        return _FAILED
    if reason in _NEXT:
        return _NEXT[reason]
    if row["status"] == IncidentStatus.OPEN:
        return "Nothing holds its fix now; the next match starts it." if row["hold"] else "It is open."
    return f"Nothing: its fix is under way ({row['status']})."


def _checks(checks: Iterable[Row], view: View) -> Html:
    listed = (
        element(
            "li",
            element("span", "✓" if each["ok"] else "✗", class_="good" if each["ok"] else "bad", aria_hidden="true"),
            element(
                "b",
                parts.line(each["name"], 60),
                element("span", ": passes" if each["ok"] else ": holds it", class_="heard"),
            ),
            element("span", parts.line(each["detail"], 400), _until(each, view)),
        )
        for each in checks
    )
    return element("ul", *listed, class_="checks")


def _until(check: Row, view: View) -> Part:
    return joined(" (", parts.left(check["until"], view.now), ")") if check["until"] else None


def _way_out(row: Row, held: list[Row]) -> Html | None:
    rule = quote(row["rule_id"], safe="")
    match held[0]["reason"] if held else "":
        case HoldReason.OBSERVE:
            return element("p", parts.button("Trust in its fix", f"/rules/{rule}/trust"))
        case HoldReason.BREAKER_OPEN:
            return element("p", parts.button("Close the breaker", f"/breakers/reset?rule={rule}"))
        case HoldReason.PAUSED:
            return element("p", parts.button("Let fixes run again", "/resume", "good"))
    return None


def _over(row: Row) -> Html:
    took = parts.seconds(row["opened_at"], row["resolved_at"])
    words = f"It is over: {parts.line(row['resolution_notes'] or row['resolution'] or 'resolved', 400)}."
    return element(
        "section",
        element("p", words),
        element("p", f"It took {parts.span(took)}.", class_="soft"),
        class_="card said good",
    )


# -- what was tried ----------------------------------------------------------------------------------------------------


def _attempts(row: Row, view: View) -> Html | None:
    if not row["attempts"]:
        return None
    shown = (_attempt(each, number, view) for number, each in enumerate(row["attempts"], start=1))
    return parts.section("What was tried", *shown, id="tried")


def _attempt(row: Row, number: int, view: View) -> Html:
    name = parts.line(row["step_name"], 120)
    kind = " (rollback)" if row["kind"] == "rollback" else ""
    again = f", try {row['try_no']}" if row["try_no"] > 1 else ""
    return element(
        "article",
        element("h3", f"{number}. {name}{kind}{again} ", parts.verdict(row)),
        element("p", element("code", parts.line(" ".join(row["argv"]), 1000)) if row["argv"] else None),
        element("p", *_how(row, view), class_="soft"),
        element("p", parts.line(row["detail"], 600)) if row["detail"] else None,
        _output(row["output"]),
        class_="attempt",
    )


def _how(row: Row, view: View) -> Iterator[Part]:
    yield parts.ago(row["started_at"], view.now)
    yield f", {parts.line(row['sandbox'], 60)}" if row["sandbox"] else None
    if row["duration_s"] is not None:
        code = "no exit code" if row["exit_code"] is None else f"exit {row['exit_code']}"
        yield f", {code} after {parts.span(row['duration_s'])}"


def _output(text: str) -> Html | None:
    if not text.strip():
        return None
    lines = text.strip("\n").count("\n") + 1
    return parts.fold(
        f"Output, {lines:,} lines" if lines > 1 else "Output, one line",
        parts.log(text, limit=16_000),
        shown=len(text) <= FOLDED_FROM,
    )


# -- beside it ---------------------------------------------------------------------------------------------------------


def _source(row: Row) -> str | None:
    return f"source {parts.line(row['source'], 80)}" if row["source"] else None


def _facts(row: Row, view: View) -> Html:
    return parts.section(
        "Facts",
        parts.facts(
            (
                ("seen", _seen(row, view)),
                ("source", parts.line(row["source"], 120)),
                ("group", parts.line(row["group_key"], 200)),
                ("target", parts.line(row["target"], 200)),
                ("held by", _held_by(row)),
                ("approved by", parts.line(row["approved_by"], 200)),
                ("came after fixes of", ", ".join(parts.line(each, 80) for each in row["chain"])),
                ("issue", _issue(row)),
                ("incident", element("code", row["id"])),
            )
        ),
        parts.shell(command("show", short(row["id"]))),
        id="facts",
    )


def _held_by(row: Row) -> str:
    return ": ".join(filter(None, (hold_of(row), parts.line(row["hold_detail"], 300)))) if hold_of(row) else ""


def _seen(row: Row, view: View) -> Html:
    often = "once" if row["occurrences"] == 1 else f"{row['occurrences']:,} times"
    return joined(f"{often}, last ", parts.ago(row["last_match_at"], view.now))


def _issue(row: Row) -> Part:
    issue = row["issue"]
    if not issue:
        return None
    place = f"/learned/{quote(issue['id'], safe='')}"
    return joined(
        element("a", parts.line(issue["title"], 120), href=place), f" ({issue['occurrences']:,} times in all)"
    )


def _told(row: Row, view: View) -> Html:
    notice = row["notice"] or {}
    said: list[Part] = []
    if notice and not notice["over"] and notice["suppressed"]:
        said.append(element("p", parts.tag("wait", "nobody is told now"), f" {parts.line(notice['suppressed'], 300)}"))
    if notice.get("acked_by"):
        ends = joined(", ", parts.left(notice["acked_until"], view.now)) if notice["acked_until"] else None
        said.append(
            element(
                "p",
                f"{parts.line(notice['acked_by'], 80)} takes care of it since ",
                parts.ago(notice["acked_at"], view.now),
                ends,
            )
        )
    receivers = {each["id"]: each["receiver"] for each in row["alerts"]}
    listed = element("ul", *(_message(each, receivers, view) for each in row["alerts"]), class_="timeline plain")
    nobody = parts.nothing("Nobody was told.") if not row["alerts"] else listed
    return parts.section("Who was told", *said, nobody, id="told")


def _message(row: Row, receivers: Mapping[str, str], view: View) -> Html:
    tone, words = parts.message_words(row)
    stands_in = receivers.get(row["fallback_of"], "")
    who = f"{parts.line(row['receiver'], 80)}{f' instead of {parts.line(stands_in, 80)}' if stands_in else ''}"
    error = parts.line(row["last_error"], 200) if row["status"] != "sent" else ""
    marks = {"good": "✓", "bad": "✗"}
    return element(
        "li",
        element("span", marks.get(tone, "…"), class_=f"mark {tone}", aria_hidden="true"),
        element(
            "div",
            element("p", f"{who}: {row['event'].replace('_', ' ')}"),
            element("p", f"{words}{f': {error}' if error else ''}", class_="soft"),
            class_="what",
        ),
        element("span", parts.ago(row["sent_at"] or row["created_at"], view.now), class_="when"),
    )


def _silences(answer: Answer, view: View) -> Html | None:
    if not answer["silences"]:
        return None
    listed = (
        element(
            "li",
            f"{parts.line(each['by'], 80)}: {parts.line(each['why'], 200)} (",
            parts.left(each["until"], view.now),
            ") ",
            parts.button("End it", f"/silences/{quote(each['id'], safe='')}/end"),
        )
        for each in answer["silences"]
    )
    return parts.section("Silences that cover it", element("ul", *listed), id="silences")


def _similar(answer: Answer, view: View) -> Html:
    rows = answer["similar"]
    listed = (
        element(
            "li",
            element(
                "span",
                "✓" if each["status"] == "resolved" else "!",
                class_=f"mark {'good' if each['status'] == 'resolved' else 'wait'}",
                aria_hidden="true",
            ),
            element(
                "div",
                element("p", parts.incident_link(each)),
                element("p", _ended(each), class_="soft"),
                class_="what",
            ),
            element("span", parts.ago(each["opened_at"], view.now), class_="when"),
        )
        for each in rows
    )
    shown = element("ul", *listed, class_="timeline plain") if rows else parts.nothing("There was none like it before.")
    more = element(
        "a", "All of this rule", href=f"/incidents?status=all&rule={quote(answer['incident']['rule_id'], safe='')}"
    )
    return parts.section("Like it before, and what helped", shown, id="similar", more=more)


def _ended(row: Row) -> Html:
    fixed = row["fixed_by"]
    if fixed:
        argv = joined(": ", element("code", parts.line(" ".join(fixed["argv"]), 200))) if fixed["argv"] else None
        return joined(f"fixed by {parts.line(fixed['step_name'], 80)} in {parts.span(row['took_s'])}", argv)
    took = f" after {parts.span(row['took_s'])}" if row["took_s"] is not None else ""
    how = row["resolution_notes"] or str(row["resolution"] or row["status"]).replace("_", " ")
    return joined(f"{parts.line(how, 200)}{took}")


def _precursor(answer: Answer) -> Html | None:
    rows = answer["precursors"]
    if not rows:
        return None
    listed = (element("li", parts.line(each["sentence"], 400)) for each in rows)
    return parts.section("What comes before it", element("ul", *listed), id="precursors")


PAGE = Page(
    path="/incidents/{id}",
    title=title,
    gather=gather,
    render=render,
    topics=frozenset({Topic.INCIDENTS, Topic.FIXES, Topic.ALERTS}),
)
