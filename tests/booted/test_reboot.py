"""A host is switched off and on again: what was known is known, what was written meanwhile is read, fixes are armed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from booted.host import LOGMEDIC, Host, booted, ground
from booted.witness import Witness


@pytest.fixture
def root() -> Iterator[Path]:
    with ground() as made:
        yield made


def known(host: Host) -> dict[str, Any]:
    """What people would miss."""
    rows = json.loads(host.logmedic("incidents", "--all", "--limit", "10000", "-o", "json"))
    issues = json.loads(host.logmedic("learned", "-o", "json"))
    silences = json.loads(host.logmedic("silence", "list", "-o", "json"))
    return {
        "incidents": {each["id"] for each in rows},
        "issues": {each["id"] for each in issues},
        "silences": {each["id"] for each in silences},
        "pauses": [each["why"] for each in json.loads(host.logmedic("status", "-o", "json"))["pauses"]],
    }


@pytest.fixture
def writing() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_a_reboot_keeps_everything_and_what_was_written_while_the_host_was_off_is_read_once(
    root: Path, writing: ExitStack
) -> None:
    with booted(root) as host:
        host.install()
        witness = Witness(root)
        witness.met(host)
        writing.enter_context(witness)
        host.until("order-stuck", LOGMEDIC, "incidents", "-o", "json")
        host.logmedic("pause", "--for", "2h", "--why", "a reboot")
        host.logmedic("silence", "add", "--rule", "order-stuck", "--for", "2h", "--why", "a reboot")
        before = known(host)
        assert all(before.values()), before
    read = witness.wrote.lines
    with booted(root) as host:
        host.until('"armed": true', LOGMEDIC, "status", "-o", "json")
        witness.close()
        assert witness.wrote.lines > read
        after = known(host)
        assert (after["silences"], after["pauses"]) == (before["silences"], before["pauses"])
        assert after["incidents"] >= before["incidents"]
        assert after["issues"] >= before["issues"]
        print(witness.exact(host))
