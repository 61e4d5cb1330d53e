"""What varies in one line, by its form: it becomes a class of characters, some of it a typed capture."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from logmedic.core.captures import accept
from logmedic.core.linetokens import CONSTANT, KINDS, NUMBERED, TIME_PARTS, is_name, label_before
from logmedic.model.match import Capture, CaptureType

MAX_COVERED = 300
"""Characters of a line that its pattern is about: what comes later seldom tells kinds apart."""
MAX_CAPTURES = 5

_PLAIN = re.compile(r"(?P<digits>[0-9]+)|(?P<space> {2,})|(?P<any>.)", re.DOTALL)
_SPECIAL = frozenset(r"\.^$*+?{}[]|()")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the line, as a pattern. `name`: of its capture; `fixed`: it is the same in all lines of the kind."""

    start: int
    text: str
    pattern: str
    name: str = ""
    type: CaptureType | None = None
    fixed: bool = False


@dataclass(slots=True)
class Kind:
    """What a line is generalised to, piece by piece. `covered`: characters of the line that the pieces stand for."""

    pieces: list[Piece] = field(default_factory=list)
    covered: int = 0

    @property
    def pattern(self) -> str:
        return "".join(each.pattern for each in self.pieces)

    @property
    def is_open(self) -> bool:
        """Anything may follow."""
        return bool(self.pieces) and not self.pieces[-1].pattern

    @property
    def captures(self) -> dict[str, Capture]:
        return {each.name: Capture(each.type) for each in self.pieces if each.type is not None}

    @property
    def words(self) -> list[str]:
        """Words that all lines of the kind have."""
        return [word for each in self.pieces if each.fixed for word in re.findall(r"[A-Za-z]{3,}", each.text)]


def literally(line: str) -> Kind:
    """Nothing of it varies."""
    return kind_of([Piece(0, line[:MAX_COVERED], escaped(line[:MAX_COVERED]))])


def kind_of(pieces: Iterable[Piece], *, typed: bool = True) -> Kind:
    """Of the first pieces, up to MAX_COVERED characters. Without `typed` nothing is captured."""
    kind = Kind()
    for piece in pieces:
        if kind.covered >= MAX_COVERED:
            break
        kind.pieces.append(_named(piece, kind) if typed else _unnamed(piece))
        kind.covered += len(piece.text)
    return kind


def escaped(text: str) -> str:
    """As a pattern that takes exactly `text`, or anything where a character was replaced."""
    return "".join(_escape(each) for each in text)


def _escape(character: str) -> str:
    if character in _SPECIAL:
        return f"\\{character}"
    if character == "\N{REPLACEMENT CHARACTER}":
        return "."
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def pieces_of(line: str) -> Iterator[Piece]:
    """All of `line`, each text of the first kind of token that takes it."""
    at = 0
    while (found := KINDS.search(line, at)) is not None:
        start = found.start()
        pieces = list(_of(found, line))
        if found[0] and pieces:
            yield from _fixed(line, at, start)
            yield from pieces
            at = found.end()
        else:
            yield from _fixed(line, at, start + 1)
            at = start + 1
    yield from _fixed(line, at, len(line))


def _fixed(line: str, start: int, end: int) -> Iterator[Piece]:
    """What is no token: digits and the widths of gaps may differ. In steps, so that a long text can end anywhere."""
    for begin in range(start, end, MAX_COVERED):
        text = line[begin : min(end, begin + MAX_COVERED)]
        yield Piece(begin, text, digits_open(text), fixed=True)


def digits_open(text: str) -> str:
    """As it stands, but for digits and the widths of gaps."""
    forms = {"digits": r"\d+", "space": " +"}
    return "".join(forms.get(str(each.lastgroup)) or _escape(each[0]) for each in _PLAIN.finditer(text))


def pattern_of_token(text: str) -> str:
    """That of `text` if it is one token and nothing else, else nothing."""
    found = KINDS.fullmatch(text)
    pieces = list(_of(found, text)) if found is not None else []
    return "".join(each.pattern for each in pieces) if sum(len(each.text) for each in pieces) == len(text) else ""


def _of(found: re.Match[str], line: str) -> Iterator[Piece]:
    """The pieces of one token; none when it is better left as it stands."""
    kind, text, start = str(found.lastgroup), found[0], found.start()
    match kind:
        case "time":
            yield Piece(start, text, _time(text))
        case "url":
            yield from _url(text, start, label_before(line, start))
        case "double" | "single":
            yield from _quoted(text, start, label_before(line, start))
        case "hostport" | "ip" | "unit" | "path":
            type_ = CaptureType(kind)
            if accept(text, Capture(type_)) is not None:
                yield Piece(start, text, _pattern_of(type_, text), label_before(line, start) or kind, type_)
        case "number" if line[max(0, start - 2) : start] == '" ' and re.fullmatch(r"[1-5]\d\d", text):
            yield Piece(start, text, text, fixed=True)  # the status in an access log
        case "number":
            label = label_before(line, start)
            whole = label in NUMBERED and accept(text, Capture(CaptureType.INT)) is not None
            yield Piece(start, text, _number(text), label if whole else "", CaptureType.INT if whole else None)
        case "name":
            yield from _value(text, start, label_before(line, start))
        case "of":
            yield from _thing(text, start)
        case _:
            yield Piece(start, text, _ANY[kind])


