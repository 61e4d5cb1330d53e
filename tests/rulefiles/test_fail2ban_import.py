"""Drafts from fail2ban's filters: they load, and they say of lines what fail2ban itself says."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from logmedic.adapters.rulefiles.fail2ban import draft_of, filter_names
from logmedic.adapters.rulefiles.loader import RuleFileLoader
from logmedic.cli.root import main
from logmedic.core.fail2ban.document import Draft
from logmedic.core.fail2ban.ini import FilterInvalid
from logmedic.core.fail2ban.terms import seconds_of
from logmedic.core.ruletest import run_tests
from logmedic.model.errors import NotFound
from logmedic.model.rule import Rule, RuleSet
from logmedic.model.when import Threshold
from rulefiles.fail2ban_oracle import (
    CONFIG_DIR,
    IGNORED,
    MATCHED,
    MISSED,
    Verdict,
    fail2ban_matches,
    fail2ban_says,
    need,
    rule_hosts,
    rule_says,
)


def loaded(draft: Draft, room: Path) -> RuleSet:
    path = room / "draft.yaml"
    path.write_text(draft.text)
    return RuleFileLoader([path], owners=None, prove=run_tests).load()


def rule_of(draft: Draft, room: Path) -> Rule:
    found = loaded(draft, room)
    assert found.problems == ()
    [rule] = found.rules
    return rule


def told(draft: Draft) -> str:
    return "\n".join(f"{each.what}: {each.why}" for each in draft.lost)


# -- beside fail2ban-regex, on lines of our own ------------------------------------------------------------------------

A, B, C, V6 = "203.0.113.7", "203.0.113.8", "198.51.100.9", "2001:db8::5"
AUTH = "Nov 23 03:12:41 host1"
ISO = "2026-11-23T03:12:41.123456+00:00 host1"
APACHE = "[Mon Nov 23 03:12:41.123456 2026]"
NGINX = "2026/11/23 03:12:41"
NO_FAILURE = "no failure"
"""fail2ban calls it ignored: a line that helps it to know a connection. For a rule it is one like any other."""

SSHD = [
    (f"{AUTH} sshd[811]: Failed password for invalid user oracle from {A} port 40112 ssh2", MATCHED, A),
    (f"{ISO} sshd[812]: Invalid user git from {B} port 40113", MATCHED, B),
    (
        f"{AUTH} sshd[813]: error: maximum authentication attempts exceeded for root from {V6} port 40114 ssh2 "
        "[preauth]",
        MATCHED,
        V6,
    ),
    (f"{AUTH} sshd[814]: User bob from {C} not allowed because not listed in AllowUsers", MATCHED, C),
    (f"{AUTH} sshd[815]: Failed password for anna from {A} port 1 ssh2 from {B} port 40116 ssh2", MATCHED, B),
    (f"{AUTH} sshd[816]: Failed publickey for anna from {A} port 40117 ssh2: RSA SHA256:hJ2k", NO_FAILURE, ""),
    (f"{AUTH} sshd[817]: Failed publickey for invalid user anna from {A} port 40118 ssh2: RSA SHA256:hJ2k", MATCHED, A),
    (f"{AUTH} sshd[818]: Accepted password for anna from {A} port 40119 ssh2", NO_FAILURE, ""),
    (f"{AUTH} sshd[819]: Connection closed by {A} port 40120 [preauth]", NO_FAILURE, ""),
    (f"{AUTH} cron[820]: Failed password for anna from {A} port 40121 ssh2", MISSED, ""),
    (f"{AUTH} sshd[821]: Server listening on 0.0.0.0 port 22.", MISSED, ""),
]
SAMPLES: dict[str, list[tuple[str, str, str]]] = {
    "sshd": SSHD,
    "sshd[mode=aggressive]": [
        *SSHD[:4],
        (f"{AUTH} sshd[831]: Unable to negotiate with {A} port 40130: no matching cipher found. Their", MATCHED, A),
        (f"{AUTH} sshd[832]: Did not receive identification string from {B} port 40131", MATCHED, B),
        (f"{AUTH} sshd[833]: Connection reset by {C} port 40132 [preauth]", MATCHED, C),
    ],
    "apache-auth": [
        (
            f"{APACHE} [auth_basic:error] [pid 611:tid 1401] [client {A}:40112] AH01617: user anna: authentication "
            'failure for "/admin": Password Mismatch',
            MATCHED,
            A,
        ),
        (f"{APACHE} [auth_basic:error] [pid 611] [client {B}:1] AH01618: user bob not found: /admin", MATCHED, B),
        (f"{APACHE} [error] [client {C}] client denied by server configuration: /srv/www/x", MATCHED, C),
        (f"{APACHE} [evasive20:error] [pid 6] [client {A}] client denied by server configuration: /", MISSED, ""),
        (f"{APACHE} [core:error] [pid 611] [client {A}:2] AH00126: Invalid URI in request GET x HTTP/1.1", MISSED, ""),
    ],
    "nginx-http-auth": [
        (
            f'{NGINX} [error] 611#611: *9 user "anna" was not found in "/etc/nginx/htpasswd", client: {A}, '
            'server: shop.example, request: "GET /admin HTTP/1.1", host: "shop.example"',
            MATCHED,
            A,
        ),
        (
            f'{NGINX} [error] 611#611: *10 user "anna": password mismatch, client: {V6}, server: shop.example, '
            'request: "GET /admin HTTP/2.0", host: "shop.example", referrer: "https://shop.example/"',
            MATCHED,
            V6,
        ),
        (
            f'{NGINX} [error] 611#611: *11 open() "/srv/x" failed (2: No such file or directory), client: {A}, '
            'server: x, request: "GET /x HTTP/1.1", host: "x"',
            MISSED,
            "",
        ),
    ],
    "nginx-limit-req": [
        (
            f'{NGINX} [error] 611#611: *12 limiting requests, excess: 5.120 by zone "api", client: {A}, server: x, '
            'request: "GET / HTTP/1.1", host: "x"',
            MATCHED,
            A,
        ),
        (f'{NGINX} [error] 611#611: *13 limiting connections by zone "api", client: {A}, server: x', MISSED, ""),
    ],
    "nginx-botsearch": [
        (f'{A} - - [23/Nov/2026:03:12:41 +0000] "GET /wp-login.php HTTP/1.1" 404 153 "-" "curl/8.5"', MATCHED, A),
        (f'{B} - anna [23/Nov/2026:03:12:41 +0000] "GET /phpMyAdmin/ HTTP/1.1" 404 153 "-" "x"', MATCHED, B),
        (f'{A} - - [23/Nov/2026:03:12:41 +0000] "GET /wp-login.php HTTP/1.1" 200 153 "-" "curl/8.5"', MISSED, ""),
        (f'{A} - - [23/Nov/2026:03:12:41 +0000] "GET /orders HTTP/1.1" 404 153 "-" "curl/8.5"', MISSED, ""),
    ],
    "postfix": [
        (
            f"{AUTH} postfix/smtpd[811]: NOQUEUE: reject: RCPT from unknown[{A}]: 554 5.7.1 <bob@mail.example>: Relay "
            "access denied; from=<a@x.example> to=<bob@mail.example> proto=ESMTP helo=<x>",
            MATCHED,
            A,
        ),
        (f"{ISO} postfix/submission/smtpd[812]: too many errors after AUTH from unknown[{B}]", MATCHED, B),
        (f"{AUTH} postfix/smtpd[813]: connect from unknown[{A}]", MISSED, ""),
        (f"{AUTH} postfix/smtpd[814]: warning: unknown[{A}]: SASL LOGIN authentication failed: UGFz", MISSED, ""),
        (
            f"{AUTH} dovecot[815]: NOQUEUE: reject: RCPT from unknown[{A}]: 554 5.7.1 <b@x>: Relay access denied",
            MISSED,
            "",
        ),
    ],
    "postfix[mode=auth]": [
        (f"{AUTH} postfix/smtpd[814]: warning: unknown[{A}]: SASL LOGIN authentication failed: UGFz", MATCHED, A),
        (f"{AUTH} postfix/smtps/smtpd[815]: warning: h.example[{B}]: SASL PLAIN authentication failed:", MATCHED, B),
        (
            f"{AUTH} postfix/smtpd[816]: warning: unknown[{A}]: SASL LOGIN authentication failed: Connection lost to "
            "authentication server",
            MISSED,
            "",
        ),
    ],
    "dovecot": [
        (
            f"{AUTH} dovecot: imap-login: Disconnected (auth failed, 3 attempts in 12 secs): user=<anna>, "
            f"method=PLAIN, rip={A}, lip=10.0.0.2, TLS, session=<9aBc>",
            MATCHED,
            A,
        ),
        (
            f"{AUTH} dovecot: auth-worker(9): pam(anna,{B}): pam_authenticate() failed: Authentication failure "
            "(password mismatch?)",
            MATCHED,
            B,
        ),
        (f"{AUTH} dovecot: auth: passwd-file(anna,{C}): unknown user", MATCHED, C),
        (f"{AUTH} dovecot: imap-login: Login: user=<anna>, method=PLAIN, rip={A}, lip=10.0.0.2, mpid=9", MISSED, ""),
    ],
    "vsftpd": [
        (f'Mon Nov 23 03:12:41 2026 [pid 811] [anna] FAIL LOGIN: Client "{A}"', MATCHED, A),
        (f'Mon Nov 23 03:12:42 2026 [pid 812] [bob] FAIL LOGIN: Client "::ffff:{B}"', MATCHED, B),
        (f'Mon Nov 23 03:12:43 2026 [pid 813] [anna] OK LOGIN: Client "{A}"', MISSED, ""),
        (
            f"{AUTH} vsftpd: pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=anna "
            f"rhost={C}",
            MATCHED,
            C,
        ),
    ],
    "proftpd": [
        (
            f"{AUTH} proftpd[811]: host1.example (client.example[{A}]) - USER anna (Login failed): Incorrect password",
            MATCHED,
            A,
        ),
        (
            f"2026-11-23 03:12:41,123 host1 proftpd[812] host1.example ({B}[{B}]): USER bob: no such user found from "
            f"{B} [{B}] to 10.0.0.2:21",
            MATCHED,
            B,
        ),
        (f"{AUTH} proftpd[813]: host1.example ({C}[{C}]) - SECURITY VIOLATION: root login attempted.", MATCHED, C),
        (f"{AUTH} proftpd[814]: host1.example ({C}[{C}]) - USER anna: Login successful.", MISSED, ""),
        (f"{AUTH} proftpd[815]: host1.example ({C}[{C}]) - FTP session opened.", MISSED, ""),
    ],
    "recidive": [
        (f"2026-11-23 03:12:41,123 fail2ban.actions        [811]: NOTICE  [sshd] Ban {A}", MATCHED, A),
        (f"2026-11-23 03:12:41,124 fail2ban.actions        [811]: NOTICE  [postfix-sasl] Ban {V6}", MATCHED, V6),
        (f"2026-11-23 03:12:41,125 fail2ban.actions        [811]: NOTICE  [recidive] Ban {A}", MISSED, ""),
        (f"2026-11-23 03:12:41,126 fail2ban.actions        [811]: NOTICE  [sshd] Unban {A}", MISSED, ""),
        (f"2026-11-23 03:12:41,127 fail2ban.filter         [811]: INFO    [sshd] Found {A}", MISSED, ""),
    ],
    "named-refused": [
        (f"{AUTH} named[811]: client @0x7f1 {A}#4711 (x.example): query (cache) 'x.example/A/IN' denied", MATCHED, A),
        (
            f"23-Nov-2026 03:12:41.123 security: info: client {B}#53: zone transfer 'x.example/AXFR/IN' denied",
            MATCHED,
            B,
        ),
        (f"{AUTH} named[812]: client @0x7f1 {A}#4711 (x.example): query: x.example IN A + (10.0.0.2)", MISSED, ""),
        (f"{AUTH} named[813]: client @0x7f1 {A}#4711 (x.example): update 'x.example/IN' denied", MISSED, ""),
    ],
    "mysqld-auth": [
        (f"{AUTH} mysqld[811]: 9 [Warning] Access denied for user 'root'@'{A}' (using password: YES)", MATCHED, A),
        (
            f"{AUTH} mysqld[812]: 10 [Note] [MY-010926] [Server] Access denied for user 'shop'@'{B}' "
            "(using password: NO)",
            MATCHED,
            B,
        ),
        (f"{AUTH} mysqld[813]: 11 [Warning] Aborted connection 11 to db: 'shop' user: 'root' host: '{A}'", MISSED, ""),
    ],
    "exim": [
        (
            f"2026-11-23 03:12:41 login authenticator failed for (x) [{A}]:4711: 535 Incorrect authentication data "
            "(set_id=anna)",
            MATCHED,
            A,
        ),
        (f"2026-11-23 03:12:41 H=x.example [{B}] rejected RCPT <a@b.example>: Unrouteable address", MATCHED, B),
        (f"2026-11-23 03:12:41 no host name found for IP address {A}", MISSED, ""),
    ],
    "squid": [
        (f"1795403561.123      0 {A} TCP_DENIED/403 3900 CONNECT x.example:443 - HIER_NONE/- text/html", MATCHED, A),
        (f"1795403561.124    120 {A} TCP_MISS/200 3900 GET http://x.example/ - HIER_DIRECT/10.0.0.9 x", MISSED, ""),
    ],
    "roundcube-auth": [
        (
            f"[23-Nov-2026 03:12:41 +0000]: <9abc> IMAP Error: Login failed for anna from {A}. Could not connect to "
            "x.example:143: Connection refused in /srv/rc/rcube_imap.php on line 198 (POST /?_task=login)",
            IGNORED,
            "",
        ),
        (
            f"[23-Nov-2026 03:12:41 +0000]: <9abc> IMAP Error: Login failed for anna from {B}. AUTHENTICATE PLAIN: no "
            "in /srv/rc/rcube_imap.php on line 198 (POST /?_task=login)",
            MATCHED,
            B,
        ),
        ("[23-Nov-2026 03:12:41 +0000]: <9abc> IMAP Error: Empty startup greeting in /srv/rc/x.php", MISSED, ""),
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize("call", SAMPLES)
def test_a_draft_says_of_each_line_what_fail2ban_says(call: str, tmp_path: Path) -> None:
    need("fail2ban-regex")
    lines = [line for line, _, _ in SAMPLES[call]]
    wanted: list[Verdict] = [
        (IGNORED if verdict == NO_FAILURE else verdict, host) for _, verdict, host in SAMPLES[call]
    ]
    assert fail2ban_says(call, lines) == wanted
    said = rule_says(rule_of(draft_of(call, None), tmp_path), lines)
    for got, want, (line, verdict, _) in zip(said, wanted, SAMPLES[call], strict=True):
        assert (got[0] != MATCHED) if verdict == NO_FAILURE else got == want, line


# -- every filter that is installed ------------------------------------------------------------------------------------

ODD = {"3proxy"}
"""Its own sample has a number behind the time that fail2ban takes for a time zone."""


Installed = tuple[dict[str, tuple[Draft, Rule]], dict[str, str]]
"""By the name of the filter: what was drafted, loaded together; and why nothing was."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    need("fail2ban-regex")
    room = tmp_path_factory.mktemp("drafts")
    drafts, refused = {}, {}
    for name in filter_names(CONFIG_DIR):
        try:
            drafts[name] = draft_of(name, None)
        except FilterInvalid as why:
            refused[name] = str(why)
        else:
            (room / f"{name}.yaml").write_text(drafts[name].text)
    every = RuleFileLoader([room], owners=None, prove=run_tests).load()
    assert every.problems == ()
    return {Path(rule.file).stem: (drafts[Path(rule.file).stem], rule) for rule in every.rules}, refused


