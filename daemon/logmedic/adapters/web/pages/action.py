"""What a page asks before it does something, and what it says afterwards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from logmedic.adapters.web.html import Html, Part, element, joined
from logmedic.adapters.web.pages import parts
from logmedic.adapters.web.pages.page import View
from logmedic.adapters.web.parameters import BadRequest
from logmedic.ports import Control
from logmedic.yamldoc import parse_duration


class Kind(StrEnum):
    TEXT = "text"
    CHOICE = "choice"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Field:
    """`options`: of a choice, value and words. `help`: one line below it."""

    name: str
    label: str
    kind: Kind = Kind.TEXT
    options: tuple[tuple[str, str], ...] = ()
    required: bool = False
    longest: int = 500
    help: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """`path`: what the address names. `given`: what the address asks for, or what the form says. `by`: who; empty
    while it is only asked. `ask`: names this one order."""

    control: Control
    path: Mapping[str, str]
    given: Mapping[str, str]
    now: datetime
    by: str = ""
    ask: str = ""

    def told(self, name: str) -> str:
        return self.given.get(name, "")

    def ends(self, name: str = "for") -> datetime | None:
        """A duration from now on; None for what is no duration: a choice without an end."""
        try:
            return self.now + parse_duration(self.told(name))
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Subject:
    """What an action is about. `back`: the page of it. `filled`: what fields begin with. `hidden`: goes along with the
    form. `refused`: why it cannot be done now; then there is no form."""

    title: str
    back: str
    facts: tuple[tuple[str, Part], ...] = ()
    more: Part = None
    filled: Mapping[str, str] = field(default_factory=dict)
    hidden: Mapping[str, str] = field(default_factory=dict)
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A sentence, what to do next, and more of it. `tone`: good, bad, wait or work. `status`: 200 for what was done."""

    text: str
    hint: str = ""
    tone: str = "good"
    more: Part = None
    status: int = 200


@dataclass(frozen=True, slots=True)
class Action:
    """`path` as of routes, `title`: the question, `meaning`: what comes of it, `button`: the answer, and its `tone`:
    good, bad or main. `subject` and `call` raise what Control raises; `call` BadRequest for what a form does not say.
    `typed`: the command that does the same, or empty."""

    path: str
    title: str
    meaning: str
    button: str
    subject: Callable[[Order], Awaitable[Subject]]
    call: Callable[[Order], Awaitable[Outcome]]
    tone: str = "main"
    fields: tuple[Field, ...] = ()
    typed: Callable[[Order], str] = lambda _: ""


def check(fields: Sequence[Field], given: Mapping[str, str]) -> None:
    """Raises BadRequest."""
    for each in fields:
        value = given.get(each.name, "")
        if each.required and not value:
            raise BadRequest(f"`{each.label}` is missing", each.help)
        if len(value) > each.longest:
            raise BadRequest(f"`{each.label}` has {len(value)} characters", f"{each.longest} at most")
        if each.kind is Kind.CHOICE and value not in (known for known, _ in each.options):
            raise BadRequest(f"`{each.label}` is `{value[:40]}`", "choose one of the list")


FOR = "for"
WHY = Field("why", "Why", required=True, help="Others will wonder. It is recorded with your name.")


def lasting(*options: tuple[str, str], label: str = "For how long", name: str = FOR) -> Field:
    return Field(name, label, Kind.CHOICE, options)


# -- the page that asks ------------------------------------------------------------------------------------------------


def ask_page(action: Action, subject: Subject, order: Order, view: View, problem: str = "", hint: str = "") -> Html:
    may = view.caller.may_act
    command = action.typed(order)
    return element(
        "div",
        parts.heading(action.title, parts.line(subject.title)),
        element(
            "section",
            parts.facts(subject.facts) if subject.facts else None,
            subject.more,
            element("p", action.meaning),
            _problem(problem, hint),
            _refused(subject) if subject.refused else _form(action, subject, order, view) if may else _may_not(view),
            parts.shell(command) if command else None,
            class_="card",
        ),
        class_="order",
    )


def _problem(problem: str, hint: str) -> Html | None:
    if not problem:
        return None
    more = element("span", f" {hint}") if hint else None
    return element(
        "p", element("b", parts.line(_sentence(problem))), more, class_="problem", role="alert", id="problem"
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _refused(subject: Subject) -> Html:
    back = element("div", parts.button("Back", subject.back), class_="buttons")
    return joined(element("p", parts.line(_sentence(subject.refused), 400), class_="problem"), back)


def _may_not(view: View) -> Html:
    words = f"{parts.line(view.caller.name, 80)} may look, and not act."
    hint = "Add the name to web.operators in the config, or use sudo on the host; a token needs the scope act."
    return element("p", element("b", words), f" {hint}", class_="problem")


def _form(action: Action, subject: Subject, order: Order, view: View) -> Html:
    hidden = {**subject.hidden, "ask": order.ask, "csrf": view.caller.csrf}
    return element(
        "form",
        *(element("input", type="hidden", name_=name, value=value) for name, value in hidden.items()),
        *(_field(each, order.given.get(each.name, subject.filled.get(each.name, ""))) for each in action.fields),
        element(
            "div",
            element("button", action.button, type="submit", class_=action.tone),
            parts.button("Back", subject.back),
            class_="buttons",
        ),
        method="post",
        action="?",
    )


def _field(wanted: Field, value: str) -> Html:
    box = _box(wanted, value)
    helped = element("small", wanted.help, class_="soft help", id=f"{wanted.name}-help") if wanted.help else None
    if wanted.kind is Kind.FLAG:
        return element("label", box, element("span", wanted.label), helped, class_="flag")
    return element("label", element("span", wanted.label), box, helped)


def _box(wanted: Field, value: str) -> Html:
    described = f"{wanted.name}-help" if wanted.help else None
    match wanted.kind:
        case Kind.FLAG:
            return element("input", type="checkbox", name_=wanted.name, value="yes", checked=value == "yes")
        case Kind.CHOICE:
            options = (element("option", words, value=told, selected=told == value) for told, words in wanted.options)
            return element("select", *options, name_=wanted.name, aria_describedby=described)
    return element(
        "input",
        type="text",
        name_=wanted.name,
        value=value[: wanted.longest],
        maxlength=str(wanted.longest),
        required=wanted.required,
        autocomplete="off",
        aria_describedby=described,
    )


# -- the page that tells -----------------------------------------------------------------------------------------------


def outcome_page(subject: Subject, outcome: Outcome, *, again: bool) -> Html:
    """`again`: the form was sent before, and this is what came of it then."""
    twice = "This form was sent before: it was done once, and this is what came of it."
    return element(
        "div",
        parts.heading("Done" if outcome.status == 200 else "Not done", parts.line(subject.title)),
        element(
            "section",
            element("p", parts.line(_sentence(outcome.text), 600)),
            element("p", "Next: ", parts.line(outcome.hint, 400)) if outcome.hint else None,
            element("p", twice, class_="soft") if again else None,
            outcome.more,
            element(
                "div",
                parts.button("Back to it", subject.back, "main"),
                parts.button("Needs you", "/"),
                class_="buttons",
            ),
            class_=f"card said {outcome.tone}",
            role="status",
        ),
        class_="order",
    )
