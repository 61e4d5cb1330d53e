"""Apprise's plugin for a receiver: made, set up, and what is wrong when it cannot be. Imports Apprise: in the worker
only."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import apprise

from logmedic.adapters.alerts.formats.choosing import shape_for
from logmedic.adapters.alerts.formats.matrix import Matrix
from logmedic.adapters.alerts.formats.opsgenie import Opsgenie
from logmedic.adapters.alerts.formats.shape import Shape
from logmedic.adapters.alerts.text import scheme_of, scrubbed, visible
from logmedic.adapters.alerts.watch import Watch

_CONNECT_S = 10.0
_READ_S = 15.0
_SLACK_WEB_HOOKS = frozenset({"hook", "gov-hook"})
_SLACK_WORKFLOWS = frozenset({"workflow", "trigger"})
_QUOTED = re.compile(r"\s*(\([^()]*\)|'[^']*'|\"[^\"]*\")")


@dataclass(frozen=True, slots=True)
class Way:
    """To a receiver. `make`: its format, None: plain text. `endpoint`: where its requests go instead, or empty."""

    plugin: apprise.NotifyBase
    scheme: str
    make: type[Shape] | None
    endpoint: str = ""
    takes_markdown: bool = False

    @property
    def room(self) -> int:
        """Characters of a message, 0: no limit."""
        return max(int(self.plugin.body_maxlen), 0)


def way_to(receiver: Mapping[str, str], watch: Watch) -> tuple[Way | None, str]:
    """Or None, and what is wrong with the receiver's URL or endpoint."""
    url, endpoint = receiver["url"], receiver["endpoint"]
    watch.said = ""
    plugin = apprise.Apprise.instantiate(url, asset=_asset())
    if plugin is None:
        return None, _why_not(url, watch.said)
    make, takes_markdown = _make_of(plugin, scheme_of(url)), apprise.NotifyFormat.MARKDOWN in plugin._formats()
    _configure(plugin, make)
    problem = _endpoint_problem(plugin, endpoint) if endpoint else ""
    if problem:
        return None, problem
    if endpoint and _is_placed(plugin, endpoint):
        endpoint = ""
    return Way(plugin, scheme_of(url), make, endpoint, takes_markdown), ""


def _make_of(plugin: apprise.NotifyBase, scheme: str) -> type[Shape] | None:
    """None as well where the receiver's URL brings a payload of its own (`template=`), and for Slack's workflows, which
    take the variables that somebody has defined in them."""
    if getattr(plugin, "template", None) or getattr(plugin, "mode", None) in _SLACK_WORKFLOWS:
        return None
    return shape_for(scheme)


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


def _configure(plugin: apprise.NotifyBase, make: type[Shape] | None) -> None:
    """Plain text wherever the plugin can, whatever `format=` says: log text is in the message (F74). Longer waits than
    Apprise's 4 s, after which a slow server would have been told twice (F71); a URL may ask for still longer ones."""
    wanted = apprise.NotifyFormat.HTML if make is Matrix else apprise.NotifyFormat.TEXT
    if wanted in plugin._formats():
        plugin.notify_format = wanted
    if make is Opsgenie:
        setattr(plugin, "action", "new")  # noqa: B010  (no attribute of every plugin)
    plugin.socket_connect_timeout = max(plugin.socket_connect_timeout, _CONNECT_S)
    plugin.socket_read_timeout = max(plugin.socket_read_timeout, _READ_S)


def _endpoint_problem(plugin: apprise.NotifyBase, endpoint: str) -> str:
    if scheme_of(endpoint) not in {"http", "https"} or not urlsplit(endpoint).hostname:
        return "the endpoint is not an http:// or https:// address"
    if not hasattr(sys.modules[type(plugin).__module__], "requests"):
        return "an endpoint serves receivers that are reached over HTTP only"
    return ""


def _is_placed(plugin: apprise.NotifyBase, endpoint: str) -> bool:
    """Of a Slack web hook the whole address is replaced, but for its tokens: servers that speak as Slack does have
    other paths (/hooks/...)."""
    if getattr(plugin, "mode", None) not in _SLACK_WEB_HOOKS or not hasattr(plugin, "webhook_url"):
        return False
    for address in ("webhook_url", "webhook_gov_url"):
        setattr(plugin, address, endpoint.rstrip("/"))
    return True


def _why_not(url: str, said: str) -> str:
    """What Apprise says quotes the URL or parts of it: quotations and parts are taken out."""
    scheme = scheme_of(url)
    if not scheme:
        return "not an Apprise URL: it begins with no scheme:// (mailto://, slack://, ...)"
    if scheme not in apprise.plugins.N_MGR:
        return f"Apprise knows no {scheme}:// receivers"
    words = " ".join(scrubbed(_QUOTED.sub("", visible(said)), url).split())[:200]
    return f"Apprise cannot use this {scheme}:// URL: {words}" if words else f"Apprise cannot use this {scheme}:// URL"