@pytest.mark.slow
def test_every_installed_filter_loads(installed: Installed) -> None:
    drafts, _ = installed
    assert len(drafts) > 80
    for name, (draft, rule) in drafts.items():
        assert isinstance(rule.when.trigger, Threshold), name
        assert rule.fix is None, name
        assert rule.tests, name
        assert len(draft.samples) == len(rule.match.patterns) or "no line was found" in told(draft), name


@pytest.mark.slow
def test_a_filter_that_does_not_load_says_why(installed: Installed) -> None:
    """It is no filter, and others include it; or nothing of it is about a single line."""
    _, refused = installed
    assert {"common", "slapd"} <= set(refused)
    for why in refused.values():
        assert re.search(r"several lines|made to be included|nowhere defined", why)


@pytest.mark.slow
@pytest.mark.slow
def test_fail2ban_takes_the_samples_of_every_draft(installed: Installed) -> None:
    """And of each without its last word, it says the same."""
    drafts = {name: each for name, each in installed[0].items() if name not in ODD}
    asked = {
        name: list(dict.fromkeys(each for text in draft.samples for each in (text, text.rpartition(" ")[0]) if each))
        for name, (draft, _) in drafts.items()
    }
    answers = fail2ban_matches(asked)
    for name, (draft, rule) in drafts.items():
        lines = asked[name]
        said = rule_hosts(rule, lines)
        assert answers[name] == said, name
        assert all(said[lines.index(text)] for text in draft.samples), name


