"""From a message to its shape: typed masks for what is surely a value, the rest as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from logmedic.core.templates import MAX_MESSAGE
from logmedic.model.shape import EMPTY, Shape, is_mask, is_word

MAX_DIGITS = 3
"""A word with more digits than that is an identifier; with fewer it may be a name, as `ssh2` or `eth0`."""

_ZEROED = str.maketrans("123456789", "000000000")

_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_CLOCK = r"[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]+)?"
_TIME = (
    rf"[0-9]{{4}}[-/][0-9]{{2}}[-/][0-9]{{2}}(?:[T_ ]{_CLOCK}(?:\s?(?:Z|UTC|[+-][0-9]{{2}}:?[0-9]{{2}}))?)?(?![\w-])"
    rf"|[0-9]{{2}}/{_MONTH}/[0-9]{{4}}:{_CLOCK}(?: [+-][0-9]{{4}})?"
    rf"|(?:{_DAY},? )?{_MONTH} {{1,2}}[0-9]{{1,2}},? {_CLOCK}(?: [A-Z]{{3,4}})?(?: [0-9]{{4}})?(?!\w)"
    rf"|{_CLOCK}(?![\w:])"
)
_IP4 = r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![\w-]|\.\w)"
_HEX4 = "[0-9a-fA-F]{1,4}"
_IP6 = rf"(?:{_HEX4}:){{2,7}}(?::?{_HEX4}){{1,7}}|::(?:ffff:[0-9.]+|{_HEX4})|(?:{_HEX4}:){{1,7}}:"
_TLD = "(?:com|net|org|edu|gov|mil|int|info|biz|arpa|local|localdomain|internal|intranet|lan|corp)"
_LOOSE_TLD = "(?:home|private|cluster|example|test|invalid|io|dev|app|cloud)"
_REVERSED = r"(?!(?:com|org|net|edu|gov|io|java|javax)\.)"
_COUNTRY = r"(?!(?:js|ts|py|rs|go|sh|so|cc|md|pl|rb|gz|ko|db)(?!\w))[a-z]{2}"
_LABEL = r"[A-Za-z0-9_][\w-]*\."
_HOST = rf"{_REVERSED}(?:(?:{_LABEL})+{_TLD}|(?:{_LABEL}){{2,}}(?:{_LOOSE_TLD}|{_COUNTRY}))(?![\w-]|\.\w)"
_MACHINE = r"(?:localhost|[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)+|[A-Za-z]+[0-9]+)"
_PATH_CHAR = r"[^\s:,;\"'<>()\[\]{}|=]"
_PATH_END = r"[^\s:,;\"'<>()\[\]{}|=.]"
_PATH = (
    rf"(?:~|\.{{1,2}})?/(?:{_PATH_CHAR}*{_PATH_END})?(?!{_PATH_END})"
    r"|[A-Za-z]:\\[^\s,;\"'<>()\[\]|=]*"
    rf"|[A-Za-z_][\w.-]*(?:/[\w@%+~.-]*[\w@%+~]){{2,}}/?|[A-Za-z_][\w-]*/[\w-]+\.[A-Za-z]\w*"
    r"|[A-Za-z_]\w*(?:\.\w+)+/\.?\w+(?:[.$-]\w+)*"
)
_DURATION = "ns|us|µs|ms|msecs?|s|secs?|m|mins?|h|hrs?|d"
_SIZE = "[kKMGT](?:i?[bB])?|[bB]|bytes"
_NUMBER = rf"[-+]?[0-9]+(?:[.,][0-9]+)*(?:{_DURATION}|{_SIZE}|%)?(?!\w)"

_KINDS = (
    # Most of what is read, found without trying all that follows; it changes no shape.
    ("plain", rf"(?<![^\s(=,:])(?!{_DAY}\b|{_MONTH}\b|[a-fA-F]{{8}})[A-Za-z_]+(?=[\s,;)]|:\s|\Z)"),
    ("space", r"\s"),
    ("number", r"(?<![^\s(=])[0-9]+(?=[\s,;)]|\Z)"),
    ("mark", r"[=(){},;>|#!?*&^%$@\]]"),
    ("quoted", r"(?<!\w)\"(?=[^\"]*\s)(?:[^\"\\]|\\.)*\"|(?<!\w)'(?=[^']*\s)(?:[^'\\]|\\.)*'(?!\w)"),
    ("time", rf"(?<![\w.:])(?:{_TIME})"),
    ("uuid", r"(?<![\w-])[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?![\w-])"),
    ("mac", r"(?<![\w:])(?:[0-9a-fA-F]{2}[:-]){5,}[0-9a-fA-F]{2}(?![\w:])"),
    ("url", r"(?<=://)[^\s\"'<>()\[\],;]*[^\s\"'<>()\[\],;.:]"),
    ("mail", r"(?<![\w.])[\w.+-]+@(?:[\w-]+\.)+[A-Za-z]\w*(?![\w-])"),
    (
        "hostport",
        rf"(?<![\w.-])(?:(?:[\w.-]*[A-Za-z][\w.-]*)/{_IP4}(?::[0-9]+)?|(?:{_HOST}|{_MACHINE}):[0-9]{{2,5}}(?![\w.:]))",
    ),
    (
        "ip",
        rf"(?<![\w.:/-])/?{_IP4}(?::[0-9]{{1,5}}(?![\w.])|/[0-9]{{1,2}}(?![\w.]))?"
        rf"|(?<![\w:])\[?(?:{_IP6})\]?(?:[:/][0-9]+)?(?![\w:])",
    ),
    ("host", rf"(?<![\w.-]){_HOST}"),
    ("path", rf"(?<![\w.)\]/])(?!//)(?:{_PATH})"),
    ("hex", r"(?<!\w)(?:0x[0-9a-fA-F]+|(?=[0-9]*[a-fA-F])[0-9a-fA-F]{8,})(?!\w)"),
    ("version", r"(?<![\w.])v[0-9]+(?:\.[0-9]+)+(?:[-+.]?\w+)*"),
    ("n", rf"(?<![\w)\]]){_NUMBER}(?![.-]\w)|(?<=[\w)\]])[0-9]+(?!\w)"),
    ("id", r"[0-9]\w*(?:[.-]\w+)*"),
    ("name", r"[^\W\d]\w*(?:[.$@+-]\w+)*"),
    ("open", r"<"),
    ("between", r"[^\w\s<]|\w"),
)
_TOKEN = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _KINDS))
_TAIL = re.compile(r"(?:[.@-](?:[0-9]+|(?=[a-f]*[0-9])[0-9a-f]{6,}))+\Z")
_NAMED = re.compile(r"[A-Za-z_]\w*(?:[.$@+-][A-Za-z_]\w*)*", re.ASCII)
_DIGIT_RUNS = re.compile(r"[0-9]+")
_REQUEST = re.compile(r"[A-Z]{3,8} (?:/|https?://)\S*")
_PLAIN_WORD = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+)*[,.:;!?]?")
_WITH_DIGITS = re.compile(rb"(?<![0-9A-Za-z_])[A-Za-z_]+[0-9]\w*")
_CODE = re.compile(r"[A-Z]{2,5}[0-9]{3,6}")
_DURATIONS = re.compile(rf"[0-9](?:{_DURATION})\Z")
_SIZES = re.compile(rf"[0-9](?:{_SIZE})\Z")
_VALUES = frozenset(
    ("true", "false", "True", "False", "TRUE", "FALSE", "null", "NULL", "nil", "None", "undefined", "NaN")
)
_LISTED = frozenset((" ", ", ", ","))
"""Between masks of one type, these make a list, however long, which is one value."""
_NUMBERS = frozenset(("<n>", "<hex>", "<id>"))
_PAIRS = frozenset(("()", "[]", "{}", '""', "''"))


_ACROSS = re.compile(
    rf"(?<!\w)[\"']|\b(?:{'|'.join(sorted(_VALUES))})\b|{_MONTH}[ /]|[0-9]{{4}}[-/][0-9]{{2}}[-/][0-9]{{2}}[T_ ]"
)
"""Where one of these is, the text between two blanks does not say by itself what it is."""
CHUNKS = 16_384


def shape_of(message: str) -> Shape:
    """Which digits a message has makes no other shape, save those of words that may be names (see `_of_name`)."""
    message = " ".join(message[:MAX_MESSAGE].split())
    shape: list[str] = []
    between = ""
    for token in _read(message, message.translate(_ZEROED)):
        if len(token) == 1 and not (token == "<" or is_word(token)):  # noqa: S105  no password
            between += token
            continue
        if between in _LISTED and shape and (listed := _listed(shape[-1], token)):
            shape[-1] = listed
        else:
            shape += _apart(between)
            shape.append(token)
        between = ""
    shape += _apart(between)
    return tuple(shape) or (EMPTY,)


def _listed(last: str, token: str) -> str:
    """What stands for the two of them when they make a list, else nothing."""
    if not (is_mask(last) and is_mask(token)):
        return ""
    return token if last == token else "<id>" if {last, token} <= _NUMBERS else ""


def named(raw: bytes, places: Iterable[int]) -> tuple[bytes, ...]:
    """The words with digits that may be names, of those only the ones at `places`."""
    found = _WITH_DIGITS.findall(raw)
    return tuple(found[at] for at in places)


def names_in(raw: bytes, shape: Shape) -> tuple[int, ...]:
    """Which of the words with digits are in `shape` as they are: all whose digits matter are among them. Other bytes
    with the same digits zeroed have them at the same places."""
    with_digits = [token for token in shape if _DIGIT_RUNS.search(token)]
    if not with_digits:
        return ()
    there = {each for token in with_digits for each in _WITH_DIGITS.findall(token.encode())}
    return tuple(at for at, each in enumerate(_WITH_DIGITS.findall(raw)) if each in there)


def _apart(between: str) -> Iterator[str]:
    """What stands between words, with EMPTY where a value might be."""
    at = 0
    for n in range(1, len(between)):
        if between[n - 1 : n + 1] in _PAIRS:
            yield between[at:n]
            yield EMPTY
            at = n
    if between:
        yield between[at:]


def _read(message: str, zeroed: str) -> Iterable[str]:
    """As `_tokens`, and what stands between blanks remembered, where nothing reaches across one."""
    if _ACROSS.search(zeroed):
        return _tokens(message, zeroed)
    read: list[str] = []
    for chunk, bare in zip(message.split(" "), zeroed.split(" "), strict=True):
        read += _of_chunk(bare) or _tokens(chunk, bare)
        read.append(" ")
    return read[:-1]


@lru_cache(maxsize=CHUNKS)
def _of_chunk(zeroed: str) -> tuple[str, ...]:
    """Nothing where its digits matter."""
    tokens = tuple(_tokens(zeroed, zeroed))
    return () if any(is_word(each) and _DIGIT_RUNS.search(each) for each in tokens) else tokens


def _tokens(message: str, zeroed: str) -> Iterator[str]:
    for found in _TOKEN.finditer(zeroed):
        kind = found.lastgroup
        if kind == "plain" or kind == "name":
            yield from _of_name(message[found.start() : found.end()], zeroed, found.start(), found.end())
        elif kind in ("space", "mark", "open", "between"):
            yield found[0]
        elif kind == "quoted":
            mark = found[0][0]
            yield mark
            if _tells(message[found.start() + 1 : found.end() - 1]):
                yield from _tokens(message[found.start() + 1 : found.end() - 1], found[0][1:-1])
            else:
                yield "<quoted>"
            yield mark
        elif kind == "number":
            yield "<n>"
        elif kind == "n":
            yield "<dur>" if _DURATIONS.search(found[0]) else "<size>" if _SIZES.search(found[0]) else "<n>"
        else:
            yield f"<{kind}>"


def _tells(quoted: str) -> bool:
    """It is a sentence, or what was asked of a web server, and so no value."""
    if _REQUEST.match(quoted):
        return True
    words = quoted.split()
    return all(map(_PLAIN_WORD.fullmatch, words)) and 2 * sum(each[0].islower() for each in words) >= len(words)


def _of_name(name: str, zeroed: str, start: int, end: int) -> Iterator[str]:
    """A word as it is; as `<id>` where it has too many digits for a name; `core.2275` is `core.` and a number."""
    if name in _VALUES and _is_value_place(zeroed, start, end):
        yield "<value>"
        return
    if not _DIGIT_RUNS.search(name):
        yield name
        return
    tail = _TAIL.search(name)
    if tail is not None and tail.start() and name[tail.start() - 1] != "_":
        yield from _of_name(name[: tail.start()], zeroed, start, start + tail.start())
        yield tail[0][0]
        yield "<n>" if all(each.isdecimal() for each in re.split("[.@-]", tail[0][1:])) else "<hex>"
        return
    few = sum(map(len, _DIGIT_RUNS.findall(name))) <= MAX_DIGITS or _is_code(name, zeroed[end : end + 1])
    plain = _NAMED.fullmatch(name) is not None and not (start and zeroed[start - 1].isalnum())
    yield name if few and plain else "<id>"


def _is_code(name: str, after: str) -> bool:
    """As `AH00957:`, which says what happened better than words."""
    return after == ":" and _CODE.fullmatch(name) is not None


def _is_value_place(zeroed: str, start: int, end: int) -> bool:
    before, after = zeroed[:start].rstrip()[-1:], zeroed[end : end + 1]
    return before in ("=", ":", "(", "[", "{", ",") or after in ("", ",", ";", ")", "]", "}")
