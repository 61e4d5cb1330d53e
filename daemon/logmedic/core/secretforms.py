"""What secrets look like in text: the words before them, the marks that issuers give their keys, and chance itself.

Every pattern is linear in the text: repeats are possessive, bounded, or start at one place of a run only. Those of
groups are possessive by a look ahead that is then taken: before Python 3.11.5 `(...)++` matches too little (gh-106052),
and a secret would stay where it is.
"""

from __future__ import annotations

import math
import re
from itertools import pairwise

_I = re.IGNORECASE | re.ASCII
_NO_LETTER = r"(?<![A-Za-z])"

# The words that name a secret. What stands behind a strong one is the secret, but for the words of a sentence; behind a
# weak one too when `=` is between them; behind a shy one only when it looks like none of a language.
_STRONG = (
    r"passwor[dt]|passphrase|api[_.\- ]?key|api[_.\- ]?secret|(?:access|account|auth|encryption|master|private|secret"
    r"|sharedaccess|shared[_-]access|signing|ssh|session)[_.\- ]?key(?:[_-]?id)?|sharedaccesssignature"
    rf"|client[_.\-]secret|{_NO_LETTER}pwd"
)
_WEAK = (
    rf"passwd|secret|token|cookie|(?:proxy-)?authorization|{_NO_LETTER}(?:otp|pass|passcode|sig|csrf|xsrf)"
    r"|signature|(?:session|sess)[_.\-]?(?:id|key)|(?:php|j)sessionid|phpsessid|connect\.sid"
)
_SHY = rf"{_NO_LETTER}auth|credentials?"
_ENDING = r"(?:_?\d{1,2}|[_-](?:hash|b64|base64|value))?"
_UNQUOTED = (
    r"\[masked\]"
    r"|(?=(?P<run>(?:[^\s\"'`<>&,;\\]|\\(?![\"'n])|[,;](?![\s,;]|$|[\w.\"'-]{1,40}[\"']?[=:]))+))(?P=run)"
)
KEYED = re.compile(
    rf"(?P<head>(?:(?P<strong>{_STRONG})|(?P<shy>{_SHY})|{_WEAK}){_ENDING}(?P<closing>\\{{0,8}}[\"'`]?\]?)"
    r"(?:[ ]for[ ][^\s:=]{1,64}+)?(?P<sign>[ \t]{0,4}(?:=>|:=|==?|:|%3d)[ \t]{0,4})(?:\[(?!masked\]))?)"
    r"(?:(?P<opening>[bu]?(?P<quote>(?P<escaped>\\{1,8})?[\"'`]))"
    r"(?P<quoted>(?(escaped)[^\n]*?(?=(?P=quote)|$|\n)|(?=(?P<inner>(?:(?!(?P=quote))[^\\\n]|\\[^\n])*))(?P=inner)))"
    rf"|(?P<bare>{_UNQUOTED}))",
    _I,
)
"""A name, a sign and a value: key=value, key: value, JSON (also inside of JSON), Python, Ruby, percent-encoded."""

OPTION = re.compile(
    r"(?P<head>(?<![\w-])--(?:[a-z0-9]{1,20}-){0,3}(?:password|passwd|passphrase|token|secret|api-?key)[ \t]{1,4})"
    rf"(?!-)(?P<bare>{_UNQUOTED}|\"[^\"\n]*+\"?|'[^'\n]*+'?)",
    _I,
)
USER_OPTION = re.compile(
    rf"(?P<head>(?<!\S)(?:-u|--(?:proxy-)?user)[ =][\"']?[^\s:\"']{{1,64}}+:)(?P<bare>{_UNQUOTED})", re.ASCII
)
SQL = re.compile(
    r"(?P<head>\b(?:identified[ ](?:with[ ]\S{1,40}[ ])?(?:by|as)|password)[ ]{1,4})(?P<bare>'[^'\n]*+'?)", _I
)
ELEMENT = re.compile(r"(?P<head><[\w:.-]{0,40}(?:password|passwd|pwd|secret|token|apikey)>)(?P<bare>[^<\n]++)", _I)
USER_PART = re.compile(
    r"(?P<head>[a-z][a-z0-9+.-]{0,20}://[^\s/?#:@\"'<>\[]{0,256}+:)"
    r"(?P<bare>\[masked\]|[^\s/?#\"'<>]{0,512}(?=@)|(?!\d*[/?#])[^\s\"'<>@]{1,128}(?=@))(?=@)",
    _I,
)
"""The password before the host. One with a slash inside counts too when what follows the colon is no port."""
HEADER_LINE = re.compile(
    r"(?P<head>authorization\\?[\"']?[ \t]{0,4}[:=][ \t]{0,4}\\?[\"']?(?:digest|oauth|hawk|signature|aws4-hmac-sha256)"
    r"[ \t]{1,4})(?P<bare>[^\n]++)",
    _I,
)
SCHEME = re.compile(
    r"(?P<head>(?P<sure>authorization\\?[\"']?[ \t]{0,4}[:=][ \t]{0,4}\\?[\"']?)?"
    r"\b(?:bearer|basic|token|apikey|negotiate|ntlm)[ \t]{1,4})(?P<bare>[\w.~+/=-]{6,})",
    _I,
)
COOKIES = re.compile(
    r"(?P<head>cookie2?\\?[\"']?[ \t]{0,4}:[ \t]{0,4}\\?[\"']?)"
    r"(?=(?P<pairs>(?:[^\s=;,\"'<>\\]{1,128}+=[^\s;\"',<>\\]*+(?:;[ \t]{0,4}+|(?=[\"',\s<>\\]|$)))+))(?P=pairs)",
    _I,
)
COOKIE_VALUE = re.compile(r"(?P<head>[^\s=;]++=)(?P<bare>[^\s;]++)")

