"""From bytes to nodes that know where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import yaml

from logmedic.model.errors import PermanentError
from logmedic.model.problem import RuleProblem

SIZE_LIMIT = 1024 * 1024
"""Bytes of a file: far beyond what people write, far below what would hurt."""
DEPTH_LIMIT = 30
MAX_PROBLEMS = 100
"""Of one file: nobody reads more, and a file of a megabyte can hold a million."""

_LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""What YAML counts as one: `splitlines` knows more, and the places would be off."""
_NOT_TEXT = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Scalar = str | int | float | bool | None
Path = tuple[str | int, ...]


class DocumentInvalid(PermanentError):
    """No nodes could be made of the bytes."""

    def __init__(self, problems: tuple[RuleProblem, ...]) -> None:
        super().__init__(problems[0].text, problems[0].hint)
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Node:
    """One value. `value`: a scalar; a tuple of nodes; or a mapping from key to node. `line`, `column`: 1-based. `keys`:
    where the keys of a mapping stand. `text`: a scalar as it is written."""

    value: Scalar | tuple[Node, ...] | Mapping[str, Node]
    line: int
    column: int
    text: str = ""
    keys: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        match self.value:
            case None:
                return "nothing"
            case bool():
                return "a boolean"
            case int() | float():
                return "a number"
            case str():
                return "text"
            case tuple():
                return "a list"
        return "a mapping"

    def plain(self) -> Any:
        match self.value:
            case tuple():
                return [each.plain() for each in self.value]
            case Mapping():
                return {key: each.plain() for key, each in self.value.items()}
        return self.value


@dataclass(frozen=True, slots=True)
class Mark:
    line: int
    column: int
    excerpt: str


@dataclass(frozen=True, slots=True)
class Document:
    """`root` is the only document of `file`; `lines` its text."""

    file: str
    lines: tuple[str, ...]
    root: Node

    def plain(self) -> Any:
        return self.root.plain()

    def excerpt(self, line: int) -> str:
        return _line(self.lines, line)

    def place(self, path: Path) -> Mark:
        """Of the key or item at `path`, or of the nearest thing around it that exists. What stands alone counts as the
        only item of a list, and a list as the value of the key that it may stand for: short forms are found too."""
        node, line, column = self.root, self.root.line, self.root.column
        for part in path:
            match node.value:
                case Mapping() if part in node.value:
                    line, column = node.keys[str(part)]
                    node = node.value[str(part)]
                case tuple() if isinstance(part, int) and part < len(node.value):
                    node = node.value[part]
                    line, column = node.line, node.column
                case Mapping() if part == 0:
                    continue
                case tuple() if isinstance(part, str):
                    continue
                case _:
                    break
        return Mark(line, column, self.excerpt(line))


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Knows true, false, null and decimal numbers; everything else is text."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012


for _tag, _pattern, _first in (
    ("tag:yaml.org,2002:bool", r"(?:true|false)$", "tf"),
    ("tag:yaml.org,2002:null", r"(?:null|~|)$", ["n", "~", ""]),
    ("tag:yaml.org,2002:int", r"[-+]?(?:0|[1-9][0-9]{0,17})$", "-+0123456789"),
    ("tag:yaml.org,2002:float", r"[-+]?(?:0|[1-9][0-9]{0,14})\.[0-9]{1,15}$", "-+0123456789"),
):
    _Loader.add_implicit_resolver(_tag, re.compile(_pattern), list(_first))


def parse_document(file: str, content: bytes) -> Document:
    """`content` as one YAML document. Raises DocumentInvalid, with every place that can be told."""
    if len(content) > SIZE_LIMIT:
        raise DocumentInvalid((RuleProblem(file, 0, 0, f"larger than {SIZE_LIMIT} bytes", "split it"),))
    text = _decoded(file, content)
    lines = tuple(_LINE_BREAK.split(text))
    _refuse_controls(file, text, lines)
    try:
        _refuse_what_is_not_spoken(file, text, lines)
        composed = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise DocumentInvalid((_syntax_problem(file, lines, error),)) from None
    if composed is None:
        return Document(file, lines, Node(None, 1, 1))
    problems: list[RuleProblem] = []
    root = _node(composed, file, lines, problems)
    if problems:
        raise DocumentInvalid(tuple(problems[:MAX_PROBLEMS]))
    return Document(file, lines, root)


def _line(lines: tuple[str, ...], line: int) -> str:
    """Uncut: the lines are shared by all problems, and rendering shows a window of them."""
    return lines[line - 1] if 0 < line <= len(lines) else ""


def _refuse_controls(file: str, text: str, lines: tuple[str, ...]) -> None:
    """The parser would tell their position in bytes only. Raises DocumentInvalid."""
    found = _NOT_TEXT.search(text)
    if found is None:
        return
    before = _LINE_BREAK.split(text[: found.start()])
    words = f"the control character U+{ord(found[0]):04X} does not belong in text"
    hint = "it looks like UTF-16: save it as UTF-8" if found[0] == "\0" else "remove it, or write it as an escape"
    place = len(before), len(before[-1]) + 1
    raise DocumentInvalid((RuleProblem(file, *place, words, hint, _line(lines, place[0])),))


