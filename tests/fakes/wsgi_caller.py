"""A WSGI server with one caller, between which and the application stands the standard library's validator."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

Environ = dict[str, Any]


@dataclass
class Caller:
    """`valid` False: without the validator, for what it does not allow."""

    method: str = "GET"
    path: str = "/pay"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    valid: bool = True
    environ: Environ = field(default_factory=dict)
    started: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.environ |= {"REQUEST_METHOD": self.method, "PATH_INFO": self.path, "SCRIPT_NAME": ""}
        self.environ |= {"CONTENT_LENGTH": str(len(self.body)), "wsgi.input": BytesIO(self.body)}
        self.environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.headers.items()}
        setup_testing_defaults(self.environ)
        self.environ["QUERY_STRING"] = ""

    def start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[..., None]:
        if exc_info is not None and self.chunks:
            raise exc_info[1]
        assert not self.started or exc_info is not None, "an answer begins once"
        self.started[:] = [(status, dict(headers))]
        return self.chunks.append

    def call(self, app: Callable[..., Iterable[bytes]]) -> Caller:
        result = (validator(app) if self.valid else app)(self.environ, self.start_response)
        try:
            self.chunks.extend(result)
        finally:
            if hasattr(result, "close"):
                result.close()
        return self

    @property
    def status(self) -> int:
        return int(self.started[0][0][:3])

    @property
    def answered(self) -> dict[str, str]:
        return self.started[0][1]

    @property
    def text(self) -> bytes:
        return b"".join(self.chunks)

    @property
    def said(self) -> Any:
        return json.loads(self.text)