# -- what a filter may hold --------------------------------------------------------------------------------------------


def put(room: Path, **files: str) -> Path:
    """`filter` and `jail` with their names: filter_web="..." is filter.d/web.conf, jail="..." is jail.conf; an ending
    of _local makes it a .local file."""
    (room / "filter.d").mkdir(exist_ok=True)
    for name, text in files.items():
        stem, suffix = (name.removesuffix("_local"), "local") if name.endswith("_local") else (name, "conf")
        path = room / f"{stem}.{suffix}" if stem.startswith("jail") else room / "filter.d" / f"{stem[7:]}.{suffix}"
        path.write_text(text)
    return room


WEB = "[Definition]\nfailregex = ^bad login of <F-USER>\\S+</F-USER> from <HOST>$\n"


def matches(draft: Draft, room: Path, *lines: str) -> list[str]:
    return [host for _, host in rule_says(rule_of(draft, room), lines)]


def test_includes_are_read_before_and_after_and_local_files_win(tmp_path: Path) -> None:
    room = put(
        tmp_path,
        filter_first="[DEFAULT]\nword = first\nother = kept\n",
        filter_last="[Definition]\nend = last\n",
        filter_web="[INCLUDES]\nbefore = first.conf\nafter = last.conf\n[Definition]\nword = own\nend = own\n"
        "failregex = ^%(word)s %(other)s %(end)s <HOST>$\n",
        filter_web_local="[Definition]\nword = local\n",
    )
    assert matches(draft_of("web", None, room), tmp_path, f"local kept last {A}", f"own kept own {A}") == [A, ""]


