"""learned show: all that is known of one issue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.learned.group import learned_command
from logmedic.cli.learned.suggestion import suggestion
from logmedic.cli.learned.words import sentences, state_of
from logmedic.cli.output import print_json, several, short
from logmedic.cli.styled import say
from logmedic.core.issuewords import is_reported, life

SAMPLES = 5
SAMPLE_LINES, LAST_LINES = 12, 5
"""Of the first record, without its middle where it is longer: a trace tells most at its ends."""
LESSONS = 10

Issue = Mapping[str, Any]


@learned_command.command("show", short_help="All that is known of one issue.")
@click.argument("issue")
@shared
@pass_context
def show_command(context: Context, issue: str) -> None:
    """All that is known of one issue: its story, its life, versions, pattern, samples, lessons, what tends to come
    before it, what a model suggests, and how to go on."""
    row = context.ask("issue", issue_id=issue)
    if context.output != "table":
        print_json(row)
        return
    for line in _page(row):
        say(line)


def _page(issue: Issue) -> Iterator[str]:
    yield issue["title"]
    yield f"{issue['severity']}, {state_of(issue)}, seen {issue['occurrences']}x, confidence {issue['confidence']:.2f}"
    yield f"issue {short(issue)}, {_from(issue)}"
    yield from _section("", sentences(issue))
    yield from _section("its life", life(issue))
    yield from _section("its pattern", _pattern(issue))
    yield from _section("samples", _samples(issue))
    yield from _section("what was learned", _lessons(issue))
    yield from _section("what comes before it, and what follows", _precursors(issue))
    yield from _section("suggestion by a model (not verified)", suggestion(issue))
    yield from _section("its incidents", _incidents(issue))
    yield from _section("next", _next_steps(issue))


def _section(heading: str, lines: Iterator[str]) -> Iterator[str]:
    """Nothing at all where there are no lines."""
    indent = "  " if heading else ""
    for number, line in enumerate(lines):
        if number == 0:
            yield from ("", heading) if heading else ("",)
        yield f"{indent}{line}".rstrip()


def _from(issue: Issue) -> str:
    if is_reported(issue):
        return "reported by an application"
    match issue["source"]:
        case "rule":
            return f"of rule {issue['issue_type']}"
        case "learned":
            return "learned" + "".join(f", logged by {each}" for each in issue["tags"] if each != "auto_detected")
    return "of a breaker"


def _pattern(issue: Issue) -> Iterator[str]:
    if issue["error_pattern"]:
        yield issue["error_pattern"]
    elif issue["source"] == "learned" and not is_reported(issue):
        yield "none: no pattern could be made that takes its lines and no ordinary ones"
    texts = [each["template"] for each in issue["templates"] if not each["merged_into"]]
    yield from (f"from the template: {text}" for text in texts)
    more = len(issue["templates"]) - len(texts)
    if more:
        yield f"and {several(more, 'template')} that became part of it"


def _samples(issue: Issue) -> Iterator[str]:
    """The first record of each template; of further ones, which are kept to show what varies, the first line."""
    wholes = list(dict.fromkeys(each["sample"] for each in issue["templates"] if each["sample"]))
    firsts = dict.fromkeys(text.partition("\n")[0] for each in issue["templates"] for text in each["samples"])
    further = [line for line in firsts if line and not any(whole.startswith(line) for whole in wholes)]
    shown = [_ends(whole.splitlines()) for whole in wholes] + [[line] for line in further[:SAMPLES]]
    spread = any(len(lines) > 1 for lines in shown)
    for number, lines in enumerate(shown):
        if spread and number and not (len(lines) == len(shown[number - 1]) == 1):
            yield ""
        yield from (f"| {line}" for line in lines)


def _ends(lines: Sequence[str]) -> Sequence[str]:
    more = len(lines) - SAMPLE_LINES
    if more <= 0:
        return lines
    return [*lines[: SAMPLE_LINES - LAST_LINES], f"... ({several(more, 'more line')})", *lines[-LAST_LINES:]]


def _lessons(issue: Issue) -> Iterator[str]:
    """A return that people were called for is one lesson of each kind, with the same words."""
    said = dict.fromkeys(each["learnings"] for each in issue["learnings"])
    yield from list(said)[:LESSONS]


def _precursors(issue: Issue) -> Iterator[str]:
    """Only a daemon knows them."""
    yield from (each["sentence"] for each in issue.get("precursors", ()))


def _incidents(issue: Issue) -> Iterator[str]:
    for each in issue["incidents"]:
        yield f"{short(each)}  {each['opened_at'][:16].replace('T', ' ')}Z  {each['resolution'] or each['status']}"


def _next_steps(issue: Issue) -> Iterator[str]:
    name = short(issue)
    if issue["status"] == "merged":
        yield f"logmedic learned show {issue['merged_into'][-8:]}"
        return
    if issue["source"] == "learned" and not is_reported(issue):
        yield f"logmedic learned promote {name}    drafts a rule with tests"
    if issue["source"] == "rule":
        yield f"logmedic rules show {issue['issue_type']}"
    if issue["status"] == "muted":
        yield f"logmedic learned unmute {name}"
        return
    unresolved = [each for each in issue["incidents"] if each["status"] != "resolved"]
    if unresolved:
        yield f"logmedic show {short(unresolved[0])}    its incident, which says when it is over"
    elif issue["status"] != "resolved":
        yield f"logmedic learned resolve {name} --because TEXT"
    yield f"logmedic learned mute {name} --for 7d"
