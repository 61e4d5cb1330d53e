"""What can be done about messages: end a silence, send one again, test a receiver."""

from __future__ import annotations

from logmedic.adapters.web.html import element
from logmedic.adapters.web.pages import parts
from logmedic.adapters.web.pages.action import Action, Order, Outcome, Subject
from logmedic.core.phrases import several
from logmedic.core.shellwords import command, short
from logmedic.model.errors import NotFound

ALERTS = "/alerts"


async def _silent(order: Order) -> Subject:
    row = await order.control.ask("silence", silence_id=order.path["id"])
    facts = (
        ("by", parts.line(row["by"], 80)),
        ("why", parts.line(row["why"], 300)),
        ("ends", parts.left(row["until"], order.now)),
        ("severities", ", ".join(row["severities"])),
        ("tags", ", ".join(parts.line(each, 80) for each in row["tags"])),
        ("labels", ", ".join(parts.line(f"{name}={value}", 160) for name, value in row["labels"].items())),
    )
    return Subject(f"silence {short(str(row['id']))}", ALERTS, facts)


async def _end(order: Order) -> Outcome:
    await order.control.end_silence(order.path["id"], order.by)
    return Outcome("the silence is over", "people are told again")


async def _message(order: Order) -> Subject:
    row = await order.control.ask("alert", alert_id=order.path["id"])
    tone, words = parts.message_words(row)
    facts = (
        ("to", parts.line(row["receiver"], 80)),
        ("about", str(row["event"]).replace("_", " ")),
        ("state", parts.tag(tone, words)),
        ("what went wrong", parts.line(row["last_error"], 300)),
        ("made", parts.ago(row["created_at"], order.now)),
    )
    refused = "" if row["status"] == "dead" else f"it was not given up: {words}"
    return Subject(row["title"], ALERTS, facts, refused=refused)


async def _resend(order: Order) -> Outcome:
    rows = await order.control.resend([order.path["id"]], order.by)
    return Outcome(f"{several(len(rows), 'message')} to be sent again", "its state is on the page of alerts")


async def _receiver(order: Order) -> Subject:
    name = order.path["name"]
    row = next((each for each in await order.control.receivers() if each["name"] == name), None)
    if row is None:
        raise NotFound(f"no receiver is called {name[:80]}", "logmedic alerts receivers")
    facts = (
        ("service", str(row["scheme"])),
        ("state", parts.tag("good" if row["state"] == "ok" else "bad", str(row["state"]))),
        ("last error", parts.line(row["last_error"], 300)),
        ("last message arrived", parts.ago(row["sent_at"], order.now)),
    )
    return Subject(f"receiver {name}", ALERTS, facts)


async def _test(order: Order) -> Outcome:
    rows = await order.control.test_alert(receiver=order.path["name"])
    listed = element("ul", *(element("li", *_delivery(row)) for row in rows))
    failed = [row for row in rows if row["status"] != "sent"]
    if failed:
        return Outcome("the test message did not arrive", "correct the receiver in the config", "bad", listed)
    return Outcome("the test message arrived", more=listed)


def _delivery(row: parts.Row) -> tuple[str, ...]:
    tone, words = parts.message_words({"tries": 0, **row})
    took = f" in {parts.span(row['took_s'])}" if row["took_s"] is not None else ""
    error = f": {parts.line(row['last_error'], 300)}" if row["last_error"] else ""
    return f"{parts.line(row['receiver'], 80)} ", parts.tag(tone, f"{words}{took}"), error


ACTIONS = (
    Action(
        "/silences/{id}/end",
        "End this silence?",
        "People are told again of what it covers.",
        "End it",
        _silent,
        _end,
        typed=lambda order: command("silence", "end", short(order.path["id"])),
    ),
    Action(
        "/alerts/{id}/resend",
        "Send it again?",
        "It goes to the same receiver once more, with the same id.",
        "Send it again",
        _message,
        _resend,
        typed=lambda order: command("alerts", "resend", short(order.path["id"])),
    ),
    Action(
        "/receivers/{name}/test",
        "Send a test message?",
        "One message that says that it is a test; this page waits until it arrived or failed, at most 40 seconds.",
        "Send it",
        _receiver,
        _test,
        typed=lambda order: command("alerts", "test", order.path["name"]),
    ),
)
