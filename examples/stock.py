"""What the examples depend on: a service on this host that says how many pieces of an article there are."""

from __future__ import annotations

import os
from http.client import HTTPConnection


def pieces(article: str) -> int:
    """Raises OSError while the service is down."""
    service = HTTPConnection(os.environ.get("STOCK_SERVICE", "127.0.0.1:9100"), timeout=2)
    try:
        service.request("GET", f"/{article}")
        return int(service.getresponse().read())
    finally:
        service.close()