ISSUED = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?:AKIA|ASIA|AROA|AIDA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])"  # Amazon
    r"|AIza[\w-]{35}|ya29\.[\w-]{20,}+|GOCSPX-[\w-]{20,}+"  # Google
    r"|gh[pousr]_[A-Za-z0-9]{20,}+|github_pat_\w{20,}+"  # GitHub
    r"|gl(?:pat|ptt|dt|rt|cbt|soat|agent|ft|imt)-[\w-]{16,}+"  # GitLab
    r"|xox[a-z]-[\w-]{10,}+|xapp-[\w-]{10,}+"  # Slack
    r"|(?:[sr]k|pk)_(?:live|test)_\w{10,}+|whsec_[\w+/=]{16,}+"  # Stripe
    r"|SG\.[\w-]{16,32}\.[\w-]{16,}+"  # SendGrid
    r"|(?:bot)?\d{8,10}:[\w-]{35}(?![\w-])"  # Telegram
    r"|[MNO][A-Za-z\d]{23,27}\.[\w-]{6}\.[\w-]{27,}+"  # Discord
    r"|npm_[A-Za-z0-9]{30,}+|pypi-[\w-]{30,}+|rubygems_[0-9a-f]{30,}+|hf_[A-Za-z]{30,}+|dckr_pat_[\w-]{20,}+"
    r"|sk-[\w-]{20,}+|gsk_\w{30,}+"  # model endpoints
    r"|do[opr]_v1_[0-9a-f]{40,}+|hv[sbr]\.[\w-]{20,}+|shp(?:at|ca|pa|ss)_[0-9a-f]{20,}+|ATATT3[\w=-]{20,}+"
    r"|AGE-SECRET-KEY-1[0-9A-Z]{20,}+|key-[0-9a-f]{32}(?![0-9a-f])|dapi[0-9a-f]{32}(?![0-9a-f])|lin_api_\w{30,}+"
    r"|eyJ[\w-]{8,}+\.[\w-]{8,}+(?:\.[\w-]*+)?"  # JSON web tokens
    r")",
    re.ASCII,
)
"""Keys that say by their first letters whose they are."""
HOOK = re.compile(
    r"(?P<head>(?:hooks\.slack\.com/(?:services|workflows|triggers)/|discord(?:app)?\.com/api/(?:v\d{1,2}/)?webhooks/"
    r"|webhook\.office\.com/webhookb2/|outlook\.office\.com/webhook/|api\.telegram\.org/bot|chat\.googleapis\.com/v1/spaces/"
    r"|hooks\.zapier\.com/hooks/catch/|maker\.ifttt\.com/trigger/))(?P<bare>\[masked\]|[^\s\"'<>\\]{4,}+)",
    _I,
)
"""Addresses that are secrets: who knows one may post."""
PEM = re.compile(
    r"(?P<head>-----BEGIN [A-Z0-9 ]{1,40}-----)"
    r"(?:(?=(?P<bare>(?:[^-]++|-(?!----(?:BEGIN|END) ))+))(?P=bare)(?=-----END )"
    r"|(?=(?P<cut>(?:(?:\s|\\[nr]){0,8}+[A-Za-z0-9+/=]{24,}+)+))(?P=cut))"
)
"""A key or certificate between its marks; `cut`: what stands behind a beginning whose end was cut off."""