def test_a_local_file_may_add_to_what_was_known(tmp_path: Path) -> None:
    local = "[Definition]\nfailregex = %(known/failregex)s\n            ^worse login from <ADDR>$\n"
    room = put(tmp_path, filter_web=WEB, filter_web_local=local)
    lines = (f"bad login of anna from {A}", f"worse login from {B}")
    assert matches(draft_of("web", None, room), tmp_path, *lines) == [A, B]


def test_options_choose_among_tags_inside_of_tags(tmp_path: Path) -> None:
    text = "[Definition]\nre-normal = ^soft <HOST>$\nre-hard = ^hard <HOST>$\nfailregex = <re-<mode>>\nmode = normal\n"
    room = put(tmp_path, filter_web=text)
    lines = (f"soft {A}", f"hard {A}")
    assert matches(draft_of("web", None, room), tmp_path, *lines) == [A, ""]
    assert matches(draft_of("web[mode=hard]", None, room), tmp_path, *lines) == ["", A]


def test_a_prefregex_stands_in_front_of_every_expression(tmp_path: Path) -> None:
    text = (
        "[Definition]\nprefregex = ^app <HOST>: <F-CONTENT>(?:user|host) .+</F-CONTENT> done$\n"
        "failregex = ^user \\S+ failed$\n            late$\n"
    )
    room = put(tmp_path, filter_web=text)
    lines = (f"app {A}: user x failed done", f"app {A}: host x is late done", f"app {A}: x late done", "user x failed")
    assert matches(draft_of("web", None, room), tmp_path, *lines) == [A, A, "", ""]


