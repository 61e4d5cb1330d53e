"""The daemon itself: how it does, what waits for people, its store, its kill switch."""

from __future__ import annotations

from typing import Any

from logmedic.adapters.web import bodies, shapes
from logmedic.adapters.web.bodies import FOR, LONGEST_NOTE, ONE_END, UNTIL
from logmedic.adapters.web.endpoint import Asked, Endpoint
from logmedic.adapters.web.endpoints.shown import (
    BREAKER,
    COUNTS,
    INCIDENT,
    PAUSE,
    PAUSED,
    RECEIVER,
    SOURCE,
    STATS,
    TRUST,
)
from logmedic.adapters.web.entrance import entrance_of
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
from logmedic.model.fix import Arming
from logmedic.model.need import Need
from logmedic.model.rule import Mode
from logmedic.ports import Control


async def status(control: Control, _: Asked) -> Any:
    return await control.status()


async def needs(control: Control, _: Asked) -> Any:
    return await control.needs()


async def brief(control: Control, _: Asked) -> Any:
    return await control.brief()


async def counts(control: Control, _: Asked) -> Any:
    return await control.ask("counts")


async def figures(control: Control, _: Asked) -> Any:
    families = await control.metrics()
    return [{**row, "help": family.metric.help} for family in families for row in family.rows()]


async def storage(control: Control, _: Asked) -> Any:
    return await control.storage()


async def backup(control: Control, asked: Asked) -> Any:
    return await control.backup()


async def reload(control: Control, asked: Asked) -> Any:
    return await control.reload()


async def pause(control: Control, asked: Asked) -> Any:
    until = bodies.ends(asked.body, asked.now)
    return await control.pause(asked.by, until=until, why=asked.body["why"], stop=asked.body["stop"])


async def resume(control: Control, asked: Asked) -> Any:
    return await control.resume(asked.by)


async def sign_in(control: Control, asked: Asked) -> Any:
    return entrance_of(asked.request).ticket(asked.request)


_PART = named(
    "Part",
    name=TEXT,
    state={"type": "string", "enum": ["running", "restarting", "failed", "ended"]},
    restarts=WHOLE,
    last_error=TEXT,
)
_RULES = record(
    loaded=WHOLE,
    problems=listed(TEXT),
    stale_files=listed(TEXT),
    quarantined=listed(record(rule=TEXT, reason=TEXT)),
    revision=TEXT,
    loaded_at=TIME,
)
_ALERTS = record(
    pending=WHOLE,
    deferred=WHOLE,
    dead=WHOLE,
    receivers=listed(RECEIVER),
    receivers_total=WHOLE,
    silences=WHOLE,
    acked=WHOLE,
)
_DIAGNOSING = record(pending=WHOLE, dropped=WHOLE, asked_today=WHOLE, tokens_today=WHOLE, problem=TEXT)
_HEARTBEAT = record(last_ok=maybe(TIME), next=maybe(TIME), last_error=TEXT, withheld=TEXT, every_s=NUMBER)
_REPORTS = record(
    socket=TEXT,
    taken=WHOLE,
    repeated=WHOLE,
    refused=COUNTS,
    waiting=WHOLE,
    connections=WHOLE,
    turned_away=WHOLE,
    cut_off=WHOLE,
    asking=WHOLE,
    breakers=WHOLE,
    problem=TEXT,
)
STATUS = named(
    "Status",
    "What is watched, what is broken, and whether fixes may run. Of long lists only what wants attention.",
    maybe_absent={
        "receivers": by_name(TEXT),
        "diagnosing": maybe(_DIAGNOSING),
        "heartbeat": maybe(_HEARTBEAT),
        "reports": maybe(_REPORTS),
        "otlp": maybe(record(sent=WHOLE, failed=WHOLE, problem=TEXT)),
        "dashboard": maybe(record(listen=TEXT, url=TEXT)),
        "breakers_total": WHOLE,
    },
    version=TEXT,
    pid=WHOLE,
    host=TEXT,
    started_at=TIME,
    mode=shapes.choice(Mode),
    arming=shapes.row(Arming),
    pauses=listed(PAUSE),
    maintenance=listed(record(name=TEXT, until=maybe(TIME), rules=listed(TEXT), tags=listed(TEXT))),
    proposals=listed(TRUST),
    rules=_RULES,
    sources=listed(SOURCE),
    sources_total=WHOLE,
    parts=listed(_PART),
    store=record(path=TEXT, notices=listed(TEXT), problem=TEXT),
    open_incidents=listed(INCIDENT),
    breakers=listed(BREAKER),
    alerts=_ALERTS,
    counts=COUNTS,
    stats=STATS,
)
_BYTES = record(
    file=WHOLE, unused=WHOLE, log=WHOLE, archive=WHOLE, snapshots=WHOLE, backups=WHOLE, total=WHOLE, max=maybe(WHOLE)
)
_STORAGE = named(
    "Storage",
    "What the store takes, in bytes, and what leaves it next.",
    path=TEXT,
    room=_BYTES,
    rows=COUNTS,
    archive=record(on=FLAG, keep=NUMBER, days=WHOLE, oldest=maybe(TEXT), newest=maybe(TEXT)),
    keep=by_name(NUMBER),
    next=listed(record(table=TEXT, kind=TEXT, days=WHOLE)),
    clock=maybe(record(says=TIME, expected=TIME, believed_in_s=NUMBER)),
    backups=listed(record(path=TEXT, kind=TEXT, made_at=TIME, bytes=WHOLE)),
    last_compaction=maybe(record(at=TIME, before_bytes=WHOLE, after_bytes=WHOLE, took_s=NUMBER, held_s=NUMBER)),
    work=maybe(record(what=TEXT, done_bytes=WHOLE, of_bytes=WHOLE)),
    notices=listed(TEXT),
)
_FIGURE = named(
    "Figure",
    "One sample of /metrics. Of a histogram, value is how many there were, and sum what they add up to.",
    maybe_absent={"sum": NUMBER},
    name=TEXT,
    kind=TEXT,
    labels=by_name(TEXT),
    value=NUMBER,
    help=TEXT,
)
_WHY = bodies.text("why", "It is recorded with your name.", LONGEST_NOTE, example="new release going out")
_STOP = bodies.flag("stop", "End the steps that run, too.")

