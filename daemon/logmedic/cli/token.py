"""token new, list: what programs send to come in over the dashboard's port."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import print_json, print_rows

NEVER = "never"
USED = "Authorization: Bearer"


@click.group("token")
@shared
def token_command() -> None:
    """Tokens for programs that come in over `web.dashboard`, and for people to sign in there."""


@token_command.command("new")
@click.argument("name")
@click.option("--scope", type=click.Choice(["read", "act"]), default="read", show_default=True, help="What it may do.")
@click.option("--expires", metavar="SPAN", help="Works so long: 90d. Default: until it is taken out of the config.")
@shared
@pass_context
def new_command(context: Context, name: str, scope: str, expires: str | None) -> None:
    """Print a new token, once, and the lines of the config that make it work.

    The config holds its hash alone: who reads the config cannot use it. Restart the daemon once the lines are in.
    """
    from logmedic.adapters.web.tokens import hashed, new_token

    _refuse_a_bad_name(name)
    ends = _last_day(expires) if expires else None
    token = new_token()
    digest = hashed(token)
    if context.output != "table":
        row = {"name": name, "scope": scope, "sha256": digest, "expires": f"{ends}" if ends else None, "token": token}
        print_json(row)
        return
    print(f"{token}\n")
    print(f"That is the token; it is not shown again. Into the config ({_config(context)}):\n")
    print(f"web:\n  tokens:\n    {name}:\n      scope: {scope}\n      sha256: {digest}")
    print(f"      expires: {ends}" if ends else "", end="\n" if ends else "")
    print("\nThen: systemctl restart logmedic. A program sends it so:\n")
    print(f'curl -H "{USED} {token[:6]}..." {_address(context)}/v1/status')


@token_command.command("list")
@shared
@pass_context
def list_command(context: Context) -> None:
    """The tokens of the config: what each may do, and until when."""
    today = datetime.now(UTC).date()
    rows = [
        {
            "name": name,
            "scope": each.scope,
            "expires": each.expires.isoformat() if each.expires else None,
            "valid": each.expires is None or today <= each.expires,
        }
        for name, each in context.settings.web.tokens.items()
    ]
    columns = {
        "NAME": lambda row: str(row["name"]),
        "SCOPE": lambda row: str(row["scope"]),
        "EXPIRES": lambda row: f"{row['expires'] or NEVER}{'' if row['valid'] else ' (over)'}",
    }
    print_rows(rows, columns, context.output, nothing="no tokens; logmedic token new NAME makes one")


def _refuse_a_bad_name(name: str) -> None:
    from logmedic.settings.web import TOKEN_NAME

    if not TOKEN_NAME.match(name):
        raise click.BadParameter("write letters, digits, - _ . (40 at most)", param_hint="NAME")


def _last_day(told: str) -> date:
    from logmedic.yamldoc import parse_duration

    try:
        span = parse_duration(told)
        if span < timedelta(days=1):
            raise ValueError(f"`{told}` is less than a day; write 90d")
        return (datetime.now(UTC) + span).date()
    except OverflowError:
        raise click.BadParameter("so long no calendar goes: write 90d", param_hint="--expires") from None
    except ValueError as error:
        raise click.BadParameter(str(error).replace("; ", ": "), param_hint="--expires") from None


def _config(context: Context) -> Path:
    from logmedic.settings.places import SYSTEM_CONFIG, config_path

    return config_path(context.config) or SYSTEM_CONFIG


def _address(context: Context) -> str:
    web = context.settings.web
    return web.dashboard_url or f"http://{web.dashboard or '127.0.0.1:8632'}"
