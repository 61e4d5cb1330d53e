"""What people ask about alerts and decide about them: it is done, or they hear why not and what to type."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, time, timedelta
from typing import Any

import pytest

import builders as make
from fakes.memory_store import MemoryStore
from fakes.recording_sender import RecordingSender
from logmedic.core.alerting.chain import is_acked
from logmedic.model.alert import (
    Alert,
    AlertPlan,
    AlertStatus,
    Delivery,
    DigestPlan,
    Escalation,
    LinkPlan,
    Receiver,
    ReceiverPlan,
    ReceiverState,
    Route,
    Selector,
)
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Changeset, Delivered
from logmedic.model.errors import NotFound, OrderRefused
from logmedic.model.issue import Incident, IncidentStatus
from logmedic.model.match import Capture, CaptureType, MatchSpec
from logmedic.model.notice import Silence
from logmedic.model.policy import Policy
from logmedic.model.rule import Rule
from logmedic.model.severity import Severity
from logmedic.model.when import Threshold, When
from logmedic.runtime.alertdesk import AlertDesk
from runtime.test_engine import Bench, running

RULE = Rule(
    "web-down",
    "web {upstream} is down",
    MatchSpec((r"down (?P<upstream>\S+)",), captures={"upstream": Capture(CaptureType.WORD)}),
    Severity.HIGH,
    tags=("web",),
    when=When(Threshold(1, by=("upstream",))),
)
SCHEMES = {"chat": "slack", "mail": "mailto", "phone": "tel"}
PLAN = AlertPlan(
    routes={
        "oncall": replace(make.AT_ONCE, escalate=(Escalation(timedelta(minutes=15), ("phone",)),)),
        "other": Route("other", ("mail",)),
    },
    default_route="oncall",
    receivers={
        name: ReceiverPlan(name, scheme) for name, scheme in (("chat", "slack"), ("mail", "mailto"), ("phone", "tel"))
    },
    links=LinkPlan("https://logmedic.example", b"the real key"),
)
URLS = {name: Receiver(name, f"json://{name}") for name in PLAN.receivers}
DEAD = Alert(
    *("0193-dead", "", AlertEvent.OPENED, Severity.HIGH, "oncall", "chat", "t", "b", make.START, make.START),
    status=AlertStatus.DEAD,
    tries=7,
    last_error="refused",
)
HOUR = timedelta(hours=1)

Scene = Callable[[AlertDesk, Bench], Awaitable[Any]]


def asked(
    scene: Scene,
    *,
    before: Changeset | None = None,
    plan: AlertPlan = PLAN,
    unusable: dict[str, str] | None = None,
    rule: Rule = RULE,
) -> Any:
    in_force: Policy = make.policy(rule, alerts=plan)

    async def run() -> Any:
        store = MemoryStore([before] if before is not None else [])
        async with running(in_force, store) as bench:
            await bench.engine.settled()
            desk = AlertDesk(
                engine=bench.engine,
                store=store,
                policy=lambda: in_force,
                clock=bench.clock,
                sender=RecordingSender(),
                receivers=lambda: URLS,
                unusable=unusable or {},
            )
            return await scene(desk, bench)

    return asyncio.run(run())


def refusal(scene: Scene, kind: type[NotFound | OrderRefused], **given: Any) -> str:
    with pytest.raises(kind) as refused:
        asked(scene, **given)
    assert refused.value.hint, "it does not say what to type"
    return f"{refused.value.text}; {refused.value.hint}"


async def broken(bench: Bench, upstream: str = "a", rule: Rule = RULE) -> str:
    """An incident of that group; answers its id."""
    await bench.engine.settled(make.observed(make.match(rule, group=upstream, upstream=upstream)))
    await bench.engine.settled()
    return bench.engine.state.open_of_rule[rule.id][upstream]


# -- acknowledging -----------------------------------------------------------------------------------------------------


def test_who_acknowledges_an_incident_is_recorded_and_lasts_until_it_is_over() -> None:
    async def scene(desk: AlertDesk, bench: Bench) -> Any:
        incident = await broken(bench)
        row = await desk.acknowledge(incident[-6:], "ann")
        return row, await desk.row(), is_acked(bench.engine.state.notices[f"incident:{incident}"], bench.clock.now())

    row, status, acked = asked(scene)
    assert (row["acked_by"], row["acked_until"], row["title"]) == ("ann", None, "web a is down")
    assert acked
    assert status["acked"] == 1


def test_an_acknowledgement_ends_at_its_time_and_is_taken_back() -> None:
    async def scene(desk: AlertDesk, bench: Bench) -> Any:
        incident = await broken(bench)
        row = await desk.acknowledge(incident, "ann", bench.clock.now() + HOUR)
        undone = await desk.unacknowledge(f"incident:{incident}", "bob")
        return row, undone, await desk.row()

    row, undone, status = asked(scene)
    assert row["acked_until"] == "2026-11-24T04:00:00Z"
    assert not undone["acked_by"]
    assert status["acked"] == 0


def test_what_is_over_nowhere_or_not_acknowledged_says_so() -> None:
    async def never(desk: AlertDesk, bench: Bench) -> Any:
        await desk.unacknowledge(await broken(bench), "ann")

    async def untold(desk: AlertDesk, bench: Bench) -> Any:
        await desk.acknowledge(await broken(bench), "ann")

    assert "nobody acknowledged incident" in refusal(never, OrderRefused)
    assert "nobody is told of incident" in refusal(untold, OrderRefused, plan=AlertPlan())
    with pytest.raises(NotFound, match="no incident nowhere"):
        asked(lambda desk, _: desk.acknowledge("nowhere", "ann"))
    assert "no open news of source:web" in refusal(lambda desk, _: desk.acknowledge("source:web", "ann"), NotFound)


# -- silences ----------------------------------------------------------------------------------------------------------


def test_a_silence_names_what_it_covers_now() -> None:
    async def scene(desk: AlertDesk, bench: Bench) -> Any:
        await broken(bench, "a")
        await broken(bench, "b")
        row = await desk.add_silence("ann", "known", bench.clock.now() + HOUR, labels={"rule": "web-*"})
        return row, await desk.silences(), await desk.row()

    row, listed, status = asked(scene)
    assert [each["title"] for each in row["covers"]] == ["web a is down", "web b is down"]
    assert (row["by"], row["why"], row["state"]) == ("ann", "known", "in force")
    assert [each["id"] for each in listed] == [row["id"]]
    assert status["silences"] == 1


def test_a_silence_of_an_incident_is_of_those_that_follow_it_too() -> None:
    """By tomorrow the same trouble is another incident."""

    async def scene(desk: AlertDesk, bench: Bench) -> Any:
        incident = await broken(bench, "10.0.0.*")
        await broken(bench, "10.0.0.1")
        return await desk.add_silence("ann", "known", bench.clock.now() + HOUR, incident=incident)

    row = asked(scene)
    assert row["labels"] == {"rule": "web-down", "upstream": "10.0.0.[*]"}
    assert [each["title"] for each in row["covers"]] == ["web 10.0.0.* is down"]


def test_a_dry_run_adds_nothing() -> None:
    async def scene(desk: AlertDesk, bench: Bench) -> Any:
        await broken(bench)
        row = await desk.add_silence("ann", "?", bench.clock.now() + HOUR, tags=("web",), rehearse=True)
        return row, await desk.silences(True)

    row, listed = asked(scene)
    assert (row["id"], row["covers_total"]) == ("", 1)
    assert listed == []


@pytest.mark.parametrize(
    "meant",
    [
        {},
        {"labels": {"rule": "*"}},
        {"labels": {"host": "db1"}},
        {"labels": {"role": "db"}},
        {"severities": tuple(Severity)},
    ],
    ids=["nothing named", "any rule", "this host", "its label", "every severity"],
)
def test_what_silences_everything_has_to_be_said(meant: dict[str, Any]) -> None:
    plan = replace(PLAN, labels={"role": "db"})

    async def silenced(desk: AlertDesk, bench: Bench, **more: Any) -> Any:
        return await desk.add_silence("ann", "x", bench.clock.now() + HOUR, **meant, **more)

    assert "--everything" in refusal(silenced, OrderRefused, plan=plan)
    assert asked(lambda desk, bench: silenced(desk, bench, everything=True), plan=plan)["state"] == "in force"


def test_a_silence_that_would_be_over_as_it_begins_is_refused() -> None:
    async def scene(desk: AlertDesk, bench: Bench) -> Any:
        now = bench.clock.now()
        await desk.add_silence("ann", "x", now + HOUR, starts_at=now + 2 * HOUR, tags=("web",))

    assert "would be over as it begins" in refusal(scene, OrderRefused)


def test_a_silence_is_ended_by_somebody_and_once() -> None:
    silence = Silence("0193-sil1", make.START, make.START + HOUR, "ann", "known", make.START, tags=("web",))
    over = replace(silence, id="0193-sil0", until=make.START, ended_by="bob")
    before = Changeset(silences=(silence, over))
    row = asked(lambda desk, _: desk.end_silence("sil1", "bob"), before=before)
    assert (row["state"], row["ended_by"], row["until"]) == ("over", "bob", "2026-11-24T03:00:00Z")
    assert "is over, ended by bob" in refusal(
        lambda desk, _: desk.end_silence("sil0", "eve"), OrderRefused, before=before
    )


# -- receivers and messages --------------------------------------------------------------------------------------------


def test_receivers_tell_how_they_do() -> None:
    open_until = make.START + timedelta(minutes=5)
    states = (
        ReceiverState("chat", failures=5, open_until=open_until, last_error="timed out"),
        ReceiverState("mail", disabled="404 no such hook", last_error="404 no such hook"),
    )
    before = Changeset(alerts=(DEAD, replace(DEAD, id="0193-old1", created_at=make.START - 200 * HOUR)))

    async def scene(desk: AlertDesk, bench: Bench) -> Any:
        bench.engine.state.apply(Changeset(receivers=states))  # after the start, which gives each a new chance
        return await desk.receivers(), await desk.row()

    rows, status = asked(scene, before=before, unusable={"phone": "Apprise knows no tel:// receivers"})
    assert [(row["name"], row["scheme"], row["state"], row["dead"]) for row in rows] == [
        ("chat", "slack", "breaker open", 1),
        ("mail", "mailto", "disabled", 0),
        ("phone", "tel", "unusable", 0),
    ]
    assert rows[0]["open_until"] == "2026-11-24T03:05:00Z"
    assert [row["routes"] for row in rows] == [["oncall"], ["oncall", "other"], ["oncall"]]
    assert (len(status["receivers"]), status["receivers_total"], status["dead"]) == (3, 3, 1)
    assert not any("json://" in str(row) for row in rows), "a URL is shown"


def test_dead_letters_are_sent_again_by_name_or_all_of_them() -> None:
    before = Changeset(alerts=(DEAD, replace(DEAD, id="0193-dea2", receiver="mail")))
    one = asked(lambda desk, _: desk.resend(["dead"], "ann"), before=before)
    assert [(row["id"], row["status"] in ("sending", "pending"), row["tries"]) for row in one] == [
        ("0193-dead", True, 0)
    ]
    both = asked(lambda desk, _: desk.resend(None, "ann"), before=before)
    assert {row["id"] for row in both} == {"0193-dead", "0193-dea2"}


@pytest.mark.parametrize(
    ("ids", "alert", "says"),
    [
        (None, replace(DEAD, status=AlertStatus.SENT), "no message was given up"),
        (["dead"], replace(DEAD, status=AlertStatus.SENT), "was not given up: it is sent"),
        (["dead"], replace(DEAD, receiver="gone"), "no receiver is called gone any more"),
        (None, replace(DEAD, receiver="gone"), "no receiver is called gone any more"),
    ],
)
def test_what_cannot_be_sent_again_says_why(ids: list[str] | None, alert: Alert, says: str) -> None:
    assert says in refusal(lambda desk, _: desk.resend(ids, "ann"), OrderRefused, before=Changeset(alerts=(alert,)))


def test_a_preview_is_what_each_receiver_would_get_and_its_links_open_nothing() -> None:
    async def scene(desk: AlertDesk, bench: Bench) -> Any:
        incident = await broken(bench)
        commits, acts = len(bench.store.changesets), len(bench.acts)
        rows = await desk.preview(incident)
        one = await desk.preview(incident, event="fix_failed", receiver="mail")
        assert (len(bench.store.changesets), len(bench.acts)) == (commits, acts)
        sent = bench.store.changesets
        alerts = [each for changeset in sent for each in changeset.alerts]
        return rows, one, alerts[0]

    rows, (one,), sent = asked(scene)
    assert [(row["receiver"], row["route"], row["event"]) for row in rows] == [
        ("chat", "oncall", "opened"),
        ("phone", "oncall", "opened"),
    ]
    assert rows[0]["title"] == sent.title
    assert "https://logmedic.example/a/" in rows[0]["body"]
    links = {word for word in sent.body.split() if "/a/" in word}
    assert links
    assert not links & set(rows[0]["body"].split()), "a preview's link works"
    assert (one["receiver"], one["scheme"], one["event"]) == ("mail", "mailto", "fix_failed")


def test_a_preview_of_a_receiver_that_is_not_there_names_those_that_are() -> None:
    async def scene(desk: AlertDesk, bench: Bench) -> Any:
        await desk.preview(await broken(bench), receiver="nobody")

    assert "no receiver is called nobody; there are: chat, mail, phone" in refusal(scene, NotFound)


@pytest.mark.parametrize(
    ("given", "receivers"),
    [
        ({}, ["chat", "mail", "phone"]),
        ({"receiver": "mail"}, ["mail"]),
        ({"route": "oncall"}, ["chat", "mail", "phone"]),
        ({"route": "other"}, ["mail"]),
    ],
    ids=["everybody", "one", "a route with its fallback and its chain", "another"],
)
def test_a_test_goes_to_whom_it_is_meant_for_and_tells_what_became_of_it(
    given: dict[str, str], receivers: list[str]
) -> None:
    async def scene(desk: AlertDesk, bench: Bench) -> Any:
        test = asyncio.create_task(desk.test_alert(**given))
        while len(bench.engine.state.alerts) < len(receivers):
            await asyncio.sleep(0)
        for alert in list(bench.engine.state.alerts.values()):
            await bench.engine.settled(Delivered(alert.id, Delivery(alert.receiver != "mail", "550 refused", True)))
        while not test.done():
            await bench.clock.advance(1)
        return test.result()

    rows = asked(scene)
    assert sorted(row["receiver"] for row in rows) == receivers
    for row in rows:
        well = row["receiver"] != "mail"
        assert row["status"] == ("sent" if well else "dead")
        assert (row["took_s"] is not None) == well
        assert row["scheme"] == PLAN.receivers[row["receiver"]].scheme


def test_a_test_of_nobody_says_who_there_is() -> None:
    assert "no route is called nowhere; there are: oncall, other" in refusal(
        lambda desk, _: desk.test_alert(route="nowhere"), NotFound
    )


def test_what_waits_for_a_digest_is_counted_apart() -> None:
    digest = DigestPlan(Selector(), time(8), UTC)
    plan = replace(PLAN, receivers={**PLAN.receivers, "chat": ReceiverPlan("chat", "slack", digest=digest)})

    async def scene(desk: AlertDesk, bench: Bench) -> Any:
        await broken(bench)
        return await desk.row(), await desk.receivers()

    status, rows = asked(scene, plan=plan)
    assert (status["pending"], status["deferred"]) == (0, 1)
    assert rows[0]["deferred"] == 1


# -- why nobody was told -----------------------------------------------------------------------------------------------


def names(row: dict[str, Any]) -> dict[str, bool]:
    return {each["name"]: each["ok"] for each in row["stages"]}


def test_why_an_incident_was_not_told_is_answered_stage_by_stage() -> None:
    async def scene(desk: AlertDesk, bench: Bench) -> Any:
        incident = await broken(bench)
        until = bench.clock.now() + HOUR
        await desk.add_silence("ann", "a new disk", until, labels={"rule": RULE.id})
        return incident, await desk.why_alert(incident[-8:]), await desk.why_alert(f"incident:{incident}")

    incident, row, same = asked(scene)
    assert row == same
    assert row["subject"] == f"incident:{incident}"
    assert row["notice"]["event"] == "opened"
    assert names(row)["silence"] is False
    (silence,) = (each for each in row["stages"] if each["name"] == "silence")
    assert silence["command"] == "logmedic silence list"
    assert silence["until"].endswith("Z")
    assert "a new disk" in silence["detail"]


def test_why_a_message_was_not_sent_is_answered_by_its_id() -> None:
    async def scene(desk: AlertDesk, bench: Bench) -> Any:
        return await desk.why_alert("dead"), await desk.why_alert("alert:0193-dead")

    row, same = asked(scene, before=Changeset(alerts=(DEAD,)))
    assert row == same
    assert (row["subject"], row["alert"]["receiver"]) == ("alert:0193-dead", "chat")
    (stage,) = row["stages"]
    assert (stage["name"], stage["ok"], stage["command"]) == ("dead", False, "logmedic alerts resend 193-dead")


def test_a_message_that_arrived_long_ago_is_answered_from_the_store() -> None:
    async def scene(desk: AlertDesk, bench: Bench) -> Any:
        return await desk.why_alert("0193-sent")

    sent = replace(DEAD, id="0193-sent", status=AlertStatus.SENT, tries=2, sent_at=make.START)
    (stage,) = asked(scene, before=Changeset(alerts=(sent,)))["stages"]
    assert (stage["name"], stage["detail"]) == ("sent", "it arrived after 2 tries")


def test_of_what_nobody_was_to_be_told_the_reason_is_the_rule() -> None:
    silent = replace(RULE, alert=replace(RULE.alert, on=frozenset({AlertEvent.RECOVERED})))

    async def scene(desk: AlertDesk, bench: Bench) -> Any:
        return await desk.why_alert(await broken(bench))

    row = asked(scene, rule=silent)
    assert row["notice"] is None
    assert row["note"] == "nobody was to be told of it so far"
    (stage,) = row["stages"]
    assert "the rule wants nobody told of opened" in stage["detail"]
    assert stage["command"] == f"logmedic rules show {RULE.id}"


def test_what_is_none_of_them_says_where_ids_are() -> None:
    told = refusal(lambda desk, _: desk.why_alert("nowhere1"), NotFound)
    assert "nowhere1" in told


def test_of_what_is_over_the_messages_are_told_oldest_first() -> None:
    over = Incident(
        *("0193-over1234", "s1", RULE.id, "", "web is down", Severity.HIGH, make.START, make.START),
        status=IncidentStatus.RESOLVED,
        resolved_at=make.START,
    )
    about = {"incident_id": over.id, "tells": (f"incident:{over.id}",)}
    first = replace(DEAD, **about)  # type: ignore[arg-type]
    second = replace(first, id="0194-sent", receiver="mail", status=AlertStatus.SENT, created_at=make.START + HOUR)

    async def scene(desk: AlertDesk, _: Bench) -> Any:
        return await desk.why_alert("over1234")

    row = asked(scene, before=Changeset(incidents=(over,), alerts=(first, second)))
    assert row["note"].startswith("it is over")
    assert [each["name"] for each in row["stages"]] == ["receiver chat", "receiver mail"]
    assert row["stages"][0]["detail"] == "opened, dead: given up after 7 tries: refused"
    assert row["stages"][1]["detail"] == "opened, sent: it arrived after 7 tries"
