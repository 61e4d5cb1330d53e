"""Secrets are masked, ordinary text is not, and no text makes it slow or raise."""

from __future__ import annotations

import base64
import random
import re
import string
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import logmedic
from logmedic.core.secrets import MASK, masked

CANARY = "hunter2canary"
_CHANCE = random.Random(6)
_LETTERS = string.ascii_letters + string.digits


def drawn(length: int, alphabet: str = _LETTERS) -> str:
    return "".join(_CHANCE.choice(alphabet) for _ in range(length))


NAMED = [
    f"postgres://bob:{CANARY}@db:5432/x is away",
    f"redis://:{CANARY}@[::1]:6379/0",
    f"https://bob:a/{CANARY}@host/p",
    f"amqp://a:p@{CANARY}@h/v",
    f"password={CANARY}",
    f"db_password = '{CANARY}'",
    f'{{"password": "{CANARY}", "user": "bob"}}',
    f'{{\\"passwd\\":\\"{CANARY}\\",\\"x\\":1}}',
    f'"password":["{CANARY}"]',
    f"PASSWORD: {CANARY} user: bob",
    f"Password for bob: {CANARY}",
    f"user=bob,password=a,{CANARY},z;host=x",
    f'password="a\\"{CANARY}"',
    f'password="cut off {CANARY}',
    f"password%3D{CANARY}%26user%3Dbob",
    f"login failed (given password: {CANARY})",
    f"--db-password={CANARY}",
    f"--password {CANARY} --verbose",
    f"curl -u bob:{CANARY} http://x",
    f"PGPASSWORD={CANARY}",
    f"pass={CANARY}",
    f"api_key={CANARY}&x=1",
    f"X-Api-Key: {CANARY}",
    f"'password' => '{CANARY}'",
    f'{{"user"=>"bob", "password"=>"{CANARY}"}}',
    f'b\'{{"secret": "a b {CANARY}"}}\'',
    f"AccountKey={CANARY}==;EndpointSuffix=x",
    f"private_key={CANARY}",
    f"secret={CANARY}",
    f'client_secret: "{CANARY}"',
    f'access_token":"{CANARY}"',
    f"GET /blob?sig={CANARY}&a=1",
    f"PHPSESSID={CANARY}",
    f"sessionid: {CANARY}",
    f"Cookie: a={CANARY}; b={CANARY}",
    f"Set-Cookie: sid={CANARY}; Path=/",
    f"Authorization: Bearer {CANARY}",
    f"'Authorization': 'Bearer {CANARY}'",
    f"authorization: Basic {base64.b64encode(f'bob:{CANARY}'.encode()).decode()}",
    f'Authorization: Digest username="bob", response="{CANARY}"',
    f"CREATE USER bob IDENTIFIED BY '{CANARY}'",
    f"ALTER ROLE bob PASSWORD '{CANARY}'",
    f"<password>{CANARY}</password>",
    f"https://hooks.slack.com/services/T0/B0/{CANARY}",
    f"https://discord.com/api/webhooks/123/{CANARY}",
    f"-----BEGIN RSA PRIVATE KEY-----\n{CANARY}\n-----END RSA PRIVATE KEY-----",
]
UNNAMED = {
    "amazon": "AK" + "IA" + drawn(16, string.ascii_uppercase + "234567"),
    "amazon's secret": drawn(40, _LETTERS + "+/"),
    "github": "gh" + "p_" + drawn(36),
    "gitlab": "gl" + "pat-" + drawn(20),
    "google": "AI" + "za" + drawn(35),
    "slack": "xo" + "xb-123456789012-" + drawn(24),
    "stripe": "sk" + "_live_" + drawn(24),
    "telegram": "123456789" + ":" + drawn(35),
    "model endpoint": "sk" + "-" + drawn(48),
    "json web token": "ey" + f"J{drawn(20)}.{drawn(30)}.{drawn(43)}",
    "hex": drawn(40, "0123456789abcdef"),
    "base32": "7Q" + drawn(38, string.ascii_uppercase + "234567"),
    "card": "4111 1111 1111 1111",
    "card with hyphens": "5500-0000-0000-0004",
}
ORDINARY = [
    "Access denied for user 'root'@'localhost' (using password: YES)",
    "sudo: bob : TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND=/bin/ls",
    "Failed password for root from 192.0.2.4 port 22 ssh2",
    "open /etc/passwd: Permission denied",
    "passwd: Authentication token manipulation error",
    "syntax error: unexpected token: IDENTIFIER",
    "Unexpected token: }",
    "pam_unix(passwd:chauthtok): password changed for root",
    'password authentication failed for user "bob"',
    "invalid password: user not found",
    "password: required",
    "PasswordAuthentication=no",
    "Accepted publickey for x: RSA SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU",
    f"pulled image sha256:{drawn(64, '0123456789abcdef')}",
    'MountVolume.SetUp failed for volume "x" : secret "foo" not found',
    "basic authentication failed",
    "Bearer authentication required",
    'WWW-Authenticate: Basic realm="x"',
    "max_tokens=512 tokens: 5",
    "token expired: yes",
    "auth=PLAIN",
    "cannot load private key: /etc/ssl/private/x.pem",
    "no start line: Expecting: -----BEGIN CERTIFICATE----- in file foo and more words",
    "1s8NTm-00000004K8j-0Tds Completed",
    "nginx-deployment-7c5ddbdf54-x2kqp",
    "com.example.shop.checkout.PaymentGatewayTimeoutException2Handler",
    "/usr/lib/x86_64-linux-gnu/libQt5WebEngineCore.so.5.15.2",
    "id=1700000000000000 at 1700000000000",
    "uuid 5f0c6d7e-1111-4444-8888-123456789abc is missing",
    "node-left[{node-2}{W2D0ORUUSIG0aoI1a5QiPA}]",
    "http://host:8080/path@x",
    "amqp://shop:**@192.0.2.9:5672//",
    "password=[FILTERED] token=${TOKEN}",
]
HOSTILE = (
    "password=",
    'password="',
    'password="\n',
    "password=,a",
    "password=\\'a",
    'password=\\"',
    "password for a",
    "token ",
    "://a:",
    "http://",
    "a:",
    "eyJ",
    "eyJaaaaaaaa.",
    "a-",
    "1 ",
    "4",
    "\\",
    "x",
    "ab1",
    "aB1/",
    "aB1_",
    "a.b+c-",
    "xoxb-",
    "cookie: a=b;",
    "cookie:a",
    "authorization: ",
    "authorization: digest",
    "--a-",
    "<password",
    "identified with ",
    "0x",
    "hooks.slack.com/services/",
    "-----BEGIN A-----",
    "-----BEGIN A-----\n\n\n",
    "-----",
    "-u a:",
    "secret_",
    "[masked]",
)
PIECES = (
    *HOSTILE,
    "-----END A-----",
    "=",
    ": ",
    '"',
    "'",
    "\\",
    "\n",
    " ",
    ";",
    ",",
    "@",
    "/",
    "]",
    "[",
    "}",
    "x:y",
    "user",
    "YES",
    "%3D",
    "bearer ",
    "basic ",
    "Zm9v",
    "4111111111111111",
    "0f0f0f0f0f0f0f0f",
    "deadbeef0123456789abcdef01234567",
    "$",
    "*",
    "aB3dE5gH7jK9mN1pQ3rS5tU7",
    "session_id",
    "é",
    "\ud800",
    "\0",
    "auth",
    " for ",
    "PASSWORD '",
    "123456789:",
    "A" * 35,
)


