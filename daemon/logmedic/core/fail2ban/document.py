"""The draft: a rule file as text, with comments on all that it does not say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import regex

from logmedic.core.captures import accept
from logmedic.core.fail2ban.definition import Filter, Jail
from logmedic.core.fail2ban.samples import samples_of
from logmedic.core.fail2ban.terms import Terms, seconds_of, span_text, terms_of
from logmedic.core.fail2ban.translate import Lost, Pattern, Translation, translate
from logmedic.model.match import Capture, CaptureType

WIDTH = 120
_TIMEOUT_S = 1.0
_HEAD = "Nov 23 03:12:41 host1 "
_OTHER = "unrelated"


@dataclass(frozen=True, slots=True)
class Draft:
    """`samples`: lines that its patterns take, one a pattern where one was found."""

    text: str
    rule_id: str
    lost: tuple[Lost, ...]
    samples: tuple[str, ...]


def draft(given: Filter, jail: Jail | None) -> Draft:
    """Raises FilterInvalid when nothing can be carried over."""
    terms = terms_of(given, jail)
    own_log = bool(terms.files) and bool(given.programs)
    translation = translate(given, own_log=own_log, spared=terms.spared)
    lost = [*translation.lost, *terms.lost]
    if given.guessed:
        lost.append(Lost("_daemon", f"programs are named by {', '.join(given.programs)}, which may be wider"))
    found = [(each, _sample(each, translation)) for each in translation.patterns]
    samples = tuple(sample for _, sample in found if sample is not None)
    lost += [
        Lost(each.text, "no line of our own was found for a test of it") for each, sample in found if sample is None
    ]
    if not samples:
        lost.append(Lost("tests", "none could be made; write one from a line of your own log"))
    written = _Writer(given, jail, terms, translation, samples, tuple(lost))
    return Draft("\n".join(written.lines()) + "\n", written.rule_id, tuple(lost), samples)


# -- samples -----------------------------------------------------------------------------------------------------------


def _sample(pattern: Pattern, translation: Translation) -> str | None:
    """A whole line that `pattern` takes, with an accepted capture, and that nothing excludes."""
    compiled = regex.compile(pattern.text)
    unless = [regex.compile(each) for each in translation.unless]
    capture = Capture(CaptureType(translation.kind))
    for text in samples_of((pattern.shape,)):
        if not text.isprintable() or text.startswith("#") or len(text) > 500:
            continue
        try:
            found = compiled.search(text, timeout=_TIMEOUT_S)
            if found is None or accept(found[translation.by] or "", capture) is None:
                continue
            if not any(each.search(text, timeout=_TIMEOUT_S) for each in unless):
                return f"{_HEAD}{_program(translation)}[811]: {text}" if translation.programs else text
        except TimeoutError:
            return None
    return None


def _program(translation: Translation) -> str:
    return translation.programs[0].replace("*", "x")


# -- the text ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Writer:
    given: Filter
    jail: Jail | None
    terms: Terms
    translation: Translation
    samples: Sequence[str]
    lost: tuple[Lost, ...]

    @property
    def name(self) -> str:
        return self.jail.name if self.jail is not None else self.given.name

    @property
    def slug(self) -> str:
        return re.sub(r"[^a-z0-9.-]+", "-", self.name.lower()).strip("-.") or "filter"

    @property
    def rule_id(self) -> str:
        return f"fail2ban-{self.slug}"[:64].strip("-.")

    def lines(self) -> Iterator[str]:
        yield from self._top()
        yield "version: 1"
        yield f"service: {_quoted(self.slug)}"
        if self.terms.files:
            yield "sources:"
            yield f"  {self.slug}: {{ files: {_list(self.terms.files)} }}"
        yield "rules:"
        yield from (f"  {line}".rstrip() for line in self._rule())

    def _top(self) -> Iterator[str]:
        of = f"filter {self.given.name}" + (
            f" and jail {self.jail.name}" if self.jail is not None else ", and its defaults: there is no jail"
        )
        yield f"# Drafted from fail2ban's {of}. Read it before you use it."
        if self.lost:
            yield "#"
            yield "# Not carried over:"
            for each in self.lost:
                yield from _comment(f"{_shown(each.what)}: {each.why}", "# - ", "#   ")

    def _rule(self) -> Iterator[str]:
        by, count, within = self.translation.by, self.terms.count, span_text(self.terms.within_s)
        yield f"- id: {self.rule_id}"
        yield f'  title: "{self.slug}: failures from {{{by}}}"'
        yield "  severity: medium"
        yield "  description: >-"
        yield f"    {count} lines inside {within} that fail2ban's filter {self.given.name} counts as failures, from one"
        yield "    address: somebody guesses passwords, or a client of yours has a wrong one."
        yield "  resolution: >-"
        yield "    See which accounts and requests the lines name. Correct the client if it is yours; else block it."
        yield f"  tags: [fail2ban, {_quoted(self.slug)}]"
        yield from self._heard()
        yield "  match:"
        if self.translation.programs:
            yield f"    program: {_list(self.translation.programs)}"
        yield "    patterns:"
        yield from (f"      - {_quoted(each.text)}" for each in self.translation.patterns)
        if self.translation.unless:
            yield "    unless:"
            yield from (f"      - {_quoted(each)}" for each in self.translation.unless)
        yield f"    captures: {{ {by}: {self.translation.kind} }}"
        yield f"  when: {{ threshold: {{ count: {count}, within: {within}, by: [{by}] }} }}"
        yield from self._ban()
        if self.samples:
            yield "  tests:"
            yield from (f"    {line}" for line in self._tests())

    def _heard(self) -> Iterator[str]:
        own = (self.slug,) if self.terms.files else ()
        heard = (*own, *self.terms.sources)
        if heard:
            yield f"  source: {_list(heard)}"
        else:
            yield "  # source: not told by fail2ban; without it every log is heard"

    def _ban(self) -> Iterator[str]:
        """A ban is a fix that the operator writes."""
        bantime = seconds_of(self.jail.bantime) if self.jail is not None else None
        if self.jail is not None:
            ports = f", port {self.jail.port}" if self.jail.port else ""
            action = self.jail.banaction or "its action"
            yield from _comment(
                f"fail2ban bans the address here ({action}{ports}, bantime {self.jail.bantime}). A rule bans nobody by "
                "itself. Let fail2ban go on banning, or write the fix that you want. A step has no network and may "
                "change no firewall: it can leave the address where a service of root's takes it up, for example:",
                "  # ",
                "  # ",
            )
        else:
            yield "  # A rule bans nobody by itself. A fix can leave the address where a service of root's takes it:"
        quiet = span_text(min(max(bantime or 600, 60), 86400))
        yield "  # fix:"
        yield "  #   mode: approve"
        yield "  #   steps:"
        yield "  #     - name: hand over the address"
        yield f'  #       run: [/usr/local/lib/logmedic/ban, "{{{self.translation.by}}}"]'
        yield "  #       sandbox: { read: [/usr/local/lib/logmedic], write: [/var/spool/logmedic-ban] }"
        yield f"  #   verify: {{ quiet: {quiet} }}"

    def _tests(self) -> Iterator[str]:
        first, count = _quoted(self.samples[0]), self.terms.count
        every = min(1.0, self.terms.within_s / (2 * count))
        pace = f"{every:.3f}".rstrip("0").rstrip(".") + "s"
        captured = self._captured()
        yield f"- name: fires at {count} failures" if count > 1 else "- name: fires at one failure"
        yield f"  lines: [{{ text: {first}, repeat: {count}, every: {pace} }}]"
        yield f"  expect: {{ fires: 1, matches: {count}, captures: {{ {self.translation.by}: {_quoted(captured)} }} }}"
        if count > 1:
            yield "- name: near miss, one failure fewer"
            yield f"  lines: [{{ text: {first}, repeat: {count - 1}, every: {pace} }}]"
            yield f"  expect: {{ fires: 0, matches: {count - 1} }}"
        if self.translation.programs:
            other = re.sub(r"^(.{15} \S+ )[^\[]+", rf"\g<1>{_OTHER}", self.samples[0])
            yield "- name: near miss, another program"
            yield f"  lines: [{{ text: {_quoted(other)}, repeat: {count} }}]"
            yield "  expect: { fires: 0, matches: 0 }"
        if len(self.samples) > 1:
            yield "- name: every kind of line counts"
            yield "  lines:"
            yield from (f"    - {_quoted(each)}" for each in self.samples)
            yield f"  expect: {{ matches: {len(self.samples)} }}"

    def _captured(self) -> str:
        text = self.samples[0]
        message = text if not self.translation.programs else text.split("]: ", 1)[1]
        for each in self.translation.patterns:
            found = regex.search(each.text, message)
            if found is not None and found[self.translation.by]:
                return str(found[self.translation.by])
        return ""


def _shown(text: str) -> str:
    return f"`{text}`" if len(text) <= 160 else f"`{text[:157]}...`"


def _comment(text: str, first: str, further: str) -> Iterator[str]:
    """Cut between words; a word that is too long stays whole."""
    line = first
    for word in text.split():
        if len(line) > len(first) and len(line) + len(word) > WIDTH:
            yield line.rstrip()
            line = further
        line += f"{word} "
    yield line.rstrip()


def _list(texts: Sequence[str]) -> str:
    return f"[{', '.join(map(_quoted, texts))}]"


def _quoted(text: str) -> str:
    """A YAML scalar on one line."""
    if re.fullmatch(r"[A-Za-z/_][A-Za-z0-9/_.-]*", text) and text.lower() not in _WORDS:
        return text
    return "'" + text.replace("'", "''") + "'" if text.isprintable() else json.dumps(text)


_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
