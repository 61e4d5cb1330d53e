"""What a format is: it makes of a message what one service shows.

Apprise's plugin knows the way: addresses, tokens, targets, answers. What it would show is a line of text, so what it
puts on the wire is changed there, request by request. The form of a request is the service's, written down in public;
the inside of a plugin is Apprise's, and another one with each version.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from logmedic.model.message import Message

STAND_IN = "logmedic"
"""What a plugin is given as its text where all of the text is ours: short, and without any character that it would
escape."""


@dataclass(frozen=True, slots=True)
class Texts:
    """What is told. `title` is one line; `body` is for plain readers, and its last line is the alert's id. The rest is
    what the user's templates made of the message, None: there is none. `body_is_users`: `body` is from a template."""

    message: Message
    title: str
    body: str
    body_is_users: bool = False
    slack: str | None = None
    markdown: str | None = None
    html: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One that a plugin makes. `payload`: what its body says, when that is a JSON object."""

    url: str
    payload: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)

    def with_(self, **changes: Any) -> Request:
        """With these keys of the payload; None takes one away."""
        told = {name: value for name, value in {**self.payload, **changes}.items() if value is not None}
        return replace(self, payload=told)


@dataclass(frozen=True, slots=True)
class Given:
    """What the plugin is told to send. `markup`: text | html | markdown."""

    title: str
    body: str
    markup: str = "text"


class Shape(ABC):
    """`name` is for people. `wants`: the user's templates that it uses, as fields of Texts."""

    name: ClassVar[str]
    wants: ClassVar[frozenset[str]] = frozenset({"title"})

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._message = texts.message

    @property
    def title(self) -> str:
        return self._texts.title

    @property
    def files(self) -> tuple[str, ...]:
        """Names of what is attached."""
        return ()

    @abstractmethod
    def preview(self) -> str:
        """What will be shown, as text: exactly, in the service's own syntax where it has one."""

    def given(self) -> Given:
        return Given("", STAND_IN)

    def shaped(self, request: Request) -> Request:
        """The same object for what is no message: a login, a question."""
        return request

    def letter(self, raw: str) -> str:
        """Of a mail as the plugin wrote it, what is sent."""
        return raw
