"""dashboard: a link that opens the pages in a browser, signed in."""

from __future__ import annotations

from pathlib import Path

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import complain, print_json
from logmedic.model.errors import NotFound, PermanentError

PORT = 8632
PAGE = "logmedic-dashboard.html"
SWITCH_ON = f"""\
The dashboard has no port yet. Write this into the config, and restart the daemon:

web:
  dashboard: "127.0.0.1:{PORT}"

Without a port it can be seen all the same, over the socket. On your own computer:

ssh -L {PORT}:{{socket}} {{host}}

and then open http://localhost:{PORT} there. You are who you are on the host."""
FAR = """\
From another computer, first: ssh -L {port}:127.0.0.1:{port} {host}"""


@click.command("dashboard")
@click.option("--open", "opens", is_flag=True, help="Open it in this computer's browser.")
@shared
@pass_context
def dashboard_command(context: Context, opens: bool) -> int | None:
    """Print a link that signs a browser in, once, within a minute: as you, with your right to act."""
    import socket
    from urllib.parse import urlsplit

    host = socket.gethostname()
    try:
        answer = context.client.post("sign-in")
    except NotFound:
        complain(SWITCH_ON.format(socket=context.socket or context.settings.web.socket, host=host))
        return 1
    if context.output != "table":
        print_json(answer)
        return None
    print(answer["url"])
    complain("It works once, and for a minute. Press `Sign in` there.")
    port = urlsplit(answer["url"]).port
    if port is not None and urlsplit(answer["url"]).scheme == "http":
        complain(FAR.format(port=port, host=host))
    if opens:
        _open(answer["url"])
    return None


def _open(url: str) -> None:
    """Over a file that leads there, which nobody else can read: every user sees what programs are started with, and the
    link is for whoever comes first."""
    import webbrowser

    page = _page(url)
    if page is None or not webbrowser.open(page.as_uri()):
        raise PermanentError("no browser can be opened here", "open the link on the computer that you sit at")


def _page(url: str) -> Path | None:
    """None where there is no directory of their own for it. What an older one led to is over."""
    import os
    from html import escape

    directory = os.environ.get("XDG_RUNTIME_DIR", "")
    if not directory:
        return None
    page = Path(directory) / PAGE
    try:
        page.unlink(missing_ok=True)
        descriptor = os.open(page, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except OSError:
        return None
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(f'<!doctype html><meta http-equiv="refresh" content="0; url={escape(url)}">\n')
    return page
