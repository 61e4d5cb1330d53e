"""A draft of a rule for what was learned: text to copy, and a file to download. Nothing is written on the host."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from logmedic.adapters.web.html import Html, element, joined
from logmedic.adapters.web.pages import parts
from logmedic.adapters.web.pages.page import Answer, Page, View
from logmedic.adapters.web.pages.troubles import shown
from logmedic.core.shellwords import command, short
from logmedic.ports import Control


async def gather(control: Control, request: Request) -> Answer:
    return await control.draft_rule(request.path_params["id"])


def render(answer: Answer, view: View) -> Html:
    issue, content = answer["issue"], answer["file"]
    base = f"/issues/{quote(issue['id'], safe='')}"
    back = f"/learned/{quote(issue['id'], safe='')}"
    download = element(
        "a", "Download", href=f"{base}/promote.yaml", download=f"{answer['rule']}.yaml", class_="button main"
    )
    return joined(
        parts.heading(
            f"A draft of rule {answer['rule']}",
            joined(
                "for ", element("a", parts.line(issue["title"]), href=back), f", seen {issue['occurrences']:,} times"
            ),
            more=joined(download, parts.button("Mute it instead", f"{base}/mute"), parts.button("Back", back)),
        ),
        element(
            "section",
            element(
                "p",
                "It has proved itself: it takes what was seen and no ordinary line, and its tests pass. It has no fix. "
                "Read it, put it where rules.paths looks, and load the rules again.",
            ),
            element("pre", content, class_="code", tabindex="0", aria_label="The file"),
            parts.shell(command("learned", "promote", short(issue["id"]), "-w", f"{answer['rule']}.yaml")),
            class_="card",
            aria_label="The draft",
        ),
    )


def download(control: Control) -> Route:
    async def answer(request: Request) -> Response:
        made = await gather(control, request)
        named = f'attachment; filename="{made["rule"]}.yaml"'
        headers = {"content-disposition": named, "cache-control": "no-store"}
        return Response(made["file"], media_type="application/yaml", headers=headers)

    return Route("/issues/{id}/promote.yaml", shown(answer), methods=["GET"])


PAGE = Page(
    path="/issues/{id}/promote",
    title=lambda answer: f"A draft of rule {answer['rule']}",
    gather=gather,
    render=render,
)
