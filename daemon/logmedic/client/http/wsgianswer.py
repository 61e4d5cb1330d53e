"""A WSGI application's answer: not begun before its first chunk is there, so that an error before it can be healed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Protocol

from logmedic.client import requestid

Write = Callable[[bytes], object]
ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]


class StartResponse(Protocol):
    def __call__(
        self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None, /
    ) -> Callable[[bytes], object]: ...


class Started:
    """The application's `start_response`: the server's is called by `commit`, or by the first `write`.

    `begun`: it worked, and cannot be taken back; `tried`: it was called. `error`: what the application says that its
    page is about (exc_info). `lost`: the server's error when the caller had gone."""

    def __init__(self, start_response: StartResponse, header: str, request_id: str) -> None:
        self._server = start_response
        self._header = (header, request_id)
        self._headers: list[tuple[str, str]] | None = None
        self._status = ""
        self._write: Write | None = None
        self.tried = False
        self.error: Exception | None = None
        self.lost: OSError | None = None

    def __call__(self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None, /) -> Write:
        if self.begun:  # the server raises the application's error, or says that this is one
            return self._server(status, headers, exc_info)
        if self._headers is not None and exc_info is None:
            raise AssertionError("start_response was called twice, the second time without exc_info (PEP 3333)")
        if exc_info is not None and isinstance(exc_info[1], Exception):
            self.error = exc_info[1]
        self._status, self._headers = status, self._with_id(headers)
        return self.write

    @property
    def begun(self) -> bool:
        return self._write is not None

    @property
    def status(self) -> int:
        """0: not said."""
        return int(self._status[:3]) if self._status[:3].isdecimal() else 0

    def write(self, chunk: bytes) -> None:
        try:
            self.commit()(chunk)
        except OSError as error:
            self.lost = error
            raise

    def commit(self) -> Write:
        if self._write is None:
            if self._headers is None:
                raise AssertionError("the application answered before it called start_response (PEP 3333)")
            self.tried = True
            self._write = self._server(self._status, self._headers)
        return self._write

    def _with_id(self, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """With the header, unless the application has set it itself."""
        given = any(name.lower() == self._header[0] for name, _ in headers)
        return list(headers) if given else [*headers, self._header]


class Answer:
    """What the application returned, read as far as its first chunk. Raises what that raises, and closes it then.

    Lists and the server's own file wrapper have no errors to come, and servers treat them better than others: these are
    `served` as they are."""

    def __init__(
        self, result: Iterable[bytes], environ: dict[str, Any], request_id: str, on_error: Callable[[Exception], None]
    ) -> None:
        self._result = result
        self._on_error = on_error
        self._request_id = request_id
        self._plain = isinstance(result, list | tuple) or _is_file(result, environ.get("wsgi.file_wrapper"))
        self._first: bytes | None = None
        self._rest: Iterator[bytes] = iter(())
        if not self._plain:
            self._read_first()

    def served(self) -> Iterable[bytes]:
        return self._result if self._plain else self

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        with requestid.bound(self._request_id):
            try:
                return next(self._rest)
            except StopIteration:
                raise
            except Exception as error:
                self._on_error(error)
                raise

    def close(self) -> None:
        with requestid.bound(self._request_id):
            try:
                closed(self._result)
            except Exception as error:
                self._on_error(error)
                raise

    def _read_first(self) -> None:
        try:
            self._rest = iter(self._result)
            self._first = next(self._rest, None)
        except BaseException:
            closed(self._result)
            raise


def closed(result: Iterable[bytes]) -> None:
    close = getattr(result, "close", None)
    if close is not None:
        close()


def _is_file(result: Iterable[bytes], wrapper: Any) -> bool:
    return isinstance(wrapper, type) and isinstance(result, wrapper)