@pytest.mark.parametrize(
    ("tag", "line", "host"),
    [
        ("<HOST>", "x [203.0.113.7] y", A),
        ("<ADDR>", "x ::ffff:203.0.113.7 y", A),
        ("<IP4>", "x 203.0.113.7 y", A),
        ("<IP4>", "x 2001:db8::5 y", ""),
        ("<IP6>", "x 2001:db8::5 y", V6),
        ("<SUBNET>", "x 203.0.113.7/24 y", A),
        ("<ADDR>/<CIDR>", "x 203.0.113.7/24 y", A),
        ("<DNS>", "x client.example y", "client.example"),
        ("<F-ID/>", "x session-9 y", "session-9"),
        ("<F-ID>s\\d+</F-ID>", "x s9 y", "s9"),
        ("<F-USER>\\w+</F-USER>@<HOST>:<F-PORT/>", "x anna@203.0.113.7:22 y", A),
    ],
)
def test_each_tag_of_an_address_or_an_id_is_captured(tag: str, line: str, host: str, tmp_path: Path) -> None:
    room = put(tmp_path, filter_web=f"[Definition]\nfailregex = ^x {tag} y$\n")
    assert matches(draft_of("web", None, room), tmp_path, line) == [host]


@pytest.mark.parametrize(
    ("failregex", "line"),
    [
        ("^a[[:x]b <HOST>$", f"a:b {A}"),
        ("^a[[:x]b <HOST>$", f"a[b {A}"),
        ("^x{e} <HOST>$", f"x{{e}} {A}"),
        ("^(?:(?i)abc|def) <HOST>$", f"DEF {A}"),
        ("^(?i)abc <HOST>$", f"ABC {A}"),
        ("^<HOST> end\\s+$", f"{A} end"),
    ],
    ids=["no posix class", "a bracket in a set", "no fuzzy match", "case of a group", "case of the rest", "line end"],
)
def test_what_regex_would_read_differently_is_translated(failregex: str, line: str, tmp_path: Path) -> None:
    room = put(tmp_path, filter_web=f"[Definition]\nfailregex = {failregex}\n")
    assert matches(draft_of("web", None, room), tmp_path, line) == [A]