ENDPOINTS = (
    Endpoint("GET", "/v1/status", "How everything does", status, STATUS),
    Endpoint(
        "GET",
        "/v1/needs",
        "What waits for a person",
        needs,
        listed(shapes.row(Need)),
        about="What nobody takes care of first, then what has a deadline, then by severity and age; at most 200.",
    ),
    Endpoint(
        "GET",
        "/v1/brief",
        "A few numbers, at once",
        brief,
        record(host=TEXT, needs_you=WHOLE, open_incidents=WHOLE, alerts_waiting=WHOLE),
    ),
    Endpoint("GET", "/v1/counts", "Everything that was ever counted", counts, COUNTS),
    Endpoint("GET", "/v1/figures", "The figures of /metrics as JSON", figures, listed(_FIGURE)),
    Endpoint("GET", "/v1/storage", "What the store takes", storage, _STORAGE),
    Endpoint(
        "POST",
        "/v1/backup",
        "Copy the store",
        backup,
        named(
            "Backup",
            path=TEXT,
            bytes=WHOLE,
            rows=COUNTS,
            contents=ANYTHING,
            took_s=NUMBER,
            held_s=NUMBER,
        ),
        about="The copy is verified before it is named. Commits wait while it is made.",
        body=(),
        acts=True,
    ),
    Endpoint(
        "POST",
        "/v1/reload",
        "Load the rules again",
        reload,
        named("Reload", loaded=WHOLE, revision=TEXT, problems=listed(TEXT), stale_files=listed(TEXT)),
        about="What is broken keeps its last good version.",
        body=(),
        acts=True,
    ),
    Endpoint(
        "POST",
        "/v1/pause",
        "The kill switch: no fix starts",
        pause,
        PAUSED,
        about="It outlasts a restart. Without `for` and `until` it lasts until /v1/resume.",
        body=(FOR, UNTIL, _WHY, _STOP),
        together=ONE_END,
        acts=True,
    ),
    Endpoint(
        "POST",
        "/v1/sign-in",
        "A link that signs a browser in, once",
        sign_in,
        named("SignIn", url=TEXT, expires=TIME),
        about="Over the Unix socket only, for who asks and with their right. It works for a minute.",
        body=(),
        refused=(404,),
    ),
    Endpoint("POST", "/v1/resume", "Fixes may run again", resume, PAUSED, body=(), acts=True, refused=(409,)),
)
