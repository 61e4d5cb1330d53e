"""FastAPI. Run it with: uvicorn --app-dir examples fastapi_app:app

While the stock service is down, GET /stock/7 waits for the daemon's fix and is then answered; POST /orders/7 is not
repeated (it may have been done), and its caller is told when to come back."""

from __future__ import annotations

import requestlog
from fastapi import FastAPI
from stock import pieces

from logmedic.client.asgi import SelfHealing

log = requestlog.configure()
app = FastAPI()
app.add_middleware(SelfHealing, component="shop", wait=20.0)


@app.get("/stock/{article}")
def stock(article: str) -> dict[str, int]:
    log.info("how many of %s?", article)
    return {"pieces": pieces(article)}


@app.post("/orders/{article}")
async def order(article: str) -> dict[str, bool]:
    log.info("one %s, please", article)
    return {"ordered": pieces(article) > 0}
