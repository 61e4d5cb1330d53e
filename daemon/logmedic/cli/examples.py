"""An example of every command, for its help and its man page; tests run what can be run."""

from __future__ import annotations

from collections.abc import Mapping

import click

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "status": ("status", "status --fail-on high"),
    "top": ("top", "top --once"),
    "incidents": ("incidents", "incidents --all --since 1d --severity critical"),
    "show": ("show 3f9a01c2",),
    "why": ("why 3f9a01c2", "why 3f9a01c2 --alerts", 'why "ERROR shop: cannot connect"'),
    "events": ("events --since 1h", "events -f -o jsonl"),
    "alerts": ("alerts list --dead", "alerts test chat"),
    "alerts list": ("alerts list --waiting", "alerts list --receiver chat --since 1d"),
    "alerts receivers": ("alerts receivers",),
    "alerts resend": ("alerts resend 77e0a1b2", "alerts resend --dead"),
    "alerts test": ("alerts test", "alerts test chat"),
    "alerts route": ("alerts route --severity critical --tag db", "alerts route --incident 3f9a01c2 --at 03:00"),
    "alerts preview": ("alerts preview 3f9a01c2", "alerts preview --sample fix_failed"),
    "alerts daemon-failed": ("alerts daemon-failed",),
    "fixes": ("fixes --since 1d",),
    "fixes try": ("fixes try disk-full --capture disk=/var",),
    "sources": ("sources", "sources --gaps"),
    "stats": ("stats --since 30d",),
    "query": ('query "SELECT rule_id, count(*) FROM v_incidents GROUP BY 1"', "query"),
    "approve": ("approve 3f9a01c2",),
    "reject": ("reject 3f9a01c2",),
    "ack": ("ack 3f9a01c2 --for 4h",),
    "silence": ('silence 3f9a01c2 --for 2h --why "a new disk is on its way"', "silence"),
    "silence add": ('silence add --rule "pg-*" --for 2h --why "migration"', "silence add --tag db --for 1h --dry-run"),
    "silence list": ("silence list --all",),
    "silence end": ("silence end 5b2c9d10",),
    "pause": ('pause --for 2h --why "a big release"',),
    "resume": ("resume",),
    "trust": ("trust",),
    "trust show": ("trust show disk-full",),
    "trust raise": ('trust raise disk-full --why "it held for a month"',),
    "trust lower": ("trust lower disk-full --to observe --why audit",),
    "trust keep": ('trust keep disk-full --why "not before the audit"',),
    "trust history": ("trust history disk-full",),
    "breakers": ("breakers",),
    "breakers reset": ("breakers reset disk-full",),
    "report": ('report --component backup --error DumpFailed "pg_dump ended with 1" --wait 60s && retry-the-dump',),
    "rules": ("rules check", "rules list"),
    "rules check": ("rules check /etc/logmedic/rules.d/shop.yaml --strict",),
    "rules test": ("rules test --rule disk-full",),
    "rules list": ("rules list --service nginx",),
    "rules show": ("rules show disk-full",),
    "rules explain": ('rules explain "ERROR shop: cannot connect"',),
    "rules backtest": ("rules backtest disk-full --since 30d",),
    "rules new": ('rules new --from "ERROR shop: cannot connect" -w shop.yaml',),
    "rules import": ("rules import fail2ban sshd",),
    "rules import fail2ban": ("rules import fail2ban sshd -w sshd.yaml",),
    "rules costs": ("rules costs --limit 10",),
    "rules schema": ("rules schema > rules-v1.json",),
    "reload": ("reload",),
    "learned": ("learned", "learned --all"),
    "learned list": ("learned list --component shop",),
    "learned show": ("learned show 9a8b7c6d",),
    "learned mute": ("learned mute 9a8b7c6d --for 7d",),
    "learned unmute": ("learned unmute 9a8b7c6d",),
    "learned resolve": ('learned resolve 9a8b7c6d --because "the proxy was replaced"',),
    "learned merge": ("learned merge 9a8b7c6d 1f2e3d4c",),
    "learned promote": ("learned promote 9a8b7c6d -w shop.yaml",),
    "learned precursors": ("learned precursors --of 9a8b7c6d",),
    "issues": ("issues --status escalating",),
    "learnings": ("learnings --min-confidence 0.7",),
    "learn": ("learn /var/log/shop.log --top 20",),
    "run": ("run", "run --once /var/log/shop.log", "journalctl -o cat | logmedic run --once -"),
    "config": ("config check",),
    "config check": ("config check -c /etc/logmedic/logmedic.yaml",),
    "config show": ("config show",),
    "config schema": ("config schema > config-v1.json",),
    "doctor": ("doctor", "sudo logmedic doctor"),
    "bugreport": ("bugreport", "bugreport -w report.tar.gz"),
    "storage": ("storage",),
    "backup": ("backup /srv/backups/logmedic.duckdb",),
    "restore": ("restore /srv/backups/logmedic.duckdb",),
    "dashboard": ("dashboard",),
    "token": ("token list",),
    "token new": ("token new grafana", "token new deploy --scope act --expires 90d"),
    "token list": ("token list",),
    "install": ("install --dry-run", "install --check"),
    "uninstall": ("uninstall --dry-run",),
    "install fixes": ("install fixes --dry-run",),
    "completion": ("completion bash > /usr/share/bash-completion/completions/logmedic",),
    "demo": ("demo",),
}
"""By the command's whole name; without the `logmedic` in front."""
HEADING = "Examples:"


def attach(command: click.Command, name: str) -> None:
    """To its help, and to those of what is below it. What tells an example of its own is left alone."""
    told = EXAMPLES.get(name)
    if told and not command.epilog:
        command.epilog = "\n".join(("\b", HEADING, *(f"  {shown(each)}" for each in told)))
    for below, each in command.commands.items() if isinstance(command, click.Group) else ():
        attach(each, f"{name} {below}")


def shown(example: str) -> str:
    return example if example.startswith(("sudo ", "journalctl ")) else f"logmedic {example}"