_ANY = {
    "uuid": r"[0-9a-fA-F-]{36}",
    "mac": r"[0-9a-fA-F:]{17}",
    "mail": r"[^\s@]+@[\w.-]+",
    "hex": r"(?:0x)?[0-9a-fA-F]+",
    "id": r"\w+",
    "span": r"\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d|[KMGT]i?B?|%)",
}


def _pattern_of(kind: CaptureType, text: str) -> str:
    match kind:
        case CaptureType.IP:
            return r"[0-9A-Fa-f:.]+"
        case CaptureType.HOSTPORT:
            return r"\[[0-9A-Fa-f:.]+\]:\d+" if text.startswith("[") else r"[\w.-]+:\d+"
        case CaptureType.UNIT:
            return rf"[\w@:.\\-]+\.{text.rpartition('.')[2]}"
        case CaptureType.PATH:
            return r"/[\w.@%+=~/-]+"
    return r"[\w.-]+"


def _number(text: str) -> str:
    return ("-?" if text.startswith("-") else "") + (r"\d+(?:\.\d+)*" if "." in text else r"\d+")


def _time(text: str) -> str:
    forms = {"digits": r"\d+", "word": "[A-Z][a-z]{2}", "sign": r"[+-]\d+", "space": " +"}
    pattern = "".join(forms.get(str(each.lastgroup)) or _escape(each[0]) for each in TIME_PARTS.finditer(text))
    return pattern.replace(r"[+-]\d+\d+", r"[+-]\d+").replace(r"\d+[+-]\d+[+-]\d+", r"\d+-\d+-\d+")


def _url(text: str, start: int, label: str) -> Iterator[Piece]:
    scheme, _, rest = text.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    yield Piece(start, f"{scheme}://", "https?://")
    at = start + len(scheme) + 3
    kind = CaptureType.HOSTPORT if ":" in authority else CaptureType.HOSTNAME
    if accept(authority, Capture(kind)) is not None:
        yield Piece(at, authority, _pattern_of(kind, authority), label or "host", kind)
    elif authority:
        yield Piece(at, authority, r"[^\s/?#]+")
    if tail := rest[len(authority) :]:
        yield Piece(at + len(authority), tail, r"""[/?#][^\s"'<>),;\]]*""")


def _quoted(text: str, start: int, label: str) -> Iterator[Piece]:
    mark, inner = text[0], text[1:-1]
    if label in CONSTANT:
        return
    whole = KINDS.fullmatch(inner)
    if whole is not None and whole.lastgroup in ("url", "hostport", "ip", "path", "unit"):
        yield Piece(start, mark, mark)
        for each in _of(whole, inner):
            name = label or each.name if each.type is not None else ""
            yield replace(each, start=start + 1 + each.start, name=name)
        yield Piece(start + len(text) - 1, mark, mark)
    elif label and accept(inner, Capture(CaptureType.WORD)) is not None:
        yield Piece(start, mark, mark)
        yield Piece(start + 1, inner, f"[^{mark}]+", label, CaptureType.WORD)
        yield Piece(start + 1 + len(inner), mark, mark)
    else:
        inside = f"[^{mark}]*" if "\\" not in inner else rf"(?:[^{mark}\\]|\\.)*"
        yield Piece(start, text, f"{mark}{inside}{mark}")


def _value(text: str, start: int, label: str) -> Iterator[Piece]:
    """What stands behind a `key=`."""
    if label not in CONSTANT and accept(text, Capture(CaptureType.WORD)) is not None:
        yield Piece(start, text, r"[\w.-]+", label, CaptureType.WORD)


def _thing(text: str, start: int) -> Iterator[Piece]:
    """`user bob`: a word that says what the next one is. A plain word behind it may be part of the sentence."""
    what, _, name = text.partition(" ")
    if ((what == "user" and is_name(name)) or re.search(r"[\d_.-]", name)) and accept(
        name, Capture(CaptureType.WORD)
    ) is not None:
        yield Piece(start, f"{what} ", f"{what} ", fixed=True)
        yield Piece(start + len(what) + 1, name, r"[\w.-]+", what, CaptureType.WORD)


def _named(piece: Piece, kind: Kind) -> Piece:
    if piece.type is None:
        return _unnamed(piece)
    taken = kind.captures
    if len(taken) >= MAX_CAPTURES:
        return _unnamed(piece)
    base = re.sub(r"\W", "_", piece.name, flags=re.ASCII) or piece.type.value
    base = f"{base}_" if base in ("true", "false", "null") else base  # which YAML would read as something else
    names = (base, *(f"{base}{n}" for n in range(2, MAX_CAPTURES + 2)))
    name = next(each for each in names if each not in taken)
    return Piece(piece.start, piece.text, f"(?P<{name}>{piece.pattern})", name, piece.type)


def _unnamed(piece: Piece) -> Piece:
    return Piece(piece.start, piece.text, piece.pattern, fixed=piece.fixed)