def test_an_ignoreregex_becomes_unless(tmp_path: Path) -> None:
    room = put(tmp_path, filter_web=f"{WEB}ignoreregex = of monitor from\n")
    said = rule_says(rule_of(draft_of("web", None, room), tmp_path), [f"bad login of monitor from {A}"])
    assert said == [(IGNORED, "")]


@pytest.mark.parametrize(
    ("failregex", "says"),
    [
        ("^begin<SKIPLINES>^end <HOST>$", "it goes over several lines"),
        ("^begin\\nend <HOST>$", "it goes over several lines"),
        ("^(a|b) <HOST> \\1$", "refers to a group by its number"),
        ("^locked out$", "it holds no address"),
        ("^begin ) <HOST>$", "a `)` too many"),
    ],
)
def test_what_cannot_be_carried_over_is_told(failregex: str, says: str, tmp_path: Path) -> None:
    room = put(tmp_path, filter_web=f"[Definition]\nfailregex = {failregex}\n")
    with pytest.raises(FilterInvalid, match=says.replace(")", r"\)")):
        draft_of("web", None, room)
    if "too many" not in says:
        put(tmp_path, filter_web=f"{WEB}            {failregex}\n")
        draft = draft_of("web", None, room)
        assert says in told(draft)
        assert says.split()[-1] in draft.text
        assert matches(draft, tmp_path, f"bad login of anna from {A}") == [A]


