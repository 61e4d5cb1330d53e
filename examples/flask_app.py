"""Flask, on any WSGI server: gunicorn --chdir examples flask_app:app"""

from __future__ import annotations

import requestlog
from flask import Flask, got_request_exception
from stock import pieces

from logmedic.client.wsgi import SelfHealing, on_request_exception

log = requestlog.configure()
app = Flask(__name__)
got_request_exception.connect(on_request_exception, app)  # Flask answers its errors itself: this says which they were
app.wsgi_app = SelfHealing(app.wsgi_app, "shop", wait=20.0)


@app.get("/stock/<article>")
def stock(article: str) -> dict[str, int]:
    log.info("how many of %s?", article)
    return {"pieces": pieces(article)}


@app.post("/orders/<article>")
def order(article: str) -> dict[str, bool]:
    log.info("one %s, please", article)
    return {"ordered": pieces(article) > 0}