@pytest.mark.parametrize("text", NAMED)
def test_what_a_name_or_a_place_gives_away_is_masked(text: str) -> None:
    assert CANARY not in masked(text)
    assert MASK in masked(text)


@pytest.mark.parametrize("kind", UNNAMED)
def test_a_key_that_shows_by_itself_is_masked(kind: str) -> None:
    shown = masked(f"got {UNNAMED[kind]} from bob")
    assert UNNAMED[kind] not in shown
    assert shown.startswith("got ")
    assert shown.endswith(" from bob")


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_stays(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgres://bob:pw@db/x", f"postgres://bob:{MASK}@db/x"),
        ('{"password": "a, b", "user": "bob"}', f'{{"password": "{MASK}", "user": "bob"}}'),
        ("id 0123456789abcdef0123456789abcdef gone", "id 0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f gone"),
        ("sessionid: 0x14ede63a5a70002", "sessionid: 0x0f0f0f0f0f0f0f0"),
        ("card 4111-1111-1111-1111.", "card 0000-0000-0000-0000."),
        ("Cookie: a=1; b=2", f"Cookie: a={MASK}; b={MASK}"),
        ("(password=abc, user=bob)", f"(password={MASK}, user=bob)"),
    ],
)
def test_what_stands_around_a_secret_stays_and_so_does_its_kind(text: str, shown: str) -> None:
    assert masked(text) == shown


@pytest.mark.parametrize(("alphabet", "length"), [(_LETTERS, 32), (_LETTERS + "_-", 43), (_LETTERS + "+/", 40)])
def test_nearly_every_long_drawn_text_is_seen(alphabet: str, length: int) -> None:
    seen = sum(MASK in masked(f"key {drawn(length, alphabet)}.") for _ in range(500))
    assert seen >= 480


def test_of_the_lines_of_the_shipped_rules_only_ids_of_containers_change() -> None:
    lines = [line for path in sorted(Path("rules").glob("*.yaml")) for line in _lines_of(path)]
    changed = [line for line in lines if masked(line) != line]
    assert len(lines) > 2000
    assert all("0a1b2c3d4e5f6071" in line for line in changed), changed
    assert len(changed) < 10


def _lines_of(path: Path) -> list[str]:
    document = yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    tests = [test for rule in document["rules"] for test in rule.get("tests", ())]
    lines = [each if isinstance(each, str) else each.get("text", "") for test in tests for each in test["lines"]]
    return [line for line in lines if isinstance(line, str)]


@settings(max_examples=600, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=30).map("".join))
def test_any_text_can_be_masked_and_twice_is_as_once(text: str) -> None:
    once = masked(text)
    assert masked(once) == once


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(max_codepoint=0x2FFF), max_size=60), st.sampled_from(NAMED))
def test_no_line_above_or_below_unmasks_a_secret(other: str, text: str) -> None:
    assert CANARY not in masked(f"{other}\n{text}\n{other}")


@pytest.mark.parametrize("piece", HOSTILE)
def test_the_time_is_linear(piece: str) -> None:
    text = piece * (60_000 // len(piece))
    began = time.process_time()
    masked(text)
    masked(text + "!")
    assert time.process_time() - began < 2  # some 0.05 s; what is quadratic takes a minute


def test_no_group_is_repeated_possessively() -> None:
    """Before Python 3.11.5 (Debian 12 has 3.11.2) the standard library's `(...)++` matches too little: gh-106052."""
    root = Path(logmedic.__file__).parent
    found = {
        f"{path.relative_to(root)}: {line.strip()}"
        for path in root.rglob("*.py")
        for line in path.read_text().splitlines()
        if re.search(r"\)(\+\+|\*\+|\?\+)", line) and "`(...)++`" not in line
    }
    assert not found
