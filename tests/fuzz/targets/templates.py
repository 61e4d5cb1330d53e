"""Templates of messages: whatever stands in one, it makes a message or is said to be wrong, in bounds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fuzz.target import Attempt, Target, claim
from fuzz.targets import PROJECT, by_name, words
from fuzz.targets.rulefiles import judge_problems
from logmedic.adapters.alerts.customs import BUILT_IN, NAMES, OUTPUT_CHARS, TemplateFailed, check_templates, rendered
from logmedic.adapters.alerts.samples import SAMPLES

SECRET = "nobody-may-read-this"
MIB = 1024 * 1024


@contextmanager
def _messages(room: Path) -> Iterator[Attempt]:
    """The first byte says which of the templates it is."""
    (room / "secret.txt").write_text(SECRET)
    directory = room / "templates"
    directory.mkdir()
    names = sorted(NAMES)

    def attempt(given: bytes) -> None:
        name = names[given[0] % len(names)] if given else names[0]
        path = directory / name
        path.write_bytes(given[1:])
        try:
            judge_problems(check_templates(directory), str(directory))
            for sample in SAMPLES[:2]:
                written = rendered(directory, name, sample, sample.title)
                claim(len(written) <= 2 * OUTPUT_CHARS, f"it writes {len(written)} characters")
                claim(SECRET not in written, "it reads a file")
                written.encode()
        finally:
            path.unlink()

    yield attempt


def _written() -> Iterable[bytes]:
    for path in sorted(BUILT_IN.glob("*.j2")):
        yield b"\x01" + path.read_bytes()
    page = (PROJECT / "docs" / "alerts.md").read_bytes()
    for part in page.split(b"```jinja\n")[1:] + page.split(b"```jinja2\n")[1:]:
        yield b"\x00" + part.split(b"```")[0]
    passages = b"{% for p in part.passages %}{{ p.text | quoted(3) }}{% endfor %}"
    yield b"\x00{% for part in parts %}{{ part.heading }}" + passages + b"{% endfor %}{{ left_out }}"
    macro = b"{% macro m(x) %}{{ x | since }}{% endmacro %}{{ m(message.stories[0]) }}"
    yield b"\x02{{ message.title }} {{ title | upper }} {% if note %}{{ note }}{% endif %}" + macro


_TOKENS = words("messages")
TARGETS = by_name(
    Target(
        "messages",
        _messages,
        _written,
        _TOKENS,
        (TemplateFailed,),
        most_bytes=4096,
        cpu_s=30.0,
        memory=700 * MIB,
        peak=600 * MIB,
        growth=200 * MIB,
    )
)
