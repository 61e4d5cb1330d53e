"""Beside the story of an incident: facts, who was told, what was like it, what tends to come before it."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from logmedic.adapters.web.html import Html, Part, element, joined
from logmedic.adapters.web.pages import parts
from logmedic.adapters.web.pages.page import Answer, View
from logmedic.core.rowwords import hold_of
from logmedic.core.shellwords import command, short

Row = parts.Row


def cards(answer: Answer, view: View) -> Html:
    """Of the answer of the incident's page."""
    row = answer["incident"]
    return joined(
        _facts(row, view), _told(row, view), _silences(answer, view), _similar(answer, view), _precursor(answer)
    )


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
                ("failed requests", _requests(row)),
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


def _requests(row: Row) -> Part:
    """All that are kept, the newest first: they are what logs of applications are searched for."""
    told = [element("code", parts.line(each, 128)) for each in reversed(row["requests"])]
    return joined(*(joined(", " if number else None, each) for number, each in enumerate(told))) if told else None


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
                f"{parts.line(notice['acked_by'], 80)} takes care of it (",
                parts.ago(notice["acked_at"], view.now),
                ends,
                ")",
            )
        )
    receivers = {each["id"]: each["receiver"] for each in row["alerts"]}
    listed = parts.items((_message(each, receivers, view) for each in row["alerts"]), "Nobody was told.")
    return parts.section("Who was told", *said, listed, id="told")


def _message(row: Row, receivers: Mapping[str, str], view: View) -> Html:
    tone, words = parts.message_words(row)
    stands_in = receivers.get(row["fallback_of"], "")
    who = f"{parts.line(row['receiver'], 80)}{f' instead of {parts.line(stands_in, 80)}' if stands_in else ''}"
    error = parts.line(row["last_error"], 200) if row["status"] != "sent" else ""
    return parts.item(
        tone,
        f"{who}: {row['event'].replace('_', ' ')}",
        f"{words}{f': {error}' if error else ''}",
        parts.ago(row["sent_at"] or row["created_at"], view.now),
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
    listed = (
        parts.item(
            "good" if each["status"] == "resolved" else "wait",
            parts.incident_link(each),
            _ended(each),
            parts.ago(each["opened_at"], view.now),
        )
        for each in answer["similar"]
    )
    shown = parts.items(listed, "There was none like it before.")
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
