"""Templates: the user's, and the built-in one of mail. Imports jinja2: in the worker only.

What a template can do is bounded: it reaches the message and nothing else (the sandbox), it has 2 s of processor time,
and what it writes is 256 KiB at most. What it puts out is shown as text in its service's syntax by itself; what the
filters `fence` and `link` wrote stays as they wrote it.
"""

from __future__ import annotations

import difflib
import re
import signal
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from types import FrameType
from typing import Any

import jinja2
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from logmedic.adapters.alerts import markup
from logmedic.adapters.alerts.parts import Part, Passage, left_out, look_of, note_of, parts_of, quoted
from logmedic.adapters.alerts.samples import SAMPLES
from logmedic.adapters.alerts.text import one_line, visible
from logmedic.model.message import Link, Message, Story
from logmedic.model.problem import RuleProblem

BUILT_IN = Path(__file__).parent / "templates"
FILE_BYTES = 64 * 1024
OUTPUT_CHARS = 256 * 1024
CPU_S = 2.0
TITLE_CHARS = 140
_LARGEST = 10**12
_NAME = re.compile(r"[A-Za-z0-9_][\w.-]{0,80}\.j2\Z")
_RAISED = (
    *(jinja2.TemplateError, ArithmeticError, AttributeError, AssertionError, LookupError, MemoryError, OSError),
    *(NameError, RuntimeError, SyntaxError, TypeError, ValueError),
)
"""What running somebody else's code raises, but for what ends a process."""


@dataclass(frozen=True, slots=True)
class Syntax:
    """How what a template of one name puts out is written. `field`: of Texts."""

    field: str
    prose: Callable[[str], str]
    fence: Callable[[str], str] = str
    link: Callable[[str, str], str] = lambda label, url: f"{label}: {url}"


NAMES: Mapping[str, Syntax] = {
    "title.txt.j2": Syntax("title", str),
    "body.txt.j2": Syntax("body", str),
    "slack.md.j2": Syntax("slack", markup.mrkdwn_escape, markup.mrkdwn_fence, markup.mrkdwn_link),
    "markdown.md.j2": Syntax("markdown", markup.markdown_escape, markup.markdown_fence, markup.markdown_link),
    "email.html.j2": Syntax("html", str),
}


class TemplateFailed(Exception):
    """`problem`: where and why."""

    def __init__(self, problem: RuleProblem) -> None:
        super().__init__(problem.text)
        self.problem = problem


class _Written(str):
    """Is in the service's syntax already."""

    __slots__ = ()


class _TooLong(RuntimeError):
    """The processor time of a template is used up."""


