"""A small web service that really breaks. Standard library only; run as `python shop.py DIRECTORY PORT`.

GET /prices    needs cache/prices.bin to begin with OK; a missing one is rebuilt, a corrupt one is not served
GET /pay       needs certs/gateway.pem to hold VALID
GET /invoice   works, unless a customer's country has no VAT rate (and one has not)
GET /healthz/prices, /healthz/pay    200 or 503
"""

from __future__ import annotations

import logging
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

HOME = Path(sys.argv[1]) if len(sys.argv) == 3 else Path()
VAT = {"AT": 20, "DE": 19}
ORDERS = count(4711)


class Broken(Exception):
    """The request cannot be served; the text is what the log says."""


def prices() -> str:
    shard = HOME / "cache" / "prices.bin"
    if not shard.exists():
        shard.write_bytes(b"OK 3 prices")
        logging.getLogger("shop.cache").info("cache shard prices rebuilt")
    if not shard.read_bytes().startswith(b"OK"):
        raise Broken("cache shard prices is corrupt, no prices are served")
    return "apples 1.20"


def pay() -> str:
    if "VALID" not in (HOME / "certs" / "gateway.pem").read_text():
        raise Broken("gateway pay.example refused order payment: certificate has expired")
    return "paid"


def invoice() -> str:
    order = next(ORDERS)
    country = "CH" if (HOME / "expansion").exists() else "AT"
    return f"order {order}: {VAT[country]} % VAT"


class Shop(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        match self.path:
            case "/prices" | "/healthz/prices":
                self._serve(prices, "shop.cache")
            case "/pay" | "/healthz/pay":
                self._serve(pay, "shop.payments")
            case "/invoice":
                self._invoice()
            case _:
                self._answer(404, "no such page")

    def _serve(self, make: Any, component: str) -> None:
        try:
            self._answer(200, make())
        except (Broken, OSError) as error:
            if not self.path.startswith("/healthz"):
                logging.getLogger(component).error("%s", error)
            self._answer(503, str(error))

    def _invoice(self) -> None:
        try:
            self._answer(200, invoice())
        except KeyError:
            logging.getLogger("shop.invoices").exception("invoice for order %d could not be made", next(ORDERS))
            self._answer(500, "no invoice")

    def _answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """Access lines would only hide the errors."""


if __name__ == "__main__":
    logging.basicConfig(
        filename=HOME / "log" / "shop.log", format="%(asctime)s %(levelname)s %(name)s: %(message)s", level="INFO"
    )
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Shop).serve_forever()
