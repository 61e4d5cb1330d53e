"""Rules: what each costs, how each stands, what each brought."""

from __future__ import annotations

from typing import Any

from logmedic.adapters.web import queries, shapes
from logmedic.adapters.web.endpoint import Asked, Endpoint
from logmedic.adapters.web.endpoints.shown import RULE_ID, STEP_RANK
from logmedic.adapters.web.shapes import (
    ANYTHING,
    FLAG,
    NUMBER,
    TEXT,
    TIME,
    WHOLE,
    by_name,
    listed,
    maybe,
    named,
    record,
)
from logmedic.core.explain import Why
from logmedic.core.explainrows import LONGEST as LONGEST_LINE
from logmedic.core.foretell import Forecast
from logmedic.core.nearmiss import NearMiss
from logmedic.model.circuit import BreakerStatus
from logmedic.model.issue import HoldReason, IncidentStatus
from logmedic.model.rule import Mode
from logmedic.model.severity import Severity
from logmedic.ports import Control


async def rule_costs(control: Control, _: Asked) -> Any:
    return await control.rule_costs()


async def rule(control: Control, asked: Asked) -> Any:
    return await control.rule(asked.id, _match(asked))


def _match(asked: Asked) -> dict[str, Any] | None:
    """The match that is asked about; None when none is."""
    query = asked.query
    if query["captures"] is None:
        return None
    return {name: query[name] for name in ("captures", "part", "source", "at")}


async def rules_in_force(control: Control, _: Asked) -> Any:
    return await control.rules_in_force()


async def rule_said(control: Control, asked: Asked) -> Any:
    return await control.rule_said(asked.id)


async def test_rule(control: Control, asked: Asked) -> Any:
    return await control.test_rule(asked.id)


async def explain(control: Control, asked: Asked) -> Any:
    return await control.explain(asked.query["line"], asked.query["source"], asked.query["rule"])


async def explain_report(control: Control, asked: Asked) -> Any:
    return await control.explain("", rule=asked.query["rule"], report=asked.query["report"])


async def rule_stats(control: Control, asked: Asked) -> Any:
    return await control.ask("rule_stats", **asked.given("since"))