class _Sandbox(ImmutableSandboxedEnvironment):
    """Numbers stay small: one operation on large ones may take hours, and no alarm interrupts it."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" or _largest_product(left, right) > _LARGEST:
            raise SecurityError(f"{operator} makes too large a value for a template")
        return super().call_binop(context, operator, left, right)


def _largest_product(left: Any, right: Any) -> int:
    """Of two numbers, or, as a text or a list counts a million for each of its elements, of one repeated."""
    sizes = [abs(each) if isinstance(each, int) else 1_000_000 * len(each) for each in (left, right) if _sized(each)]
    return sizes[0] * sizes[1] if len(sizes) == 2 else 0


def _sized(value: Any) -> bool:
    return isinstance(value, int | str | list | tuple)


def rendered(directory: Path, name: str, message: Message, title: str) -> str:
    """By the template `name` in `directory`. Raises TemplateFailed."""
    try:
        with _bounded(CPU_S):
            pieces, size = [], 0
            for piece in _environment(directory, name).get_template(name).generate(**_context(message, title)):
                pieces.append(piece)
                size += len(piece)
                if size > OUTPUT_CHARS:
                    raise _TooLong(f"it writes more than {OUTPUT_CHARS // 1024} KiB")
    except _RAISED as error:
        raise TemplateFailed(_problem_of(error, directory, name)) from None
    return _tidied("".join(pieces), NAMES[name])


def _tidied(text: str, syntax: Syntax) -> str:
    shown = visible(text).strip()
    return one_line(shown)[:TITLE_CHARS] if syntax.field == "title" else shown


def _context(message: Message, title: str) -> dict[str, Any]:
    return {
        "message": message,
        "parts": parts_of(message),
        "title": title,
        "note": note_of(message),
        "left_out": left_out(message),
        "colour": look_of(message).colour,
        "mark": look_of(message).mark,
    }


def _environment(directory: Path, name: str) -> _Sandbox:
    syntax = NAMES[name]
    is_html = syntax.field == "html"
    environment = _Sandbox(
        loader=jinja2.FunctionLoader(lambda wanted: _load(directory, wanted)),
        undefined=jinja2.StrictUndefined,
        autoescape=is_html,
        finalize=None if is_html else lambda value: _put_out(value, syntax),
        trim_blocks=True,
        lstrip_blocks=True,
        cache_size=0,
    )
    environment.filters.update(
        fence=lambda text: _Written(syntax.fence(str(text))),
        link=lambda url, label: _Written(syntax.link(str(label), str(url))),
        as_is=lambda text: _Written(text),
        since=_since,
        quoted=lambda evidence, lines=1: quoted(str(evidence), lines=int(lines)),
        short=lambda identity: str(identity)[-8:],
    )
    if is_html:
        del environment.filters["fence"], environment.filters["link"], environment.filters["as_is"]
    return environment


def _put_out(value: Any, syntax: Syntax) -> Any:
    if isinstance(value, jinja2.Undefined):
        return value  # it says what is missing when it is written
    if isinstance(value, _Written):
        return str(value)
    return syntax.prose("" if value is None else str(value))


def _since(story: Story) -> str:
    return story.since_text or f"{story.since:%Y-%m-%d %H:%M:%S} UTC"


def _load(directory: Path, name: str) -> tuple[str, str, Callable[[], bool]] | None:
    """Files of this directory alone, whatever an `include` asks for."""
    if not _NAME.match(name):
        return None
    path = directory / name
    try:
        with path.open("rb") as file:
            content = file.read(FILE_BYTES + 1)
    except FileNotFoundError:
        return None
    if len(content) > FILE_BYTES:
        raise ValueError(f"{name} is longer than {FILE_BYTES // 1024} KiB")
    return content.decode("utf-8"), str(path), lambda: True


@contextmanager
def _bounded(seconds: float) -> Iterator[None]:
    def over(number: int, frame: FrameType | None) -> None:
        raise _TooLong(f"it takes longer than {seconds:g} s")

    before = signal.signal(signal.SIGPROF, over)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def check_templates(directory: Path) -> list[RuleProblem]:
    """What is wrong with the templates in `directory`: each is rendered with a message of every kind."""
    try:
        found = sorted(each.name for each in directory.iterdir() if each.name.endswith(".j2"))
    except OSError as error:
        hint = "set alerts.templates to a directory that the daemon can read, or leave it out"
        return [RuleProblem(str(directory), 0, 0, f"it cannot be read: {error.strerror}", hint)]
    strange = [each for each in found if each not in NAMES and not each.startswith("_")]
    return [
        *(_strange(directory, each) for each in strange),
        *(problem for each in found if each in NAMES for problem in _problems_of(directory, each)),
    ]


def _strange(directory: Path, name: str) -> RuleProblem:
    near = difflib.get_close_matches(name, NAMES, 1)
    hint = f"did you mean {near[0]}?" if near else f"the names are {', '.join(NAMES)}; others begin with _"
    return RuleProblem(str(directory / name), 0, 0, "no message is made of a template of this name", hint)


def _problems_of(directory: Path, name: str) -> list[RuleProblem]:
    """The first one: the same mistake would be found with each sample."""
    for sample in SAMPLES:
        try:
            text = rendered(directory, name, sample, sample.title)
        except TemplateFailed as failed:
            return [failed.problem]
        if not text:
            hint = "write something for every message, or remove the file"
            said = f"it writes nothing for a message of kind {sample.kind}, event {sample.event}"
            return [RuleProblem(str(directory / name), 0, 0, said, hint)]
    return []


def _problem_of(error: BaseException, directory: Path, name: str) -> RuleProblem:
    at = directory / name
    line = error.lineno if isinstance(error, jinja2.TemplateSyntaxError) else 0
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).parent == directory:
            at, line = Path(frame.filename), line or frame.lineno or 0
            break
    if isinstance(error, jinja2.TemplateSyntaxError) and error.filename:
        at = Path(error.filename)
    return RuleProblem(str(at), line, 0, _said(error), _hint_of(error), _excerpt(at, line))


def _said(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "it takes too much memory"
    words = re.sub(r"logmedic[\w.]*\.", "", " ".join(str(error).split()))[:300]
    return words if isinstance(error, jinja2.TemplateError | _TooLong) else f"{type(error).__name__}: {words}"


def _hint_of(error: BaseException) -> str:
    if isinstance(error, _TooLong):
        return "write less: a message is read at night, on a phone"
    if not isinstance(error, jinja2.UndefinedError):
        return ""
    for kind in (Message, Story, Link, Part, Passage):
        if f"{kind.__name__} object" in str(error):
            return f"a {kind.__name__.lower()} has: {', '.join(each.name for each in fields(kind))}"
    return "a template has: message, parts, title, note, left_out, colour, mark"


def _excerpt(at: Path, line: int) -> str:
    try:
        lines = at.read_text("utf-8", "replace")[:FILE_BYTES].splitlines()
    except OSError:
        return ""
    return visible(lines[line - 1])[:200] if 0 < line <= len(lines) else ""
