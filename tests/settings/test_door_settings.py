"""`web`: doors that would be open to strangers, and tokens that would open nothing, do not load."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from logmedic.model.errors import ConfigInvalid
from logmedic.settings import Settings, load_settings

HASH = "ab" * 32


def loaded(tmp_path: Path, text: str) -> Settings:
    config = tmp_path / "logmedic.yaml"
    config.write_text(f"web: {{ {text} }}")
    return load_settings(config, {})


def test_there_is_no_port_by_default() -> None:
    assert (Settings().web.dashboard, Settings().web.operators, Settings().web.tokens) == ("", [], {})


@pytest.mark.parametrize("told", ["127.0.0.1:8632", "[::1]:8632", "localhost:8632", "127.0.0.2:1"])
def test_the_dashboard_is_on_the_loopback(tmp_path: Path, told: str) -> None:
    assert loaded(tmp_path, f'dashboard: "{told}"').web.dashboard == told


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('dashboard: "0.0.0.0:8632"', "put a proxy with TLS in front"),
        ('dashboard: "10.0.0.1:8632"', "dashboard_url"),
        ('dashboard: "db1.example:8632"', "could be reached from other hosts"),
        ('dashboard: "[::]:8632"', "could be reached from other hosts"),
        ('dashboard: "8632"', "is no host and port"),
        ('dashboard: "127.0.0.1:0"', "is no host and port"),
        ('dashboard: "127.0.0.1:8632", listen: "127.0.0.1:8632"', "are the same"),
        ('dashboard_url: "https://ops.example"', "of no use without `dashboard`"),
        ('dashboard: "127.0.0.1:1", dashboard_url: "ops.example"', "is no http"),
        ('dashboard: "127.0.0.1:1", dashboard_url: "https://ops.example/x"', "more than a scheme, a host and a port"),
        ("operators: ['a b']", "is no user or group"),
        ("operators: ['@']", "is no user or group"),
        ("tokens: { 'a b': { sha256: " + HASH + " } }", "is no name of a token"),
        ("tokens: { a: { sha256: lm_x } }", "logmedic token new NAME prints it"),
        ("tokens: { a: { scope: write, sha256: " + HASH + " } }", "scope"),
        ("tokens: { a: { sha256: " + HASH + ", expires: soon } }", "expires"),
        ("tokens: { a: { scope: read } }", "sha256"),
    ],
)
def test_what_would_be_a_mistake_is_one(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        loaded(tmp_path, text)
    assert says in str(refused.value)


def test_operators_are_users_and_groups(tmp_path: Path) -> None:
    assert loaded(tmp_path, 'operators: [alice, "@ops", "EXAMPLE\\\\bob", svc$]').web.operators[1] == "@ops"


def test_a_token_works_to_the_end_of_its_last_day(tmp_path: Path) -> None:
    token = loaded(tmp_path, f"tokens: {{ a: {{ sha256: {HASH.upper()}, expires: 2027-02-24 }} }}").web.tokens["a"]
    assert (token.sha256, token.scope, token.expires) == (HASH, "read", date(2027, 2, 24))
    assert token.ends == datetime(2027, 2, 25, tzinfo=UTC)
