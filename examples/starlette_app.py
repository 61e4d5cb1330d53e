"""Starlette, wrapped from outside, as any ASGI application can be.

Run it with: uvicorn --app-dir examples starlette_app:app"""

from __future__ import annotations

import requestlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from stock import pieces

from logmedic.client.asgi import SelfHealing

log = requestlog.configure()


def stock(request: Request) -> JSONResponse:
    article = request.path_params["article"]
    log.info("how many of %s?", article)
    return JSONResponse({"pieces": pieces(article)})


async def order(request: Request) -> JSONResponse:
    article = request.path_params["article"]
    log.info("one %s, please", article)
    return JSONResponse({"ordered": pieces(article) > 0})


routes = [Route("/stock/{article}", stock), Route("/orders/{article}", order, methods=["POST"])]
app = SelfHealing(Starlette(routes=routes), "shop", wait=20.0)
