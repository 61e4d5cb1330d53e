"""The disposable process that sends one message, or checks receivers: `python -m logmedic.adapters.alerts.worker`.

A request (JSON) comes on stdin, since argv and the environment of a process can be read by others; the answer (JSON)
goes to stdout. The only module that imports Apprise.

    {"ask": "send", "lifetime_s": 32, "receiver": RECEIVER, "title": "...", "body": "...", "type": "failure"}
        -> {"delivered": false, "detail": "...", "permanent": true, "retry_after_s": null}
    {"ask": "check", "lifetime_s": 32, "receivers": {"name": RECEIVER}}  ->  {"name": "" or the problem}
    where RECEIVER is {"url": "...", "endpoint": "" or "http://..."}
"""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import sys
from collections.abc import Mapping
from dataclasses import asdict
from types import TracebackType
from typing import Any

import apprise

from logmedic.adapters.alerts.failure import delivery_of
from logmedic.adapters.alerts.text import defused, fitted, one_line, scheme_of, scrubbed, visible
from logmedic.adapters.alerts.watch import Watch
from logmedic.model.alert import Delivery

_MEMORY_BYTES = 1 << 30
"""Of addresses: a server that answers without end must not eat the host."""
_CONNECT_S = 10.0
_READ_S = 15.0
_SLACK_WEB_HOOKS = frozenset({"hook", "gov-hook"})
_QUOTED = re.compile(r"\s*(\([^()]*\)|'[^']*'|\"[^\"]*\")")


def main() -> None:
    answers = _keep_stdout()
    sys.excepthook = _exit_without_a_trace
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    request = json.load(sys.stdin)
    # The daemon kills this process in time. When the daemon itself died, nobody would.
    signal.setitimer(signal.ITIMER_REAL, request["lifetime_s"])
    watch = Watch()
    watch.install()
    answer = asdict(_send(request, watch)) if request["ask"] == "send" else _check(request["receivers"], watch)
    with os.fdopen(answers, "w", encoding="utf-8") as out:
        json.dump(answer, out)


def _keep_stdout() -> int:
    """The descriptor for the answer. What plugins print goes where stderr goes."""
    kept = os.dup(1)
    os.dup2(2, 1)
    return kept


def _exit_without_a_trace(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A traceback shows values of the lines that it quotes; nobody reads it here anyway."""
    del error, trace
    sys.stderr.write(f"{kind.__name__}\n")


def _send(request: Mapping[str, Any], watch: Watch) -> Delivery:
    receiver = request["receiver"]
    plugin, problem = _plugin_of(receiver, watch)
    if plugin is None:
        return Delivery(False, problem, permanent=True)
    scheme = scheme_of(receiver["url"])
    title = defused(one_line(request["title"]), scheme)
    room = plugin.body_maxlen - len(title) - 2 if plugin.body_maxlen > 0 else 0
    body = fitted(defused(visible(request["body"]), scheme), room)
    messenger = apprise.Apprise(asset=plugin.asset)
    messenger.add(plugin)
    watch.said = ""
    if messenger.notify(body, title, request["type"], body_format=apprise.NotifyFormat.TEXT):
        return Delivery(True)
    failed = delivery_of(watch.failures, visible(watch.said)[:200])
    return Delivery(False, scrubbed(failed.detail, receiver["url"]), failed.permanent, failed.retry_after_s)


def _check(receivers: Mapping[str, Mapping[str, str]], watch: Watch) -> dict[str, str]:
    return {name: _plugin_of(receiver, watch)[1] for name, receiver in receivers.items()}


def _plugin_of(receiver: Mapping[str, str], watch: Watch) -> tuple[apprise.NotifyBase | None, str]:
    """The plugin for a receiver, or None and what is wrong with its URL or endpoint."""
    url, endpoint = receiver["url"], receiver["endpoint"]
    watch.said = ""
    plugin = apprise.Apprise.instantiate(url, asset=_asset())
    if plugin is None:
        return None, _why_not(url, watch.said)
    _configure(plugin)
    if endpoint:
        problem = _redirect(plugin, endpoint)
        return (None, problem) if problem else (plugin, "")
    return plugin, ""


def _asset() -> apprise.AppriseAsset:
    """Nothing on disk, no picture from another site, no threads beside, no redirect that loses the message, no
    replacing of :words: and escapes in log text."""
    return apprise.AppriseAsset(
        app_id="logmedic",
        app_desc="logmedic",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        storage_mode="memory",
        async_mode=False,
        service_timeout=0,
        http_redirects=False,
        interpret_emojis=False,
        interpret_escapes=False,
        pgp_autogen=False,
        pem_autogen=False,
    )


def _configure(plugin: apprise.NotifyBase) -> None:
    """Plain text wherever the plugin can, whatever `format=` says: log text is in the message (F74). Longer waits than
    Apprise's 4 s, after which a slow server would have been told twice (F71); a URL may ask for still longer ones."""
    if apprise.NotifyFormat.TEXT in plugin._formats():
        plugin.notify_format = apprise.NotifyFormat.TEXT
    plugin.socket_connect_timeout = max(plugin.socket_connect_timeout, _CONNECT_S)
    plugin.socket_read_timeout = max(plugin.socket_read_timeout, _READ_S)


def _redirect(plugin: apprise.NotifyBase, endpoint: str) -> str:
    """Let a Slack web hook post to another server. Answers the problem, or nothing."""
    if scheme_of(endpoint) not in {"http", "https"}:
        return "the endpoint is not an http:// or https:// address"
    if getattr(plugin, "mode", None) not in _SLACK_WEB_HOOKS or not hasattr(plugin, "webhook_url"):
        return "an endpoint serves slack:// web hooks only"
    for address in ("webhook_url", "webhook_gov_url"):
        setattr(plugin, address, endpoint.rstrip("/"))
    return ""


def _why_not(url: str, said: str) -> str:
    """What Apprise says quotes the URL or parts of it: quotations and parts are taken out."""
    scheme = scheme_of(url)
    if not scheme:
        return "not an Apprise URL: it begins with no scheme:// (mailto://, slack://, ...)"
    if scheme not in apprise.plugins.N_MGR:
        return f"Apprise knows no {scheme}:// receivers"
    words = " ".join(scrubbed(_QUOTED.sub("", visible(said)), url).split())[:200]
    return f"Apprise cannot use this {scheme}:// URL: {words}" if words else f"Apprise cannot use this {scheme}:// URL"


if __name__ == "__main__":
    main()
