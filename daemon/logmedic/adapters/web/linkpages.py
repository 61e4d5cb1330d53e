"""The pages behind links, as HTML: one look says what it is about, one form decides. They work without scripts."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from hashlib import sha256
from importlib import resources
from typing import Any

from logmedic.adapters.web.doors import LONGEST_NAME
from logmedic.adapters.web.html import Html, document, element, joined, style
from logmedic.core.links import ANSWERS, Purpose

Row = Mapping[str, Any]

LONGEST_WHY = 200
LOOKS_AGAIN_S = 5
"""A page that shows a fix at work, and asks nothing."""
_CSS = "".join(
    resources.files("logmedic.adapters.web").joinpath(*name).read_text(encoding="utf-8")
    for name in (("static", "tokens.css"), ("links.css",))
)
POLICY = (
    "default-src 'none'; "
    f"style-src 'sha256-{base64.b64encode(sha256(_CSS.encode()).digest()).decode()}'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""Nothing but our own style is loaded, and nothing runs, whatever a log line brings along."""

_QUESTIONS = {
    Purpose.APPROVE: "Let this fix run?",
    Purpose.REJECT: "Keep this fix from running?",
    Purpose.ACK: "Take care of it?",
    Purpose.SILENCE: "Tell nobody of it for a while?",
}
_MEANINGS = {
    Purpose.APPROVE: "It runs once, within the limits that every fix has, and whether it helped is checked.",
    Purpose.REJECT: "It is not run, until the next match asks again.",
    Purpose.ACK: "Nobody is reminded of it, and nobody else is called.",
    Purpose.SILENCE: "Nobody is told of it. Fixes go on as before.",
}
_BUTTONS = {
    Purpose.APPROVE: "Approve",
    Purpose.REJECT: "Reject",
    Purpose.ACK: "I take care of it",
    Purpose.SILENCE: "Silence",
}
_SPANS = {
    Purpose.ACK: (("over", "until it is over"), ("4h", "for 4 hours")),
    Purpose.SILENCE: (("1h", "1 hour"), ("4h", "4 hours"), ("24h", "24 hours")),
}


def page(row: Row, signed_in: str = "", *, form: Mapping[str, str] | None = None, problem: str = "") -> str:
    """`row`: of ports.LinkDesk. `form`: what was filled in before, and has a `problem`."""
    allowed = [Purpose(each) for each in row["allowed"]] if row["outcome"] is None else []
    looks_again = row["moving"] and not allowed
    head = _head(f"{_title(row)} - logmedic on {row['host']}", LOOKS_AGAIN_S if looks_again else 0)
    middle = [_would(row), _form(row, allowed, signed_in, form or {}, problem) if allowed else None]
    body = joined(
        element("header", element("b", row["host"]), f" - logmedic, incident {row['id']}"),
        element(
            "main",
            _top(row),
            _outcome(row) if row["outcome"] is not None else _refused(row),
            *(middle if row["purpose"] in ANSWERS else reversed(middle)),
            _facts(row),
            _evidence(row),
            _timeline(row),
        ),
        _foot(row, looks_again=looks_again),
    )
    return document(head, body)


def trouble(text: str, hint: str) -> str:
    """Where there is nothing to show."""
    told = element("section", element("h1", _sentence(text)), element("p", hint) if hint else None)
    body = joined(element("header", element("b", "logmedic")), element("main", told))
    return document(_head("logmedic"), body)


