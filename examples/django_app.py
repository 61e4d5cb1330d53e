"""Django, in one file, on any WSGI server: gunicorn --chdir examples django_app:application"""

from __future__ import annotations

import django
import requestlog
from django.conf import settings
from django.core.management.utils import get_random_secret_key
from django.core.signals import got_request_exception
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path
from stock import pieces

from logmedic.client.wsgi import SelfHealing, on_request_exception

settings.configure(
    ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1"], SECRET_KEY=get_random_secret_key(), LOGGING_CONFIG=None
)
django.setup()
log = requestlog.configure()
got_request_exception.connect(on_request_exception)  # Django answers its errors itself: this says which they were


def stock(_: HttpRequest, article: str) -> JsonResponse:
    log.info("how many of %s?", article)
    return JsonResponse({"pieces": pieces(article)})


def order(_: HttpRequest, article: str) -> JsonResponse:
    log.info("one %s, please", article)
    return JsonResponse({"ordered": pieces(article) > 0})


urlpatterns = [path("stock/<article>", stock), path("orders/<article>", order)]
application = SelfHealing(get_wsgi_application(), "shop", wait=20.0)