_STANDING = named(
    "RuleStanding",
    "How a rule that is in force stands.",
    id=TEXT,
    file=TEXT,
    line=WHOLE,
    mode=maybe(shapes.choice(Mode)),
    whose=TEXT,
    quarantined=TEXT,
    matched=WHOLE,
    last_match_at=maybe(TIME),
    windows=listed(record(group=by_name(TEXT), progress=TEXT, newest=maybe(TIME))),
    windows_total=WHOLE,
    open_incidents=listed(
        record(
            id=TEXT,
            group=by_name(TEXT),
            title=TEXT,
            status=shapes.choice(IncidentStatus),
            hold=maybe(shapes.choice(HoldReason)),
            hold_detail=TEXT,
            opened_at=TIME,
            occurrences=WHOLE,
        )
    ),
    breaker=record(status=shapes.choice(BreakerStatus), failures=WHOLE, open_until=maybe(TIME)),
    steps=listed(STEP_RANK),
    would=maybe(shapes.row(Forecast, but={"runs": listed(record(step=TEXT, argv=listed(TEXT)))}, words=listed(TEXT))),
)
_STATS = named(
    "RuleStats",
    "What a rule brought. `verified`: the share of its fixes that worked; `noise`: the share of its incidents that "
    "were over without one. Null: nothing is known of it.",
    rule_id=TEXT,
    incidents=WHOLE,
    occurrences=WHOLE,
    fixed=WHOLE,
    not_fixed=WHOLE,
    verified=maybe(NUMBER),
    by_itself=WHOLE,
    noise=maybe(NUMBER),
    needed_people=WHOLE,
    last_opened_at=maybe(TIME),
    mean_recovery_s=maybe(NUMBER),
)
_IN_FORCE: dict[str, Any] = {
    "id": TEXT,
    "title": TEXT,
    "service": TEXT,
    "severity": shapes.choice(Severity),
    "enabled": FLAG,
    "sources": listed(TEXT),
    "tags": listed(TEXT),
    "fix": maybe(shapes.choice(Mode)),
    "mode": maybe(shapes.choice(Mode)),
    "whose": TEXT,
    "matched": WHOLE,
    "last_match_at": maybe(TIME),
    "tests": WHOLE,
    "file": TEXT,
    "line": WHOLE,
    "quarantined": TEXT,
}
_SAYING = record(name=TEXT, text=TEXT)
_EXPLAINED = named(
    "Explained",
    "`rules`: what matches first, then what nearly does; `now` says what would come of a match.",
    text=TEXT,
    source=maybe(TEXT),
    at=TIME,
    program=maybe(TEXT),
    rules_asked=WHOLE,
    candidates=listed(TEXT),
    matched=listed(TEXT),
    rules=listed(
        record(
            rule=TEXT,
            part=TEXT,
            file=TEXT,
            line=WHOLE,
            verdict=shapes.choice(Why),
            reason=TEXT,
            hit=FLAG,
            captures=listed(record(name=TEXT, type=TEXT, value=TEXT)),
            group=by_name(TEXT),
            near_miss=maybe(shapes.row(NearMiss)),
            misfits=listed(record(key=TEXT, wanted=listed(TEXT), found=TEXT)),
            now=maybe(by_name(ANYTHING)),
        )
    ),
    unknown=maybe(record(component=TEXT, template=TEXT, fingerprint=TEXT)),
)
_COST = named(
    "RuleCost",
    rule=TEXT,
    service=TEXT,
    asked=WHOLE,
    matched=WHOLE,
    spent_s=NUMBER,
    overruns=WHOLE,
    quarantined=TEXT,
)

ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/rules",
        "What each rule costs, the dearest first",
        rule_costs,
        listed(_COST),
        about="Of those that were asked of any record since they were loaded.",
    ),
    Endpoint(
        "GET",
        "/v1/rules/{id}",
        "How a rule stands",
        rule,
        _STANDING,
        about="With `captures`, `would` says what would come of such a match now.",
        subject=RULE_ID,
        example="nginx-upstream-down",
        query=(
            queries.texts(
                "captures",
                "Of a match that is asked about.",
                'captures={"client": "192.0.2.7"}, or captures={}',
                example={"client": "192.0.2.7"},
            ),
            queries.text("part", "The part of the rule that matches.", longest=80),
            queries.text("source", "Where the match is.", example="nginx"),
            queries.moment("at", "When: a duration before now, or a time.", example="5m"),
        ),
    ),
    Endpoint(
        "GET",
        "/v1/rules_in_force",
        "The rules in force, in short",
        rules_in_force,
        listed(
            named(
                "RuleInForce", "`mode`: of its fix, under the ceiling; `whose`: what keeps it from more.", **_IN_FORCE
            )
        ),
    ),
    Endpoint(
        "GET",
        "/v1/rules/{id}/said",
        "What a rule says",
        rule_said,
        named(
            "RuleSaid",
            "In words, as `rules show` has them.",
            **_IN_FORCE,
            description=TEXT,
            resolution=TEXT,
            runbook=TEXT,
            in_short=TEXT,
            speaks=listed(_SAYING),
            fix_in_short=TEXT,
            fix_steps=listed(_SAYING),
            tested=listed(record(test=TEXT, line=WHOLE, expects=TEXT)),
        ),
        subject=RULE_ID,
        example="nginx-upstream-down",
    ),
    Endpoint(
        "POST",
        "/v1/rules/{id}/test",
        "Run the tests inside a rule",
        test_rule,
        named(
            "RuleTested",
            "`failure`: what was wanted and seen; empty: it passed.",
            rule=TEXT,
            file=TEXT,
            cases=listed(record(test=TEXT, line=WHOLE, failure=TEXT, seconds=NUMBER)),
        ),
        about="Beside the engine, one rule after the other. Nothing is changed.",
        subject=RULE_ID,
        example="nginx-upstream-down",
        body=(),
        acts=True,
    ),
    Endpoint(
        "GET",
        "/v1/explain",
        "Why a line is known, or not",
        explain,
        _EXPLAINED,
        about="By the rules in force; nothing is counted. One question at a time: 503 when several wait.",
        query=(
            queries.text(
                "line",
                "A record, as it stands in the log.",
                longest=LONGEST_LINE,
                example="disk is full",
                needed="line=TEXT, as it stands in the log",
            ),
            queries.text("source", "The source that it is read from, as NAME or NAME:UNIT; every one without."),
            queries.text("rule", "Tell of this rule, and of what matches."),
        ),
    ),
    Endpoint(
        "GET",
        "/v1/explain_report",
        "Why a report of an application is known, or not",
        explain_report,
        _EXPLAINED,
        about="As /v1/explain. `misfits`: the keys of a rule's `match.report` that it does not fit.",
        refused=(409,),
        query=(
            queries.text(
                "report",
                "An object of JSON, as an application sends it, and `user`, whose process sends it.",
                longest=LONGEST_LINE,
                example='{"component": "checkout", "error": "TimeoutError"}',
                needed='report={"component": "checkout", "error": "TimeoutError", "user": "shop"}',
            ),
            queries.text("rule", "Tell of this rule, and of what matches."),
        ),
    ),
    Endpoint(
        "GET",
        "/v1/rule_stats",
        "What each rule brought",
        rule_stats,
        listed(_STATS),
        about="How often it fired, whether its fix worked, how much of it nobody needed.",
        query=(queries.moment("since", "Of incidents opened since then.", example="30d"),),
    ),
)
