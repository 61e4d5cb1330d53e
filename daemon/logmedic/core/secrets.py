"""Secrets in log text, masked so that the text keeps its shape.

For secrets that nobody told us of. One that is known, such as a receiver's URL, is taken out by what knows it.
"""

from __future__ import annotations

import re

from logmedic.core import secretforms as forms

MASK = "[masked]"
"""Stands for a secret. Hex becomes 0f0f... and a card number zeros, each as long as it was, so that what a pattern
takes for hex or for a number stays one."""
_ROUNDS = 8
"""What one form hides can bring out another, seldom more than once. Text made to go on so is masked as a whole."""
_HEX = "0f"
_DIGESTS = ("sha256:", "sha512:", "sha1:", "md5:", "sha256-", "sha512-")


def masked(text: str) -> str:
    """What looks like a secret is replaced, the rest is as it was; masking twice changes nothing more. Never raises.
    Its time is linear in the text. A secret that is a plain word with no name before it is not seen."""
    for _ in range(_ROUNDS):
        before, text = text, _masked_once(text)
        if text == before:
            return text
    return MASK


def _masked_once(text: str) -> str:
    text = forms.ISSUED.sub(MASK, forms.PEM.sub(_named_masked, text))
    for pattern in (forms.HOOK, forms.USER_PART, forms.HEADER_LINE, forms.ELEMENT, forms.USER_OPTION):
        text = pattern.sub(_named_masked, text)
    text = forms.COOKIES.sub(_cookies_masked, text)
    text = forms.SCHEME.sub(_scheme_masked, text)
    for pattern in (forms.SQL, forms.OPTION):
        text = pattern.sub(_argument_masked, text)
    text = forms.KEYED.sub(_keyed_masked, text)
    text = forms.HEX.sub(_hex_masked, text)
    text = forms.LONG_RUN.sub(_run_masked, text)
    return forms.CARD.sub(_card_masked, text)


def _named_masked(found: re.Match[str]) -> str:
    value = found["bare"]
    return found[0] if value is not None and forms.says_nothing(value) else found["head"] + MASK


def _cookies_masked(found: re.Match[str]) -> str:
    return found["head"] + forms.COOKIE_VALUE.sub(_named_masked, found["pairs"])


def _scheme_masked(found: re.Match[str]) -> str:
    value = found["bare"]
    is_one = found["sure"] is not None or forms.is_opaque(value) or forms.is_jumbled(value)
    return found["head"] + MASK if is_one and not forms.says_nothing(value) else found[0]


def _argument_masked(found: re.Match[str]) -> str:
    """The quotes around it stay."""
    value, inner = found["bare"], found["bare"].strip("'\"")
    if forms.says_nothing(inner):
        return found[0]
    begin = value.index(inner)
    return found["head"] + value[:begin] + MASK + value[begin + len(inner) :]


def _keyed_masked(found: re.Match[str]) -> str:
    quoted = found["quoted"]
    if quoted is not None:
        return found[0] if forms.says_nothing(quoted) else f"{found['head']}{found['opening']}{_shape(quoted)}"
    value = found["bare"].rstrip(".,;:!)]}>|\\")
    if forms.says_nothing(found["bare"]) or forms.says_nothing(value) or not _is_value(value, found):
        return found[0]
    return found["head"] + _shape(value) + found["bare"][len(value) :]


def _is_value(value: str, found: re.Match[str]) -> bool:
    """Whether an unquoted `value` is what the name before it names, and not the next word of a sentence."""
    strong = found["strong"]
    if strong is not None and strong.lower() == "pwd" and value.startswith("/"):
        return False  # sudo and shells write the working directory so
    if found["shy"] is not None:
        return forms.is_opaque(value)
    if ":" not in found["sign"] or found["closing"]:
        return strong is not None or not value.isdecimal()
    if strong is None:
        return forms.is_opaque(value)
    goes_on = found.string[found.end() : found.end() + 2]
    return not (forms.is_word(value) and goes_on[:1] == " " and goes_on[1:].isalpha())


def _shape(value: str) -> str:
    """What stands for `value`."""
    if not forms.is_hex(value):
        return MASK
    label = value[:2] if value[1] in "xX" else ""
    length = len(value) - len(label)
    return label + (_HEX * length)[:length]


def _hex_masked(found: re.Match[str]) -> str:
    value = found[0]
    return value if value.isalpha() or value.isdecimal() or _is_digest(found) else _shape(value)


def _run_masked(found: re.Match[str]) -> str:
    return found[0] if _is_digest(found) else _chance_masked(found[0], "/=", "-_+")


def _is_digest(found: re.Match[str]) -> bool:
    """Named as one: the fingerprint of a public key, of an image, of a package."""
    return found.string[max(found.start() - 7, 0) : found.start()].lower().endswith(_DIGESTS)


def _chance_masked(run: str, *separators: str) -> str:
    """The whole when it was drawn by lot, else each part of it that was."""
    if len(run) < forms.SHORTEST_RUN or set(run.lower()) <= {"x", *_HEX}:
        return run
    if forms.by_chance(run):
        return _shape(run)
    if not separators:
        return run
    parts = re.split(f"([{re.escape(separators[0])}])", run)
    return "".join(_chance_masked(part, *separators[1:]) for part in parts)


def _card_masked(found: re.Match[str]) -> str:
    digits = "".join(filter(str.isdecimal, found[0]))
    return re.sub(r"\d", "0", found[0]) if forms.is_card(digits) else found[0]
