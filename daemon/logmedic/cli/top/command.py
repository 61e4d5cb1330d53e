"""top: the host as it is now."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import suppress
from dataclasses import replace
from queue import Empty
from typing import TYPE_CHECKING

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import print_json
from logmedic.cli.styled import Text, columns, is_colored, painted
from logmedic.cli.top.desk import EVERY_S, Desk, ask
from logmedic.cli.top.frame import frame, within
from logmedic.cli.top.keys import Keys
from logmedic.cli.top.snapshot import Answers, Snapshot, snapshot
from logmedic.cli.top.view import Act, Mode, Order, View, press
from logmedic.model.errors import PermanentError

if TYPE_CHECKING:
    from logmedic.cli.top.screen import Screen

ESC_S = 0.05
"""How long what may be the beginning of a key is waited for."""
TICK_S = 1.0
"""Ages are drawn again."""
PLAIN_WIDTH, PLAIN_HEIGHT = 200, 60


@click.command("top")
@click.option("--once", is_flag=True, help="Print one picture, and leave; it needs no terminal.")
@shared
@pass_context
def top_command(context: Context, once: bool) -> int:
    """The host as it is now: open incidents, fixes under way, alerts that wait, sources with their rates. Keys choose
    an incident, show it, acknowledge, approve, reject and silence it; ? lists them.
    """
    if once or context.output != "table":
        return _once(context)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise PermanentError("this is no terminal", "logmedic top --once prints one picture; or: logmedic status")
    first = ask(context.client)
    return _watch(context, first)


def _once(context: Context) -> int:
    """Two looks, so that there are rates."""
    before = ask(context.client)
    time.sleep(EVERY_S)
    answers = ask(context.client)
    if context.output != "table":
        asked = {name: getattr(answers, name) for name in ("status", "sources", "fixes", "alerts")}
        print_json(asked)
        return 0
    rows = frame(snapshot(answers, before), columns() or PLAIN_WIDTH, PLAIN_HEIGHT, View())
    lines = [painted(row, colored=is_colored()).rstrip(" ") for row in rows[:-1]]
    print("\n".join(lines).rstrip("\n"))
    return 0


def _watch(context: Context, first: Answers) -> int:
    from logmedic.cli.story.asking import ask as ask_story
    from logmedic.cli.story.page import page
    from logmedic.cli.top.screen import Ended, opened

    def story(incident: str) -> list[Text]:
        return list(page(ask_story(context, incident)))

    try:
        with opened() as screen:
            desk = Desk(context.client, story, screen.wake, first)
            desk.start()
            _Loop(screen, desk).run()
    except Ended as ended:
        return 128 + ended.number
    except (KeyboardInterrupt, EOFError):
        return 128 + signal.SIGINT
    return 0


class _Loop:
    """Draws, waits for a key or for news, and draws again."""

    def __init__(self, screen: Screen, desk: Desk) -> None:
        self._screen = screen
        self._desk = desk
        self._keys = Keys()
        self._view = View()

    def run(self) -> None:
        while True:
            self._news()
            now = self._now()
            width, height = self._screen.size()
            self._view = within(self._view, width, height)
            self._screen.draw(frame(now, width, height, self._view), width)
            for key in self._pressed():
                self._view, order = press(self._view, key, now)
                if order is not None and order.act is Act.QUIT:
                    return
                if order is not None:
                    self._give(order)

    def _give(self, order: Order) -> None:
        self._view = replace(self._view, said="asking ...")
        self._desk.give(order)

    def _now(self) -> Snapshot:
        desk = self._desk
        return replace(snapshot(desk.answers, desk.before, live=desk.live), problem=desk.problem)

    def _news(self) -> None:
        """What came of orders."""
        with suppress(Empty):
            self._view = replace(self._view, said=self._desk.said.get_nowait())
        with suppress(Empty):
            self._view = replace(self._view, mode=Mode.STORY, story=self._desk.stories.get_nowait(), scroll=0, said="")

    def _pressed(self) -> list[str]:
        received = self._screen.wait(ESC_S if self._keys.is_waiting else TICK_S)
        return self._keys.feed(received) if received else self._keys.settle()
