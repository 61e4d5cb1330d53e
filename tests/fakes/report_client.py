"""The client under test: closed at the end, and its thread had no fault of its own."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from logmedic.client.client import Client

DAEMON = str(Path(__file__).parents[2] / "daemon")
TESTS = str(Path(__file__).parents[1])


@contextmanager
def client_of(path: Path | str, **settings: Any) -> Iterator[Client]:
    client = Client(socket=path, **({"component": "shop"} | settings))
    try:
        yield client
        assert client._sender.faults == 0
    finally:
        client.close()


def until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    """Look again and again, and give the other threads their turn. Fails the test when it does not come true."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.001)


def raised(error: BaseException) -> BaseException:
    """`error`, with a traceback."""
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.value


def program(text: str, **more: str) -> list[str]:
    """A command: a program of its own that has the client and the fakes; `more`: its variables."""
    head = f"import sys; sys.path[:0] = {[DAEMON, TESTS]!r}\n"
    return [sys.executable, "-c", head + "".join(f"{name} = {value!r}\n" for name, value in more.items()) + text]