HEX = re.compile(r"(?<![0-9A-Za-z])(?P<bare>(?:0x)?[0-9a-fA-F]{32,}+)(?![0-9A-Za-z])", re.ASCII)
SHORTEST_RUN = 24
LONG_RUN = re.compile(rf"(?<![\w+/-])[\w+/-]{{{SHORTEST_RUN},}}+={{0,2}}", re.ASCII)
_SEPARATED = re.compile(r"[-_/+]")
CARD = re.compile(r"(?<![\w.-])(?P<card>[2-6]\d{3}(?:[ -]?\d){9,15})(?![\w-]|\.\d)", re.ASCII)

_SAID = frozenset(
    """
    a an and at basic be bearer by cannot could denied did digest disabled does empty enabled error expected
    expired fail failed false filtered for found from has hidden if in incorrect invalid is it keyboard-interactive
    length masked max min mismatch missing must negotiate nil no none not null of off ok on or
    present provided public redacted rejected removed required reset sent set should the to too true undefined
    unexpected unknown unset unsupported user was we when with without wrong yes you your
    """.split()  # noqa: SIM905 - a list would take ninety lines
)
_HIDDEN = re.compile(r"[*xX.•#-]+|[\[<({]{1,2}[A-Za-z_ .:/*-]{0,40}[\])>}]{1,2}|\$\w+|\$\{.*|%[a-z]", re.ASCII)
_HEX_VALUE = re.compile(r"(?:0x)?(?=[a-f]*\d)[0-9a-f]{12,}", _I)
_A_PATH = re.compile(
    r"(?:file://)?/(?:app|boot|data|dev|etc|home|lib|media|mnt|opt|proc|root|run|snap|srv|sys|tmp|usr|var)(?:/|$)"
)
_WORD = re.compile(r"[A-Za-z]?[a-z]+|[A-Z]+")
_OPAQUE = re.compile(r"(?=[^\d]*\d)(?=[^A-Za-z]*[A-Za-z])[\w+/=.~%!@#$^*-]{4,}|[\w+/=.~%-]{20,}", re.ASCII)


def says_nothing(value: str) -> bool:
    """Of what stands where a secret would: a word of the message itself, a placeholder, a path, or no value at all."""
    return (
        not any(map(str.isalnum, value))
        or value.lower() in _SAID
        or _HIDDEN.fullmatch(value) is not None
        or _A_PATH.match(value) is not None
    )


def is_word(value: str) -> bool:
    return _WORD.fullmatch(value) is not None


def is_jumbled(value: str) -> bool:
    """Letters only, of both cases, and not as words have them."""
    return value.isalpha() and not is_word(value) and not value.islower()


def is_hex(value: str) -> bool:
    return _HEX_VALUE.fullmatch(value) is not None


def is_opaque(value: str) -> bool:
    """No word of a sentence: letters and digits mixed, or long."""
    return _OPAQUE.fullmatch(value) is not None


def by_chance(run: str) -> bool:
    """Whether letters and digits change so often, and are so many, as only in what was drawn by lot: of 62 characters,
    neighbours differ in kind (lower, upper, digit) with probability 0.62; of 36 with 0.40, of 32 with 0.30. In names
    of code it is below 0.35, and far lower without capitals, as a word has five letters. Between separators a
    drawn text has long pieces; a name has short ones. Shorter ones are let through: an id of 128 bits is 22 long in
    base64 (cluster nodes, topics)."""
    kinds = [_kind(each) for each in run if each.isalnum()]
    if len(kinds) < SHORTEST_RUN or "d" not in kinds or _bits(run) < 3.4:
        return False
    changes = sum(a != b for a, b in pairwise(kinds)) / len(kinds)
    if "l" in kinds and "u" in kinds:
        return changes >= 0.4 and max(map(len, _SEPARATED.split(run))) >= 12
    return changes >= 0.2 and run.isalnum()


def _kind(character: str) -> str:
    return "d" if character.isdigit() else "u" if character.isupper() else "l"


def _bits(run: str) -> float:
    """Shannon's entropy of the characters, bits each."""
    return -sum(n / len(run) * math.log2(n / len(run)) for n in map(run.count, set(run)))


def is_card(digits: str) -> bool:
    """By issuer, length and Luhn's sum (ISO/IEC 7812-1)."""
    return _ISSUER.fullmatch(digits) is not None and _luhn(digits)


_ISSUER = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"
    r"|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"
    r"|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|35\d{14}|6(?:011|5\d\d|4[4-9]\d)\d{12}|62\d{14,17}"
)


def _luhn(digits: str) -> bool:
    doubled = (int(each) * 2 for each in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(each // 10 + each % 10 for each in doubled)) % 10 == 0
