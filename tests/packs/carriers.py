"""Lines with a field that others fill: a request, a user's name, a mail server's answer. {} is what they put there."""

from __future__ import annotations

import json

CARRIERS = {
    "user agent": '203.0.113.7 - - [23/Nov/2026:03:12:41 +0000] "GET / HTTP/1.1" 200 5 "-" "{}"',
    "referrer": "2026/11/23 03:12:41 [error] 611#611: *9 access forbidden by rule, client: 203.0.113.7, "
    'server: x, request: "GET / HTTP/1.1", referrer: "{}"',
    "apache request": "[Mon Nov 23 03:12:41.250 2026] [core:error] [pid 7:tid 7] [client 203.0.113.7:4711] AH00126: "
    "Invalid URI in request GET {} HTTP/1.1",
    "haproxy capture": "Nov 23 03:12:41 lb1 haproxy[9]: 203.0.113.7:4711 [23/Nov/2026:03:12:41.118] www shop/web1 "
    '0/0/1/12/13 200 5 - - ---- 1/1/1/0/0 0/0 {{}} "GET / HTTP/1.1"',
    "php argument": "[23-Nov-2026 03:12:41 UTC] PHP Notice:  bad value '{}' in /srv/www/index.php on line 7",
    "ssh user": "Nov 23 03:12:41 web1 sshd[9]: Invalid user {} from 203.0.113.7 port 4711",
    "ssh banner": "Nov 23 03:12:41 web1 sshd[9]: Bad protocol version identification '{}' from 203.0.113.7 port 4711",
    "sudo": "Nov 23 03:12:41 web1 sudo: ann : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/echo {}",
    "cron job": "Nov 23 03:12:41 web1 CRON[9]: (ann) CMD (echo {})",
    "usb device": "Nov 23 03:12:41 web1 kernel: [7.123456] usb 1-1: Product: {}",
    "unit description": "Nov 23 03:12:41 web1 systemd[1]: Started {}.",
    "sql": "2026-11-23 03:12:41.250 UTC [7] app@shop STATEMENT:  select '{}'",
    "mysql user": "2026-11-23T03:12:41.118312Z 9 [Note] [MY-010926] [Server] Access denied for user '{}'@'203.0.113.7' "
    "(using password: YES)",
    "rabbitmq user": "2026-11-23 03:12:41.118312+00:00 [error] <0.9.0> PLAIN login refused: user '{}' - invalid "
    "credentials",
    "mail server's answer": "Nov 23 03:12:41 mx1 postfix/smtp[9]: 4XyZ: to=<a@shop.example>, relay=mx.shop.example"
    "[198.51.100.7]:25, delay=0.4, delays=0.1/0/0.1/0.2, dsn=4.2.0, status=deferred (host mx.shop.example"
    "[198.51.100.7] said: 451 {} (in reply to RCPT TO command))",
    "mail header": "Nov 23 03:12:41 mx1 postfix/cleanup[9]: 4XyZ: warning: header Subject: {} from x.example"
    "[203.0.113.7]; from=<a@b.example> to=<a@shop.example> proto=ESMTP helo=<z>",
    "imap user": "Nov 23 03:12:41 mx1 dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): "
    "user=<{}>, method=PLAIN, rip=203.0.113.9, lip=10.0.0.1",
    "dns name": "Nov 23 03:12:41 ns1 named[9]: client @0x7f1e 203.0.113.7#4711 ({}): query (cache) '{}/A/IN' denied",
    "vpn user": "Nov 23 03:12:41 vpn1 openvpn[9]: 203.0.113.7:4711 peer info: IV_PLAT={}",
    "a program's words": "Nov 23 03:12:41 web1 app[9]: search for '{}': 0 results",
    "an application's words": "2026-11-23 03:12:41,123 INFO shop.search: search for '{}': 0 results",
    "a JSON log": ""
    '{"level":"info","ts":"2026-11-23T03:12:41.118Z","caller":"shop/search.go:7","msg":"search","for":"{}"}',
    "a logfmt log": 'ts=2026-11-23T03:12:41.118Z level=info msg=search for="{}" results=0',
    "mongodb user": '{"t":{"$date":"2026-11-23T03:12:41.118+00:00"},"s":"I","c":"ACCESS","id":5286307,"ctx":"conn9",'
    '"msg":"Failed to authenticate","attr":{"user":"{}","db":"admin"}}',
}
"""By what they are."""

_QUOTED = ("a JSON log", "a logfmt log", "mongodb user")
"""They write quotes and line ends behind a backslash."""


def carried(name: str, line: str) -> str:
    """`line` as what somebody put into the field."""
    return CARRIERS[name].replace("{}", json.dumps(line)[1:-1] if name in _QUOTED else line)
