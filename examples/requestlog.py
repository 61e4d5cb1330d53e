"""The examples' log: each line with the id of its request, the one that the daemon's incident has."""

from __future__ import annotations

import logging

from logmedic.client import RequestIdFilter


def configure() -> logging.Logger:
    handler = logging.StreamHandler()
    handler.addFilter(RequestIdFilter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], format="%(levelname)s [%(request_id)s] %(message)s")
    return logging.getLogger("shop")