def test_a_filter_that_contains_itself_is_refused(tmp_path: Path) -> None:
    room = put(tmp_path, filter_web="[Definition]\na = %(b)s\nb = %(a)s\nfailregex = %(a)s <HOST>\n")
    with pytest.raises(FilterInvalid, match="contains itself"):
        draft_of("web", None, room)


SPOILS = (
    "(",
    ")",
    "[",
    "]",
    "\\",
    "|",
    "{",
    "}",
    "<",
    ">",
    "%",
    "*",
    "+?",
    "^",
    "\n",
    "(?i)",
    "(?<=",
    "(?P<x>",
    "<HOST>",
    "",
)


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_filter_is_drafted_or_refused_and_nothing_else(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    text = (
        "[Definition]\n_daemon = (?:web|app)d\npref = ^<F-MLFID>\\S+</F-MLFID> <F-CONTENT>.+</F-CONTENT>\\s*$\n"
        "prefregex = %(pref)s\nfailregex = ^bad (?:<F-NOFAIL>key</F-NOFAIL>|\\S+) of [^[]{1,9} from <HOST>\\b\n"
        "            <more-<mode>>\nmore-hard = ^worse <ADDR>$\nignoreregex = of monitor\nmode = hard\n"
        "datepattern = {^LN-BEG}%%Y-%%m-%%d\n"
    )
    for _ in range(100):
        spoiled = list(text)
        for _ in range(chance.randint(1, 4)):
            spoiled[chance.randrange(len(spoiled))] = chance.choice(SPOILS)
        try:
            draft = draft_of("web", None, put(tmp_path, filter_web="".join(spoiled)))
        except (FilterInvalid, NotFound):
            continue
        assert draft.text.startswith("# Drafted from")


def test_files_that_include_one_another_are_read_once(tmp_path: Path) -> None:
    room = put(tmp_path, filter_web=f"[INCLUDES]\nbefore = web.conf\n{WEB}")
    assert matches(draft_of("web", None, room), tmp_path, f"bad login of anna from {A}") == [A]


# -- the jail ----------------------------------------------------------------------------------------------------------

JAIL = """\
[DEFAULT]
findtime = 1h
bantime = 1d
maxretry = 3
base = /var/log/web
banaction = nftables
[web]
port = http,https
logpath = %(base)s/auth.log
          /srv/web/*.log tail
ignoreip = 127.0.0.0/8 198.51.100.9 10.0.0.0/12 2001:db8::5 2001:db8::/32 home.example
"""


def test_a_jail_gives_the_threshold_the_logs_and_whom_it_spares(tmp_path: Path) -> None:
    room = put(tmp_path, filter_web=WEB, jail=JAIL)
    draft = draft_of("web", "web", room)
    found = loaded(draft, tmp_path)
    [rule] = found.rules
    trigger = rule.when.trigger
    assert isinstance(trigger, Threshold)
    assert (trigger.count, trigger.within.total_seconds(), trigger.by) == (3, 3600, ("host",))
    assert [(each.name, each.globs) for each in found.sources] == [("web", ("/var/log/web/auth.log", "/srv/web/*.log"))]
    assert rule.sources == ("web",)
    spared = ("127.1.2.3", C, "10.9.0.1", V6)
    counted = (A, "198.51.100.99", "10.99.0.1", "2001:db8::51")
    lines = [f"bad login of anna from {each}" for each in (*spared, *counted)]
    assert matches(draft, tmp_path, *lines) == [*("" for _ in spared), *counted]
    assert "ignoreip 2001:db8::/32: this network cannot be told" in told(draft)
    assert "ignoreip home.example: it is no address" in told(draft)


def test_a_ban_is_told_of_and_never_armed(tmp_path: Path) -> None:
    draft = draft_of("web", None, put(tmp_path, filter_web=WEB, jail=JAIL))
    assert "fail2ban bans the address here (nftables, port http,https, bantime 1d)" in draft.text
    assert rule_of(draft, tmp_path).fix is None


def test_a_jail_may_name_another_filter_and_its_options(tmp_path: Path) -> None:
    text = "[Definition]\nre-soft = ^soft <HOST>$\nre-hard = ^hard <HOST>$\nfailregex = <re-<mode>>\nmode = soft\n"
    jail = "[hard]\nfilter = web[mode=%(how)s]\nhow = hard\nmaxretry = 1\n"
    room = put(tmp_path, filter_web=text, jail=jail)
    assert matches(draft_of("web", "hard", room), tmp_path, f"hard {A}", f"soft {A}") == [A, ""]


def test_a_jail_may_add_to_the_filters_own_words(tmp_path: Path) -> None:
    jail = "[web]\nfailregex = %(known/failregex)s\n            ^more from <HOST>$\n"
    room = put(tmp_path, filter_web=WEB, jail=jail)
    assert matches(draft_of("web", None, room), tmp_path, f"more from {A}", f"bad login of x from {B}") == [A, B]


@pytest.mark.parametrize(
    ("lines", "sources"),
    [
        ("logpath = /var/log/auth.log\n", ("auth", "journal:web.service")),
        ("logpath = /var/log/syslog\n", ("syslog", "journal:web.service")),
        ("logpath = /srv/web.log\n", ("web",)),
        ("logpath = /srv/web.log\nbackend = systemd\n", ("journal:web.service",)),
    ],
    ids=["auth", "syslog", "its own file", "the journal"],
)
def test_lines_that_stand_in_two_places_are_read_from_one(lines: str, sources: tuple[str, ...], tmp_path: Path) -> None:
    match = "journalmatch = _SYSTEMD_UNIT=web.service + _COMM=web\n"
    room = put(tmp_path, filter_web=WEB + match, jail=f"[web]\n{lines}")
    assert rule_of(draft_of("web", None, room), tmp_path).sources == sources


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("600", 600), ("10m", 600), ("1d 12h", 129600), ("1w", 604800), ("1mo", 2592000), ("-1", None), ("soon", None)],
)
def test_spans_of_time_are_read_as_fail2ban_reads_them(text: str, seconds: int | None) -> None:
    assert seconds_of(text) == seconds


