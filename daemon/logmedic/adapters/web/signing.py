"""The pages that let people in, and out."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from logmedic.adapters.web.callers import Caller
from logmedic.adapters.web.entrance import SIGN_IN, SIGN_OUT, entrance_of, local_path
from logmedic.adapters.web.html import Html, Part, element, joined
from logmedic.adapters.web.pages import forms, layout
from logmedic.adapters.web.parameters import Forbidden
from logmedic.adapters.web.refusals import status_of
from logmedic.adapters.web.sessions import Ticket
from logmedic.adapters.web.tokens import LONGEST
from logmedic.adapters.web.troubles import trouble
from logmedic.model.errors import LogmedicError

TITLE = "Sign in"


def routes() -> list[Route]:
    """On the Unix socket everybody is known already: there they lead to the first page."""
    return [
        Route(SIGN_IN, _guarded(_sign_in), methods=["GET", "POST"]),
        Route(SIGN_OUT, _guarded(_leave), methods=["POST"]),
    ]


def _guarded(answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        try:
            return await answer(request)
        except LogmedicError as error:
            return trouble(request, error)

    return respond


async def _sign_in(request: Request) -> Response:
    return await (_enter(request) if request.method == "POST" else _ask(request))


async def _ask(request: Request) -> Response:
    caller: Caller = request.state.caller
    onward = local_path(request.query_params.get("next", "/"))
    if caller.door != "none":
        return RedirectResponse(onward, 303)
    entrance = entrance_of(request)
    secret = request.query_params.get("ticket", "")
    if not secret:
        cross = request.headers.get("sec-fetch-site") == "cross-site"
        return _page(joined(by_token(onward), _go_on(onward) if cross else None))
    ticket = entrance.tickets.seen(secret, entrance.clock())
    return _page(by_ticket(ticket, secret, onward)) if ticket is not None else _page(stale(onward), status=401)


async def _enter(request: Request) -> Response:
    """Signing in again takes the place of the session before."""
    entrance, form = entrance_of(request), await forms.read(request)
    onward = local_path(form.get("next", "/"))
    try:
        if "ticket" in form:
            session = await entrance.by_ticket(form["ticket"], request)
        else:
            session = await entrance.by_token(form.get("token", ""), request)
    except LogmedicError as error:
        return _page(by_token(onward, error.text, error.hint), status=status_of(error))
    return entrance.with_cookie(RedirectResponse(onward, 303), session)


async def _leave(request: Request) -> Response:
    entrance, caller = entrance_of(request), request.state.caller
    form = await forms.read(request)
    session = await entrance.session_of(request)
    if caller.door != "session" or session is None:
        raise Forbidden("there is no session to end", "close the window")
    if not hmac.compare_digest(form.get("csrf", "").encode(), caller.csrf.encode()):
        raise Forbidden("this form is not of your session", "open the page again, and send its form")
    entrance.sessions.end(session, entrance.clock())
    return entrance.with_cookie(RedirectResponse(SIGN_IN, 303), None)


def by_token(onward: str, problem: str = "", hint: str = "") -> Html:
    box = element(
        "input",
        type="password",
        id="token",
        name_="token",
        required=True,
        maxlength=str(LONGEST),
        autocomplete="current-password",
        autofocus=True,
    )
    return element(
        "section",
        element("h1", TITLE),
        element("p", f"{_sentence(problem)}. {_sentence(hint)}.", class_="bad", role="alert") if problem else None,
        _form(onward, element("label", "Token", for_="token"), box),
        element(
            "p",
            "On the host, ",
            element("code", "logmedic dashboard"),
            " prints a link that signs you in; ",
            element("code", "logmedic token new NAME"),
            " makes a token.",
            class_="soft",
        ),
        class_="card",
    )


def _go_on(onward: str) -> Html:
    """Behind a link on another site browsers hold the session back: the next step is our own, and brings it along."""
    return element("p", element("a", "I have signed in already", href=onward))


def by_ticket(ticket: Ticket, secret: str, onward: str) -> Html:
    """A link alone signs nobody in: programs open links before people do."""
    right = "may act" if ticket.may_act else "may look, and not act"
    hidden = element("input", type="hidden", name_="ticket", value=secret)
    return element(
        "section",
        element("h1", TITLE),
        element("p", f"As {ticket.name}, who {right}."),
        _form(onward, hidden),
        class_="card",
    )


def stale(onward: str) -> Html:
    again = element("p", "It works once, and for a minute. ", element("code", "logmedic dashboard"), " prints another.")
    other = element("p", element("a", "Sign in with a token", href=f"{SIGN_IN}?{urlencode({'next': onward})}"))
    return element("section", element("h1", "This link is used up"), again, other, class_="card")


def _form(onward: str, *fields: Part) -> Html:
    return element(
        "form",
        element("input", type="hidden", name_="next", value=onward),
        *fields,
        element("div", element("button", TITLE, type="submit"), class_="buttons"),
        method="post",
        action=SIGN_IN,
    )


def _page(content: Html, status: int = 200) -> Response:
    return Response(layout.bare(TITLE, content), status, media_type="text/html")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
