"""The services that have a format of their own, each on a server of ours that answers as it does."""

from __future__ import annotations

import json
import re
from typing import Any

from alerts.messages import alert_of
from alerts.sending import TOKENS, send_all
from alerts.servers import Answer, HttpServer, Posted
from logmedic.model.alert import Delivery, Receiver
from logmedic.model.message import Message

URLS = {
    "slack": f"slack://{TOKENS}/#ops",
    "slack-bot": "slack://xoxb-1234-1234-4ddbc191d40ee098cbaae6f3523ada2d/#ops",
    "discord": "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    "telegram": "tgram://123456789:abcdefg_hijklmnop/12315544",
    "matrix": "matrixs://:syt_token@matrix.example/!abc:matrix.example?discovery=no",
    "teams": "workflows://prod-00.example:443/643e69f83c8944/8e515acdcc",
    "ntfy": "ntfys://ntfy.example/ops",
    "pagerduty": "pagerduty://R0123456789ABCDEFGHIJ@0123456789abcdef0123456789abcdef",
    "opsgenie": "opsgenie://a0b1c2d3-e4f5-6789-abcd-ef0123456789",
    "json": "jsons://hooks.example/path",
}
ANSWERS = {
    "slack-bot": Answer(200, b'{"ok": true, "channel": "C1"}'),
    "matrix": Answer(200, b'{"room_id": "!abc:matrix.example", "user_id": "@bot:matrix.example", "event_id": "$1"}'),
    "opsgenie": Answer(202, b'{"requestId": "r1"}'),
    "telegram": Answer(200, b'{"ok": true}'),
}
_MESSAGE_PATH = re.compile(r"m\.room\.message")


def told(message: Message) -> tuple[dict[str, Delivery], dict[str, Posted]]:
    """By service: how the delivery went, and the request that carried the message."""
    with HttpServer(ANSWERS) as server:
        receivers = {name: Receiver(name, url, f"http://127.0.0.1:{server.port}/{name}") for name, url in URLS.items()}
        deliveries = send_all(receivers, alert_of(message))
        posted = {each.path.split("/")[1]: each for each in server.posted if _carries(each)}
    return deliveries, posted


def _carries(posted: Posted) -> bool:
    return not posted.path.startswith("/matrix/") or bool(_MESSAGE_PATH.search(posted.path))


def payload_of(posted: Posted) -> Any:
    return json.loads(posted.body)
