"""What was tried on an incident: each step as it was run, with what it said and what came of it."""

from __future__ import annotations

from collections.abc import Iterator

from logmedic.adapters.web.html import Html, Part, element
from logmedic.adapters.web.pages import parts
from logmedic.adapters.web.pages.page import View

Row = parts.Row
FOLDED_FROM = 400
"""Characters of output that are shown at once; what is longer is folded."""


def card(row: Row, view: View) -> Html | None:
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