def _decoded(file: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        hint = (
            "save it as UTF-8" if not content.startswith((b"\xff\xfe", b"\xfe\xff")) else "it is UTF-16: save as UTF-8"
        )
        raise DocumentInvalid((RuleProblem(file, line, 1, "not UTF-8 text", hint),)) from None


def _refuse_what_is_not_spoken(file: str, text: str, lines: tuple[str, ...]) -> None:
    """Depth, aliases, tags and second documents, before anything is built of them. Raises DocumentInvalid."""
    problems = [
        RuleProblem(file, line, column, words, hint, _line(lines, line))
        for line, column, words, hint in islice(_unspoken(yaml.parse(text, Loader=_Loader)), MAX_PROBLEMS)
    ]
    if problems:
        raise DocumentInvalid(tuple(problems))


def _unspoken(events: Iterator[Any]) -> Iterator[tuple[int, int, str, str]]:
    depth = documents = 0
    for event in events:
        place = event.start_mark.line + 1, event.start_mark.column + 1
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        documents += isinstance(event, yaml.DocumentStartEvent)
        if depth > DEPTH_LIMIT:
            yield *place, f"nested deeper than {DEPTH_LIMIT}", "flatten it"
            return
        if documents > 1:
            yield *place, "a second document begins here", "one document a file: remove the `---`"
            return
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            yield *place, "anchors and aliases are not understood", "write the value out; quote it if it is text"
        if getattr(event, "tag", None) not in (None, "!"):
            yield *place, f"the tag `{event.tag}` is not understood", "remove it; quote the value if it is text"


def _syntax_problem(file: str, lines: tuple[str, ...], error: yaml.YAMLError) -> RuleProblem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    words = " ".join(str(getattr(error, "problem", None) or getattr(error, "reason", None) or error).split())
    if mark is None:
        position = getattr(error, "position", 0)
        return RuleProblem(file, 0, 0, f"not YAML: {words} (character {position})", "remove control characters")
    line = min(mark.line + 1, max(len(lines), 1))
    column = mark.column + 1 if mark.line < len(lines) else len(lines[-1]) + 1 if lines else 1
    excerpt = _line(lines, line)
    tab = "\t" in excerpt[:column] and not excerpt[: max(column - 1, 0)].strip()
    hint = "indent with blanks, not with a tab" if tab else _syntax_hint(words)
    return RuleProblem(file, line, column, f"not YAML: {words}", hint, excerpt)


def _syntax_hint(words: str) -> str:
    if "mapping values are not allowed" in words:
        return "quote text that holds `: `"
    if "expected" in words and ("']'" in words or "'}'" in words):
        return "a bracket or brace is not closed before this place"
    return "quote text that holds special characters; see that the indentation is even"


def _node(given: Any, file: str, lines: tuple[str, ...], problems: list[RuleProblem]) -> Node:
    line, column = given.start_mark.line + 1, given.start_mark.column + 1
    match given:
        case yaml.ScalarNode():
            if "\0" in given.value:  # by an escape; no path, argument or message can hold it
                words = "U+0000 does not belong in text"
                problems.append(RuleProblem(file, line, column, words, "remove it", _line(lines, line)))
            return Node(_scalar(given), line, column, given.value)
        case yaml.SequenceNode():
            return Node(tuple(_node(each, file, lines, problems) for each in given.value), line, column)
    return _mapping(given, file, lines, problems)


def _mapping(given: Any, file: str, lines: tuple[str, ...], problems: list[RuleProblem]) -> Node:
    values: dict[str, Node] = {}
    keys: dict[str, tuple[int, int]] = {}
    for key, value in given.value:
        place = key.start_mark.line + 1, key.start_mark.column + 1
        excerpt = _line(lines, place[0])
        if not isinstance(key, yaml.ScalarNode):
            hint = "quote a value that begins with a brace"
            problems.append(RuleProblem(file, *place, "a key that is no text", hint, excerpt))
            continue
        if key.value in values:
            first = keys[key.value][0]
            words = f"`{key.value}` is written twice"
            problems.append(RuleProblem(file, *place, words, f"the first one is in line {first}; keep one", excerpt))
        values[key.value] = _node(value, file, lines, problems)
        keys[key.value] = place
    return Node(values, given.start_mark.line + 1, given.start_mark.column + 1, keys=keys)


def _scalar(given: Any) -> Scalar:
    match given.tag.rpartition(":")[2]:
        case "bool":
            return bool(given.value == "true")
        case "int":
            return int(given.value)
        case "float":
            return float(given.value)
        case "null":
            return None
    return str(given.value)