def _head(title: str, again_s: int = 0) -> Html:
    return joined(
        element("meta", charset="utf-8"),
        element("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name_="color-scheme", content="light dark"),
        element("meta", name_="robots", content="noindex, nofollow"),
        element("meta", http_equiv="refresh", content=str(again_s)) if again_s else None,
        element("title", title),
        style(_CSS),
    )


def _title(row: Row) -> str:
    purpose = Purpose(row["purpose"])
    return _BUTTONS[purpose] if purpose in _BUTTONS and row["allowed"] else "Incident"


def _top(row: Row) -> Html:
    return element(
        "section",
        element("span", row["severity"], class_=f"severity {row['severity']}"),
        element("h1", row["title"]),
        element("p", row["state"], class_=f"state {row['tone']}"),
    )


def _outcome(row: Row) -> Html:
    told = row["outcome"]
    return _said(told, "good" if told["done"] else "wait", again=True)


def _refused(row: Row) -> Html | None:
    return _said(row["refused"], "wait") if row["refused"] else None


def _said(told: Row, tone: str, *, again: bool = False) -> Html:
    return element(
        "section",
        element("p", _sentence(told["text"])),
        element("p", "Next: ", told["hint"]) if told["hint"] else None,
        element("p", element("a", "See how it is now", href="?")) if again else None,
        class_=f"said {tone}",
        role="status",
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _would(row: Row) -> Html | None:
    if not row["would"]:
        return None
    steps = (element("li", each) for each in row["would"])
    several = "The first step that helps is the last one that runs."
    more = element("p", several, class_="soft") if len(row["would"]) > 1 else None
    return element("section", element("h2", "What the fix does"), element("ol", *steps, class_="steps"), more)


def _form(row: Row, allowed: list[Purpose], signed_in: str, filled: Mapping[str, str], problem: str) -> Html:
    main = Purpose(row["purpose"])
    return element(
        "section",
        element("h2", _QUESTIONS[main]),
        element("p", _MEANINGS[main]),
        element("p", _sentence(problem), class_="bad", role="alert") if problem else None,
        element(
            "form",
            element("button", type="submit", disabled=True, hidden=True),  # Enter in a field presses the first one
            _spans(main, filled) if main in _SPANS else None,
            _field("why", "Why", filled, LONGEST_WHY) if main is Purpose.SILENCE else None,
            element("p", f"You are signed in as {signed_in}.")
            if signed_in
            else _field("name", "Your name", filled, LONGEST_NAME, autocomplete="name"),
            element("div", *(_button(each) for each in Purpose if each in allowed), class_="buttons"),
            method="post",
            action="?",
        ),
        element("p", f"This link expires {row['expires']}. Your name and your address are recorded.", class_="soft"),
    )


def _button(purpose: Purpose) -> Html:
    return element("button", _BUTTONS[purpose], type="submit", name_="do", value=purpose.value, class_=purpose.value)


def _field(name: str, label: str, filled: Mapping[str, str], longest: int, autocomplete: str = "off") -> Html:
    box = element(
        "input",
        type="text",
        id=name,
        name_=name,
        value=filled.get(name, "")[:longest],
        required=True,
        maxlength=str(longest),
        autocomplete=autocomplete,
    )
    return joined(element("label", label, for_=name), box)


def _spans(purpose: Purpose, filled: Mapping[str, str]) -> Html:
    chosen = filled.get("for") or _SPANS[purpose][0][0]
    choices = (
        element("label", element("input", type="radio", name_="for", value=value, checked=value == chosen), f" {words}")
        for value, words in _SPANS[purpose]
    )
    return element("fieldset", element("legend", "For how long"), *choices)


def _facts(row: Row) -> Html:
    pairs = (joined(element("dt", each["name"]), element("dd", each["text"])) for each in row["facts"])
    return element("section", element("dl", *pairs))


def _evidence(row: Row) -> Html | None:
    if not row["evidence"]:
        return None
    return element("section", element("h2", "The log line"), element("pre", row["evidence"], tabindex="0"))


def _timeline(row: Row) -> Html | None:
    if not row["timeline"]:
        return None
    lines = (element("li", element("time", each["at"]), each["text"]) for each in row["timeline"])
    earlier = f"{row['earlier']} earlier ones are left out" if row["earlier"] else ""
    return element(
        "details",
        element("summary", "What happened so far"),
        element("p", earlier, class_="soft") if earlier else None,
        element("ol", *lines, class_="timeline"),
        open=True,
    )


def _foot(row: Row, *, looks_again: bool) -> Html:
    book = element("a", "Runbook", href=row["runbook"], rel="noreferrer noopener") if row["runbook"] else None
    return element(
        "footer",
        element("p", book) if book is not None else None,
        element("p", "In a shell on the host: ", element("code", row["command"]), class_="soft"),
        element("p", f"This page looks again every {LOOKS_AGAIN_S} seconds.", class_="soft") if looks_again else None,
    )
