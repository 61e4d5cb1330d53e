"""The pages on their paths: HTML for people, the same as JSON for programs, and the files beside them."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from logmedic.adapters.web.pages import (
    actions,
    alerts,
    draft,
    fixes,
    incident,
    incidents,
    layout,
    learned,
    learnedissue,
    live,
    needs,
    pulse,
    rule,
    rules,
    static,
)
from logmedic.adapters.web.pages.page import Page
from logmedic.adapters.web.pages.troubles import shown
from logmedic.adapters.web.pages.viewing import view_of
from logmedic.adapters.web.refusals import refusal
from logmedic.model.errors import LogmedicError
from logmedic.ports import Control

PAGES: tuple[Page, ...] = (
    needs.PAGE,
    incidents.PAGE,
    incident.PAGE,
    fixes.PAGE,
    pulse.PAGE,
    learned.PAGE,
    learnedissue.PAGE,
    rules.PAGE,
    rule.PAGE,
    alerts.PAGE,
    live.PAGE,
    draft.PAGE,
)


def routes(control: Control) -> list[Route]:
    """The machine's path of a page comes first: `{id}` would take its `.json` along."""
    served = [each for page in PAGES for each in (_machine(control, page), _human(control, page))]
    files = Route("/static/{stamp}/{name:path}", shown(static.serve), methods=["GET"])
    return [files, _navigation(control), draft.download(control), *actions.routes(control), *served]


def _navigation(control: Control) -> Route:
    """Of the page at `at`, alone: what waits on the others may change while that one does not."""

    async def answer(request: Request) -> Response:
        view = replace(await view_of(control, request), path=request.query_params.get("at", "/"))
        return Response(layout.navigation(view), media_type="text/html")

    return Route("/navigation", shown(answer), methods=["GET"])


def _machine(control: Control, page: Page) -> Route:
    async def answer(request: Request) -> Response:
        try:
            return JSONResponse(await page.gather(control, request))
        except LogmedicError as error:
            return refusal(error)

    return Route(f"{'/needs-you' if page.path == '/' else page.path}.json", answer, methods=["GET"])


def _human(control: Control, page: Page) -> Route:
    async def answer(request: Request) -> Response:
        gathered = await page.gather(control, request)
        view = await view_of(control, request)
        return Response(layout.whole(page, gathered, view), media_type="text/html")

    return Route(page.path, shown(answer), methods=["GET"])
