"""Every command there is, and how it can be called where a canned daemon answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import click

from logmedic.cli.root import logmedic

TALKS: Mapping[str, str] = {
    "status": "",
    "top": "--once",
    "incidents": "--all",
    "show": "3-i1",
    "why": "3-i1",
    "events": "",
    "alerts": "list",
    "alerts list": "",
    "alerts receivers": "",
    "alerts resend": "m3",
    "alerts test": "",
    "alerts route": "-c {config} --severity high",
    "alerts preview": "3-i1",
    "fixes": "",
    "fixes try": "web-down",
    "sources": "",
    "stats": "",
    "query": "",
    "approve": "3-i1",
    "reject": "3-i1",
    "ack": "3-i1",
    "silence": "",
    "silence add": "--rule web-* --for 2h --why x",
    "silence list": "",
    "silence end": "n1",
    "pause": "--why x",
    "resume": "",
    "trust": "",
    "trust show": "web-down",
    "trust raise": "web-down --why x",
    "trust lower": "web-down --why x",
    "trust keep": "web-down --why x",
    "trust history": "",
    "breakers": "",
    "breakers reset": "web-down",
    "rules": "check {rules}",
    "rules check": "{rules}",
    "rules test": "{rules}",
    "rules list": "{rules}",
    "rules show": "disk-full {rules}",
    "rules explain": "--rules {rules} oops",
    "rules backtest": "-c {config} {log}",
    "rules new": "--from oops",
    "rules costs": "",
    "rules schema": "",
    "reload": "",
    "learned": "",
    "learned list": "",
    "learned show": "s1",
    "learned mute": "s1",
    "learned unmute": "s1",
    "learned resolve": "s1",
    "learned merge": "s1 s1",
    "learned precursors": "",
    "issues": "",
    "learnings": "",
    "learn": "-c {config} {log}",
    "config": "check -c {config}",
    "config check": "-c {config}",
    "config show": "-c {config}",
    "config schema": "",
    "storage": "",
    "token list": "-c {config}",
    "token new": "grafana",
    "doctor": "-c {config}",
}
"""What is typed behind the command's name."""
TELLS_NO_DATA: Mapping[str, str] = {
    "run": "the daemon; `run --once` has tests of its own",
    "alerts daemon-failed": "for the service manager",
    "backup": "the canned daemon makes none; tests/cli/test_storage_commands.py",
    "restore": "needs a store; tests/cli/test_storage_commands.py",
    "learned promote": "prints a rule file; tests/cli/test_learned_promote.py",
    "rules import": "a group",
    "rules import fail2ban": "prints a rule file",
    "bugreport": "writes a file; it has tests of its own",
    "completion": "prints a program of a shell",
    "install": "as root; tests/cli/test_install_commands.py",
    "uninstall": "as root; tests/cli/test_install_commands.py",
    "install fixes": "as root; tests/fixes",
    "demo": "a play",
    "token": "a group",
    "dashboard": "prints a link; it has tests of its own",
    "report": "sends; tests/cli/test_report_command.py",
}
"""Why not."""
RULES = """
version: 1
rules:
  - id: disk-full
    title: "a disk is full"
    severity: high
    match: { pattern: 'disk full' }
    tests:
      - name: it fires
        lines: ['2026-11-24 03:00:00 ERROR shop: disk full']
        expect: { fires: 1 }
"""


def commands(group: click.Group = logmedic, name: str = "") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for each in group.list_commands(context):
        command = group.get_command(context, each)
        assert command is not None
        whole = f"{name} {each}".strip()
        yield whole, command
        if isinstance(command, click.Group):
            yield from commands(command, whole)
