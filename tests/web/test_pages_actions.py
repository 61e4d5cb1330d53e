"""What can be done from a page: asked first, done once, by who is named; and what keeps it from being done."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fakes.furnished import FurnishedControl, furnished
from fakes.paged import BOB, Paged, read_page
from logmedic.adapters.web.callers import Caller
from logmedic.adapters.web.pages.actions import ACTIONS
from logmedic.model.errors import OrderRefused

SILENCE, MESSAGE, ISSUE, OTHER = "00001f41", "00001b5a", "0000012c", "0000012d"
PATHS = {
    "/incidents/{id}/approve": "/incidents/00000029/approve",
    "/incidents/{id}/reject": "/incidents/00000029/reject",
    "/incidents/{id}/ack": "/incidents/00000029/ack",
    "/incidents/{id}/unack": "/incidents/000001ff/unack",
    "/incidents/{id}/silence": "/incidents/00000029/silence",
    "/issues/{id}/ack": f"/issues/{ISSUE}/ack",
    "/issues/{id}/unack": f"/issues/{ISSUE}/unack",
    "/issues/{id}/mute": f"/issues/{ISSUE}/mute",
    "/issues/{id}/unmute": f"/issues/{OTHER}/unmute",
    "/issues/{id}/resolve": f"/issues/{ISSUE}/resolve",
    "/issues/{id}/merge": f"/issues/{ISSUE}/merge",
    "/breakers/reset": "/breakers/reset?rule=worker-oom&target=worker.service",
    "/pause": "/pause",
    "/resume": "/resume",
    "/reload": "/reload",
    "/rules/{id}/trust": "/rules/nginx-upstream-down/trust",
    "/rules/{id}/test": "/rules/redis-memory/test",
    "/silences/new": "/silences/new",
    "/silences/{id}/end": f"/silences/{SILENCE}/end",
    "/alerts/{id}/resend": f"/alerts/{MESSAGE}/resend",
    "/receivers/{name}/test": "/receivers/oncall-mail/test",
}
TYPED = {"why": "new disks", "because": "mended", "into": OTHER}


@pytest.fixture
def control() -> FurnishedControl:
    made = furnished()
    made.deliveries = [
        {
            "receiver": "oncall-mail",
            "scheme": "mailtos",
            "route": "",
            "status": "dead",
            "last_error": "550",
            "took_s": 1.0,
        }
    ]
    made.pauses = [
        {"origin": "operator", "on": True, "at": "2026-11-24T03:00:00Z", "by": "bob", "why": "", "until": None}
    ]
    return made


@pytest.fixture
def pages(control: FurnishedControl) -> Iterator[Paged]:
    with Paged(control) as opened:
        yield opened


def typed(pages: Paged, path: str, **more: str) -> dict[str, str]:
    """The form of that page, filled in."""
    form = pages.form(path)
    return {**form, **{name: value for name, value in TYPED.items() if name in form}, **more}


def test_every_action_is_tried_here() -> None:
    assert sorted(each.path for each in ACTIONS) == sorted(PATHS)


@pytest.mark.parametrize("path", PATHS.values())
def test_asking_changes_nothing_and_says_what_it_means(pages: Paged, control: FurnishedControl, path: str) -> None:
    answer = pages.get(path)
    page = read_page(answer.text)
    assert answer.status_code == 200
    assert len(page.fields["ask"]) >= 16
    assert {"method": "post", "action": "?"} in page.of("form")
    assert "In a shell: logmedic" in page.text
    assert control.did == []


@pytest.mark.parametrize("path", PATHS.values())
def test_the_form_that_was_asked_does_it_and_says_what_came_of_it(
    pages: Paged, control: FurnishedControl, path: str
) -> None:
    answer = pages.post(path, typed(pages, path))
    page = read_page(answer.text)
    assert answer.status_code == 200
    assert "This form was sent before" not in page.text
    assert [each for each in page.of("section") if each.get("role") == "status"]
    if not path.startswith("/rules/redis"):
        assert len(control.did) == 1


@pytest.mark.parametrize(
    ("path", "did"),
    [
        ("/incidents/00000029/approve", "approve"),
        ("/incidents/00000029/ack", "ack"),
        ("/incidents/00000029/silence", "silence"),
        ("/breakers/reset?rule=worker-oom", "reset"),
        ("/pause", "pause"),
        (f"/issues/{ISSUE}/mute", "mute"),
        ("/rules/nginx-upstream-down/trust", "trust"),
    ],
)
def test_who_did_it_is_recorded(pages: Paged, control: FurnishedControl, path: str, did: str) -> None:
    pages.post(path, typed(pages, path))
    ((name, *more),) = control.did
    assert name == did
    assert "alice" in more


@pytest.mark.parametrize("path", PATHS.values())
def test_a_double_click_does_it_once_and_both_hear_what_came_of_it(
    pages: Paged, control: FurnishedControl, path: str
) -> None:
    form = typed(pages, path)
    first, second = pages.post_twice_at_once(path, form)
    third = pages.post(path, form)
    assert len(control.did) <= 1
    assert {each.status_code for each in (first, second, third)} == {200}
    assert "This form was sent before: it was done once" in read_page(third.text).text
    assert sum("This form was sent before" in each.text for each in (first, second)) == 1


def test_a_pause_is_done_though_it_is_nothing_to_be_glad_of(pages: Paged) -> None:
    page = read_page(pages.post("/pause", typed(pages, "/pause", stop="yes", **{"for": "2h"})).text)
    assert "Done" in page.text
    assert "No fix runs until" in page.text


def test_another_form_is_another_order(pages: Paged, control: FurnishedControl) -> None:
    for _ in range(2):
        pages.post("/incidents/00000029/ack", typed(pages, "/incidents/00000029/ack"))
    assert len(control.did) == 2


@pytest.mark.parametrize("path", PATHS.values())
def test_who_may_only_look_is_told_so_and_does_nothing(pages: Paged, control: FurnishedControl, path: str) -> None:
    form = typed(pages, path)
    pages.who = BOB
    asked, sent = pages.get(path), pages.post(path, form)
    assert "bob may look, and not act." in read_page(asked.text).text
    assert {"method": "post", "action": "?"} not in read_page(asked.text).of("form")
    assert sent.status_code == 403
    assert control.did == []


@pytest.mark.parametrize("csrf", ["", "wrong", "s3cret ", "ü"])
def test_a_session_s_form_without_its_secret_does_nothing(control: FurnishedControl, csrf: str) -> None:
    with Paged(control, Caller("carol", True, "session", csrf="s3cret")) as pages:
        form = pages.form("/incidents/00000029/approve")
        refused = pages.post("/incidents/00000029/approve", {**form, "csrf": f"{csrf}x" if csrf == "s3cret " else csrf})
        assert (refused.status_code, control.did) == (403, [])
        assert pages.post("/incidents/00000029/approve", form).status_code == 200
    assert control.did[0][-1] == "carol"


@pytest.mark.parametrize("ask", ["", "short", "x" * 65])
def test_a_form_without_its_number_does_nothing(pages: Paged, control: FurnishedControl, ask: str) -> None:
    answer = pages.post("/reload", {"ask": ask})
    assert (answer.status_code, control.did) == (400, [])


@pytest.mark.parametrize(
    "body", [{"content": b"{}", "headers": {"content-type": "application/json"}}, {"content": b"ask=" + b"x" * 70_000}]
)
def test_what_is_no_form_does_nothing(pages: Paged, control: FurnishedControl, body: dict[str, object]) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded", **body.get("headers", {})}  # type: ignore[dict-item]
    answer = pages.post("/reload", {}, content=body["content"], headers=headers)
    assert (answer.status_code, control.did) == (400, [])


@pytest.mark.parametrize(
    ("path", "changes", "says"),
    [
        ("/incidents/00000029/silence", {"why": ""}, "`Why` is missing"),
        ("/incidents/00000029/silence", {"for": "99y"}, "choose one of the list"),
        ("/incidents/00000029/silence", {"why": "x" * 501}, "501 characters"),
        ("/pause", {"why": " "}, "`Why` is missing"),
        (f"/issues/{ISSUE}/mute", {"count": "many"}, "is no number"),
        (f"/issues/{ISSUE}/merge", {"into": ""}, "is missing"),
        ("/rules/nginx-upstream-down/trust", {"level": "blind"}, "choose one of the list"),
    ],
)
def test_a_form_that_says_too_little_keeps_what_was_typed_and_can_be_sent_again(
    pages: Paged, control: FurnishedControl, path: str, changes: dict[str, str], says: str
) -> None:
    form = typed(pages, path, **{"why": "a long story", **changes} if "why" in pages.form(path) else changes)
    answer = pages.post(path, form)
    again = read_page(answer.text)
    assert answer.status_code == 400
    assert says in again.text
    assert control.did == []
    if changes.get("why") is None and "why" in form:
        assert again.fields["why"] == "a long story"
    mended = {**again.fields, **{name: TYPED.get(name, "") for name in changes if name in again.fields}}
    if "for" in changes or "level" in changes:
        mended = {**mended, "for": "1h", "level": "auto"}
    assert pages.post(path, mended).status_code == 200
    assert len(control.did) == 1


def test_a_store_that_is_busy_is_said_and_the_form_stays(pages: Paged, control: FurnishedControl) -> None:
    path = "/incidents/00000029/silence"
    form = typed(pages, path)
    control.busy = True
    answer = pages.post(path, form)
    again = read_page(answer.text)
    assert (answer.status_code, control.did) == (503, [])
    assert "The store is busy." in again.text
    control.busy = False
    assert again.fields == form
    assert pages.post(path, again.fields).status_code == 200


def test_what_cannot_be_done_any_more_is_an_outcome_and_not_a_trouble(
    pages: Paged, control: FurnishedControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Late(FurnishedControl):
        async def approve(self, incident_id: str, by: str) -> dict[str, object]:
            raise OrderRefused("no fix waits for approval: it is under way", "logmedic why 00000029")

    with Paged(Late(control.made)) as late:
        answer = late.post("/incidents/00000029/approve", typed(late, "/incidents/00000029/approve"))
    page = read_page(answer.text)
    assert answer.status_code == 409
    assert "No fix waits for approval: it is under way." in page.text
    assert "Next: logmedic why 00000029" in page.text


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/incidents/00000105/approve", "no fix of it waits for an answer: failed"),
        ("/incidents/000007d1/ack", "it is over"),
        (f"/issues/{ISSUE}/unmute", "it is not muted"),
        ("/breakers/reset?rule=redis-memory", "no breaker of redis-memory is open"),
        (f"/alerts/{'00001b59'}/resend", "it was not given up"),
    ],
)
def test_what_makes_no_sense_now_has_no_form_and_says_why(pages: Paged, path: str, says: str) -> None:
    page = read_page(pages.get(path).text)
    assert says.casefold() in page.text.casefold()
    assert {"method": "post", "action": "?"} not in page.of("form")


@pytest.mark.parametrize(
    "path", ["/incidents/nowhere/approve", "/receivers/nobody/test", "/rules/none/trust", "/silences/none/end"]
)
def test_what_is_not_there_cannot_be_acted_on(pages: Paged, control: FurnishedControl, path: str) -> None:
    assert pages.get(path).status_code == 404
    assert pages.post(path, {"ask": "x" * 20, "why": "y", "level": "auto"}).status_code == 404
    assert control.did == []


def test_an_approval_shows_what_would_run_and_until_when(pages: Paged) -> None:
    page = read_page(pages.get("/incidents/00000029/approve").text)
    assert "restart app.service" in page.text
    assert [each for each in page.of("time") if "data-left" in each]


def test_the_tests_of_a_rule_are_run_and_told_one_by_one(pages: Paged) -> None:
    path = "/rules/redis-memory/test"
    text = read_page(pages.post(path, pages.form(path)).text).text
    assert "1 of 1 test passed." in text
    assert "one line opens it" in text


def test_a_reload_tells_of_what_was_refused(pages: Paged) -> None:
    text = read_page(pages.post("/reload", pages.form("/reload")).text).text
    assert "31 rules in force, and 1 problem; the last good version stays of web.yaml." in text
    assert "web.yaml:3:5: unknown key" in text


def test_a_test_message_that_did_not_arrive_says_why(pages: Paged) -> None:
    path = "/receivers/oncall-mail/test"
    text = read_page(pages.post(path, pages.form(path)).text).text
    assert "The test message did not arrive." in text
    assert "given up in 1 s: 550" in text


def test_a_draft_is_text_to_copy_and_a_file_to_download_and_nothing_is_written(pages: Paged) -> None:
    page, file = pages.get(f"/issues/{ISSUE}/promote"), pages.get(f"/issues/{ISSUE}/promote.yaml")
    assert "ERROR payment provider answered" in read_page(page.text).text
    assert file.headers["content-disposition"] == 'attachment; filename="shop-error-payment-provider-answered-for.yaml"'
    assert file.text.startswith("# A draft made from what was seen.")
    assert pages.get(f"/issues/{ISSUE}/promote.json").json()["file"] == file.text


def test_no_draft_is_made_of_what_was_not_learned(pages: Paged) -> None:
    assert pages.get("/issues/issue-redis-memory/promote").status_code == 404
