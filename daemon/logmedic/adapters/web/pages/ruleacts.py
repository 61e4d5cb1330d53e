"""What can be done about rules: how far the fix of one is trusted, its tests, all of them anew."""

from __future__ import annotations

from urllib.parse import quote

from logmedic.adapters.web.html import element, joined
from logmedic.adapters.web.pages import parts
from logmedic.adapters.web.pages.action import WHY, Action, Order, Outcome, Subject, lasting
from logmedic.core.phrases import several
from logmedic.core.shellwords import command
from logmedic.model.rule import Mode

LEVELS = (
    (Mode.OBSERVE.value, "observe: it is only said what would run"),
    (Mode.APPROVE.value, "approve: it asks each time"),
    (Mode.AUTO.value, "auto: it runs by itself"),
)
PROBLEMS_SHOWN = 20


def _page(order: Order) -> str:
    return f"/rules/{quote(order.path['id'], safe='')}"


async def _trusted(order: Order) -> Subject:
    row = await order.control.trust_of(order.path["id"])
    facts = (
        ("now", str(row["level"])),
        ("in its file", str(row["given"])),
        ("kept from more by", parts.line(row["whose"], 120)),
        ("verified", f"{row['wins']:,} worked, {row['losses']:,} did not"),
        ("proposed", str(row["proposed"] or "")),
    )
    refused = "" if row["in_force"] else "the rule is not in force"
    filled = {"level": str(row["proposed"] or row["level"])}
    return Subject(order.path["id"], _page(order), facts, filled=filled, refused=refused)


async def _trust(order: Order) -> Outcome:
    level = Mode(order.told("level"))
    row = await order.control.set_trust(order.path["id"], level, order.by, order.told("why"))
    held = f"; {row['whose']} keeps it at {row['mode']}" if row["mode"] not in (None, row["level"]) else ""
    return Outcome(f"the fix of {order.path['id']} is trusted with mode {row['level']}{held}")


async def _all(order: Order) -> Subject:
    rules = (await order.control.status())["rules"]
    facts = (("in force", several(rules["loaded"], "rule")), ("loaded", parts.ago(rules["loaded_at"], order.now)))
    return Subject("The rules of this host", "/rules", facts)


async def _reload(order: Order) -> Outcome:
    told = await order.control.reload()
    loaded = f"{several(told['loaded'], 'rule')} in force"
    if not told["problems"]:
        return Outcome(loaded)
    listed = element(
        "ul", *(element("li", element("code", parts.line(each))) for each in told["problems"][:PROBLEMS_SHOWN])
    )
    stale = ", ".join(parts.line(each, 200) for each in told["stale_files"])
    kept = f"; the last good version stays of {stale}" if stale else ""
    text = f"{loaded}, and {several(len(told['problems']), 'problem')}{kept}"
    return Outcome(text, "mend the files, then load them again", "wait", listed)


async def _tested(order: Order) -> Subject:
    row = await order.control.rule(order.path["id"])
    return Subject(order.path["id"], _page(order), (("file", parts.line(f"{row['file']}:{row['line']}", 200)),))


async def _test(order: Order) -> Outcome:
    told = await order.control.test_rule(order.path["id"])
    cases = told["cases"]
    if not cases:
        return Outcome("it has no tests", "docs/rules.md says how a rule is tested", "wait")
    failed = [each for each in cases if each["failure"]]
    listed = (
        element(
            "li",
            element(
                "span", "✗" if each["failure"] else "✓", class_="bad" if each["failure"] else "good", aria_hidden="true"
            ),
            element("span", parts.line(each["test"] or f"line {each['line']}", 160)),
            element(
                "span",
                joined(element("b", "failed: "), parts.line(each["failure"], 600)) if each["failure"] else "passed",
            ),
        )
        for each in cases
    )
    passed = f"{len(cases) - len(failed):,} of {several(len(cases), 'test')} passed"
    more = element("ul", *listed, class_="checks")
    if failed:
        return Outcome(passed, "mend the rule, or what the tests expect", "bad", more)
    return Outcome(passed, more=more)


ACTIONS = (
    Action(
        "/rules/{id}/trust",
        "How far may its fix go?",
        "The daemon's own mode stays the ceiling. Why is kept in the record, with your name.",
        "Set it",
        _trusted,
        _trust,
        fields=(lasting(*LEVELS, label="Mode", name="level"), WHY),
        typed=lambda order: command("trust", "raise", order.path["id"], "--why", "WHY"),
    ),
    Action(
        "/rules/{id}/test",
        "Run its tests?",
        "The tests inside the rule are run as when it was loaded, beside the work of the daemon. Nothing is changed.",
        "Run them",
        _tested,
        _test,
        typed=lambda order: command("rules", "test", "--rule", order.path["id"]),
    ),
    Action(
        "/reload",
        "Load the rules again?",
        "The files are read, checked and tested; what is good comes into force, else the last good version stays.",
        "Load them",
        _all,
        _reload,
        typed=lambda _: command("reload"),
    ),
)
