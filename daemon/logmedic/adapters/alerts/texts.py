"""What is told, from an alert and the user's templates. A template that fails never keeps a message back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from logmedic.adapters.alerts.formats.shape import Texts
from logmedic.adapters.alerts.parts import cleaned
from logmedic.adapters.alerts.text import one_line, visible
from logmedic.core.letters import unpack
from logmedic.model.message import Message

_FILES = {
    "title": "title.txt.j2",
    "body": "body.txt.j2",
    "slack": "slack.md.j2",
    "markdown": "markdown.md.j2",
    "html": "email.html.j2",
}


@dataclass(frozen=True, slots=True)
class Words:
    """`title` and `body` are what a plain reader sees. `message` None: of an older daemon, that is all there is.
    `directory`: the user's templates, None: there are none. `problems` grow as templates fail: a line each."""

    title: str
    body: str
    message: Message | None = None
    directory: Path | None = None
    problems: list[str] = field(default_factory=list)

    def texts(self, wanted: Iterable[str]) -> Texts | None:
        """With the user's templates for what is `wanted`: fields of Texts."""
        message = self.message
        if message is None:
            return None
        wants = set(wanted)
        users = {name: self._users(name) for name in wants}
        title = users.get("title") or self.title
        body = users.get("body")
        return Texts(
            message,
            title,
            self.body if body is None else _with_id(body, message.id),
            body_is_users=body is not None,
            slack=users.get("slack"),
            markdown=users.get("markdown"),
            html=users.get("html") or (_built_in_html(message, title) if "html" in wants else None),
        )

    def _users(self, name: str) -> str | None:
        """What the user's template makes; None when there is none, or when it fails."""
        if self.directory is None or self.message is None or not (self.directory / _FILES[name]).is_file():
            return None
        from logmedic.adapters.alerts import customs

        try:
            return customs.rendered(self.directory, _FILES[name], self.message, self.title)
        except customs.TemplateFailed as failed:
            problem = failed.problem
            self.problems.append(
                f"template {_FILES[name]}, line {problem.line}: {problem.text}; the built-in one is used"
            )
            return None


def words_of(alert: Mapping[str, Any], templates: str) -> Words:
    """`alert`: title, body, content. What cannot be read as a message is told as it stands in title and body."""
    title, body = one_line(alert["title"]), visible(alert["body"])
    if not alert["content"]:
        return Words(title, body)
    try:
        message = cleaned(unpack(alert["content"]))
    except ValueError as error:
        return Words(title, body, problems=[f"the message is told as plain text: {' '.join(str(error).split())[:100]}"])
    return Words(title, body, message, Path(templates) if templates else None)


def _with_id(body: str, alert_id: str) -> str:
    """The last line is the alert's id, whatever the template wrote: a second delivery is known by it (F71)."""
    lines = body.rstrip().split("\n")
    return body if alert_id in lines[-1] else f"{body.rstrip()}\nalert {alert_id}"


def _built_in_html(message: Message, title: str) -> str:
    from logmedic.adapters.alerts import customs

    return customs.rendered(customs.BUILT_IN, _FILES["html"], message, title)
