"""News comes in: of one subject, into the groups of the routes that it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice

from logmedic.core import compose, letters
from logmedic.core.alerting import groups, silences
from logmedic.core.alerting.inhibition import INCIDENT
from logmedic.core.alerting.routes import way_of
from logmedic.core.alerting.selecting import facts_of, means
from logmedic.core.draft import Draft
from logmedic.model.changeset import Acknowledge, AddSilence, EndSilence
from logmedic.model.message import Story
from logmedic.model.notice import Notice

MAX_NOTICES = 20_000
"""That something may still come of (I6)."""
NOTED = 100
"""Open incidents in whose timelines a silence stands that covers them."""
OWN_TAG = "logmedic"
"""Of what is about the daemon itself, and about no rule."""


def raise_(
    draft: Draft,
    story: Story,
    *,
    title: str = "",
    tags: Sequence[str] = (),
    labels: Mapping[str, str] | None = None,
    routes: Sequence[str] = (),
    group_by: Sequence[str] = (),
    lasting: bool = True,
    repeat_s: float | None = None,
) -> bool:
    """Answers whether there is anybody to tell. `labels`: beside those that each has; `routes`, `group_by`, `repeat_s`:
    as its rule says; `lasting`: its end will be told to `end`."""
    known = draft.notice(story.subject)
    goes_on = known is not None and not known.over and not known.done
    if known is None and len(draft.state.notices) >= MAX_NOTICES:
        draft.tally("alerts_dropped")
        return False
    plan, about_rule = draft.policy.alerts, bool(labels and labels.get("rule"))
    notice = Notice(
        subject=story.subject,
        event=story.event,
        severity=story.severity,
        title=title or story.symptom,
        at=draft.now,
        since=known.since if known is not None and goes_on else story.since,
        tags=tuple(tags) if about_rule else tuple(dict.fromkeys((*tags, OWN_TAG))),
        labels={**plan.labels, **(labels or {}), **_labels_of(draft, story)},
        story=letters.pack_story(story),
        version=known.version + 1 if known is not None else 1,
        lasting=lasting,
        told=known.told if known is not None and goes_on else {},
        repeat_s=repeat_s,
    )
    if known is not None and goes_on:
        acked = known.acked_by if notice.severity.rank <= known.severity.rank else ""
        notice = replace(notice, acked_by=acked, acked_at=known.acked_at, acked_until=known.acked_until)
        notice = replace(notice, suppressed=known.suppressed, suppressed_by=known.suppressed_by)
    way = way_of(plan, facts_of(notice), routes, draft.now)
    for missing in way.missing:
        draft.tally("alerts_route_missing")
        _note(draft, notice, "not_told", f"there is no route {missing}: check alerts.routes")
    if not way.routes:
        draft.tally("alerts_without_receiver")
        return False
    keys = [groups.key_of(plan.routes[name], notice, group_by) for name in way.routes]
    kept = known.groups if known is not None and goes_on else ()
    notice = replace(notice, groups=tuple(dict.fromkeys((*kept, *keys))))
    draft.put_notice(notice)
    for name, key in zip(way.routes, keys, strict=True):
        groups.join(draft, plan.routes[name], key, compose.subject_of(draft.policy.hostname, story))
    return True


def _labels_of(draft: Draft, story: Story) -> dict[str, str]:
    kind, _, name = story.subject.partition(":")
    found = {"host": draft.policy.hostname, "severity": story.severity.value, kind: name or kind}
    found |= {"rule": story.rule} if story.rule else {}
    found |= {"source": story.source} if story.source else {}
    return found


def end(draft: Draft, subject: str, story: Story) -> None:
    """It is over: told to whoever was told of it (F75), and to nobody else."""
    known = draft.notice(subject)
    if known is None or known.over or known.done:
        return
    look_again(draft)
    if not known.told:
        draft.tally("alerts_spared")
        draft.put_notice(replace(known, over=True, done=True))
        return
    over = replace(
        known,
        event=story.event,
        at=draft.now,
        over=True,
        version=known.version + 1,
        story=letters.pack_story(story),
        suppressed="",
        suppressed_by="",
    )
    draft.put_notice(over)
    for key in over.groups:
        group = draft.group(key)
        route = draft.policy.alerts.routes.get(group.route) if group is not None else None
        if group is None:
            continue
        if route is None or all(each.over for each in draft.members(key)):
            at = draft.now if route is None else draft.now + route.group_wait
            draft.put_group(replace(group, due_at=at))
        else:
            groups.join(draft, route, key, group.title)


def forget(draft: Draft, subject: str) -> None:
    """It is over, and its rule wants nobody to be told of that."""
    known = draft.notice(subject)
    if known is not None and not known.done:
        draft.put_notice(replace(known, over=True, done=True))


def look_again(draft: Draft) -> None:
    """What was told instead of others may be over: those are looked at again."""
    for notice in draft.inhibited():
        for key in notice.groups:
            if (group := draft.group(key)) is not None:
                draft.put_group(replace(group, due_at=draft.now))


def acknowledge(draft: Draft, given: Acknowledge) -> None:
    notice = draft.notice(given.subject)
    if notice is None or notice.over or notice.done:
        draft.tally("acks_ignored")
        return
    draft.put_notice(replace(notice, acked_by=given.by, acked_at=draft.now, acked_until=given.until))
    until = f" until {given.until:%Y-%m-%d %H:%M} UTC" if given.until is not None else ""
    _note(draft, notice, "acknowledged", f"acknowledged by {given.by}{until}")
    for key in notice.groups if given.until is not None else ():
        group = draft.group(key)
        if group is not None and given.until is not None:
            due = given.until if group.due_at is None else min(group.due_at, given.until)
            draft.put_group(replace(group, due_at=due))


def add_silence(draft: Draft, given: AddSilence) -> None:
    silence = silences.add(draft, given)
    covered = (each for each in draft.notices() if not each.over and means(silence.selector, facts_of(each), draft.now))
    for notice in islice(covered, NOTED):
        text = f"silenced by {given.by} until {given.until:%Y-%m-%d %H:%M} UTC: {given.why}"
        _note(draft, notice, "silenced", text)


def end_silence(draft: Draft, given: EndSilence) -> None:
    silence = draft.silence(given.silence_id)
    if silence is None or silence.until <= draft.now:
        return
    draft.put_silence(replace(silence, until=draft.now, ended_by=given.by))
    for notice in list(draft.notices()):
        for key in notice.groups if notice.suppressed else ():
            if (group := draft.group(key)) is not None:
                draft.put_group(replace(group, due_at=draft.now))


def _note(draft: Draft, notice: Notice, kind: str, text: str) -> None:
    """An entry of the incident's timeline, when it is about one."""
    if notice.subject.startswith(INCIDENT):
        draft.event(notice.subject.removeprefix(INCIDENT), kind, text)
