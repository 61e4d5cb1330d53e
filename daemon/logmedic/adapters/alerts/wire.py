"""Change what Apprise's plugins put on the wire: the content as its format says, the address as the receiver says.

As watch.py, for the life of the process. Installed before it, so that it sees what really left.
"""

from __future__ import annotations

import json
import smtplib
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests  # type: ignore[import-untyped,unused-ignore]

from logmedic.adapters.alerts.formats.shape import Request, Shape

_BODIES = ("data", "json")


class Wire:
    """`shape` None: the content stays as it is. `endpoint` empty: the address does."""

    def __init__(self) -> None:
        self.shape: Shape | None = None
        self.endpoint = ""

    def install(self) -> None:
        for owner, name, over in (
            (requests.Session, "request", self._over_http),
            (smtplib.SMTP, "sendmail", self._over_smtp),
        ):
            setattr(owner, name, over(getattr(owner, name)))

    def _over_http(self, genuine: Callable[..., requests.Response]) -> Callable[..., requests.Response]:
        @wraps(genuine)
        def request(session: requests.Session, method: str, url: str, **kwargs: Any) -> requests.Response:
            address, told = self._shaped(url, kwargs)
            return genuine(session, method, moved(address, self.endpoint), **told)

        return request

    def _over_smtp(self, genuine: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(genuine)
        def sendmail(session: smtplib.SMTP, sender: str, to: Any, letter: str, *rest: Any, **more: Any) -> Any:
            told = self.shape.letter(letter) if self.shape is not None else letter
            return genuine(session, sender, to, told, *rest, **more)

        return sendmail

    def _shaped(self, url: str, kwargs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        payload = _payload_of(kwargs)
        if self.shape is None or payload is None:
            return url, dict(kwargs)
        asked = Request(url, payload, dict(kwargs.get("headers") or {}))
        shaped = self.shape.shaped(asked)
        if shaped is asked:
            return url, dict(kwargs)
        rest = {name: value for name, value in kwargs.items() if name not in _BODIES}
        return shaped.url, {**rest, "data": json.dumps(shaped.payload).encode()}


def _payload_of(kwargs: Mapping[str, Any]) -> dict[str, Any] | None:
    """The JSON object that is posted, if it is one."""
    if isinstance(kwargs.get("json"), dict):
        return dict(kwargs["json"])
    content = kwargs.get("data")
    if not isinstance(content, str | bytes) or kwargs.get("files"):
        return None
    try:
        parsed = json.loads(content)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def moved(url: str, endpoint: str) -> str:
    """`url` on the server that `endpoint` names, below its path."""
    if not endpoint:
        return url
    there, here = urlsplit(endpoint), urlsplit(url)
    return urlunsplit((there.scheme, there.netloc, there.path.rstrip("/") + here.path, here.query, here.fragment))
