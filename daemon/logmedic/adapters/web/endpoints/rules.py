"""Rules: what each costs, how each stands, what each brought."""

from __future__ import annotations

from typing import Any

from logmedic.adapters.web import queries, shapes
from logmedic.adapters.web.endpoint import Asked, Endpoint
from logmedic.adapters.web.endpoints.shown import RULE_ID, STEP_RANK
from logmedic.adapters.web.parameters import BadRequest
from logmedic.adapters.web.shapes import NUMBER, TEXT, TIME, WHOLE, by_name, listed, maybe, named, record
from logmedic.core.foretell import Forecast
from logmedic.model.fix import BreakerStatus
from logmedic.model.issue import HoldReason, IncidentStatus
from logmedic.model.rule import Mode
from logmedic.ports import Control


async def rule_costs(control: Control, _: Asked) -> Any:
    return await control.rule_costs()


async def rule(control: Control, asked: Asked) -> Any:
    return await control.rule(asked.id, _match(asked))


def _match(asked: Asked) -> dict[str, Any] | None:
    """The match that is asked about; None when none is. Raises BadRequest."""
    query = asked.query
    if query["captures"] is not None:
        return {name: query[name] for name in ("captures", "part", "source", "at")}
    if any(query[name] for name in ("part", "source", "at")):
        raise BadRequest("`captures` is missing: no match is asked about", "captures={}")
    return None


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
        "/v1/rule_stats",
        "What each rule brought",
        rule_stats,
        listed(_STATS),
        about="How often it fired, whether its fix worked, how much of it nobody needed.",
        query=(queries.moment("since", "Of incidents opened since then.", example="30d"),),
    ),
)
