"""The demo's directory: the service's files, the rules for it, and the daemon's configuration."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from logmedic.demo.receivers import free_port

_RULES = """\
version: 1
rules:
  - id: shop-cache-corrupt
    title: "cache shard {{shard}} of the shop is corrupt"
    severity: high
    tags: [demo, shop]
    source: shop
    match:
      pattern: 'ERROR shop\\.cache: cache shard (?P<shard>\\w+) is corrupt'
      captures: {{ shard: {{ type: enum, values: [prices, stock] }} }}
    when: {{ threshold: {{ count: 3, within: 30s, by: [shard] }} }}
    fix:
      mode: auto
      steps:
        - name: drop the corrupt shard
          run: [/usr/bin/rm, -f, "{home}/cache/{{shard}}.bin"]
          timeout: 5s
          sandbox: {{ write: ["{home}/cache"] }}
      verify:
        http: {{ get: "http://127.0.0.1:{port}/healthz/{{shard}}", status: 200, within: 5s, every: 200ms }}
        quiet: 2s
    alert: {{ routes: [oncall] }}
    tests:
      - name: three corrupt reads drop the shard
        lines:
          - text: "2026-11-23 03:12:41,123 ERROR shop.cache: cache shard prices is corrupt, no prices are served"
            repeat: 3
            every: 1s
        expect: {{ fires: 1, captures: {{ shard: prices }} }}
      - name: a path is no shard
        lines:
          - text: "2026-11-23 03:12:41,123 ERROR shop.cache: cache shard ../../etc/shadow is corrupt"
            repeat: 3
            every: 1s
        expect: {{ fires: 0 }}

  - id: shop-gateway-certificate
    title: "the payment gateway {{gateway}} refuses the shop's certificate"
    severity: medium
    tags: [demo, shop, payments]
    runbook: https://wiki.example/runbooks/gateway-certificate
    source: shop
    match:
      pattern: 'ERROR shop\\.payments: gateway (?P<gateway>\\S+) refused order payment: certificate has expired'
      captures: {{ gateway: hostname }}
    when: {{ threshold: {{ count: 2, within: 30s }} }}
    fix:
      mode: auto
      steps:
        - name: install the spare certificate
          run: [/usr/bin/cp, "{home}/spare/gateway.pem", "{home}/certs/gateway.pem"]
          timeout: 5s
          retry: {{ attempts: 2, base: 300ms, max: 1s }}
          sandbox: {{ write: ["{home}/certs"], read: ["{home}/spare"] }}
      verify:
        http: {{ get: "http://127.0.0.1:{port}/healthz/pay", status: 200, within: 3s, every: 200ms }}
      limits: {{ cooldown: 1s }}
      breaker: {{ failures: 2, open_for: 8s }}
    alert: {{ routes: [oncall], on: [fix_failed, breaker_open, recovered, held] }}
    tests:
      - name: two refusals install the spare
        lines:
          - text: >-
              2026-11-23 03:12:41,123 ERROR shop.payments: gateway pay.example refused order payment: certificate has
              expired
            repeat: 2
            every: 1s
        expect: {{ fires: 1, captures: {{ gateway: pay.example }} }}
      - name: one refusal is none
        lines: ["2026-11-23 03:12:41,123 ERROR shop.payments: gateway pay.example refused order payment: card expired"]
        expect: {{ fires: 0 }}
"""

_CONFIG = """\
mode: auto
environment: production
sources:
  shop:
    files: ["{home}/log/*.log"]
    from_start: true
rules:
  paths: ["{home}/rules", "{packs}"]
storage:
  path: "{home}/state/logmedic.duckdb"
web:
  socket: "{home}/state/logmedic.sock"
alerts:
  group_wait: 0s  # one host, and a scene of a minute: nothing waits for others, or for the one before
  group_interval: 1s
  receivers:
    chat:
      url: "slack://{token}"
      endpoint: "http://127.0.0.1:{slack_port}/services"
    mail: "mailto://127.0.0.1:{smtp_port}/?from=logmedic@shop.example&to=oncall@shop.example"
  routes:
    oncall: [chat, mail]
  default_route: oncall
"""

# The form that Slack's tokens have, and none that ever was one.
_TOKEN = "T00000000/B00000000/" + "x" * 24


@dataclass(frozen=True, slots=True)
class Stage:
    home: Path
    port: int

    @property
    def config(self) -> Path:
        return self.home / "logmedic.yaml"

    @property
    def socket(self) -> Path:
        return self.home / "state" / "logmedic.sock"

    @property
    def log(self) -> Path:
        return self.home / "log" / "shop.log"

    def corrupt_the_cache(self) -> None:
        (self.home / "cache" / "prices.bin").write_bytes(b"\x00garbage")

    def expire_the_certificate(self) -> None:
        (self.home / "certs" / "gateway.pem").write_text("EXPIRED 2026-11-23\n")

    def expand_to_a_country_without_rate(self) -> None:
        (self.home / "expansion").touch()

    def put_a_spare_certificate(self) -> None:
        """What the person who was called does."""
        (self.home / "spare" / "gateway.pem").write_text("VALID until 2027\n")


def build() -> Stage:
    """A new directory with a healthy shop in it. The caller removes it."""
    home = Path(tempfile.mkdtemp(prefix="logmedic-demo-"))
    home.chmod(0o755)  # the sandboxed fix has another uid and comes through here
    for name in ("log", "cache", "certs", "spare", "rules", "state"):
        (home / name).mkdir(mode=0o755)
    for name in ("cache", "certs"):
        (home / name).chmod(0o777)  # what the fixes may write
    (home / "certs" / "gateway.pem").write_text("VALID until 2026-11-23\n")
    (home / "certs" / "gateway.pem").chmod(0o666)
    (home / "log" / "shop.log").touch()
    stage = Stage(home, free_port())
    (home / "rules" / "shop.yaml").write_text(_RULES.format(home=home, port=stage.port))
    (home / "rules" / "shop.yaml").chmod(0o644)
    return stage


def configure(stage: Stage, *, slack_port: int, smtp_port: int, packs: Path) -> None:
    stage.config.write_text(
        _CONFIG.format(
            home=stage.home,
            packs=packs,
            token=_TOKEN,
            slack_port=slack_port,
            smtp_port=smtp_port,
        )
    )


def shop_command(stage: Stage) -> list[str]:
    return [sys.executable, str(Path(__file__).with_name("shop.py")), str(stage.home), str(stage.port)]
