"""dashboard: a link that opens the pages in a browser, signed in."""

from __future__ import annotations

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import complain, print_json
from logmedic.model.errors import NotFound, PermanentError

PORT = 8632
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
    import webbrowser

    if not webbrowser.open(url):
        raise PermanentError("no browser can be opened here", "open the link on the computer that you sit at")