# -- the command -------------------------------------------------------------------------------------------------------


def test_the_command_writes_a_draft_that_loads_and_tells_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    room = put(tmp_path, filter_web=f"{WEB}            ^locked out$\n", jail=JAIL)
    target = tmp_path / "web.yaml"
    call = ["rules", "import", "fail2ban", "web", "--config-dir", str(room)]
    assert main([*call, "-w", str(target)]) == 0
    assert "not carried over: ^locked out$: it holds no address" in capsys.readouterr().err
    assert main(["rules", "check", str(target)]) == 0
    assert main([*call, "-w", str(target)]) == 1
    assert "exists already" in capsys.readouterr().err
    assert main(call) == 0
    assert capsys.readouterr().out.splitlines()[-200:] == target.read_text().splitlines()[-200:]


def test_a_filter_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    room = put(tmp_path, filter_web=WEB)
    with pytest.raises(NotFound, match="there is no filter `webb`") as caught:
        draft_of("webb", None, room)
    assert "web" in caught.value.hint
    with pytest.raises(NotFound, match="there is no jail `x`"):
        draft_of("web", "x", room)


def test_the_page_about_it_shows_what_is_drafted(tmp_path: Path) -> None:
    need("fail2ban-regex")
    page = (Path(__file__).parents[2] / "docs" / "from-fail2ban.md").read_text()
    shop, jail = re.findall(r"^```ini\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    common = (CONFIG_DIR / "filter.d" / "common.conf").read_text()
    room = put(tmp_path, filter_common=common, filter_shop=shop, jail_local=jail)
    assert f"```yaml\n{draft_of('shop', None, room).text}```" in page
