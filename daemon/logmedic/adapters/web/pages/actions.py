"""All that can be done from a page. Each action is asked first (GET changes nothing), and done once (POST)."""

from __future__ import annotations

import hmac
import secrets
from datetime import UTC, datetime

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from logmedic.adapters.web.callers import Caller
from logmedic.adapters.web.html import Html
from logmedic.adapters.web.pages import (
    alertacts,
    fixacts,
    forms,
    incidentacts,
    issueacts,
    layout,
    ruleacts,
    silenceacts,
)
from logmedic.adapters.web.pages.action import Action, Order, Outcome, Subject, ask_page, check, outcome_page
from logmedic.adapters.web.pages.asks import Asks
from logmedic.adapters.web.pages.page import View
from logmedic.adapters.web.pages.troubles import shown
from logmedic.adapters.web.pages.viewing import view_of
from logmedic.adapters.web.parameters import BadRequest, Forbidden
from logmedic.adapters.web.refusals import status_of
from logmedic.core.evidence import clean
from logmedic.model.errors import PermanentError, TransientError
from logmedic.ports import Control

log = structlog.get_logger("logmedic.web")

ACTIONS: tuple[Action, ...] = (
    *incidentacts.ACTIONS,
    *fixacts.ACTIONS,
    *issueacts.ACTIONS,
    *ruleacts.ACTIONS,
    *alertacts.ACTIONS,
    *silenceacts.ACTIONS,
)
SHORTEST_ASK, LONGEST_ASK = 16, 64


def routes(control: Control) -> list[Route]:
    asks = Asks[Outcome]()
    return [each for action in ACTIONS for each in (_asking(control, action), _doing(control, action, asks))]


def _asking(control: Control, action: Action) -> Route:
    async def answer(request: Request) -> Response:
        view = await view_of(control, request)
        order = Order(control, request.path_params, view.query, view.now, ask=secrets.token_urlsafe(18))
        return _framed(action, ask_page(action, await action.subject(order), order, view), view)

    return Route(action.path, shown(answer), methods=["GET"])


def _doing(control: Control, action: Action, asks: Asks[Outcome]) -> Route:
    async def answer(request: Request) -> Response:
        view = await view_of(control, request)
        order = await _order(control, request, view)
        subject = await _subject(action, order)
        try:
            key = "\n".join((order.by, str(request.url.path), order.ask))
            outcome, first = await asks.once(key, lambda: _done(action, order))
        except (BadRequest, TransientError) as error:
            page = ask_page(action, subject, order, view, error.text, error.hint)
            return _framed(action, page, view, status_of(error))
        if first and outcome.status == 200:  # as of the API
            log.info("acted", by=order.by, door=view.caller.door, what=clean(f"POST {view.path}", 200, keep=""))
        return _framed(action, outcome_page(subject, outcome, again=not first), view, outcome.status)

    return Route(action.path, shown(answer), methods=["POST"])


async def _order(control: Control, request: Request, view: View) -> Order:
    """Raises Forbidden, BadRequest."""
    caller: Caller = request.state.caller
    if not caller.may_act:
        raise Forbidden(f"{caller.name} may look, and not act", "see web.operators in the config, or use sudo")
    form = await forms.read(request)
    if caller.csrf and not hmac.compare_digest(form.get("csrf", "").encode(), caller.csrf.encode()):
        raise Forbidden("this form is not of your session", "open the page again, and send its form")
    ask = form.get("ask", "")
    if not SHORTEST_ASK <= len(ask) <= LONGEST_ASK:
        raise BadRequest("this form has no number", "open the page again, and send its form")
    given = {name: value for name, value in form.items() if name not in ("csrf", "ask")}
    return Order(control, request.path_params, given, datetime.now(UTC), caller.name, ask)


async def _subject(action: Action, order: Order) -> Subject:
    """While nobody can say what it is about, the form stays nevertheless."""
    try:
        return await action.subject(order)
    except TransientError:
        names = {each.name for each in action.fields}
        return Subject("", "/", hidden={name: value for name, value in order.given.items() if name not in names})


async def _done(action: Action, order: Order) -> Outcome:
    """A refusal is an outcome: it stays what came of this form. What may succeed later, or says too little, is none."""
    check(action.fields, order.given)
    try:
        return await action.call(order)
    except PermanentError as error:
        return Outcome(error.text, error.hint, "bad", status=status_of(error))


def _framed(action: Action, content: Html, view: View, status: int = 200) -> Response:
    return Response(layout.framed(action.title, content, view, machine=False), status, media_type="text/html")
