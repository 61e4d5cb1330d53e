"""Our own style and scripts, and the few libraries beside them: read once, named by what they hold."""

from __future__ import annotations

from hashlib import sha256
from importlib import resources
from pathlib import PurePosixPath

from starlette.requests import Request
from starlette.responses import Response

from logmedic.model.errors import NotFound

_KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_FOREVER = "public, max-age=31536000, immutable"
NAMES = (
    "tokens.css",
    "style.css",
    "charts.css",
    "icon.svg",
    "live.js",
    "charts.js",
    "vendor/htmx.min.js",
    "vendor/idiomorph-ext.min.js",
    "vendor/uPlot.iife.min.js",
    "vendor/uPlot.min.css",
)


def _read(name: str) -> bytes:
    return resources.files("logmedic.adapters.web").joinpath("static", *name.split("/")).read_bytes()


_FILES = {name: _read(name) for name in NAMES}
_STAMPS = {name: sha256(content).hexdigest()[:16] for name, content in _FILES.items()}


def address(name: str) -> str:
    """Changes with what the file holds, so that a browser may keep it for ever. Raises KeyError."""
    return f"/static/{_STAMPS[name]}/{name}"


async def serve(request: Request) -> Response:
    """Raises NotFound. A file of an older version is answered by that of this one, and not kept."""
    name = request.path_params["name"]
    if name not in _FILES:
        raise NotFound("there is no such file")
    kept = _FOREVER if request.path_params["stamp"] == _STAMPS[name] else "no-store"
    kind = _KINDS[PurePosixPath(name).suffix]
    return Response(_FILES[name], headers={"content-type": kind, "cache-control": kept})
