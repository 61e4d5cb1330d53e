"""What varies in a line of a log, by its form; and the word in front of it that says what it is."""

from __future__ import annotations

import re

_DAYS = "Mon|Tue|Wed|Thu|Fri|Sat|Sun"
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_UNITS = "service|socket|target|timer|mount|automount|path|slice|scope|swap|device"
_CODE = "py|rb|go|js|ts|java|c|cc|cpp|h|rs|php|pl|sh|kt|scala|cs|lua|log|conf|ya?ml|json|xml|html?"
_V4 = r"\d{1,3}(?:\.\d{1,3}){3}"
KINDS = re.compile(
    rf"""
    (?P<time>(?<!\d)(?:\d{{4}}[-/]\d\d[-/]\d\d[T\ ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:\ ?(?:Z(?![A-Za-z])|[+-]\d\d:?\d\d))?
        |\d{{1,2}}[-\ ](?:{_MONTHS})[-\ ]\d{{4}}\ \d\d:\d\d:\d\d(?:[.,]\d+)?
        |\d{{4}}\.\d\d\.\d\d\ \d\d:\d\d:\d\d(?:[.,]\d+)?
        |\d\d/(?:{_MONTHS})/\d{{4}}:\d\d:\d\d:\d\d(?:\ [+-]\d{{4}})?
        |(?:(?:{_DAYS})\ )?(?:{_MONTHS})\ [\ \d]\d\ \d\d:\d\d:\d\d(?:[.,]\d+)?(?:\ \d{{4}})?)(?!\d))
    |(?P<url>(?<!\w)https?://[^\s"'<>),;\]]+)
    |(?P<double>"(?:[^"\\\n]|\\.)*")
    |(?P<single>(?<!\w)'(?:[^'\\\n]|\\.)*'(?!\w))
    |(?P<uuid>(?<![\w-])[0-9a-fA-F]{{8}}-(?:[0-9a-fA-F]{{4}}-){{3}}[0-9a-fA-F]{{12}}(?![\w-]))
    |(?P<mac>(?<![\w:])(?:[0-9a-fA-F]{{2}}:){{5}}[0-9a-fA-F]{{2}}(?![\w:]))
    |(?P<mail>(?<![\w.@])[\w.+-]+@[\w-]+(?:\.[\w-]+)+(?!\.(?:{_UNITS})|[\w@]))
    |(?P<hostport>(?<![\w.@/-])(?:{_V4}|localhost|[A-Za-z][\w-]*(?:\.[\w-]+)*\.(?!(?:{_CODE}):)[a-z][\w-]+):\d{{1,5}}
        (?![\w.:]*\w)|(?<!\w)\[[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\]:\d{{1,5}}(?![\w:]))
    |(?P<ip>(?<![\w.:]){_V4}(?![\w]|\.\d)|(?<![\w:.])(?=[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:)[0-9A-Fa-f:.]*[0-9A-Fa-f](?![\w]))
    |(?P<unit>(?<![\w./-])[\w@\\][\w@.:\\-]*\.(?:{_UNITS})(?![\w-]))
    |(?P<path>(?<![\w/.~)\]}}>])/[\w.@%+=~-]*[\w@%+=~-](?:/[\w.@%+=~-]*[\w@%+=~-])*)
    |(?P<hex>(?<!\w)(?:0x[0-9a-fA-F]+|(?=[a-fA-F]*\d)(?=\d*[a-fA-F])[0-9a-fA-F]{{8,}})(?!\w))
    |(?P<id>(?<!\w)(?=\w*\d\w*[A-Za-z]\w*\d)\w{{10,}}(?!\w))
    |(?P<span>(?<![\w.])\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d|[KMGT]i?B?|%)(?!\w))
    |(?P<name>(?<=[\w]=)[A-Za-z_][\w.-]*(?![\w(]))
    |(?P<number>(?<![\w.])-?\d+(?:\.\d+)*(?![\w]))
    |(?P<of>(?<![\w.])(?:user|account|database|db|role|table|relation|queue|topic|device|interface|job|pod|container|zone
        |index|volume|pool|host|server|node|peer)\ [\w.-]*[\w])
    """,
    re.VERBOSE,
)
"""Each group is a kind. Every text is of the first kind that takes it."""
TIME_PARTS = re.compile(
    rf"(?P<digits>\d+)|(?P<word>\b(?:{_DAYS}|{_MONTHS})\b)|(?P<sign>[+-]\d)|(?P<space> +)|(?P<any>.)"
)
_LABEL = re.compile(r"(?<!\w)([A-Za-z][A-Za-z_]{0,30})(?:[\"']?(?:=|: ?)| |\()[\"'\[(<]?$")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


CONSTANT = _words(
    "level lvl severity msg message logger caller method status code err error type event component reason state result"
    " action op cause msgtype"
)
"""Keys whose values tell kinds apart."""
NUMBERED = _words("port uid slot worker shard partition slave replica")
_NOUNS = NUMBERED | _words(
    "user account database role table relation queue topic device interface job pod container zone index volume pool"
    " host server node peer client upstream file directory path socket unit column schema key"
)
"""Words that say what the next one is; others are verbs as often."""
_NO_NAMES = _words("is was has had from to in on at by the and for of not")


def label_before(line: str, at: int) -> str:
    """The word that says what stands there: `client: ...`, `port ...`, `user=...`."""
    found = _LABEL.search(line, max(0, at - 40), at)
    if found is None:
        return ""
    label = found[1].lower().strip("_")
    spoken = line[found.end(1)] == " " and label not in _NOUNS
    return "" if spoken or label in _NO_NAMES else label


def is_name(word: str) -> bool:
    """Whether a word behind `user` may be who it is."""
    return word.isalpha() and word.islower() and word not in _NO_NAMES
