"""Self-healing for WSGI applications: Flask, Django, and any other.

    app.wsgi_app = SelfHealing(app.wsgi_app, "shop")               # Flask
    application = SelfHealing(get_wsgi_application(), "shop")      # Django

When the application raises before its answer has begun (its first chunk included), the error is logged and reported,
and the daemon is asked whether it mends the cause; the thread of the request waits. A request that may be repeated
(GET, HEAD, OPTIONS; any with `repeat=True`) runs once more after a verified fix; else its caller gets 503 with
Retry-After. When the answer has begun, the error is reported and raised on.

Flask and Django answer their errors themselves, so that nothing reaches what is around them. Connect their signal,
which is the way for both:

    from flask import got_request_exception            # or: from django.core.signals import got_request_exception
    from logmedic.client.wsgi import on_request_exception

    got_request_exception.connect(on_request_exception)

Reports then say the route (`GET /stock/<article>`), not the path. Or let them raise: `PROPAGATE_EXCEPTIONS` of Flask's
config, `DEBUG_PROPAGATE_EXCEPTIONS` of Django's settings. Then they do not log the error either."""

from __future__ import annotations

from collections.abc import Iterable

from logmedic.client.http.httppolicy import Around
from logmedic.client.http.noticed import on_request_exception as on_request_exception
from logmedic.client.http.wsgianswer import StartResponse
from logmedic.client.http.wsgirequest import App, Environ, Request


class SelfHealing(Around[App]):
    """Its options are those of `httppolicy.Around`. Who waits keeps a thread of the server from everybody else: for one
    with many threads `max_waiting` may be higher."""

    MAX_WAITING = 4

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        return Request(self.app, self.policy, environ, start_response).run()
