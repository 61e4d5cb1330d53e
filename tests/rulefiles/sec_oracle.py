"""The real SEC on lines whose times we say."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from rulefiles.fail2ban_oracle import need

Line = tuple[float, str]
"""Seconds from the start, and the text."""

# SEC knows the time of reading only, and asks for it by `time`. Ours stands still until a line `@SECONDS` sets it.
_CLOCK = """\
type=Single
ptype=RegExp
pattern=^@(\\d+)$
desc=clock
action=eval %o ( $main::clock = $1 + 1000000 )

"""
_PERL = (
    "BEGIN { our $clock = 1000000; *CORE::GLOBAL::time = sub () { $main::clock }; }"
    " my $sec = shift @ARGV; do $sec; die $@ if $@;"
)


def sec_acts(rules: str, lines: Sequence[Line], until: int, room: Path) -> list[str]:
    """What its actions write, in their order."""
    config, log = room / "sec.conf", room / "sec.log"
    config.write_text(_CLOCK + rules)
    # The clock goes second by second: SEC looks at what is over once a second, when a line comes.
    texts: list[str] = []
    for second in range(until + 1):
        texts.append(f"@{second}")
        texts += [text for at, text in lines if at == second]
    log.write_text("".join(f"{text}\n" for text in texts))
    command = ["perl", "-e", _PERL, need("sec"), f"--conf={config}", f"--input={log}", "--notail", "--fromstart"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "error" not in done.stderr.lower(), done.stderr
    return done.stdout.splitlines()
